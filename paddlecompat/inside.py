"""Programs of `tests/properties` that run inside a cell's environment, beside its own session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from paddlecompat.environment import interpreter
from paddlecompat.host import plain_environment
from paddlecompat.matrix import NOX, logged
from paddlecompat.releases import ROOT, Cell, Fixture, cells
from paddlecompat.suite import PROPERTIES


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
    log, status = logged(command, f"prepare-{cell.name}")
    python = interpreter(NOX / cell.name.replace(".", "-"))
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
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**plain_environment(), "OMP_NUM_THREADS": "1"}
    command = [str(python), str(PROPERTIES / name), *arguments]
    with log.open("w", encoding="utf-8") as output:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    return ended.returncode
