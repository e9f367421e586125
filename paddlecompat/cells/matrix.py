"""Every cell that this machine can fill, each in a process of its own: `nox -s matrix`."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from threading import Lock
from typing import Literal

from paddlecompat.cells.option_set import Options
from paddlecompat.fixtures import forms
from paddlecompat.fixtures.forms import Kind
from paddlecompat.fixtures.releases import Cell, Fixture, cells
from paddlecompat.folders import LOGS, MATRIX_STATE, RUNS, shown
from paddlecompat.machine import gpus, processes
from paddlecompat.machine.command_line import arguments_of
from paddlecompat.records.judging import Outcome, Status
from paddlecompat.records.subject import Device

OWN = (sys.executable, "-m", "paddlecompat")  # a cell's process: then its name and options
DEVICE = Lock()
"""Cells on the GPU run one after another: they would share its memory."""


def fill_in_child(cell: Cell, options: Options) -> Outcome:
    """Fill a cell in a process of its own, whose output goes to a log; what came of it."""
    file, log = RUNS / cell.name / "outcome.json", LOGS / f"{cell.name}.log"
    file.unlink(missing_ok=True)
    processes.run_logged([*OWN, cell.name, *arguments_of(options), f"--outcome={file}"], log)
    if file.exists():
        return forms.read_as(Outcome, file)
    words = f"{cell.name}: its process ended without a word, see {shown(log)}"
    return Outcome(cell=cell.name, status=Status.MACHINE_FAILED, words=words)


class State(forms.Model):
    """What a run has done, for one that goes on where it was cut off."""

    version: Literal[1]
    options: list[str]
    done: dict[str, Status]
    """The cells, with their exit status."""


def run(fixture: Fixture, kinds: Sequence[Kind], jobs: int, anew: bool, options: Options) -> Status:
    """Fill every cell, `jobs` side by side, going on where a run with the same options was cut off.

    Returns the worst of the cells' statuses: worse than expected, else that the machine failed.
    """
    wanted = fillable(fixture, kinds)
    asked = arguments_of(options)
    before = None if anew else forms.read_kept(State, MATRIX_STATE)  # of an interrupted run
    done = dict(before.done) if before and before.options == asked else {}
    left = [cell for cell in wanted if cell.name not in done]
    if done:
        print(f"continuing: {len(done)} cells are done already (--anew measures all of them)")
    print(f"{len(left)} cells, {jobs} at a time; logs in {shown(LOGS)}", flush=True)
    started = time.monotonic()
    for number, (outcome, seconds) in enumerate(fill_all(left, jobs, options), start=1):
        done[outcome.cell] = outcome.status
        forms.write_kept(MATRIX_STATE, State(version=1, options=asked, done=done))
        ahead = what_is_left(started, number, len(left))
        print(f"[{number}/{len(left)}] {outcome.words} ({seconds:.0f} s); {ahead}", flush=True)
    MATRIX_STATE.unlink(missing_ok=True)
    return worst(done.values())


def what_is_left(started: float, done: int, total: int) -> str:
    """'3 left, about 12 min', estimated from the time since `started`, of the monotonic clock."""
    left = total - done
    minutes = (time.monotonic() - started) / done * left / 60
    return f"{left} left, about {minutes:.0f} min" if left else "none left"


def worst(statuses: Collection[int]) -> Status:
    """Of several cells: one that is worse than expected outweighs a machine that failed."""
    order = (Status.WORSE, Status.WRONG_OPTIONS, Status.MACHINE_FAILED)
    return next((status for status in order if status in statuses), Status.AS_EXPECTED)


def fillable(fixture: Fixture, kinds: Sequence[Kind]) -> list[Cell]:
    """The cells of these kinds; those on the GPU only where the driver shows a device."""
    wanted = [cell for cell in cells(fixture) if cell.kind in kinds]
    on_cpu = [cell for cell in wanted if cell.place == "cpu"]
    if on_cpu == wanted or isinstance(found := gpus.look(), Device):
        return wanted
    left_out = len(wanted) - len(on_cpu)
    print(f"{left_out} GPU cells left out: {found.reason} ({found.detail})")
    return on_cpu


def fill_all(wanted: list[Cell], jobs: int, options: Options) -> Iterator[tuple[Outcome, float]]:
    """Each cell's outcome and seconds as it ends."""

    def fill_one(cell: Cell) -> tuple[Outcome, float]:
        started = time.monotonic()
        with DEVICE if cell.place == "gpu" else nullcontext():
            return fill_in_child(cell, options), time.monotonic() - started

    with ThreadPoolExecutor(jobs) as filling:
        try:
            filled = [filling.submit(fill_one, cell) for cell in wanted]
            yield from (one.result() for one in as_completed(filled))
        finally:  # an interruption ends what runs, and starts nothing more
            filling.shutdown(wait=False, cancel_futures=True)
