"""Do the published scripts show what they say? Each is run beside what its head installs alone.

It has to fail in the release that it names, and to pass in one that is right. What an old wheel
lacks on a modern Linux is mended, as in every cell.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from paddlecompat.environments import installer, loader
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.folders import NOX
from paddlecompat.machine import interpreters
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.judging import Status
from paddlecompat.records.record import MachineFailed

IMPORTS = "import paddle\n"


class Trial(NamedTuple):
    """A script in one environment, and whether it has to fail there."""

    release: Release
    python: str
    install: str
    """The command that a person types, as `python -m pip install …`."""
    bug: str
    script: str
    fails: bool


def make(trial: Trial, fixture: Fixture, folder: Path) -> Path:
    """The environment of a trial, from nothing; its interpreter. Else MachineFailed.

    uv does what pip would, and sooner; `--seed` puts in what `python -m venv` does.
    """
    base, python = interpreters.get(trial.python, UV), installer.python_of(folder)
    installer.run_uv(UV, "venv", "--quiet", "--seed", "--python", base, folder)
    _, _, *command = shlex.split(trial.install)  # python -m
    installer.run_uv(UV, *command, "--quiet", "--no-cache", "--python", python)
    loader.mend(folder, fixture.gaps_of(trial.release))
    return python


def execute(python: Path, script: str) -> str | None:
    """Run a script by an interpreter: None where it passes, else how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.py")
        path.write_text(script, encoding="utf-8")
        return run_checked([python, path], folder=Path(folder)).problem


def run(trials: Sequence[Trial], fixture: Fixture) -> Status:
    """Run them all, one environment after the other, and tell each as it ends.

    Raises MachineFailed where an environment that has to import Paddle does not.
    """
    wrong = 0
    NOX.mkdir(exist_ok=True)
    in_order = sorted(trials, key=lambda trial: (trial.install, trial.python))
    for (install, version), there in groupby(in_order, lambda t: (t.install, t.python)):
        here = list(there)
        print(f"CPython {version}: {install}", flush=True)
        with tempfile.TemporaryDirectory(dir=NOX, prefix="scripts-") as folder:
            python = make(here[0], fixture, Path(folder))
            asks_more = any(not trial.script.endswith(f"\n{IMPORTS}") for trial in here)
            if asks_more and (words := execute(python, IMPORTS)):
                raise MachineFailed(f"{install}: paddle is not imported: {words}")
            for trial in here:
                came = execute(python, trial.script)
                does = trial.fails == (came is not None)
                due = "" if does else f", and has to {'fail' if trial.fails else 'pass'}: WRONG"
                print(f"  {trial.bug}: {f'fails: {came}' if came else 'passes'}{due}", flush=True)
                wrong += not does
    if wrong:
        print(f"{wrong} scripts do not do as they say", file=sys.stderr)
    return Status.WORSE if wrong else Status.AS_EXPECTED
