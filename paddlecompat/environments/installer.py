"""What is installed into the environments, by uv, and where it lies there."""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path

from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import MachineFailed

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def python_of(environment: Path, system: str = os.name) -> Path:
    """The interpreter of a virtual environment; `system` is an `os.name`."""
    return environment / ("Scripts/python.exe" if system == "nt" else "bin/python")


def install(python: Path, *arguments: str, uv: str = UV) -> None:
    """Install for `python` what the arguments name, and nothing else; else MachineFailed."""
    run_uv(uv, "pip", "install", "--quiet", "--no-deps", "--python", python, *arguments)


def run_uv(*command: str | Path) -> None:
    """Run uv, whose program comes first. Raises MachineFailed with its words where it fails."""
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


def install_failed(detail: str) -> MachineFailed:
    return MachineFailed(detail)
