"""The host of a cell: what results may depend on, and nothing that names a person or a machine."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from paddlecompat.fixtures.releases import System
from paddlecompat.records.record import Host


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
