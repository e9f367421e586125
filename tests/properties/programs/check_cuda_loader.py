"""Run by a cell's own interpreter: which of the CUDA libraries named does the release itself open?

Prints {library: whether} as JSON, for those arguments that the release's loader has a function for.
The functions are called by name, out of the release's core library: that needs no device, and is
what the release does when it first needs a library. Where one is not there, the release ends the
process, so each function is called in a fork of this one.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from pathlib import Path

import paddle

# What training on one device may open. Not: the driver, NVTX's tracing, TensorRT, nvJPEG.
FUNCTIONS = {
    "libcublas": "GetCublasDsoHandle",
    "libcublasLt": "GetCublasLtDsoHandle",
    "libcudnn": "GetCUDNNDsoHandle",
    "libcufft": "GetCUFFTDsoHandle",
    "libcupti": "GetCUPTIDsoHandle",
    "libcurand": "GetCurandDsoHandle",
    "libcusolver": "GetCusolverDsoHandle",
    "libcusparse": "GetCusparseDsoHandle",
    "libnccl": "GetNCCLDsoHandle",
    "libnvrtc": "GetNVRTCDsoHandle",
}
CORES = ("libs/libphi.so", "fluid/libpaddle.so", "fluid/core_avx.so")
SPACES = ("3phi7dynload", "6paddle8platform7dynload")


def main() -> None:
    core = loaded_core()
    symbols = {library: symbol_for(library, core) for library in sys.argv[1:]}
    print(json.dumps({name: opens(core, s, name) for name, s in symbols.items() if s}))


def loaded_core() -> ctypes.CDLL:
    """The module of the release that holds its loader."""
    folder = Path(paddle.__file__).parent
    return ctypes.CDLL(str(next(folder / core for core in CORES if (folder / core).exists())))


def symbol_for(library: str, core: ctypes.CDLL) -> str | None:
    """The loader's function for 'libcudnn.so.8', as C++ compilers name it; None: it has none."""
    name = FUNCTIONS.get(re.sub(r"\.so[.\d]*$", "", library))
    symbols = [f"_ZN{space}{len(name)}{name}Ev" for space in SPACES if name]
    return next((symbol for symbol in symbols if hasattr(core, symbol)), None)


def opens(core: ctypes.CDLL, symbol: str, library: str) -> bool:
    """Whether the loader's function opens this very library, and no other of its name."""
    child = os.fork()
    if not child:
        function = core[symbol]
        function.restype = ctypes.c_void_p
        found = function()
        loaded = ctypes.CDLL(library, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)  # raises: it is not
        os._exit(int(found != loaded._handle))
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main()
