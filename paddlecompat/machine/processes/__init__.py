"""Run a child process to its end. On a timeout or an exception its whole group ends with it.

`children` starts one that is not waited for; `variables` says what each is given.
"""

from __future__ import annotations

import locale
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from paddlecompat.fixtures.folders import ROOT, TESTS
from paddlecompat.machine.processes.children import Stream
from paddlecompat.machine.processes.children import start as start  # this and the like: a caller's
from paddlecompat.machine.processes.endings import TOOK_ITS_TIME
from paddlecompat.machine.processes.endings import Ended as Ended
from paddlecompat.machine.processes.variables import Settings as Settings
from paddlecompat.machine.processes.variables import measuring_environment
from paddlecompat.machine.processes.variables import plain_environment as plain_environment

Command = Sequence[str | Path]


def run_checked(
    command: Command,
    settings: Settings = None,
    seconds: float | None = 300,
    folder: Path | None = None,
    *,
    show_output: bool = False,
) -> Ended:
    """Run a child process to its end, which may be a bad one, and keep what it writes.

    With `show_output` its standard output goes to the terminal instead, as a progress bar does.
    """
    return run(command, plain_environment(settings), seconds, folder or Path(), show_output)


def run_program(
    python: Path,
    name: str,
    arguments: Sequence[str] = (),
    settings: Settings = None,
    seconds: float = 300,
    folder: Path = TESTS,
) -> Ended:
    """Run `FOLDER/properties/programs/NAME.py` in an interpreter, in the closed environment."""
    command = [str(python.absolute()), "-m", f"properties.programs.{name}", *arguments]
    return run(command, measuring_environment(settings), seconds, folder)


def run(
    command: Command,
    environment: Mapping[str, str],
    seconds: float | None,
    folder: Path,
    show_output: bool = False,
) -> Ended:
    """As `run_checked`, in this very environment."""
    # Into files: a pipe ends no sooner than the last process that holds it.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaint:
        shown = None if show_output else output
        try:
            status = end_of(command, environment, folder, seconds, shown, complaint)
        except OSError as error:
            return Ended("", str(error.strerror), None)
        if status is None:
            return Ended(text_of(output), TOOK_ITS_TIME, None)
        return Ended(text_of(output), text_of(complaint), status)


def text_of(file: IO[bytes]) -> str:
    """All of a file; a release's words may be in another encoding than the console's."""
    file.seek(0)
    return file.read().decode(locale.getencoding(), errors="replace").replace("\r\n", "\n")


def run_logged(command: Command, log: Path) -> int:
    """Run a child process whose output goes to a file; its exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        return run_shown(command, output=file)


def run_shown(command: Command, folder: Path = ROOT, output: IO[bytes] | None = None) -> int:
    """Run a child process that writes to the terminal, or to `output`; its exit status."""
    status = end_of(command, plain_environment(), folder, None, output, output)
    assert status is not None  # no limit was set
    return status


def end_of(
    command: Command,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float | None,
    stdout: Stream,
    stderr: Stream,
) -> int | None:
    """The exit status; None: no end in time. Raises OSError where the command cannot be started."""
    child = start(
        command, environment, folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
    )
    try:
        return child.wait(seconds)
    finally:
        child.kill()
