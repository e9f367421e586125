"""The environment of a cell: locked packages, the build, the loader gap closed, imported once.

Made once and then reused: `cell.json` in the environment says what it holds, and for what.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paddlecompat.environments import cuda_libraries, loader, wheels
from paddlecompat.environments.installer import install, interpreter
from paddlecompat.environments.wheels import Wheel
from paddlecompat.fixtures import cuda
from paddlecompat.fixtures.forms import Model, write_text
from paddlecompat.fixtures.releases import Build, Cell, Fixture
from paddlecompat.machine.processes import run_program
from paddlecompat.records.record import CannotRun, Environment, MeasuredBuild, NotRun, Seconds

Result = TypeVar("Result")


class Prepared(Model):
    """An environment that is ready to be measured."""

    made_from: str
    build: MeasuredBuild
    environment: Environment
    seconds: Seconds


@dataclass(frozen=True)
class Wanted:
    """What the environment is to hold, where that is not the best that there is."""

    wheel: Path | None = None
    build: Build | None = None
    cuda_libraries: bool = True
    """Of a GPU cell: a stand-in for a device needs none."""


def prepare(
    cell: Cell, fixture: Fixture, environment: Path, wanted: Wanted | None = None
) -> Prepared:
    """Make the cell's environment ready, or find it so.

    Raises CannotRun with the reason where that fails.
    """
    wanted = wanted or Wanted()
    stamp = environment / "cell.json"
    made_from = fingerprint(cell, fixture, wanted)
    if stamp.exists():
        found = Prepared.model_validate_json(stamp.read_bytes())
        if found.made_from == made_from:
            reused = found.seconds.model_copy(update={"environment_reused": True})
            return found.model_copy(update={"seconds": reused})
    wheel, seconds = timed(lambda: fetched(cell, wanted))
    stamp.unlink(missing_ok=True)  # not before the wheel is there: until then it serves as it is
    prepared = make(cell, fixture, environment, wheel, wanted.cuda_libraries)
    download = prepared.seconds.model_copy(update={"download": seconds})
    prepared = prepared.model_copy(update={"made_from": made_from, "seconds": download})
    write_text(stamp, prepared.model_dump_json(indent=1) + "\n")
    if wheel.source == "index":
        wheel.path.unlink()  # the environment holds all of it now, and disks are small
    return prepared


def fetched(cell: Cell, wanted: Wanted) -> Wheel:
    if wanted.wheel is not None:
        return wheels.given(cell, wanted.wheel)
    return wheels.fetch(cell, wanted.build)


def fingerprint(cell: Cell, fixture: Fixture, wanted: Wanted) -> str:
    """What an environment is made from: the builds that may fill the cell, their locks, the gaps.

    What else the fixture tells of a build, as its GPU code, makes no environment anew.
    """
    release = cell.release
    candidates = [wanted.build] if wanted.build else wheels.choices(cell)
    if cell.place == "gpu":
        candidates = candidates[:1]
    named = [f"{build.distribution}=={build.version}" for build in candidates]
    locks = [b.lock.read_text(encoding="utf-8") for b in release.builds if b.lock.exists()]
    gaps = [gap.model_dump_json() for gap in fixture.gaps_of(release)]
    parts = [cell.place, str(wanted.wheel), release.python, named, release.requires, locks, gaps]
    if cell.place == "gpu":
        parts.append(cuda.CUDA.read_text("utf-8") if wanted.cuda_libraries else "")
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def make(
    cell: Cell, fixture: Fixture, environment: Path, wheel: Wheel, libraries: bool
) -> Prepared:
    """Install, mend, import: each timed, each with its own reason to fail."""
    python = interpreter(environment)
    _, install = timed(lambda: install_all(cell, wheel, environment))
    mended, mend = timed(lambda: close_gaps(cell, fixture, environment))
    if cell.place == "gpu" and libraries:
        mended += cuda_libraries.provide(environment, python, wheel.build)
    settings = cuda_libraries.settings(environment) if cell.place == "gpu" else {}
    about, imports = timed(lambda: import_once(python, settings))
    return Prepared(
        made_from="",
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
        seconds=Seconds(install=install, mend=mend, imports=imports),
    )


def install_all(cell: Cell, wheel: Wheel, environment: Path) -> None:
    """The locked packages with their hashes, then the wheel, whose hash is checked already."""
    lock = next((b.lock for b in (wheel.build, *cell.release.builds) if b.lock.exists()), None)
    if lock is None:
        detail = f"no lock for {cell.release.version}: run `nox -s lock -- {cell.release.version}`"
        raise CannotRun(NotRun(reason="install failed", detail=detail))
    blocks = wheels.requirements(lock)
    others = [text for name, text in blocks.items() if not name.startswith("paddlepaddle")]
    beside = environment / "requirements.txt"
    beside.write_text("".join(others), encoding="utf-8")
    print(f"installing {len(others)} locked packages and {wheel.path.name}", flush=True)
    install(environment, "--no-deps", "--require-hashes", "--requirement", str(beside))
    # Without a cache: the wheel's files are mended in place, and a copy of 2 GB is not kept twice.
    # What an earlier build left in its folder (CUDA libraries, mended modules) is not this one's.
    for folder in environment.glob(f"{loader.SITE_PACKAGES}/paddle"):
        shutil.rmtree(folder)
    install(environment, "--no-deps", "--no-cache-dir", "--force-reinstall", str(wheel.path))


def close_gaps(cell: Cell, fixture: Fixture, environment: Path) -> list[str]:
    """What old builds need and this machine lacks; one line for each thing that was mended."""
    try:
        mended = loader.mend(environment, interpreter(environment), fixture.gaps_of(cell.release))
    except loader.LoaderError as error:
        raise CannotRun(NotRun(reason="install failed", detail=str(error))) from error
    for line in mended:
        print(f"mended: {line}", flush=True)
    return mended


def import_once(python: Path, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`import paddle` in a fresh process: what the build says of itself, what stands beside it.

    Raises CannotRun with the release's words where it does not import.
    """
    ended = run_program(python, "check_import", [], settings, seconds=600)
    if ended.problem is not None:
        raise CannotRun(NotRun(reason="import failed", detail=ended.problem))
    about: dict[str, Any] = json.loads(ended.said)
    return about


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.monotonic()
    result = work()
    return result, round(time.monotonic() - started, 2)
