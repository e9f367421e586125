"""The environments of cells, and a program of `tests/properties` that runs inside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.releases import Cell, Fixture, cells
from paddlecompat.machine.processes import run_program
from paddlecompat.records.advice_results import Measured

SECONDS = 1800


def cpu_cells(fixture: Fixture, releases: Sequence[str]) -> list[Cell]:
    """The CPU cells of these releases, in the fixture's order.

    Raises ValueError for a release that the fixture has not.
    """
    found = {c.release.version: c for c in cells(fixture) if c.place == "cpu"}
    if unknown := [version for version in releases if version not in found]:
        raise ValueError(f"no CPU cell of {', '.join(unknown)}; there are {', '.join(found)}")
    return [cell for version, cell in found.items() if version in releases]


def interpreter_of(cell: Cell, fixture: Fixture) -> Path:
    """The Python of the cell's environment, which is made ready first. Raises CannotRun."""
    print(f"making {cell.name} ready", flush=True)
    return prepare(cell, fixture).python


def follow_advice(
    python: Path, place: Place, options: Sequence[str], settings: Mapping[str, str] | None = None
) -> Measured:
    """What the program of that name counts. Raises ValueError with the error that it ended in."""
    ended = run_program(python, "follow_advice", ["--place", place, *options], settings, SECONDS)
    if ended.problem is not None:
        raise ValueError(ended.problem)
    return Measured.model_validate_json(ended.said)
