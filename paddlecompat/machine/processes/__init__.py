"""Run a child process to its end. On a timeout or an exception its whole group ends with it.

`children` starts one that is not waited for; `variables` says what each is given.
"""

from __future__ import annotations

import locale
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import strsignal
from typing import IO

from paddlecompat.folders import ROOT, TESTS
from paddlecompat.machine.processes.children import Stream
from paddlecompat.machine.processes.children import start as start  # this and the like: a caller's
from paddlecompat.machine.processes.variables import Settings as Settings
from paddlecompat.machine.processes.variables import measuring_environment
from paddlecompat.machine.processes.variables import plain_environment as plain_environment

Command = Sequence[str | Path]
# Of pip and uv; the signs are those of uv's longer messages.
STATEMENT = re.compile("^\\s*(error:|\N{MULTIPLICATION SIGN})\\s*", re.IGNORECASE)
CONTINUED = re.compile(r"^\s*(cause:|Caused by:|hint:|[├╰]─▶|│)\s*")
TELLING = re.compile(  # an errno or an HTTP status
    r"\[(Errno|WinError) -?\d+\]|\(?os error \d+|\b(HTTP error )?[45]\d\d [A-Z]\w+"
)
RAISED = re.compile(r"^[\w.]*(Error|Exception): .*", re.MULTILINE)  # a message of many lines begins
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
TOOK_ITS_TIME = "no end in time"


def cause_in(complaint: str) -> str:
    """Of what pip, uv or another program wrote on its standard error, what says most, in a line.

    That is its last `error:`, with the causes that uv lists below; but rather a line that names an
    errno or an HTTP status, and otherwise what Python raised last, or the last line. Without the
    credentials of an address.
    """
    lines: list[str] = []
    for line in filter(str.strip, complaint.splitlines()):
        if lines and CONTINUED.match(line):
            joint = " " if line.lstrip().startswith("│") else ": "
            lines[-1] += joint + CONTINUED.sub("", line).strip()
        else:
            lines.append(line.strip())
    errors = [line for line in lines if STATEMENT.match(line)]
    telling = [line for line in lines if errors and TELLING.search(line)]
    if errors and re.fullmatch(r"ERROR:( Exception:)?", errors[-1]):  # pip's own, with a traceback
        errors = []
    raised = [found[0] for found in RAISED.finditer(complaint.rpartition("Traceback (most")[2])]
    said = (telling or errors or raised or lines or ["no words"])[-1]
    return CREDENTIALS.sub("", said)


@dataclass(frozen=True)
class Ended:
    """How a child process ended."""

    output: str
    complaint: str
    """Its standard error; or why it did not start, or did not end in time."""
    status: int | None
    """None: it did not start, or did not end in time."""

    @property
    def said(self) -> str:
        """The last line of JSON that it printed, else its last line: libraries may add words."""
        lines = self.output.strip().splitlines()
        data = [line for line in lines if line.startswith(("{", "["))]
        return (data or lines or [""])[-1]

    @property
    def last_error(self) -> str:
        """What its complaint says of the cause."""
        return cause_in(self.complaint)

    @property
    def problem(self) -> str | None:
        """In a line, how it failed; None where it did not."""
        if self.status is None:
            return self.complaint
        if self.status < 0:
            return f"ended by signal {-self.status} ({strsignal(-self.status)}), {self.last_error}"
        return f"exit status {self.status}, {self.last_error}" if self.status else None


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
        streams: dict[str, Stream] = {"stdout": None if show_output else output}
        try:
            status = end_of(command, environment, folder, seconds, **streams, stderr=complaint)
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
    status = end_of(command, plain_environment(), folder, None, stdout=output, stderr=output)
    assert status is not None  # no limit was set
    return status


def end_of(
    command: Command,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float | None,
    **streams: Stream,
) -> int | None:
    """The exit status; None: no end in time. Raises OSError where the command cannot be started."""
    child = start(command, environment, folder, stdin=subprocess.DEVNULL, **streams)
    try:
        return child.wait(seconds)
    finally:
        child.kill()
