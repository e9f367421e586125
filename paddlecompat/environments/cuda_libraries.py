"""The CUDA libraries that a GPU build loads at run time: those of this machine, else placed.

Releases look for them in `paddle/libs`: on Linux by names without a version (`libcudnn.so`) and
their modules' RUNPATH, on Windows by PATH. What a machine lacks goes there, out of NVIDIA's wheels;
the driver's own library (`libcuda.so.1`) never does, but for a link to it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from paddlecompat.environments import wheels
from paddlecompat.environments.installer import python_of
from paddlecompat.environments.loader import SITE_PACKAGES
from paddlecompat.environments.wheels import Fetch
from paddlecompat.fixtures import builds
from paddlecompat.fixtures.builds import CUDA, Build, Line, Source, plain_name
from paddlecompat.machine import index
from paddlecompat.machine.host import system
from paddlecompat.machine.processes import run_checked, run_program
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun

Lines = Callable[[], list[Line]]
DRIVER = "libcuda.so.1"
SEARCHED = {"linux": "LD_LIBRARY_PATH", "win32": "PATH"}  # where the dynamic loader looks first


def installed_versions(load: Lines = builds.load_cuda) -> frozenset[str]:
    """The CUDA versions all of whose libraries open on this machine as it is."""
    found: list[str] = []
    for line in load():
        with suppress(CannotRun):  # a damaged one ended the process
            if all(ask(Path(sys.executable), "libraries", line.demanded(system())).values()):
                found += line.cuda
    return frozenset(found)


def libs_of(environment: Path) -> Path:
    """Where the installed release looks for libraries. Raises CannotRun where there is none."""
    for found in environment.glob(f"{SITE_PACKAGES}/paddle/libs"):
        return found
    raise lacks_libraries(f"{environment} has no paddle/libs: install the build first")


def settings(environment: Path) -> dict[str, str]:
    """Environment variables for the cell's processes: `paddle/libs` first, then as it was.

    A release finds most libraries there by itself. But LD_LIBRARY_PATH comes before it, and may
    lead to another CUDA; and some of CUDA 12's libraries look for each other elsewhere.
    """
    variable = SEARCHED.get(sys.platform)
    if variable is None:
        return {}
    folders = filter(None, (str(libs_of(environment)), os.environ.get(variable)))
    return {variable: os.pathsep.join(folders)}


def ask(
    python: Path, verb: str, libraries: Sequence[str], settings: dict[str, str] | None = None
) -> dict[str, bool]:
    """Whether each library opens, as the program `probe` says. Raises CannotRun where it fails."""
    names = json.dumps({library: plain_name(library) for library in libraries})
    ended = run_program(python, "probe", [verb, names], settings)
    if ended.problem:
        raise lacks_libraries(f"the check of what opens failed: {ended.problem}")
    return dict(json.loads(ended.said))


def unopened_libraries(environment: Path, libraries: Sequence[str]) -> list[str]:
    """Those of `libraries` that the environment's interpreter cannot open."""
    opens = ask(python_of(environment), "libraries", libraries, settings(environment))
    return [library for library in libraries if not opens[library]]


def provide(
    environment: Path,
    build: Build,
    fetch: Fetch = wheels.download_pinned,
    load: Lines = builds.load_cuda,
    fetch_archive: Fetch = index.download,
) -> list[str]:
    """Place the libraries that this machine lacks; one line for each wheel or archive.

    Raises CannotRun where there is no way to have them, MachineFailed where the index or the disk
    fails.
    """
    line = line_for(build, load)
    if line is None:
        return []
    opens = f"{build.distribution} {build.version} (CUDA {build.cuda}) opens"
    lacked = set(unopened_libraries(environment, line.libraries(system())))
    needed = [source for source in line.sources(system()) if lacked & set(source.libraries)]
    if nowhere := [source for source in needed if not (source.carrier or source.optional)]:
        names = ", ".join(name for s in nowhere for name in s.libraries if name in lacked)
        advice = f"which this machine lacks. {line.advice} {line.advice_zh}"
        raise lacks_libraries(f"{opens} {names}, {advice}")
    libs = libs_of(environment)
    done = [place(s, libs, fetch_archive if s.archive else fetch) for s in needed if s.carrier]
    if done and (still := unopened_libraries(environment, line.demanded(system()))):
        raise lacks_libraries(f"{opens} {', '.join(still)}, which were placed and do not open.")
    return done + link_driver(environment)


def link_driver(environment: Path) -> list[str]:
    """Let `libcuda.so` be found where a machine has `libcuda.so.1` alone; a line where it was not.

    Releases up to 2.4 open the driver by the name without a version, and die of it where there is
    none: containers and WSL have no such link.
    """
    if system() != "linux" or not unopened_libraries(environment, [DRIVER]):
        return []
    command = "import ctypes; ctypes.CDLL('libcuda.so.1'); print(open('/proc/self/maps').read())"
    ended = run_checked([python_of(environment), "-c", command], settings(environment))
    found = re.search(r"/\S*/libcuda\.so\.\S+", ended.output)
    if found is None:
        return []  # no driver: the look at the device says so
    link = libs_of(environment) / plain_name(DRIVER)
    link.unlink(missing_ok=True)
    link.symlink_to(found.group())
    return [f"{link.name}, a link to {DRIVER}"]


def line_for(build: Build, load: Lines) -> Line | None:
    """The line of the build's CUDA version, or None. Raises CannotRun where the file lacks it."""
    if build.cuda is None:
        return None
    for line in load():
        if build.cuda in line.cuda:
            return line
    raise lacks_libraries(f"{CUDA.name} has no [[line]] for CUDA {build.cuda}; add one")


def place(source: Source, folder: Path, fetch: Fetch) -> str:
    """Take libraries out of what carries them, with links by the names that releases ask for."""
    assert source.sha256 is not None
    if source.archive:
        carrier = take_from_archive(source.archive, source.sha256, source.libraries, folder, fetch)
    else:
        assert source.wheel is not None
        members = {library: f"*/{library}" for library in source.libraries}
        carrier = wheels.take(source.wheel, source.sha256, members, folder, fetch)
    for library in source.libraries:
        link = folder / plain_name(library)
        if link.name != library:
            link.unlink(missing_ok=True)
            link.symlink_to(library)
    return f"{', '.join(source.libraries)} from {carrier}"


def take_from_archive(
    address: str, sha256: str, libraries: Sequence[str], folder: Path, fetch: Fetch
) -> str:
    """Put libraries out of NVIDIA's archive into a folder; the archive's name.

    Raises CannotRun where its host cannot be reached, with what to fetch by hand; MachineFailed
    where the archive is not the pinned one, or lacks a library.
    """
    name = address.rpartition("/")[2]
    print(f"fetching {name}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        try:
            path = fetch(address, Path(temporary))
        except MachineFailed as error:
            by_hand = f"fetch {address} (sha256 {sha256}) where it can be reached, unpack it"
            advice = f"{by_hand}, and put its folder lib64 into LD_LIBRARY_PATH"
            raise lacks_libraries(f"{', '.join(libraries)}: {error}; {advice}") from None
        wheels.check_pin(path, sha256)
        with tarfile.open(path) as archive:
            members = {member.rpartition("/")[2]: member for member in archive.getnames()}
            if missing := [library for library in libraries if library not in members]:
                raise MachineFailed(f"{name}: it has no {', '.join(missing)}")
            for library in libraries:
                taken = archive.extractfile(members[library])  # what a link leads to
                assert taken is not None
                (folder / library).write_bytes(taken.read())
    return name


def check(
    environment: Path,
    build: Build,
    load: Lines = builds.load_cuda,
    ask_release: Callable[..., dict[str, bool]] = ask,
) -> dict[str, bool]:
    """Each library that the build may ask for, in words, and whether it opens.

    On Linux also whether the release's own loader opens it, which needs no device. Raises CannotRun
    where the release cannot be imported.
    """
    line = line_for(build, load)
    if line is None:
        return {}
    names = line.libraries(system())
    lacked = unopened_libraries(environment, names)
    opens = {f"{name} by the name {plain_name(name)}": name not in lacked for name in names}
    if system() == "linux":
        python = python_of(environment)
        by_release = ask_release(python, "loader", names, settings(environment))
        opens |= {f"{name} by the release itself": itself for name, itself in by_release.items()}
    return opens


def lacks_libraries(detail: str) -> CannotRun:
    return CannotRun(NotRun(reason="no CUDA libraries", detail=detail))
