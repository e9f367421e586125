"""What a wheel, or a build that is installed, answers: the reported defect and its cards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename

from paddlecompat.environments.wheel_code.gpu_code import CORE, DAMAGED, VERSION, Unpacked, unpacked
from paddlecompat.environments.wheel_code.kernels import Kernel, launching, registered
from paddlecompat.environments.wheel_code.verdict import Code
from paddlecompat.environments.wheel_code.x86.formats import open_image
from paddlecompat.environments.wheel_code.x86.image import Image
from paddlecompat.environments.wheels import sha256_of
from paddlecompat.fixtures.releases import System
from paddlecompat.records.subject import MeasuredBuild
from paddlecompat.records.wheel_answer import (
    ANSWERS,
    FUNCTIONS,
    READ_HERE,
    FunctionAnswer,
    WheelAnswer,
    find,
    worst_of,
)

SYSTEM_OF: dict[str, System] = {"win_amd64": "windows", "x86_64": "linux"}
"""By how a wheel's platform ends."""
PARTS = ("fluid/*", "base/*", "libs/*", "version.py", "version/__init__.py")
"""Where what is looked at lies in the package."""


def ask_wheel(wheel: Path, folder: Path | None = None) -> WheelAnswer:
    """The answer of a wheel, which is unpacked into `folder`, by default that of the wheel.

    Raises ValueError, in a line with the file's name: it is damaged, of another project, has no
    code for GPUs, or is for another processor.
    """
    version, system = build_of(wheel)
    with unpacked(wheel, folder) as found:
        try:
            return answer_of(found, version, system, wheel)
        except DAMAGED as error:
            raise ValueError(f"{wheel.name}: {error}") from None


def ask_installed(paddle: Path, version: str, system: System) -> WheelAnswer | None:
    """The answer of a build by the folder of its package; None where it cannot be read."""
    parent, about = paddle.parent, ""
    libraries: dict[str, Path] = {}
    for path in (path for pattern in PARTS for path in paddle.glob(pattern)):
        name = path.relative_to(parent).as_posix()
        if VERSION.fullmatch(name):
            about = path.read_text(encoding="utf-8")
        elif CORE.fullmatch(name):
            libraries[name] = path
    try:
        largest = max(libraries.values(), key=lambda path: path.stat().st_size)
        return answer_of(Unpacked(about, libraries), version, system, largest)
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


def known_answer(
    hashes: Collection[str], system: System, folders: Sequence[Path] = (ANSWERS, READ_HERE)
) -> WheelAnswer | None:
    """The kept answer of a wheel for a system that has one of these sha256."""
    for folder in folders:
        for sha256 in sorted(hashes):
            if (found := find(sha256, folder)) and found.system == system:
                return found
    return None


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
    platforms = {tag.platform for tag in tags}
    for end, system in SYSTEM_OF.items():
        if any(platform.endswith(end) for platform in platforms):
            return str(version), system
    raise ValueError(f"{wheel.name}: for {', '.join(sorted(platforms))}: only x86-64 is read")


def answer_of(found: Unpacked, version: str, system: System, file: Path) -> WheelAnswer:
    """The answer of what was unpacked of `file`. Raises as of `DAMAGED`."""
    contents = found.contents
    functions: list[FunctionAnswer] = []
    toolchains: dict[str, str] = {}
    for name, library in found.libraries.items():
        with open_image(library) as image:
            if answers := functions_of(image):
                toolchains[name] = image.toolchain
                functions += answers
    functions += missing(functions)
    return WheelAnswer(
        version=version,
        system=system,
        file=file.name,
        sha256=sha256_of(file),
        library=", ".join(toolchains),
        toolchain=", ".join(dict.fromkeys(toolchains.values())),
        cuda=contents.cuda,
        cudnn=contents.cudnn,
        sm=contents.sm,
        ptx=contents.ptx,
        functions=functions,
        answer=worst_of(function.answer for function in functions),
    )


def functions_of(image: Image) -> list[FunctionAnswer]:
    """The answer of each host function in a library that launches a kernel which selects."""
    kernels, registering = registered(image)
    code = Code(image, {kernel.stub: kernel.short for kernel in kernels})
    selecting = [kernel for kernel in kernels if kernel.function]
    answers: list[FunctionAnswer] = []
    for kernel, hosts in launching(image, selecting, registering).items():
        answers += [code.answer(kernel, host) for host in hosts] or [not_found(kernel)]
    return sorted(answers, key=lambda one: (FUNCTIONS.index(one.function), one.dtype))


def not_found(kernel: Kernel) -> FunctionAnswer:
    reason = "nothing that launches its kernel was found"
    return unread({"function": kernel.function, "dtype": kernel.dtype, "reason": reason})


def missing(functions: list[FunctionAnswer]) -> list[FunctionAnswer]:
    """One answer for each function of Paddle of which no kernel was found."""
    there = {function.function for function in functions}
    reason = "no kernel of it is registered under a name that is known here"
    return [
        unread({"function": name, "dtype": "?", "reason": reason})
        for name in FUNCTIONS
        if name not in there
    ]


def unread(fields: Mapping[str, str | None]) -> FunctionAnswer:
    return FunctionAnswer.model_validate({**fields, "address": None, "answer": "not read"})
