"""Run as a script beside this project, on Linux and macOS: ends process groups that outlive it.

The parent writes a line for each group of its own to the standard input: `7` for one that was
started, `-7` once it has ended. Where the parent is gone, be it by SIGKILL, the input ends.
"""

import os
import sys

assert sys.platform != "win32"  # mypy, too, reads the rest on POSIX alone

if __name__ == "__main__":
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        number = int(line)
        (groups.add if number > 0 else groups.discard)(abs(number))
    for group in groups:
        try:
            os.killpg(group, 9)  # SIGKILL
        except OSError:
            continue  # it has ended meanwhile
