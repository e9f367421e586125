"""Does the advice help? `tests/properties/programs/follow_advice.py` in the releases' environments.

What it counted is committed in `reports/advice`; `records/advice_results.py` makes the verdicts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from paddlecompat.cells.here import follow_advice
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Cell, Fixture, cell_named
from paddlecompat.records import advice_results
from paddlecompat.records.advice_results import MEASURED, Measured
from paddlecompat.records.record import CannotRun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What people write after `nox -s advice --`."""
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help="default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the cases (default: 0)")
    parser.add_argument("--cases", type=int, default=40, help="a run (default: 40)")


def measure(cell: Cell, fixture: Fixture, seed: int, count: int) -> Measured:
    """Follow the advice in the cell's environment. Raises ValueError or CannotRun."""
    options = ["--seed", str(seed), "--cases", str(count)]
    return follow_advice(prepare(cell, fixture).python, cell.place, options)


def run(
    fixture: Fixture,
    wanted: Sequence[str],
    seed: int,
    count: int,
    folder: Path = MEASURED,
    measure: Callable[[Cell, Fixture, int, int], Measured] = measure,
) -> int:
    """Measure these releases on the CPU, or all; 1 where one fails. ValueError: one is unknown."""
    versions = wanted or [r.version for r in fixture.release if "cpu" in r.places]
    found = [cell_named(f"cpu-{version}", fixture) for version in versions]
    status = 0
    print(f"{len(found)} releases, about a minute each", flush=True)
    for number, cell in enumerate(found, start=1):
        try:
            path = advice_results.write(measure(cell, fixture, seed, count), folder)
            print(f"[{number}/{len(found)}] {cell.name}: {path}", flush=True)
        except (ValueError, CannotRun) as error:
            print(f"error: {cell.name}: {error}", file=sys.stderr)
            status = 1
    return status
