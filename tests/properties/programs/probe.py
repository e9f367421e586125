"""Ask an interpreter, and the release installed in it, one thing: `python -m ...probe VERB`.

The answer is JSON. A release may end the process (`exit(-1)` where there is no device): look at the
exit status, too. The verbs `libraries` and `loader` take JSON, a library's own name and the one
that releases ask for: `{"libcudnn.so.8": "libcudnn.so"}`.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import re
import sys
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Callable

# What training on one device may open. Not: the driver, NVTX's tracing, TensorRT, nvJPEG.
OPENED = (
    *("Cublas", "CublasLt", "CUDNN", "CUFFT", "CUPTI", "Curand", "Cusolver", "Cusparse"),
    *("NCCL", "NVRTC"),
)
CORES = ("libs/libphi.so", "fluid/libpaddle.so", "fluid/core_avx.so")
SPACES = ("3phi7dynload", "6paddle8platform7dynload")
MAPPED = Path("/proc/self/maps")
LIBRARY = re.compile(r"/lib(cu[A-Za-z]+|nvrtc|nccl)\.so\.([\d.]+)$", re.MULTILINE)
MEBIBYTES = 1024  # what the properties need at least


def ask_import() -> dict[str, Any]:
    """What the release says of itself once it is imported, and what is installed beside it."""
    import paddle

    def version_of(what: str) -> str | None:
        value = getattr(paddle.version, what, None)
        text = str(value() if callable(value) else getattr(paddle.version, f"{what}_version", ""))
        return text if text[:1].isdigit() and text.strip("0.") else None

    packages = {found.metadata["Name"]: found.version for found in distributions()}
    known = {"version": paddle.__version__, "packages": packages}
    return {**known, "cuda": version_of("cuda"), "cudnn": version_of("cudnn")}


def ask_device(stand_in: str | None = None) -> dict[str, str]:
    """The versions of the CUDA libraries that a first calculation on the device loads.

    Raises SystemExit where the device answers wrongly. A release that garbles numbers on their way
    from NumPy and back does so on the CPU, too: the properties say so, and nothing is calculated.
    """
    import paddle

    from properties.protocol import device

    device.use("gpu", stand_in)
    paddle.zeros([MEBIBYTES * 2**20 // 4], "float32")
    sent = [222.0, 333.0]
    if paddle.to_tensor(sent, place=paddle.CPUPlace()).numpy().tolist() != sent:
        return {}
    if problem := device.trouble():
        raise SystemExit(problem)
    # By cuDNN, which loads more of itself for it; PP-YOLOE's training does so, too.
    convolved = paddle.nn.functional.conv2d(paddle.ones([1, 1, 3, 3]), paddle.ones([1, 1, 3, 3]))
    if convolved.numpy().tolist() != [[[[9.0]]]]:
        raise SystemExit(f"a convolution of ones is {convolved.numpy().tolist()}, not 9")
    maps = MAPPED.read_text(encoding="utf-8") if MAPPED.exists() else ""
    versions = dict(LIBRARY.findall(maps))
    cudnn = getattr(paddle, "get_cudnn_version", lambda: None)() or 0
    if cudnn > 0:
        versions["cudnn"] = f"{cudnn // 1000}.{cudnn % 1000 // 100}.{cudnn % 100}"
    return versions


def ask_libraries(names: str) -> dict[str, bool]:
    """Whether each library opens by the name that releases ask for; Paddle is not imported.

    One that opens with another's major version counts as one that does not: `libcudnn.so` may be
    cuDNN 9's, where the build was made for `libcudnn.so.8`.
    """
    return {library: opens(library, name) for library, name in json.loads(names).items()}


def opens(library: str, name: str) -> bool:
    try:
        if sys.platform == "win32":
            return bool(ctypes.CDLL(name, winmode=0)._handle)  # 0: look in PATH, too
        return bool(ctypes.CDLL(name)._handle == loaded_handle(library))
    except OSError:
        return False


def loaded_handle(library: str) -> Any:
    """The handle of a library that is loaded already. Raises OSError where it is not."""
    return ctypes.CDLL(library, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)._handle


def ask_loader(names: str) -> dict[str, bool]:
    """Whether the release's own loader opens each library that it has a function for.

    The functions are called by name, out of the release's core library: that needs no device, and
    is what the release does when it first needs a library.
    """
    import paddle

    folder = Path(paddle.__file__).parent
    core = ctypes.CDLL(str(next(folder / name for name in CORES if (folder / name).exists())))
    functions = {f"lib{name.lower()}.so": f"Get{name}DsoHandle" for name in OPENED}
    answers = {}
    for library, name in json.loads(names).items():
        function = functions.get(name.lower(), "")
        symbols = [f"_ZN{space}{len(function)}{function}Ev" for space in SPACES if function]
        for symbol in [symbol for symbol in symbols if hasattr(core, symbol)][:1]:
            answers[library] = opens_by_release(core[symbol], library)
    return answers


def opens_by_release(function: Any, library: str) -> bool:
    """Whether the loader's function opens this very library, and no other of its name.

    It ends the process where there is none, so it is called in a fork of this one.
    """
    child = os.fork()
    if not child:
        function.restype = ctypes.c_void_p
        os._exit(int(function() != loaded_handle(library)))
    return os.waitpid(child, 0)[1] == 0


def ask_round_trip() -> list[str]:
    """The dtypes whose numbers come back as they were sent. Raises Violation at one that do not.

    A dtype that the release says it does not offer is left out, as by the property.
    """
    import pytest

    from properties.cases.case import Case, verify
    from properties.kernel.test_round_trip import DTYPES
    from properties.protocol.evidence import start
    from properties.questions.round_trip import Numbers, there_and_back

    came_back = []
    for dtype in DTYPES:
        start(dtype)
        with suppress(pytest.skip.Exception):
            verify(Case(there_and_back, Numbers(dtype)))
            came_back.append(dtype)
    return came_back


def ask_script(place: str, journal: str) -> dict[str, str]:
    """The script of the case in the journal of a worker: one that its process died on."""
    import paddle

    paddle.set_device(place)
    case = pickle.loads(Path(journal).read_bytes().partition(b"\n")[2])
    return {"script": case.script()}


VERBS: dict[str, Callable[..., object]] = {
    "import": ask_import,
    "device": ask_device,
    "libraries": ask_libraries,
    "loader": ask_loader,
    "round_trip": ask_round_trip,
    "script": ask_script,
}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))
