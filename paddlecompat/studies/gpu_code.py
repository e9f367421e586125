"""The GPU code in Paddle's wheels, and whether `fixtures/releases.toml` lists what is in them.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError

from paddlecompat.environments import wheels
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.folders import WHEELS
from paddlecompat.fixtures.releases import SYSTEMS, Build, Fixture, System
from paddlecompat.studies import fat_binaries
from paddlecompat.studies.fat_binaries import Code

PLATFORMS: dict[System, list[str]] = {
    "linux": ["manylinux1_x86_64", "manylinux2014_x86_64"],
    "windows": ["win_amd64"],
}
# What holds Paddle's kernels: up to 2.3, up to 2.5, and since 2.6, on Linux in two parts.
CORE = re.compile(r"paddle/(fluid/core_avx|(fluid|base)/libpaddle|libs/libphi)\.(so|pyd)")
DAMAGED = (ValueError, OSError, EOFError, ELFError, struct.error, zipfile.BadZipFile, zlib.error)
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


def check(
    fixture: Fixture,
    versions: list[str],
    fetch: Callable[[list[str], Build, str, Path], Path | None] = wheels.download_for,
    folder: Path = WHEELS,
) -> int:
    """Read the wheels on PyPI of the named releases, or of all; 1 where one is not as listed.

    Each wheel is fetched into `folder` and deleted. Raises ValueError where a release is unknown or
    a wheel cannot be read, CannotRun where the index fails.
    """
    status = 0
    folder.mkdir(parents=True, exist_ok=True)
    builds = [(r.python, b) for r in releases.named(fixture, versions) for b in r.gpu_builds]
    for python, build in builds:
        for system in SYSTEMS if build.index == "pypi" else ():
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                wheel = fetch(PLATFORMS[system], build, python, Path(temporary))
                found = read(wheel) if wheel else None
            wrong = differences(build, system, found)
            status |= bool(wrong)
            verdict = f"NOT AS LISTED: {'; '.join(wrong)}" if wrong else "as listed"
            print(f"{build.version} {system}: {found or 'no wheel'}: {verdict}", flush=True)
    return status


def differences(build: Build, system: System, found: Contents | None) -> list[str]:
    """What the fixture lists otherwise than it was found."""
    listed = build.on(system)
    if listed is None:
        return ["no wheel is listed there"] if found else []
    if found is None:
        return ["a wheel is listed there"]
    pairs = {
        "source": (listed.source, "wheel"),
        "cuda": (build.cuda, found.cuda),
        "cudnn": (listed.cudnn or build.cudnn, found.cudnn),
        "sm": (listed.sm, found.sm),
        "ptx": (listed.ptx, found.ptx),
    }
    return [f"{field} is {was!r} there" for field, (was, now) in pairs.items() if was != now]


def read(wheel: Path) -> Contents:
    """What it holds. ValueError, with the file: it is damaged, or no wheel of Paddle for GPUs."""
    about, where = "", wheel.name
    found: list[frozenset[Code]] = []
    try:
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=wheel.parent) as at:
            for name in archive.namelist():
                where = f"{wheel.name}: {name}"
                if VERSION.fullmatch(name):
                    about = archive.read(name).decode()
                elif CORE.fullmatch(name):
                    found += fat_binaries.read(Path(archive.extract(name, at)))
    except DAMAGED as error:
        raise ValueError(f"{where}: damaged: {error}") from None
    if not (about and found):
        missing = "GPU code" if about else "paddle/version"
        raise ValueError(f"{wheel.name}: it has no {missing}: not a wheel of paddlepaddle-gpu")
    said = dict(re.findall(r"^(cuda|cudnn)_version\s*=\s*'(.+)'", about, re.MULTILINE))
    return Contents(said.get("cuda", "?"), said.get("cudnn", "?"), **architectures(found))


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
