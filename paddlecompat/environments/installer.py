"""uv, or pip where there is no uv: virtual environments, and what is installed into them."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from paddlecompat.machine import interpreters
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import CannotRun, NotRun

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
"""The pip of this process."""


def python_of(environment: Path, system: str = os.name) -> Path:
    """The interpreter of a virtual environment; `system` is an `os.name`."""
    return environment / ("Scripts/python.exe" if system == "nt" else "bin/python")


def make_environment(python: Path, folder: Path) -> None:
    """Make an empty virtual environment of `python`. Raises CannotRun where that fails."""
    if uv := interpreters.uv():
        run_installer([uv, "venv", "--quiet", "--python", python, folder])
    elif importlib.util.find_spec("virtualenv"):  # brings a pip, which Debian's venv does not
        run_installer([sys.executable, "-m", "virtualenv", "--quiet", "--python", python, folder])
    else:
        run_installer([python, "-m", "venv", folder])


def install(python: Path, *arguments: str, own_pip: bool = True) -> None:
    """Install for `python` what the arguments name, and nothing else; CannotRun where it fails.

    Without uv, `own_pip` says whether by the interpreter's pip or by that of this process.
    """
    command = install_command(str(python), interpreters.uv(), own_pip)
    run_installer([*command, "--quiet", "--no-deps", *arguments])


def install_command(python: str, uv: str | None, own_pip: bool) -> list[str]:
    if uv is not None:
        return [uv, "pip", "install", "--python", python]
    if own_pip:
        return [python, *PIP[1:], "install", "--no-warn-script-location"]
    return [*PIP, "--python", python, "install"]


def run_installer(command: Sequence[str | Path]) -> None:
    """Run uv or pip. Raises CannotRun with its words where it fails."""
    ended = run_checked(command, index_settings(), seconds=None, show_output=True)
    if ended.problem:
        raise install_failed(ended.last_error)


@functools.cache
def index_settings() -> dict[str, str]:
    """uv reads its own settings only: give it the index (a mirror, say) that pip is set to."""
    if {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & os.environ.keys():
        return {}
    listed = run_checked([*PIP, "config", "list"]).output
    mirror = re.search(r"^\S*\.index-url='(.+)'$", listed, re.MULTILINE)
    return {"UV_DEFAULT_INDEX": mirror.group(1)} if mirror else {}


def install_failed(detail: str) -> CannotRun:
    return CannotRun(NotRun(reason="install failed", detail=detail))
