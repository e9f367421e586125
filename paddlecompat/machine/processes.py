"""TODO."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.fixtures.folders import ROOT, TESTS


def plain_environment() -> dict[str, str]:
    """This process's environment, without what would change a cell's Python or pytest."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}


@dataclass(frozen=True)
class Ended:
    """How a child process ended: the last data that it printed, and what it complained of."""

    said: str
    complaint: str
    status: int | None
    """None: it came to no end in time."""

    @property
    def problem(self) -> str | None:
        """In a line, how it failed; None where it did not."""
        if self.status is None:
            return "no end in time"
        last = (self.complaint.strip().splitlines() or ["no words"])[-1]
        return f"exit status {self.status}, {last}" if self.status else None


def run_checked(
    command: Sequence[str],
    settings: Mapping[str, str] | None = None,
    seconds: float = 300,
    folder: Path | None = None,
) -> Ended:
    """Run a child process to its end, which may be a bad one."""
    environment = {**plain_environment(), **(settings or {})}
    try:
        ended = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",  # a release's words may be in another encoding than the console's
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Ended("", "", None)
    lines = ended.stdout.strip().splitlines()
    data = [line for line in lines if line.startswith(("{", "["))]  # libraries may add their words
    return Ended((data or lines or [""])[-1], ended.stderr, ended.returncode)


def last_error(stderr: str) -> str:
    """The line of a tool's complaint that says most: its last error, or else its last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no output"])[-1]


NOX = ROOT / ".nox"


def logged(command: list[str], name: str) -> tuple[Path, int]:
    """Run `command` with its output in a log of its own; the log and the exit status."""
    log = NOX / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        ended = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    return log, ended.returncode


def run_program(
    python: Path,
    name: str,
    arguments: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    seconds: float = 300,
) -> Ended:
    """Run a program of `tests/properties/programs` in an interpreter."""
    command = [str(python.absolute()), "-m", f"properties.programs.{name}", *arguments]
    return run_checked(command, settings, seconds, TESTS)
