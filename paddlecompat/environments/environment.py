"""The environment of a cell: locked packages, the build, the loader gap closed, imported once.

Made once, then reused. `cell.json`, written last, says what it holds; one without it is half made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock, Timeout
from pydantic import Field

from paddlecompat.environments import cuda_libraries, installer, loader, wheels
from paddlecompat.environments.wheels import Wheel
from paddlecompat.environments.windows import wine, winpython
from paddlecompat.fixtures.builds import CUDA, Build, requirements
from paddlecompat.fixtures.forms import Model, printable, read_kept, write_text
from paddlecompat.fixtures.releases import Cell, Fixture
from paddlecompat.folders import WHEELS, environment_of
from paddlecompat.machine import host, interpreters
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import Ended, run_checked, run_program
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun
from paddlecompat.records.subject import Environment, MeasuredBuild, Resolution, Seconds

STAMP = "cell.json"
FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")  # no program does these to itself


class Prepared(Model):
    """An environment that is ready to be measured."""

    version: Literal[3] = Field(description="Of this form: a stamp of another is not read.")
    made_from: str
    folder: Path
    build: MeasuredBuild
    environment: Environment
    seconds: Seconds
    resolution: Resolution | None = None
    settings: dict[str, str] = {}
    """Environment variables with which a process has what the properties need."""

    @property
    def python(self) -> Path:
        return installer.python_of(self.folder)


@dataclass(frozen=True)
class Wanted:
    """What the environment is to hold, where that is not the best that there is."""

    wheel: Path | None = None
    build: Build | None = None
    cuda_libraries: bool = True
    """Of a GPU cell: a stand-in for a device needs none."""
    resolution: Resolution | None = None
    """Of a fresh one: this one again, and not today's."""


@contextmanager
def held(name: str, folder: Path | None = None) -> Iterator[None]:
    """Have the environment `name`, in `folder` or in its own, for this process alone.

    Waits for another that has it, and names it. The thread that has it may take it again.
    """
    folder = folder or environment_of(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock, told = FileLock(f"{folder}.lock", is_singleton=True), Path(f"{folder}.holder")
    try:
        taken = lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for {name}: {words_for_holder(told)}", flush=True)
        taken = lock.acquire()
    with taken:
        if outermost := lock.lock_counter == 1:
            write_text(told, f"{os.getpid()}\n")
        try:
            yield
        finally:
            if outermost:
                told.unlink(missing_ok=True)


def words_for_holder(told: Path) -> str:
    """Who has the lock, by the file beside it; it may be of one who had it and died."""
    with suppress(OSError, ValueError, psutil.Error):
        since = datetime.fromtimestamp(told.stat().st_mtime)
        holder = psutil.Process(int(told.read_text(encoding="ascii")))
        if holder.create_time() <= since.timestamp():  # else a later one with its number
            command = printable(shlex.join(holder.cmdline()))
            return f"process {holder.pid} has used it since {since:%H:%M} ({command})"
    return "another process has it"


def prepare(
    cell: Cell,
    fixture: Fixture,
    wanted: Wanted | None = None,
    folder: Path | None = None,
    uv: str = UV,
) -> Prepared:
    """Make the cell's environment in `folder` (by default the cell's own), or find it made.

    Raises CannotRun with the reason where the release is to blame, MachineFailed where the machine
    or the network is, ValueError where the wheel that a person names is not one of the release.
    """
    wanted, folder = wanted or Wanted(), folder or environment_of(cell.name)
    made_from = fingerprint(cell, fixture, wanted)
    with held(cell.name, folder):
        if found := find_made(folder, made_from):
            return found
        host.check_room(folder)
        with held(f"the wheels of {cell.release.version}", WHEELS / cell.release.version):
            return make(cell, fixture, wanted, folder, uv, made_from)


def make(
    cell: Cell, fixture: Fixture, wanted: Wanted, folder: Path, uv: str, made_from: str
) -> Prepared:
    """Make the environment, whatever there is of it."""
    seconds: dict[str, float] = {}
    python = find_python(cell, fixture, uv)
    with timed(seconds, "download"):
        wheel = wheels.fetch(cell, wanted.build, wanted.wheel)
    installer.discard(folder, STAMP)  # it served as it was, until there was a wheel
    with timed(seconds, "install"):
        install_all(cell, wheel, python, folder, uv)
    with timed(seconds, "mend"):
        mended = loader.mend(folder, fixture.gaps_of(cell.release))
        if cell.place == "gpu" and wanted.cuda_libraries:
            mended += cuda_libraries.provide(folder, wheel.build)
    settings = cuda_libraries.settings(folder) if cell.place == "gpu" else {}
    with timed(seconds, "imports"):
        about = import_once(installer.python_of(folder), settings)
    return conclude(folder, made_from, wheel, about, mended, seconds)


def conclude(
    folder: Path,
    made_from: str,
    wheel: Wheel,
    about: Mapping[str, Any],
    mended: list[str],
    seconds: dict[str, float],
    **more: Any,
) -> Prepared:
    """Keep what it holds: `about` has its CUDA, cuDNN and packages. A fetched wheel goes."""
    print(*(f"mended: {line}\n" for line in mended), sep="", end="", flush=True)
    made = Prepared(
        version=3,
        made_from=made_from,
        folder=folder,
        build=MeasuredBuild(
            distribution=wheel.build.distribution,
            version=wheel.build.version,
            cuda=about["cuda"],
            cudnn=about["cudnn"],
            wheel=wheel.path.name,
            sha256=wheel.sha256,
            locked=wheel.locked,
            source=wheel.source,
        ),
        environment=Environment(packages=about["packages"], mended=mended),
        seconds=Seconds.model_validate(seconds),
        **more,
    )
    write_text(folder / STAMP, made.model_dump_json(indent=1) + "\n")
    if wheel.source == "index":
        wheel.path.unlink()
    return made


def find_python(cell: Cell, fixture: Fixture, uv: str) -> Path:
    """The interpreter, or, under Wine, the archive that holds it. Raises CannotRun without Wine."""
    if not wine.is_needed(cell):
        return interpreters.get(cell.release.python, uv)
    wine.check()
    return winpython.fetch(winpython.pinned(fixture, cell.release.python))


def remove(cell: Cell) -> None:
    """Delete the cell's environment, where it has one."""
    with held(cell.name):
        installer.discard(environment_of(cell.name), STAMP)


def packages_of(name: str) -> dict[str, str]:
    """What is installed in the environment of that name, whether or not its build imports."""
    return packages_in(environment_of(name))


def packages_in(folder: Path) -> dict[str, str]:
    """What is installed in a virtual environment."""
    (*_, inside) = ["", *map(str, folder.glob("[Ll]ib/**/site-packages"))]
    return {found.metadata["Name"]: found.version for found in distributions(path=[inside])}


def read_stamp(folder: Path) -> Prepared | None:
    """What an environment says that it holds; None: half made, moved here, or not readable."""
    found = read_kept(Prepared, folder / STAMP)
    return found if found and found.folder == folder and found.python.exists() else None


def find_made(folder: Path, made_from: str) -> Prepared | None:
    """The environment in the folder, where it was made from just this."""
    if (found := read_stamp(folder)) and found.made_from == made_from:
        reused = found.seconds.model_copy(update={"environment_reused": True})
        return found.model_copy(update={"seconds": reused})
    return None


def fingerprint(cell: Cell, fixture: Fixture, wanted: Wanted) -> str:
    """What an environment is made from; what the fixture tells of GPU code makes none anew."""
    release, on_gpu = cell.release, cell.place == "gpu"
    builds = [wanted.build] if wanted.build else wheels.choices(cell)[: 1 if on_gpu else None]
    named = [f"{build.distribution}=={build.version}" for build in builds]
    locks = [b.lock.read_text(encoding="utf-8") for b in release.builds if b.lock.exists()]
    gaps = [gap.model_dump_json() for gap in fixture.gaps_of(release)]
    parts = [cell.place, str(wanted.wheel), release.python, named, release.requires, locks, gaps]
    if wine.is_needed(cell):
        parts.append(winpython.pinned(fixture, release.python).sha256)
    if on_gpu and wanted.cuda_libraries:
        parts.append(CUDA.read_text(encoding="utf-8"))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def install_all(cell: Cell, wheel: Wheel, python: Path, folder: Path, uv: str) -> None:
    """An interpreter of its own, the locked packages, by their hashes, and the checked wheel."""
    lock = next((b.lock for b in (wheel.build, *cell.release.builds) if b.lock.exists()), None)
    if lock is None:
        release = cell.release.version
        raise installer.install_failed(f"no lock for {release}: run `nox -s lock -- {release}`")
    blocks = requirements(lock)
    others = [text for name, text in blocks.items() if not name.startswith("paddlepaddle")]
    print(f"installing {len(others)} locked packages and {wheel.path.name}", flush=True)
    inside, options = installer.python_of(folder), list[str]()
    if wine.is_needed(cell):
        winpython.unpack(python, folder)
        inside, options = winpython.install_for(folder, cell.release.python)
    else:
        installer.run_uv(uv, "venv", "--quiet", "--python", python, folder)
    beside = folder / "requirements.txt"
    beside.write_text("".join(others), encoding="utf-8")
    installer.install(inside, *options, "--require-hashes", f"--requirement={beside}", uv=uv)
    # Without a cache: the wheel's files are mended in place, and a copy of 2 GB is not kept twice.
    installer.install(inside, *options, "--no-cache-dir", str(wheel.path), uv=uv)


def import_once(python: Path, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the build says of itself, imported in a fresh process, and what stands beside it.

    Raises CannotRun with the release's words, MachineFailed where the release did not end it.
    """
    ended = run_program(python, "probe", ["import"], settings, seconds=600)
    if ended.problem is None:
        with suppress(ValueError):
            return dict(json.loads(ended.said))
    if from_outside := cause_outside(ended, python):
        raise MachineFailed(f"Paddle could not be imported: {from_outside}")
    words = ended.problem or f"it ended without an answer: {ended.said}"
    raise CannotRun(NotRun(reason="import failed", detail=words))


def cause_outside(ended: Ended, python: Path) -> str | None:
    """What failed, where it was not the program that `python` ran, but the machine."""
    if ended.status is None:
        return f"{python}: {ended.complaint}"
    if short := host.what_is_short(python.parent, ended.complaint):
        return f"{short}: {ended.last_error}"
    numbers = [-getattr(signal, name) for name in FROM_OUTSIDE if hasattr(signal, name)]
    if ended.status in numbers:
        return f"{ended.problem}: something else on this machine ended it"
    plain = run_checked([python, "-I", "-c", ""])
    return f"{python}: cannot be started: {plain.problem}" if plain.problem else None


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Keep how long the step took."""
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 2)
