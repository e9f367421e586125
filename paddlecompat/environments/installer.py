"""What is installed into the environments, by uv, and where it lies there."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from paddlecompat.fixtures.folders import NOX
from paddlecompat.machine import host
from paddlecompat.machine.index import settings_for_uv
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import Settings, run_checked
from paddlecompat.records.record import MachineFailed


def python_of(environment: Path, system: str = os.name) -> Path:
    """The interpreter of a virtual environment; `system` is an `os.name`."""
    return environment / ("Scripts/python.exe" if system == "nt" else "bin/python")


def install(python: Path, *arguments: str, uv: str = UV) -> None:
    """Install for `python` what the arguments name, and nothing else. Raises as `run_uv`."""
    run_uv(uv, "pip", "install", "--quiet", "--no-deps", "--python", python, *arguments)


def run_uv(*command: str | Path) -> None:
    """Run uv, whose program comes first. Raises MachineFailed with its words where it fails."""
    run(*command, settings=settings_for_uv())


def run(*command: str | Path, settings: Settings = None) -> None:
    """Run what installs. Raises MachineFailed with its words where it fails."""
    ended = run_checked(command, settings, seconds=None, show_output=True)
    if ended.problem:
        raise install_failed(ended.last_error)


def install_failed(detail: str, folder: Path = NOX) -> MachineFailed:
    """Why it failed; before that what ran out, where the disk is that of `folder`."""
    short = host.what_is_short(folder, detail)
    return MachineFailed(f"{short}: {detail}" if short else detail)


def discard(folder: Path, stamp: str) -> None:
    """Delete what lies there, whatever it is: its stamp first, so that no half of it looks made."""
    for path in (folder / stamp, folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
