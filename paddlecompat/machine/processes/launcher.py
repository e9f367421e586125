"""Run as a script between this project and a child, on Linux and macOS: `launcher.py FD SIZE ...`.

It leads the child's process group. FD is a socket whose other end the parent alone holds. The
parent sends the child's environment, SIZE bytes, and is told the child's process id and, at the
end, its exit status, a line each. Where the parent is gone, however it died, the socket ends, and
the whole group with it. Only built-in modules are imported: this starts before every child.
"""

import _thread
import os
import sys

assert sys.platform != "win32"  # mypy, too, reads the rest on POSIX alone

SIGKILL, IGNORED_BY_PYTHON = 9, (13, 25)  # SIGPIPE, SIGXFSZ; of Linux and of macOS


def main(lifeline: int, size: int, command: list[str]) -> None:
    """Start the command, wait for it, and end with it. A negative process id tells an errno."""
    os.set_inheritable(lifeline, False)
    sent = b""
    while len(sent) < size:
        sent += os.read(lifeline, size - len(sent)) or os._exit(1)
    os.environ.clear()
    pairs = (pair.partition(b"=") for pair in sent.split(b"\0") if pair)
    os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs})
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setsigdef=IGNORED_BY_PYTHON)
    except OSError as error:
        os.write(lifeline, b"%d\n" % -(error.errno or 1))
        return
    for standard in (0, 1, 2):  # they are the child's alone
        os.close(standard)
    os.write(lifeline, b"%d\n" % child)
    _thread.start_new_thread(end_with_parent, (lifeline,))
    status = os.waitpid(child, 0)[1]
    os.write(lifeline, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def end_with_parent(lifeline: int) -> None:
    """End this process's group once the socket ends."""
    os.read(lifeline, 1)
    os.killpg(0, SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
