"""Programs of `tests/properties` that run inside a cell's environment, beside its own session."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from paddlecompat.environments.installer import python_of
from paddlecompat.fixtures.folders import LOGS, ROOT, TESTS, environment_of
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.releases import Cell, Fixture, cells
from paddlecompat.machine import processes
from paddlecompat.machine.processes import run_logged
from paddlecompat.records.advice_results import Measured


def cpu_cells(fixture: Fixture, releases: list[str]) -> list[Cell]:
    """The CPU cells of these releases, in the fixture's order.

    Raises ValueError for a release that the fixture has not.
    """
    found = {c.release.version: c for c in cells(fixture) if c.place == "cpu"}
    if unknown := [version for version in releases if version not in found]:
        raise ValueError(f"no CPU cell of {', '.join(unknown)}; there are {', '.join(found)}")
    return [cell for version, cell in found.items() if version in releases]


def interpreter_of(cell: Cell) -> Path:
    """The Python of the cell's environment, which its own Nox session makes ready first.

    Raises ValueError where it cannot.
    """
    command = [sys.executable, "-m", "nox", "-s", cell.name, "--", "--prepare"]
    log = LOGS / f"prepare-{cell.name}.log"
    status = run_logged(command, log)
    python = python_of(environment_of(cell.name))
    if status or not python.exists():
        words = log.read_text(encoding="utf-8", errors="replace").splitlines()
        why = next((line for line in reversed(words) if line.startswith(f"{cell.name}: ")), "")
        told = why.partition(": ")[2] or f"see {log.relative_to(ROOT)}"
        raise ValueError(f"{cell.name} cannot be made ready: {told}")
    return python


def run_program(python: Path, name: str, arguments: list[str], log: Path) -> int:
    """Run a program of `tests/properties` in an environment, on one core; its output goes to a log.

    Programs run side by side, and threads that wait for each other would take turns on the cores.
    """
    command = [str(python), "-m", f"properties.programs.{name}", *arguments]
    return run_logged(command, log, {"OMP_NUM_THREADS": "1"}, TESTS)


SECONDS = 1800


def asked_of(
    python: Path, place: Place, options: Sequence[str], settings: Mapping[str, str] | None = None
) -> Measured:
    """What the program says in this interpreter. Raises ValueError with the error it ended in."""
    ended = processes.run_program(
        python, "follow_advice", ["--place", place, *options], settings, SECONDS
    )
    if ended.problem is not None:
        raise ValueError(ended.problem)
    return Measured.model_validate_json(ended.said)
