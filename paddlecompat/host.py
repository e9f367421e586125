"""The host of a cell: what results may depend on, and nothing that names a person or a machine."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.records import Host
from paddlecompat.releases import System


def describe(python: str) -> Host:
    """This host, for a cell whose interpreter is CPython `python`."""
    libc, version = platform.libc_ver()
    return Host(
        os=operating_system(),
        machine=platform.machine(),
        libc=f"{libc} {version}".strip(),
        python=f"CPython {python}",
        cpu=cpu(),
    )


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
    command: Sequence[str], settings: Mapping[str, str] | None = None, seconds: float = 300
) -> Ended:
    """Run a child process to its end, which may be a bad one."""
    environment = {**plain_environment(), **(settings or {})}
    try:
        ended = subprocess.run(
            command,
            env=environment,
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


def system() -> System:
    """Which of a build's wheels this machine takes; WSL is a Linux."""
    return "windows" if platform.system() == "Windows" else "linux"


def operating_system() -> str:
    """'Linux, Debian GNU/Linux 12 (bookworm)', 'Windows 10.0.22631', 'macOS 14.5'.

    Under Windows' subsystem for Linux, ' (WSL)' stands behind it: the driver is that of Windows.
    """
    if platform.system() == "Linux":
        return f"{linux()}{' (WSL)' if 'microsoft' in platform.release().lower() else ''}"
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.version()}"


def linux() -> str:
    try:
        return f"Linux, {platform.freedesktop_os_release()['PRETTY_NAME']}"
    except (OSError, KeyError):
        return f"Linux {platform.release()}"


@functools.cache
def cpu() -> str:
    """The processor's own name."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
