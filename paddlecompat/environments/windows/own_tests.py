"""This project's own tests under Windows' CPython, on Linux: `nox -s tests-windows`."""

from __future__ import annotations

from collections.abc import Sequence

from paddlecompat.environments import installer
from paddlecompat.environments.windows import winpython
from paddlecompat.environments.windows.wine import check, served
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.folders import ROOT, environment_of
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_shown

PYTHON = "3.11"
# Wine 8 lacks `crealf`, which NumPy from 2.1 on calls, and bcryptprimitives.dll, which programs in
# Rust open since their compiler's version 1.78.
FOR_WINE = ["numpy<2.1", "pydantic==2.7.0", "rpds-py==0.18.1"]


def run(requirements: Sequence[str], arguments: Sequence[str]) -> int:
    """Run tests/unit there with what they require, made anew; pytest's exit status.

    Raises CannotRun without Wine, MachineFailed where the machine or the network fails.
    """
    check()
    folder = environment_of("tests-windows")
    archive = winpython.fetch(winpython.pinned(releases.load(), PYTHON))
    installer.discard(folder, "bin")
    winpython.unpack(archive, folder)
    python, options = winpython.install_for(folder, PYTHON)
    installer.run_uv(
        *(UV, "pip", "install", "--quiet", "--only-binary=:all:", "--python", python),
        *(*options, *requirements, *FOR_WINE),
    )
    with served(folder):
        pytest = [str(installer.python_of(folder)), "-m", "pytest"]
        return run_shown([*pytest, "tests/unit", *arguments], folder=ROOT)
