"""A child and all that it starts, as one job object of Windows, which ends with this process.

(https://learn.microsoft.com/windows/win32/procthread/job-objects)
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ctypes import wintypes
from pathlib import Path
from typing import Any

assert sys.platform == "win32"  # mypy, too, reads the rest on Windows alone

KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
KERNEL.CreateJobObjectW.restype = wintypes.HANDLE
EXTENDED_LIMITS, KILL_ON_JOB_CLOSE = 9, 0x2000


class Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; of its fields one is set."""

    _fields_ = [
        ("times", ctypes.c_int64 * 2),
        ("flags", wintypes.DWORD),
        ("others", ctypes.c_size_t * 5),
        ("counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    ]


class Group:
    """The job, whose handle only this process has: closing it kills whatever is in the job."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, **streams: Any
    ) -> None:
        """Start the command. Raises OSError where that fails."""
        limits = Limits(flags=KILL_ON_JOB_CLOSE)
        self.job = wintypes.HANDLE(KERNEL.CreateJobObjectW(None, None))
        size = ctypes.sizeof(limits)
        KERNEL.SetInformationJobObject(self.job, EXTENDED_LIMITS, ctypes.byref(limits), size)
        group = subprocess.CREATE_NEW_PROCESS_GROUP
        self.leader = subprocess.Popen(
            command, env=environment, cwd=folder, creationflags=group, **streams
        )
        handle = wintypes.HANDLE(int(self.leader._handle))  # type: ignore[attr-defined]  # no other way to it
        if not KERNEL.AssignProcessToJobObject(self.job, handle):
            self.leader.kill()
            raise ctypes.WinError(ctypes.get_last_error())

    def lives(self) -> bool:
        """Whether the child has not ended."""
        return self.leader.poll() is None

    def ask_to_end(self) -> None:
        """Tell the child SIGBREAK."""
        with suppress(OSError):
            self.leader.send_signal(signal.CTRL_BREAK_EVENT)

    def kill(self) -> None:
        """End all that is left of the job, at once."""
        KERNEL.TerminateJobObject(self.job, 1)

    def close(self) -> None:
        """Let go of the job, which has ended."""
        KERNEL.CloseHandle(self.job)
