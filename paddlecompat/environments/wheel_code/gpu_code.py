"""What a wheel says that it was made for, and the GPU code that it holds.

NVIDIA's own cuobjdump is of no use here: it reads no Windows file, and those on PyPI (13.2 and
later) refuse a library that has code for compute capability 3.5.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError
from pefile import PEFormatError

from paddlecompat.environments.wheel_code import fat_binaries
from paddlecompat.environments.wheel_code.fat_binaries import Code

# What holds Paddle's kernels: up to 2.3, up to 2.5, and since 2.6, on Linux in two parts.
CORE = re.compile(r"paddle/(fluid/core_avx|(fluid|base)/libpaddle|libs/libphi)\.(so|pyd)")
DAMAGED = (
    ValueError, OSError, EOFError, ELFError, PEFormatError, struct.error, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip
VERSION = re.compile(r"paddle/version(/__init__)?\.py")


@dataclass(frozen=True)
class Contents:
    """What a wheel says that it was made for, and what it has code for."""

    cuda: str
    cudnn: str
    sm: list[str]
    ptx: list[str]
    seldom: list[str]

    def __str__(self) -> str:
        said = f"CUDA {self.cuda}, cuDNN {self.cudnn}, sm {' '.join(self.sm) or '-'}"
        ptx = f", ptx {' '.join(self.ptx)}" if self.ptx else ""
        seldom = f" (seldom: {', '.join(self.seldom)} fat binaries)" if self.seldom else ""
        return said + ptx + seldom


@dataclass(frozen=True)
class Unpacked:
    """What of a wheel is looked at, as files."""

    about: str
    """Its own module on its version."""
    libraries: dict[str, Path]
    """By their names in the wheel."""

    @cached_property
    def contents(self) -> Contents:
        """Its GPU code, and what it was made for. Raises ValueError where it has no such code."""
        found: list[frozenset[Code]] = []
        for name, library in self.libraries.items():
            try:
                found += fat_binaries.read(library)
            except DAMAGED as error:
                raise ValueError(f"{name}: damaged: {error}") from None
        if not found:
            raise ValueError("it has no GPU code: not a wheel of paddlepaddle-gpu")
        said = dict(re.findall(r"^(cuda|cudnn)_version\s*=\s*'(.+)'", self.about, re.MULTILINE))
        return Contents(said.get("cuda", "?"), said.get("cudnn", "?"), **architectures(found))


@contextmanager
def unpacked(wheel: Path, folder: Path | None = None) -> Iterator[Unpacked]:
    """Its core and its version, for as long as they are looked at.

    Raises ValueError, with the file: it is damaged, or no wheel of Paddle.
    """
    about, where = "", wheel.name
    libraries: dict[str, Path] = {}
    with tempfile.TemporaryDirectory(dir=folder or wheel.parent) as at:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    where = f"{wheel.name}: {name}"
                    if VERSION.fullmatch(name):
                        about = archive.read(name).decode()
                    elif CORE.fullmatch(name):
                        libraries[name] = Path(archive.extract(name, at))
        except DAMAGED as error:
            raise ValueError(f"{where}: damaged: {error}") from None
        if not about:
            missing = "it has no paddle/version: not a wheel of paddlepaddle-gpu"
            raise ValueError(f"{wheel.name}: {missing}")
        yield Unpacked(about, libraries)


def read(wheel: Path) -> Contents:
    """What it holds. Raises ValueError, with the file, as of `unpacked` and `Unpacked.contents`."""
    with unpacked(wheel) as found:
        try:
            return found.contents
        except ValueError as error:
            raise ValueError(f"{wheel.name}: {error}") from None


def architectures(found: Sequence[frozenset[Code]]) -> dict[str, list[str]]:
    """The architectures that the build was made for, by kind, and those met `seldom`.

    Every fat binary has all of the former, but for a few that were compiled with other settings.
    """
    times = Counter(code for fat_binary in found for code in fat_binary)
    codes: dict[str, list[str]] = {"sm": [], "ptx": [], "seldom": []}
    for (kind, architecture), number in sorted(times.items()):
        capability = f"{architecture // 10}.{architecture % 10}"
        if number > len(found) / 2:
            codes[kind].append(capability)
        else:
            codes["seldom"].append(f"{kind} {capability} in {number} of {len(found)}")
    return codes
