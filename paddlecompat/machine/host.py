"""The host of a cell: what results may depend on, and nothing that names a person or a machine."""

from __future__ import annotations

import functools
import os
import platform
import re
from pathlib import Path

from paddlecompat.fixtures.releases import System
from paddlecompat.records.record import Host


def describe(python: str) -> Host:
    """This host, for a cell whose interpreter is CPython `python`."""
    return Host(
        os=operating_system(),
        machine=platform.machine(),
        libc=" ".join(filter(None, platform.libc_ver())),
        python=f"CPython {python}",
        cpu=cpu(),
    )


def system(name: str | None = None) -> System:
    """Which of a build's wheels this machine takes; WSL is a Linux."""
    return "windows" if (name or platform.system()) == "Windows" else "linux"


def operating_system(kernel: str | None = None) -> str:
    """'Linux, Debian GNU/Linux 12 (bookworm)', 'Windows 10.0.22631', 'macOS 14.5'.

    Ends in ' (WSL)' under Windows' subsystem for Linux: the driver is then that of Windows.
    """
    kernel = kernel or platform.release()
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    if platform.system() != "Linux":
        return f"{platform.system()} {platform.version()}"
    try:
        name = f"Linux, {platform.freedesktop_os_release()['PRETTY_NAME']}"
    except (OSError, KeyError):
        name = f"Linux {kernel}"
    return f"{name} (WSL)" if "microsoft" in kernel.lower() else name


@functools.cache
def cpu() -> str:
    """The processor's own name."""
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    name = re.search(r"^model name\s*: *(.*\S)", text, re.MULTILINE)
    return name[1] if name else platform.processor() or "unknown"


def check_room(folder: Path) -> None:
    pass


def what_is_short(folder: Path) -> str | None:
    return None


def cores() -> int:
    """How many processes this one may run side by side."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
