"""The host of a cell: what results may depend on, and whether there is room to measure.

Nothing that a record takes from here names a person or a machine.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import psutil

from paddlecompat.fixtures.builds import System
from paddlecompat.records.record import MachineFailed
from paddlecompat.records.subject import Host

if sys.platform != "win32":
    import resource

GIB = 2**30
DISK, MEMORY = 1 * GIB, 2 * GIB  # what there has to be
GONE = 2**26  # bytes; where less is left, that was the cause
LIMITS = (  # of a process: its name, what it limits, how much is needed, in which unit, the option
    ("RLIMIT_AS", "address space", 8, GIB, " GiB", "-v"),
    ("RLIMIT_FSIZE", "file", 4, GIB, " GiB", "-f"),
    ("RLIMIT_CPU", "processor time", 3600, 1, " s", "-t"),
    ("RLIMIT_NOFILE", "number of open files", 256, 1, "", "-n"),
)
DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|os error 112\b")
NO_MEMORY = re.compile(r"[Cc]annot allocate memory|MemoryError|bad_alloc")


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
    """Raises MachineFailed where a run, which writes most to `folder`, would be cut off."""
    disk, memory = free(folder), psutil.virtual_memory().available
    if disk < DISK:
        has = f"{disk / GIB:.1f} GiB are free on the disk of {folder}, of {DISK // GIB} needed"
        raise MachineFailed(f"{has}: make room, as by deleting what is in .nox")
    if memory < MEMORY:
        has = f"{memory / GIB:.1f} GiB of memory are available, of {MEMORY // GIB} needed"
        raise MachineFailed(f"{has}: end other programs")
    for name, what, needed, unit, word, option in LIMITS if sys.platform != "win32" else ():
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY and limit < needed * unit:
            has = f"a process's {what} is limited to {limit / unit:.1f}{word}, of {needed} needed"
            way = f"raise the limit in this shell with `ulimit {option}`"
            raise MachineFailed(f"{has}: {way}")


def what_is_short(folder: Path, words: str = "") -> str | None:
    """What the machine ran out of, after a failure that `words` tell; most was in `folder`."""
    fullest = min(folder, Path(tempfile.gettempdir()), key=free)
    if DISK_FULL.search(words) or free(fullest) < GONE:
        return f"the disk is full ({fullest})"
    if NO_MEMORY.search(words) or psutil.virtual_memory().available < GONE:
        return "no memory is left"
    return None


def free(folder: Path) -> int:
    """The bytes that are free where the folder is, or will be."""
    return psutil.disk_usage(str(next(p for p in (folder, *folder.parents) if p.exists()))).free


def cores() -> int:
    """How many processes this one may run side by side."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
