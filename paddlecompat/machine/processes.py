"""Child processes: the one module that starts them, and how each of them ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from paddlecompat.fixtures.folders import ROOT, TESTS

Command = Sequence[str | Path]
Settings = Mapping[str, str] | None  # environment variables, over those of this process


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
        """The line of its complaint that says most: its last `error:`, or else its last line."""
        lines = [line.strip() for line in self.complaint.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error:")]
        return (errors or lines or ["no words"])[-1]

    @property
    def problem(self) -> str | None:
        """In a line, how it failed; None where it did not."""
        if self.status is None:
            return self.complaint
        return f"exit status {self.status}, {self.last_error}" if self.status else None


def plain_environment(settings: Settings = None) -> dict[str, str]:
    """This process's environment, without what would change a child's Python or pytest."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}
    return {**kept, **(settings or {})}


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
    try:
        ended = subprocess.run(
            command,
            env=plain_environment(settings),
            cwd=folder,
            stdout=None if show_output else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",  # a release's words may be in another encoding than the console's
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Ended("", "no end in time", None)
    except OSError as error:
        return Ended("", str(error.strerror), None)
    return Ended(ended.stdout or "", ended.stderr, ended.returncode)


def run_program(
    python: Path,
    name: str,
    arguments: Sequence[str] = (),
    settings: Settings = None,
    seconds: float = 300,
    folder: Path = TESTS,
) -> Ended:
    """Run `FOLDER/properties/programs/NAME.py` in an interpreter."""
    command = [str(python.absolute()), "-m", f"properties.programs.{name}", *arguments]
    return run_checked(command, settings, seconds, folder)


def run_logged(command: Command, log: Path, settings: Settings = None, folder: Path = ROOT) -> int:
    """Run a child process whose output goes to a file; its exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        return run_shown(command, settings, folder, file)


def run_shown(
    command: Command,
    settings: Settings = None,
    folder: Path = ROOT,
    output: IO[bytes] | None = None,
) -> int:
    """Run a child process that writes to the terminal, or to `output`; its exit status."""
    environment = plain_environment(settings)
    return subprocess.run(
        command, env=environment, cwd=folder, stdout=output, stderr=output
    ).returncode


PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT


class Child:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.pid, self.stdin = process, process.pid, process.stdin

    def poll(self) -> int | None:
        return self.process.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        return self.process.wait(seconds)

    def kill(self) -> None:
        import signal
        from contextlib import suppress

        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def start(
    command: Command,
    environment: Mapping[str, str],
    folder: Path,
    *,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Child:
    return Child(
        subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    )


def measuring_environment(settings: Settings = None) -> dict[str, str]:
    return plain_environment(settings)


def telling_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if k.startswith(("FLAGS_", "CUDA_", "OMP_"))}


def left_out() -> list[str]:
    return []
