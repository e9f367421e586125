"""Make the driver, NVML, and empty CUDA libraries for a build, with the compiler of a wheel."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock

from paddlecompat.environments import wheels
from paddlecompat.environments.installer import install_failed
from paddlecompat.environments.wheel_code.x86.formats import open_image
from paddlecompat.fixtures.builds import System
from paddlecompat.folders import NOX
from paddlecompat.machine.processes import run_checked

SOURCES = Path(__file__).parent
COMPILER = (
    "ziglang-0.15.1-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl"
)
"""A wheel on the public index that is a whole C compiler for each system."""
SHA256 = "4e45994a0e608d9b16ecad255698f5557a2e24de0bd7ba9efb156ab3f3683d9a"
TOOLS = NOX / "tools"
ZIG = TOOLS / "-".join(COMPILER.split("-")[:2]) / "ziglang" / "zig"
NAME = re.compile(rb"\b(cu(?:blasLt|blas|dnn|rand|solver|sparse|fft|pti)?[A-Z]\w{3,})(?=\0)")
OF_DRIVER = re.compile(r"cu[A-Z]")
OPTIONS = ("-std=gnu11", "-O1", "-w", "-shared", "-s", "-fvisibility=hidden", "-D_GNU_SOURCE")
TARGET: dict[System, str] = {
    "linux": "x86_64-linux-gnu.2.17",
    "windows": "x86_64-windows-gnu",
}
DRIVER: dict[System, str] = {"linux": "libcuda.so.1", "windows": "nvcuda.dll"}
NVML: dict[System, str] = {"linux": "libnvidia-ml.so.1", "windows": "nvml.dll"}
EMPTY: dict[System, list[str]] = {
    "linux": [
        f"lib{n}.so"
        for n in ["cublas", "cublasLt", "cudnn", "curand", "cusolver", "cusparse", "cufft"]
    ],
    "windows": [
        f"{n}.dll"
        for n in [
            "cublas64_10",
            "cublas64_102",
            "cublas64_11",
            "cublasLt64_10",
            "cublasLt64_11",
            "cudnn64_7",
            "cudnn64_8",
            "cufft64_10",
            "curand64_10",
            "cusolver64_10",
            "cusolver64_11",
            "cusparse64_10",
            "cusparse64_11",
        ]
    ],
}


def is_there() -> bool:
    """Whether the compiler was fetched already."""
    return ZIG.exists()


def compiler() -> Path:
    """The compiler, fetched once (90 MB). Raises MachineFailed where it cannot be had."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with FileLock(TOOLS / f"{COMPILER}.lock"):
        if not is_there():
            with tempfile.TemporaryDirectory(dir=TOOLS) as temporary:
                print(f"fetching {COMPILER}", flush=True)
                wheel = wheels.download_pinned(COMPILER, Path(temporary))
                wheels.check_pin(wheel, SHA256)
                unpacked = Path(temporary, "unpacked")
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(unpacked)
                (unpacked / "ziglang" / "zig").chmod(0o755)
                unpacked.replace(ZIG.parents[1])
    return ZIG


def names_in(libraries: Iterable[Path]) -> set[str]:
    """The functions of CUDA's libraries that these libraries name, as texts: they may ask for them.

    Raises as of `open_image`.
    """
    found: set[str] = set()
    for library in libraries:
        with open_image(library) as image:
            for section in image.sections:
                if section.name in image.strings_in:
                    text = image.data[section.offset : section.offset + section.size]
                    found |= {name.decode() for name in NAME.findall(text)}
    return found


def make(folder: Path, system: System, names: Iterable[str] = (), linked: bool = True) -> None:
    """Make them in `folder`, with a function for each of `names` that comes to nothing.

    Raises MachineFailed where there is no compiler, or it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    driver = {name for name in names if OF_DRIVER.match(name)}
    first, *others = (folder / name for name in EMPTY[system])
    compile_to(folder / DRIVER[system], system, ("driver", "tables", "kernels"), driver)
    compile_to(folder / NVML[system], system, ("nvml",))
    compile_to(first, system, ("libraries",), set(names) - driver)
    for other in others:
        shutil.copy(first, other)
    if system == "linux":
        link = folder / "libcuda.so"
        link.unlink(missing_ok=True)
        if linked:
            link.symlink_to(DRIVER[system])


def declared(text: str) -> set[str]:
    """The functions that C of the driver has."""
    copies = re.findall(r"^COPY\((\w+),", text, re.MULTILINE)
    others = re.findall(
        r"^(?:PUBLIC \w+ |(?:CREATE|WORKSPACE|ALGORITHM)\()(cu\w+)[()]", text, re.MULTILINE
    )
    return {f"{name}{end}" for name in copies for end in ("_v2", "Async_v2")} | set(others)


def functions(names: Iterable[str]) -> str:
    """C of functions that tell of their call, and come to nothing."""
    lines = [f'PUBLIC int {name}(void) {{ return called("{name}"); }}' for name in sorted(names)]
    head = '#include "made_up.h"\nstatic int called(const char *name) {\n'
    note = '  note("\\"what\\": \\"call\\", \\"name\\": \\"%s\\"", name);\n  return OK;\n}\n'
    return head + note + "\n".join(lines) + "\n"


def compile_to(
    library: Path, system: System, parts: Iterable[str], names: Iterable[str] = ()
) -> None:
    """Compile a shared library of these parts, with a function for each other name.

    Raises MachineFailed with the compiler's words where it fails.
    """
    sources = [SOURCES / f"{part}.c" for part in (*parts, "settings")]
    own = declared("".join(source.read_text(encoding="utf-8") for source in sources))
    command: list[str | Path] = [compiler(), "cc", "-target", TARGET[system], *OPTIONS]
    if system == "linux":
        command += ["-fPIC", f"-Wl,-soname,{library.name}"]
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(TOOLS / "cache"))
    with tempfile.TemporaryDirectory(dir=library.parent) as temporary:
        rest = Path(temporary, "rest.c")
        rest.write_text(functions(set(names) - own), encoding="utf-8")
        command += [f"-I{SOURCES}", "-o", library, *sources, rest]
        ended = run_checked(command, caches, seconds=1200)
    if ended.problem:
        raise install_failed(f"{library.name} was not made: {ended.complaint.strip()}", TOOLS)
