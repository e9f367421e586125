"""Children: each with a group of its own, which ends with it, with this process, or when told to.

On Windows a group is a job object. On Linux and macOS it is a process group under a launcher, which
sees this process end even by SIGKILL; who leaves the group by a session of his own is not followed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    from paddlecompat.machine.processes.windows_group import Group
else:
    from paddlecompat.machine.processes.posix_group import Group

Stream = IO[bytes] | int | None
OWN = ["-m", "paddlecompat"]  # commands of ours end what they have started themselves
GRACE = 1.5  # seconds in which they do
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those of them that the system has
living: set[Child] = set()
interrupted_by: list[str] = []


class Child:
    """A child process and its group. `stdin` is there where a pipe was asked for."""

    def __init__(self, group: Group, ends_its_own: bool) -> None:
        self.pid, self.stdin = group.pid, group.leader.stdin
        self.group, self.ends_its_own = group, ends_its_own
        self.status: int | None = None
        self.ending = threading.Lock()

    def poll(self) -> int | None:
        """Its exit status, negative for a signal's; None: it lives."""
        return self.conclude(self.group.leader.poll())

    def wait(self, seconds: float | None = None) -> int | None:
        """As `poll`, after it has ended or so many seconds have passed."""
        with suppress(subprocess.TimeoutExpired):
            return self.conclude(self.group.leader.wait(seconds))
        return None

    def kill(self) -> None:
        """End the whole group at once, and reap the child."""
        if self.status is None:
            self.group.kill()
            self.wait(10)

    def conclude(self, code: int | None) -> int | None:
        """Once the child has ended, end what it has left behind, and keep its exit status."""
        with self.ending:
            if self.status is None and code is not None:
                self.group.kill()
                self.status = self.group.next_number(code)
                self.group.close()
                living.discard(self)
        return self.status


def start(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
) -> Child:
    """Start a command in a group of its own.

    Raises OSError where it cannot be started, KeyboardInterrupt once an interruption has begun.
    """
    arguments = [str(part) for part in command]
    streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    child = Child(Group(arguments, environment, folder, **streams), arguments[1:3] == OWN)
    living.add(child)
    if interrupted_by:  # `end_all` may have come before this one was known
        child.kill()
        raise KeyboardInterrupt(*interrupted_by)
    return child


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM, SIGINT and SIGHUP (SIGBREAK) end every child, whichever thread waits for it.

    Then KeyboardInterrupt with the signal's name is raised here. A second signal changes nothing.
    For the main thread; in another it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heard = {number for number in numbers if before[number] is not signal.SIG_IGN}  # as of nohup
    try:
        for number in heard:
            signal.signal(number, interrupt)
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
        interrupted_by.clear()


def interrupt(number: int, frame: object) -> None:
    """End every child, then raise KeyboardInterrupt in the main thread, once."""
    if not interrupted_by:
        interrupted_by.append(signal.Signals(number).name)
        end_all()
        raise KeyboardInterrupt(*interrupted_by)


def end_all() -> None:
    """End every child: our own commands are told to, and have a moment, the others are killed.

    This takes no lock: the thread that the signal has stopped may hold it.
    """
    told = living.copy()
    for child in told:
        child.group.ask_to_end() if child.ends_its_own else child.group.kill()
    until = time.monotonic() + GRACE
    while any(child.group.lives() for child in told) and time.monotonic() < until:
        time.sleep(0.02)
    for child in told:
        child.group.kill()
