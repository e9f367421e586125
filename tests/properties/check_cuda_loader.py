"""Run by a cell's own interpreter: which CUDA libraries the release's own loader opens, as JSON.

Its functions are called by name, out of the release's core library: that needs no device, and is
what the release does when it first needs a library. One that is not there ends the process, so each
function is called in a process of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path

import paddle

# What single-device training may open. Not: the driver, the tracing of NVTX, TensorRT, nvJPEG.
FUNCTIONS = [
    f"Get{library}DsoHandle"
    for library in (
        *("Cublas", "CublasLt", "CUDNN", "Curand", "Cusolver"),
        *("Cusparse", "CUFFT", "NCCL", "NVRTC", "CUPTI"),
    )
]
CORES = ("libs/libphi.so", "fluid/libpaddle.so", "fluid/core_avx.so")
SPACES = ("3phi7dynload", "6paddle8platform7dynload")


def main() -> None:
    core = loaded_core()
    print(json.dumps({name: opened(core, name) for name in FUNCTIONS if named(core, name)}))


def loaded_core() -> ctypes.CDLL:
    """The module of the release that holds its loader."""
    folder = Path(paddle.__file__).parent
    return ctypes.CDLL(str(next(folder / core for core in CORES if (folder / core).exists())))


def named(core: ctypes.CDLL, name: str) -> str | None:
    """The symbol of a loader function, by the names that C++ compilers give; None: not offered."""
    symbols = [f"_ZN{space}{len(name)}{name}Ev" for space in SPACES]
    return next((symbol for symbol in symbols if hasattr(core, symbol)), None)


def opened(core: ctypes.CDLL, name: str) -> list[str]:
    """The files that the function brought into a fork of this process; none where it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        before = mapped()
        function = core[str(named(core, name))]
        function.restype = ctypes.c_void_p
        found = mapped() - before if function() else set()
        os.write(writing, json.dumps(sorted(found)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    files: list[str] = json.loads(said or b"[]")
    return files


def mapped() -> set[str]:
    """The names of the files in this process's memory."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    return {Path(line.split(maxsplit=5)[-1]).name for line in lines if "/" in line}


if __name__ == "__main__":
    main()
