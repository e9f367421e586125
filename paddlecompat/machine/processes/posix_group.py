"""A child and all that it starts, as one process group of a session of its own: Linux, macOS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

assert sys.platform != "win32"  # mypy, too, reads the rest on POSIX alone

WATCHDOG = [sys.executable, "-I", "-S", str(Path(__file__).with_name("watchdog.py"))]
watchdogs: list[subprocess.Popen[bytes]] = []  # one, which is started with the first child
starting = threading.Lock()


def tell_watchdog(number: int) -> None:
    """Name a group that has to end with this process; its negative number: not any more."""
    with starting:
        if not watchdogs or watchdogs[0].poll() is not None:
            watchdogs[:] = [
                subprocess.Popen(
                    WATCHDOG,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            ]
    lines = watchdogs[0].stdin
    assert lines is not None
    with suppress(BrokenPipeError):  # somebody killed it just now
        os.write(lines.fileno(), b"%d\n" % number)


class Group:
    """The group, which the child leads; the watchdog ends it where this process is gone."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, **streams: Any
    ) -> None:
        """Start the command. Raises OSError where that fails."""
        self.leader = subprocess.Popen(
            command, env=environment, cwd=folder, start_new_session=True, **streams
        )
        tell_watchdog(self.leader.pid)

    def lives(self) -> bool:
        """Whether the child has not ended; takes no lock, so a signal's handler may ask."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.leader.pid).status() != psutil.STATUS_ZOMBIE
        return False

    def ask_to_end(self) -> None:
        """Tell the child SIGTERM."""
        with suppress(ProcessLookupError):
            os.kill(self.leader.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End all that is left of the group, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.leader.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the group, which has ended."""
        tell_watchdog(-self.leader.pid)
