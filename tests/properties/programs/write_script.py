"""Read the pickled case that a process died on, and print its script; the place is the argument."""

from __future__ import annotations

import pickle
import sys

import paddle


def main() -> None:
    paddle.set_device(sys.argv[1])
    case = pickle.load(sys.stdin.buffer)  # written by a worker of this very run
    if case is None:
        raise SystemExit("the process died before the property's first case")
    sys.stdout.buffer.write(case.script().encode())


if __name__ == "__main__":
    main()
