"""Does the advice help? `tests/properties/advice.py` run in the releases' environments.

What it counted is committed in `reports/advice`, one file for each release; the verdicts are made
from the counts alone, by the rules in `verdicts_of`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from paddlecompat.cells.run_program import asked_of, cpu_cells, interpreter_of
from paddlecompat.fixtures.releases import Cell, Fixture
from paddlecompat.records.advice_results import Measured, written


def run(fixture: Fixture, wanted: Sequence[str], seed: int, count: int) -> int:
    """Measure these releases on the CPU, or all; returns 1 where one could not be measured.

    Raises ValueError where the fixture has no such release.
    """
    every = [release.version for release in fixture.release if "cpu" in release.places]
    found = cpu_cells(fixture, list(wanted) or every)
    status = 0
    print(f"{len(found)} releases, about a minute each", flush=True)
    for number, cell in enumerate(found, start=1):
        try:
            path = written(measure(cell, seed, count))
            print(f"[{number}/{len(found)}] {cell.name}: {path}", flush=True)
        except ValueError as error:
            print(f"error: {cell.name}: {error}", file=sys.stderr)
            status = 1
    return status


def measure(cell: Cell, seed: int, count: int) -> Measured:
    """Run the program in the cell's environment. Raises ValueError with the error it ended in."""
    return asked_of(interpreter_of(cell), cell.place, ["--seed", str(seed), "--cases", str(count)])
