"""Every cell that this machine can fill, each in its own Nox session."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock

from paddlecompat.environments.environment import is_prepared
from paddlecompat.fixtures import forms
from paddlecompat.fixtures.folders import LOGS, MATRIX_STATE, NOX, ROOT
from paddlecompat.fixtures.releases import Cell, Fixture, cells
from paddlecompat.machine import gpus
from paddlecompat.machine.processes import run_logged
from paddlecompat.records.record import Device

STATE = MATRIX_STATE


DEVICE = Lock()
"""Cells on the GPU run one after another: they would share its memory."""


@dataclass(frozen=True)
class Ended:
    """How one cell's session ended."""

    cell: Cell
    status: int
    verdict: str
    seconds: float


def run(fixture: Fixture, jobs: int, fresh: bool, options: list[str]) -> int:
    """Fill every cell, `jobs` side by side, going on where a run with the same options was cut off.

    Returns 0, or 1 where a cell is worse than expected or its session failed.
    """
    wanted = fillable(fixture)
    done = {} if fresh else cut_off(options)
    left = [cell for cell in wanted if cell.name not in done]
    if done:
        print(f"going on: {len(done)} cells are done already (--fresh measures all anew)")
    print(f"{len(left)} cells, {jobs} at a time; logs in .nox/logs", flush=True)
    started, failed = time.monotonic(), any(done.values())
    for number, ended in enumerate(fill_all(left, jobs, options), start=1):
        done[ended.cell.name] = ended.status
        forms.write_text(STATE, json.dumps({"options": options, "done": done}))
        failed = failed or bool(ended.status)
        minutes = (time.monotonic() - started) / number * (len(left) - number) / 60
        rest = len(left) - number
        ahead = f"{rest} left, about {minutes:.0f} min" if rest else "none left"
        line = f"[{number}/{len(left)}] {ended.verdict} ({ended.seconds:.0f} s); {ahead}"
        print(line, flush=True)
    STATE.unlink(missing_ok=True)
    return int(failed)


def fillable(fixture: Fixture) -> list[Cell]:
    """The CPU cells; the GPU cells, too, where the driver shows a device."""
    wanted = cells(fixture)
    found = gpus.look()
    if isinstance(found, Device):
        return wanted
    gpu = [cell for cell in wanted if cell.place == "gpu"]
    print(f"{len(gpu)} GPU cells left out: {found.reason} ({found.detail})")
    return [cell for cell in wanted if cell.place == "cpu"]


def cut_off(options: list[str]) -> dict[str, int]:
    """The cells that an interrupted run with these options had done, with their exit status."""
    if not STATE.exists():
        return {}
    state = json.loads(STATE.read_text(encoding="utf-8"))
    done: dict[str, int] = state["done"] if state["options"] == options else {}
    return done


def fill_all(wanted: list[Cell], jobs: int, options: list[str]) -> Iterator[Ended]:
    """Each cell's session as it ends. While cells are tested, the next ones' wheels are fetched."""
    finished: SimpleQueue[Future[Ended]] = SimpleQueue()
    with ThreadPoolExecutor(jobs) as sessions, ThreadPoolExecutor(1) as fetching:

        def one(position: int) -> Ended:
            for following in wanted[position + jobs : position + jobs + 1]:
                fetching.submit(fetch_ahead, following)
            with DEVICE if wanted[position].place == "gpu" else nullcontext():
                return fill(wanted[position], options)

        try:
            for position in range(len(wanted)):
                sessions.submit(one, position).add_done_callback(finished.put)
            for _ in wanted:
                yield finished.get().result()
        finally:  # an interruption ends what runs, and starts nothing more
            sessions.shutdown(wait=False, cancel_futures=True)
            fetching.shutdown(wait=False, cancel_futures=True)


def fetch_ahead(cell: Cell) -> None:
    """Best effort: should it fail, the cell's own session says why.

    A GPU cell's build is chosen in its session.
    """
    if cell.place == "cpu" and not is_prepared(cell):
        command = [sys.executable, "-m", "paddlecompat", "fetch", cell.name]
        run_logged(command, LOGS / f"fetch-{cell.name}.log")


def fill(cell: Cell, options: list[str]) -> Ended:
    """Run the cell's Nox session; its output goes to a log."""
    started = time.monotonic()
    verdict = NOX / "cells" / cell.name / "verdict.txt"
    verdict.unlink(missing_ok=True)
    log = LOGS / f"{cell.name}.log"
    status = run_logged([sys.executable, "-m", "nox", "-s", cell.name, "--", *options], log)
    if verdict.exists():
        words = verdict.read_text(encoding="utf-8")
    else:
        words = f"{cell.name}: the session failed, see {log.relative_to(ROOT)}"
    return Ended(cell, status, words, time.monotonic() - started)
