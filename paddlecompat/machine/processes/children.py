"""Children: each with a group of its own, which ends with it, with this process, or when told to.

On Windows a group is a job object. On Linux and macOS it is a process group, which a watchdog ends
should this process end by SIGKILL; who leaves it by a session of his own is not followed.
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
thread = threading.local()  # `starts`: whether this thread is in the middle of `start`


class Child:
    """A child process and its group. `stdin` is there where a pipe was asked for."""

    def __init__(self, group: Group, ends_its_own: bool) -> None:
        self.group, self.ends_its_own = group, ends_its_own
        self.leader, self.stdin = group.leader, group.leader.stdin
        self.ending = threading.Lock()
        living.add(self)

    def poll(self) -> int | None:
        """Its exit status, negative for a signal's; None: it lives."""
        self.conclude(self.leader.poll())
        return self.leader.returncode

    def wait(self, seconds: float | None = None) -> int | None:
        """As `poll`, after it has ended or so many seconds have passed."""
        with suppress(subprocess.TimeoutExpired):
            self.conclude(self.leader.wait(seconds))
        return self.leader.returncode

    def kill(self) -> None:
        """End the whole group at once, and reap the child."""
        if self in living:
            self.group.kill()
            self.wait(10)

    def conclude(self, status: int | None) -> None:
        """Once the child has ended, end what it has left behind."""
        with self.ending:
            if status is not None and self in living:
                self.group.kill()
                self.group.close()
                living.discard(self)


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
    thread.starts = True
    try:
        child = Child(Group(arguments, environment, folder, **streams), arguments[1:3] == OWN)
    finally:
        thread.starts = False
        if interrupted_by:  # perhaps by a signal that came before the child was known
            end_all()
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
        if not getattr(thread, "starts", False):  # else `start` goes on from here
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
