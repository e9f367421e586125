"""Run by a cell's own interpreter: put one tensor on the device, and read back what it became.

Releases may end the process here (`exit(-1)` where there is no device): whoever runs this looks at
the exit status. Prints, as JSON, the versions of the CUDA libraries that were loaded.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import device
import paddle

MAPPED = Path("/proc/self/maps")
LIBRARY = re.compile(r"/lib(cu[a-z]+|nvrtc|nccl)\.so\.([\d.]+)$", re.MULTILINE)
MEBIBYTES = 256  # what the properties need at least


def main() -> None:
    device.use("gpu", sys.argv[1] if len(sys.argv) > 1 else None)
    paddle.zeros([MEBIBYTES * 2**20 // 4], "float32")
    problem = device.trouble()
    if problem is not None:
        raise SystemExit(problem)
    print(json.dumps(loaded()))


def loaded() -> dict[str, str]:
    """The CUDA libraries of this process by name, as far as Linux and their file names tell."""
    maps = MAPPED.read_text(encoding="utf-8") if MAPPED.exists() else ""
    versions = dict(LIBRARY.findall(maps))
    cudnn = getattr(paddle, "get_cudnn_version", lambda: None)()
    if cudnn:
        versions["cudnn"] = f"{cudnn // 1000}.{cudnn % 1000 // 100}.{cudnn % 100}"
    return versions


if __name__ == "__main__":
    main()
