"""Does the advice help? `tests/properties/programs/follow_advice.py` in the releases' environments.

What it counted is committed in `reports/advice`; `records/advice_results.py` makes the verdicts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from paddlecompat.cells.here import follow_advice
from paddlecompat.cells.matrix import worst
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Fixture, cell_named
from paddlecompat.records import advice_results
from paddlecompat.records.advice_results import MEASURED
from paddlecompat.records.judging import Status
from paddlecompat.records.record import CannotRun, MachineFailed


def run(
    fixture: Fixture, wanted: Sequence[str], seed: int, count: int, folder: Path = MEASURED
) -> Status:
    """Measure these releases on the CPU, or all. Returns the worst status: a failure costs itself.

    Raises ValueError where a release is unknown, or there is no case.
    """
    if count < 1:
        raise ValueError(f"--cases {count}: at least 1, for what has no case is never wrong")
    versions = wanted or [r.version for r in fixture.release if "cpu" in r.places]
    found = [cell_named(f"cpu-{version}", fixture) for version in versions]
    options = ["--seed", str(seed), "--cases", str(count)]
    statuses: list[Status] = []
    print(f"{len(found)} releases, about a minute each", flush=True)
    for number, cell in enumerate(found, start=1):
        try:
            python = prepare(cell, fixture).python
            path = advice_results.write(follow_advice(python, cell.place, options), folder)
            print(f"[{number}/{len(found)}] {cell.name}: {path}", flush=True)
        except (ValueError, CannotRun, MachineFailed) as error:
            print(f"error: {cell.name}: {error}", file=sys.stderr)
            by_machine = isinstance(error, MachineFailed)
            statuses.append(Status.MACHINE_FAILED if by_machine else Status.WORSE)
    return worst(statuses)
