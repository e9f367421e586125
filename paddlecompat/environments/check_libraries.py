"""Run by a cell's own interpreter: which of the CUDA libraries named as arguments do not open.

Prints them as a JSON list. A library that opens with another's major version counts as one that
does not: `libcudnn.so` may be cuDNN 9's, where the build was made for `libcudnn.so.8`.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys


def main() -> None:
    print(json.dumps([library for library in sys.argv[1:] if not opens(library)]))


def opens(library: str) -> bool:
    """Whether the name that releases ask for opens, and is this very library."""
    try:
        if sys.platform == "win32":
            return bool(ctypes.CDLL(library, winmode=0)._handle)  # 0: look in PATH, too
        found = ctypes.CDLL(asked(library))._handle
        return bool(found == ctypes.CDLL(library, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)._handle)
    except OSError:
        return False


def asked(library: str) -> str:
    """The name that releases ask for: 'libcudnn.so' for 'libcudnn.so.8', and a DLL's own."""
    return re.sub(r"(?<=\.so)\.[\d.]+$", "", library)


if __name__ == "__main__":
    main()
