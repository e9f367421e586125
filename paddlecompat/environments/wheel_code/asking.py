"""What a wheel, or a build that is installed, answers: the reported defect and its cards."""

from __future__ import annotations

import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from elftools.common.exceptions import ELFError
from packaging.utils import parse_wheel_filename
from pefile import PEFormatError

from paddlecompat.environments.wheel_code import fat_binaries
from paddlecompat.environments.wheel_code.kernels import launching, registered
from paddlecompat.environments.wheel_code.verdict import answer_of
from paddlecompat.environments.wheel_code.x86.formats import open_image
from paddlecompat.environments.wheel_code.x86.image import Image
from paddlecompat.environments.wheels import sha256_of
from paddlecompat.fixtures.builds import System
from paddlecompat.records.build_answers import wheel_answer
from paddlecompat.records.build_answers.wheel_answer import FUNCTIONS, FunctionAnswer, WheelAnswer
from paddlecompat.records.subject import MeasuredBuild

SYSTEM_OF: dict[str, System] = {"win_amd64": "windows", "x86_64": "linux"}
"""By how a wheel's platform ends."""
# What holds Paddle's kernels: up to 2.3, up to 2.5, and since 2.6, on Linux in two parts.
CORE = re.compile(r"paddle/(fluid/core_avx|(fluid|base)/libpaddle|libs/libphi)\.(so|pyd)")
VERSION = re.compile(r"paddle/version(/__init__)?\.py")
PARTS = ("fluid/*", "base/*", "libs/*", "version.py", "version/__init__.py")
"""Where these lie in the package."""
DAMAGED = (
    ValueError, OSError, EOFError, ELFError, PEFormatError, struct.error, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class Asked(NamedTuple):
    """What a build answers, and the architectures of code that few of its fat binaries have."""

    answer: WheelAnswer
    seldom: list[str]


def ask_wheel(wheel: Path, folder: Path | None = None) -> Asked:
    """The answer of a wheel, which is unpacked into `folder`, by default that of the wheel.

    Raises ValueError, in a line with the file's name: it is damaged, of another project, has no
    code for GPUs, or is for another processor.
    """
    version, system = build_of(wheel)
    name = ""
    with tempfile.TemporaryDirectory(dir=folder or wheel.parent) as at:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if VERSION.fullmatch(name) or CORE.fullmatch(name):
                        archive.extract(name, at)
        except DAMAGED as error:
            where = f"{wheel.name}: {name}" if name else wheel.name
            raise ValueError(f"{where}: damaged: {error}") from None
        try:
            return ask(Path(at), version, system, wheel)
        except DAMAGED as error:
            raise ValueError(f"{wheel.name}: {error}") from None


def ask_installed(paddle: Path, version: str, system: System) -> WheelAnswer | None:
    """The answer of a build by the folder of its package; None where it cannot be read."""
    try:
        return ask(paddle.parent, version, system).answer
    except DAMAGED:
        return None


def ask_built(build: MeasuredBuild, environment: Path, system: System) -> WheelAnswer | None:
    """The answer of the build in an environment: the kept one of its wheel, else it is read."""
    if build.distribution != "paddlepaddle-gpu":
        return None
    if build.sha256 and (known := known_answer({build.sha256}, system)):
        return known
    packages = ("lib/python*/site-packages", "Lib/site-packages")
    found = [path for where in packages for path in environment.glob(f"{where}/paddle")]
    return ask_installed(found[0], build.version, system) if found else None


def known_answer(hashes: Collection[str], system: System) -> WheelAnswer | None:
    """The kept answer of a wheel for a system that has one of these sha256."""
    folders = (wheel_answer.ANSWERS, wheel_answer.READ_HERE)
    kept = (wheel_answer.find(each, folder) for folder in folders for each in sorted(hashes))
    return next((found for found in kept if found and found.system == system), None)


def build_of(wheel: Path) -> tuple[str, System]:
    """The version of Paddle's build for GPUs, and its system, by the wheel's name."""
    if not wheel.is_file():
        raise ValueError(f"{wheel.name}: no such file")
    try:
        name, version, _, tags = parse_wheel_filename(wheel.name)
    except ValueError:
        raise ValueError(f"{wheel.name}: not the name of a wheel") from None
    if name not in ("paddlepaddle-gpu", "paddlepaddle"):
        raise ValueError(f"{wheel.name}: a wheel of {name}, not of paddlepaddle-gpu")
    platforms = sorted({tag.platform for tag in tags})
    for end, system in SYSTEM_OF.items():
        if any(platform.endswith(end) for platform in platforms):
            return str(version), system
    raise ValueError(f"{wheel.name}: for {', '.join(platforms)}: only x86-64 is read")


def ask(packages: Path, version: str, system: System, wheel: Path | None = None) -> Asked:
    """What the package in a folder answers. Raises as of `DAMAGED`."""
    found = (path for part in PARTS for path in packages.glob(f"paddle/{part}"))
    there = {path.relative_to(packages).as_posix(): path for path in found}
    about = [path.read_text("utf-8") for name, path in there.items() if VERSION.fullmatch(name)]
    libraries = {name: path for name, path in there.items() if CORE.fullmatch(name)}
    if wheel and not about:
        raise ValueError("it has no paddle/version: not a wheel of paddlepaddle-gpu")
    codes: list[frozenset[fat_binaries.Code]] = []
    functions: list[FunctionAnswer] = []
    toolchains: dict[str, str] = {}
    for name, library in libraries.items():
        try:
            with open_image(library) as image:
                codes += fat_binaries.read(image)
                if answers := functions_of(image):
                    toolchains[name] = image.toolchain
                    functions += answers
        except DAMAGED as error:
            raise ValueError(f"{name}: damaged: {error}") from None
    if not codes:
        raise ValueError("it has no GPU code: not a wheel of paddlepaddle-gpu")
    known = {function.function for function in functions}
    reason = "no kernel of it is registered under a name that is known here"
    functions += [unread(name, "?", reason) for name in FUNCTIONS if name not in known]
    made = fat_binaries.architectures(codes)
    said = dict(re.findall(r"^(cuda|cudnn)_version\s*=\s*'(.+)'", "\n".join(about), re.MULTILINE))
    file = wheel or max(libraries.values(), key=lambda path: path.stat().st_size)
    answer = WheelAnswer(
        version=version,
        system=system,
        file=file.name,
        sha256=sha256_of(file),
        library=", ".join(toolchains),
        toolchain=", ".join(dict.fromkeys(toolchains.values())),
        cuda=said.get("cuda", "?"),
        cudnn=said.get("cudnn", "?"),
        sm=made["sm"],
        ptx=made["ptx"],
        functions=functions,
        answer=wheel_answer.worst_of(function.answer for function in functions),
    )
    return Asked(answer, made["seldom"])


def functions_of(image: Image) -> list[FunctionAnswer]:
    """The answer of each host function in a library that launches a kernel which selects."""
    kernels, registering = registered(image)
    stubs = {kernel.stub: kernel.short for kernel in kernels}
    selecting = [kernel for kernel in kernels if kernel.function]
    answers: list[FunctionAnswer] = []
    for kernel, hosts in launching(image, selecting, registering).items():
        nothing = unread(
            kernel.function, kernel.dtype, "nothing that launches its kernel was found"
        )
        answers += [answer_of(image, stubs, kernel, host) for host in hosts] or [nothing]
    return sorted(answers, key=lambda one: (FUNCTIONS.index(one.function), one.dtype))


def unread(function: str | None, dtype: str, reason: str) -> FunctionAnswer:
    """The answer of a function that was not found."""
    told = {"function": function, "dtype": dtype, "address": None}
    return FunctionAnswer.model_validate({**told, "answer": "not read", "reason": reason})
