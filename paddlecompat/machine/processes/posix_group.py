"""A child and all that it starts, as one process group of a session of its own: Linux, macOS."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

assert sys.platform != "win32"  # mypy, too, reads the rest on POSIX alone

LAUNCHER = Path(__file__).with_name("launcher.py")


class Group:
    """The group, whose leader is the launcher: it ends the group when this process is gone."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, **streams: Any
    ) -> None:
        """Start the command. Raises OSError where that fails."""
        self.lifeline, theirs = socket.socketpair()
        sent = b"\0".join(os.fsencode(f"{name}={value}") for name, value in environment.items())
        numbers = (str(theirs.fileno()), str(len(sent)))
        with theirs:
            self.leader = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), *numbers, *command],
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd=folder,
                **streams,
            )
        try:
            with suppress(BrokenPipeError):  # the launcher was killed: the next line finds it so
                self.lifeline.sendall(sent)
            self.pid = self.next_number(0)
            if self.pid <= 0:
                self.leader.wait()
                problem = os.strerror(-self.pid) if self.pid else "killed as it started"
                raise OSError(-self.pid, problem, command[0])
        except BaseException:  # an interruption, too, leaves nothing that runs
            self.close()
            raise

    def next_number(self, otherwise: int) -> int:
        """What the launcher tells next; `otherwise` where it was killed."""
        with suppress(ConnectionError), self.lifeline.makefile("rb", buffering=0) as lines:
            return int(lines.readline() or otherwise)
        return otherwise

    def lives(self) -> bool:
        """Whether the child has not ended; takes no lock, so a signal's handler may ask."""
        with suppress(ValueError, OSError):  # closed: it was ended meanwhile
            return not select.select([self.lifeline], [], [], 0)[0]
        return False

    def ask_to_end(self) -> None:
        """Tell the child SIGTERM."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End all that is left of the group, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.leader.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the group, which has ended."""
        self.lifeline.close()
