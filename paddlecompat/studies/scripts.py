"""Do the published scripts show what they say? Each is run under plain pip, as its head says.

It has to fail in the release that it names, and to pass in the next one that is right. What an old
wheel lacks on a modern Linux is mended, as in every cell; nothing else is added.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from paddlecompat.environments import installer, loader
from paddlecompat.fixtures.folders import NOX
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.setups import Setup, Trial
from paddlecompat.machine import interpreters
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.judging import Status
from paddlecompat.records.record import MachineFailed

IMPORTS = "import paddle\n"


Make = Callable[[Setup, Fixture, Path], Path]
Run = Callable[[Path, str], str | None]
"""Run a script by an interpreter: None where it passes, else its last words."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What people write after `nox -s scripts --`."""
    parser.add_argument("bugs", nargs="*", metavar="ID", help="default: all")


def make(setup: Setup, fixture: Fixture, folder: Path) -> Path:
    """What the head of a script says, in a new virtual environment; its interpreter.

    uv does what pip would, and sooner; `--seed` puts in what `python -m venv` does. Raises
    MachineFailed where it cannot be made.
    """
    base, python = interpreters.get(setup.python, UV), installer.python_of(folder)
    installer.run_uv(UV, "venv", "--quiet", "--seed", "--python", base, folder)
    _, _, *command = shlex.split(setup.install_command())  # python -m
    installer.run_uv(UV, *command, "--quiet", "--no-cache", "--python", python)
    loader.mend(folder, fixture.gaps_of(setup.release))
    return python


def run_script(python: Path, script: str) -> str | None:
    """As `Run` says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.py")
        path.write_text(script, encoding="utf-8")
        ended = run_checked([python, path], folder=Path(folder))
    return ended.problem


def outcomes(
    trials: Sequence[Trial], fixture: Fixture, make: Make, execute: Run
) -> Iterator[tuple[Trial, str | None]]:
    """What came of each, one environment after the other; each is deleted when it was used.

    Raises MachineFailed where an environment that has to import Paddle does not.
    """
    NOX.mkdir(exist_ok=True)
    setups: dict[str, list[Trial]] = {}
    for trial in trials:
        name = f"CPython {trial.setup.python}: {trial.setup.install_command()}"
        setups.setdefault(name, []).append(trial)
    for setup, here in setups.items():
        print(setup, flush=True)
        with tempfile.TemporaryDirectory(dir=NOX, prefix="scripts-") as folder:
            python = make(here[0].setup, fixture, Path(folder))
            asks_more = any(not trial.script.endswith(f"\n{IMPORTS}") for trial in here)
            if asks_more and (words := execute(python, IMPORTS)):
                raise MachineFailed(f"{setup}: paddle is not imported: {words}")
            for trial in here:
                yield trial, execute(python, trial.script)


def run(
    trials: Sequence[Trial], fixture: Fixture, make: Make = make, execute: Run = run_script
) -> Status:
    """Run them all, and tell each as it ends. Raises MachineFailed as `outcomes`."""
    wrong = 0
    for trial, words in outcomes(trials, fixture, make, execute):
        right = trial.fails == (words is not None)
        wrong += not right
        due = "fails" if trial.fails else "passes"
        came = f"fails: {words}" if words else "passes"
        line = f"  {trial.bug}, {trial.setup.release.version}: {came}"
        print(line if right else f"{line}, where it {due} as its head says: WRONG", flush=True)
    if wrong:
        print(f"{wrong} scripts do not do as they say", file=sys.stderr)
    return Status.WORSE if wrong else Status.AS_EXPECTED
