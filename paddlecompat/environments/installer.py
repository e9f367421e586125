"""TODO."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from paddlecompat.machine import interpreters, processes
from paddlecompat.records.record import CannotRun, NotRun


def interpreter(environment: Path) -> Path:
    """The environment's own Python."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return environment / folder / name


def install(environment: Path, *arguments: str) -> None:
    """With what made the environment: uv, or the environment's own pip."""
    python = interpreter(environment)
    made_by_uv = "uv = " in (environment / "pyvenv.cfg").read_text(encoding="utf-8")
    uv = interpreters.uv()
    if made_by_uv and uv is not None:
        command = [uv, "pip", "install", "--quiet", "--python", str(python), *arguments]
    else:
        pip = ("-m", "pip", "--disable-pip-version-check")
        command = [str(python), *pip, "install", "--quiet", "--no-warn-script-location", *arguments]
    run_installer(command)


def run_installer(command: Sequence[str]) -> None:
    """Run uv or pip. Raises CannotRun with its words where it fails."""
    ended = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, errors="replace", env=index_settings()
    )
    if ended.returncode:
        detail = processes.last_error(ended.stderr)
        raise CannotRun(NotRun(reason="install failed", detail=detail))


@functools.cache
def index_settings() -> dict[str, str]:
    """uv reads its own settings only: give it the index (a mirror, say) that pip is set to."""
    settings = dict(os.environ)
    if not {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & settings.keys():
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            errors="replace",
        ).stdout
        if mirror := re.search(r"^\S*\.index-url='(.+)'$", listed, re.MULTILINE):
            settings["UV_DEFAULT_INDEX"] = mirror.group(1)
    return settings
