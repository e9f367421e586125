"""Run by a cell's own interpreter: put one tensor on the device, and read back what it became.

Releases may end the process here (`exit(-1)` where there is no device): whoever runs this looks at
the exit status. Prints, as JSON, the versions of the CUDA libraries that were loaded.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import paddle

from properties.protocol import device

MAPPED = Path("/proc/self/maps")
LIBRARY = re.compile(r"/lib(cu[A-Za-z]+|nvrtc|nccl)\.so\.([\d.]+)$", re.MULTILINE)
MEBIBYTES = 1024  # what the properties need at least


def main() -> None:
    device.use("gpu", sys.argv[1] if len(sys.argv) > 1 else None)
    paddle.zeros([MEBIBYTES * 2**20 // 4], "float32")
    problem = device.trouble()
    if problem is not None:
        raise SystemExit(problem)
    # By cuDNN, which loads more of itself for it; PP-YOLOE's training does so, too.
    convolved = paddle.nn.functional.conv2d(paddle.ones([1, 1, 3, 3]), paddle.ones([1, 1, 3, 3]))
    if convolved.numpy().tolist() != [[[[9.0]]]]:
        raise SystemExit(f"a convolution of ones is {convolved.numpy().tolist()}, not 9")
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
