"""Which build a cell measures, and its wheel, from the index that pip is set to."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal

from filelock import FileLock
from packaging.tags import platform_tags
from packaging.utils import parse_wheel_filename

from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.releases import Build, Cell
from paddlecompat.machine.host import system
from paddlecompat.machine.processes import last_error
from paddlecompat.records.record import CannotRun, NotRun

CACHE = ROOT / ".nox" / "wheels"


PIP_DOWNLOAD = (
    *(sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check"),
    *("download", "--no-deps", "--only-binary=:all:"),
)


UNREACHED = re.compile(r".*(connection broken by|Could not fetch URL|Max retries).*")


PADDLES_INDEX = "https://www.paddlepaddle.org.cn"


@dataclass(frozen=True)
class Wheel:
    """A build's wheel on this machine."""

    build: Build
    path: Path
    sha256: str
    source: Literal["index", "file"]

    @property
    def locked(self) -> bool:
        """Whether this very file is one that the build's lock allows."""
        return self.sha256 in hashes(self.build)

    @classmethod
    def of(cls, build: Build, path: Path, source: Literal["index", "file"]) -> Wheel:
        with path.open("rb") as file:
            return cls(build, path, hashlib.file_digest(file, "sha256").hexdigest(), source)


def choices(cell: Cell) -> list[Build]:
    """The builds that can fill the cell, best first.

    A CPU cell prefers `paddlepaddle`, also where the public index has none: the configured one may.
    It takes no build of Paddle's own index.
    """
    release = cell.release
    if cell.place == "gpu":
        return release.gpu_builds
    gpu = [build for build in release.gpu_builds if build.index == "pypi"]
    cpu = [build for build in release.builds if build.distribution == "paddlepaddle"]
    return (cpu or [Build(distribution="paddlepaddle", version=release.version)]) + gpu


def paddles_index(build: Build) -> list[str]:
    """Pip's options that have it look on Paddle's own index too, as Paddle's pages on pip say.

    Up to 2.6.1 it is one page of links, from 2.6.2 on an index for each CUDA version.
    """
    if build.index != "paddle":
        return []
    links = f"{PADDLES_INDEX}/whl/{system()}/mkl/avx/stable.html"
    cuda = build.version.rpartition(".post")[2]
    index = f"{PADDLES_INDEX}/packages/stable/cu{cuda}/"
    return ["--find-links", links, "--extra-index-url", index]


def reachable() -> bool:
    """Whether Paddle's own index answers from here, whatever its answer is."""
    asked = urllib.request.Request(PADDLES_INDEX, method="HEAD")
    try:
        with urllib.request.urlopen(asked, timeout=10):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, HTTPException):
        return False


def fetch(cell: Cell, chosen: Build | None = None) -> Wheel:
    """The wheel of the chosen build, else of the best that the cache or the configured index has.

    Raises CannotRun: `no build` where neither has one, `install failed` where the index fails.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = [chosen] if chosen else choices(cell)
    for build in wanted:
        with FileLock(CACHE / f"{build.distribution}-{build.version}.lock"):
            wheel = cached(build, cell.release.python) or download(build, cell.release.python)
        if wheel is not None:
            return wheel
    names = " or ".join(f"{build.distribution}=={build.version}" for build in wanted)
    tag = f"CPython {cell.release.python} on {next(iter(platform_tags()))}"
    raise CannotRun(NotRun(reason="no build", detail=f"no wheel of {names} for {tag}"))


def given(cell: Cell, path: Path) -> Wheel:
    """A wheel that a person names. Raises ValueError as `given_build`."""
    return Wheel.of(given_build(cell, path), path.resolve(), "file")


def given_build(cell: Cell, path: Path) -> Build:
    """The build that a wheel is of, from another index or a person's own making.

    Raises ValueError where the file is missing or is not a wheel of the cell's release.
    """
    if not path.is_file():
        raise ValueError(f"--wheel {path}: no such file")
    try:
        name, version, *_ = parse_wheel_filename(path.name)
        build = Build.model_validate({"distribution": name, "version": str(version)})
    except ValueError:
        raise ValueError(f"--wheel {path.name}: not a wheel of PaddlePaddle") from None
    if version.base_version != cell.release.version:
        raise ValueError(f"--wheel {path.name}: {cell.name} measures {cell.release.version}")
    if build.distribution == "paddlepaddle-gpu":
        return cell.release.gpu_build(build.version)
    return build


def cached(build: Build, python: str) -> Wheel | None:
    """The wheel as an earlier run left it; one that no longer is what was locked is deleted."""
    tag = f"cp{python.replace('.', '')}"
    stem = f"{build.distribution.replace('-', '_')}-{build.version}-{tag}-*.whl"
    for path in CACHE.glob(stem):
        wheel = Wheel.of(build, path, "index")
        if wheel.locked or not hashes(build):
            return wheel
        path.unlink()
    return None


def download(build: Build, python: str) -> Wheel | None:
    """The wheel for this machine, put into the cache; None: the index has no such."""
    print(f"fetching {build.distribution} {build.version} for CPython {python}", flush=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        path = download_for(platform_tags(), build, python, Path(folder))
        if path is None:
            return None
        return Wheel.of(build, path.replace(CACHE / path.name), "index")


def download_for(platforms: Iterable[str], build: Build, python: str, folder: Path) -> Path | None:
    """Fetch with pip, so that its index and proxy settings hold; None: the index has no such.

    Raises CannotRun where the index fails.
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(locked_requirement(build), encoding="utf-8")
    command = [
        *(*PIP_DOWNLOAD, "--dest", str(folder)),
        *("--implementation", "cp", "--python-version", python),
        *(argument for tag in platforms for argument in ("--platform", tag)),
        *paddles_index(build),
        *("--requirement", str(requirement)),
    ]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace")
    if ended.returncode == 0:
        return next(folder.glob("*.whl"))
    if broken := UNREACHED.search(ended.stderr):  # then pip, too, says that there is no match
        raise CannotRun(NotRun(reason="install failed", detail=broken.group().strip()))
    if "No matching distribution found" in ended.stderr:
        return None
    raise CannotRun(NotRun(reason="install failed", detail=last_error(ended.stderr)))


def locked_requirement(build: Build) -> str:
    """The build as a requirement, with the hashes of its lock where it has one."""
    blocks = requirements(build.lock) if build.lock.exists() else {}
    return blocks.get(build.distribution, f"{build.distribution}=={build.version}\n")


def requirements(lock: Path) -> dict[str, str]:
    """A lock's blocks by distribution: `name==version ; marker \\` and its hash lines."""
    blocks: dict[str, str] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines(keepends=True):
        if start := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line):
            name = start.group().lower()
        if name and not line.lstrip().startswith("#"):
            blocks[name] = blocks.get(name, "") + line
    return blocks


def hashes(build: Build) -> frozenset[str]:
    """Every sha256 that the lock allows for the build's wheels (one for each platform and tag)."""
    return frozenset(re.findall(r"sha256:([0-9a-f]{64})", locked_requirement(build)))
