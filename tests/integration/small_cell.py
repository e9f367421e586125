"""Fill cpu-2.3.2 with a small suite and a made-up release: a program, to be ended in any way.

python -m integration.small_cell FOLDER [options of a cell]
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

import pytest
import samples

from integration.sample_suite import Suite
from paddlecompat.__main__ import fill_cell, guarded
from paddlecompat.cells import filling, suite
from paddlecompat.cells.option_set import Options, check
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.environments import environment
from paddlecompat.environments.environment import Prepared
from paddlecompat.fixtures import bugs, releases
from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.releases import Cell
from paddlecompat.machine.command_line import add_options, options_from
from paddlecompat.records.judging import Outcome, Status
from paddlecompat.records.subject import Environment, Seconds


def stand_in(folder: Path) -> None:
    """Do what the machine does for the cell: the environment is this interpreter's own."""
    made, run_suite = folder / "environment", suite.run

    def prepare(cell: Cell, *_: object) -> Prepared:
        return Prepared(
            version=3,
            made_from="",
            folder=made,
            build=samples.build(),
            environment=Environment(packages={}, mended=[]),
            seconds=Seconds(),
        )

    def run(_: Path, request: Request, run_folder: Path) -> Ran:
        small = Suite(folder)
        asked = Request(**{**vars(request), "properties": small.tests})
        return run_suite(Path(sys.executable), asked, run_folder, small.listed_by_source())

    patch = pytest.MonkeyPatch()
    patch.setattr(environment, "prepare", prepare)
    patch.setattr(environment, "held", partial(environment.held, folder=made))
    patch.setattr(suite, "run", run)
    patch.setattr(bugs, "load", Known)
    patch.setattr(filling, "RUNS", folder / "runs")


def main() -> int:
    folder = Path(sys.argv[1])
    parser = ArgumentParser()
    add_options(parser, Options, "cell")
    options = check(options_from(Options, parser.parse_args(sys.argv[2:])), "cpu")
    fixture = releases.load()
    cell = releases.cell_named("cpu-2.3.2", fixture)

    stand_in(folder)

    def fill() -> Outcome:
        return fill_cell(cell, fixture, options)

    try:
        came = guarded(cell.name, fill)
    except KeyboardInterrupt:  # it has been told
        return Status.MACHINE_FAILED
    print(came.words, file=sys.stderr)
    return came.status


if __name__ == "__main__":
    sys.exit(main())
