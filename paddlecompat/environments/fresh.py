"""The environment that people have: what `pip install` resolves today, in a new virtual one.

Nothing is said about what stands beside the build. What the properties need lies in a folder that
comes after all of it on the path, and is resolved around it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paddlecompat.environments import environment, installer, loader, wheels
from paddlecompat.environments.environment import Prepared, Wanted
from paddlecompat.environments.installed import PLUGINS
from paddlecompat.environments.wheels import Wheel
from paddlecompat.fixtures.builds import REQUIREMENTS, requirements
from paddlecompat.fixtures.forms import write_text
from paddlecompat.fixtures.releases import Cell, Fixture
from paddlecompat.folders import WHEELS, environment_of
from paddlecompat.machine import host, interpreters
from paddlecompat.machine.index import settings_for_uv
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked, run_program
from paddlecompat.records import store
from paddlecompat.records.record import CannotRun
from paddlecompat.records.subject import Resolution

PINS = ("numpy<2", "numpy<1.24", "protobuf<=3.20.3", "setuptools<80")
"""What releases are known to need: tried one by one, then together."""

NO_SOLUTION = 1  # uv's exit status; 2 where the index fails


def cell_for(cell: Cell, python: str | None) -> Cell:
    """The cell with the CPython that a person names, else the newest that has a wheel of it."""
    chosen = python or cell.release.newest_python
    return replace(cell, release=cell.release.model_copy(update={"python": chosen}))


def resolution_in(path: Path, cell: Cell) -> Resolution:
    """What pip resolved for the cell, as a record of it says. ValueError: it is none, or says not.

    The message begins with the flag by which a person named the file.
    """
    try:
        record = store.read(path)
    except OSError as error:
        raise ValueError(f"--from-record {path}: {error.strerror}") from None
    if record.cell != cell.name:
        raise ValueError(f"--from-record {path}: a record of {record.cell}, not of {cell.name}")
    if record.resolution is None:
        raise ValueError(f"--from-record {path}: it says nothing of what pip resolved")
    return record.resolution


def make_empty(cell: Cell, folder: Path, uv: str) -> None:
    """What `python -m venv` makes, with the newest pip."""
    installer.discard(folder, environment.STAMP)
    python = interpreters.get(cell.release.python, uv)
    installer.run(python, "-m", "venv", folder)
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--upgrade", "pip")
    installer.run(installer.python_of(folder), *pip)


@dataclass(frozen=True)
class Hands:
    """What making an environment needs from the machine; tests hand in their own."""

    make_empty: Callable[[Cell, Path, str], None] = make_empty
    uv: str = UV
    wheels: Path = WHEELS


def prepare(
    cell: Cell,
    fixture: Fixture,
    wanted: Wanted | None = None,
    folder: Path | None = None,
    hands: Hands | None = None,
) -> Prepared:
    """Make the environment in `folder`, or find it made of what pip resolves today.

    That a release does not import is told by `Prepared.resolution`. Raises CannotRun where there
    is no wheel, MachineFailed where the machine or the network fails.
    """
    wanted, hands = wanted or Wanted(), hands or Hands()
    folder = folder or environment_of(cell.name)
    with environment.held(cell.name, folder):
        host.check_room(folder)
        found = environment.read_stamp(folder)
        if not (found and found.resolution and found.resolution.python == cell.release.python):
            hands.make_empty(cell, folder, hands.uv)
        today = wanted.resolution or resolve(cell, folder)
        gaps = [gap.model_dump_json() for gap in fixture.gaps_of(cell.release)]
        made_of = json.dumps([today.python, today.lock, gaps])
        made_from = hashlib.sha256(made_of.encode()).hexdigest()
        made = environment.find_made(folder, made_from)
        if made and made.resolution:
            asked = made.resolution.model_copy(update={"on": today.on, "pip": today.pip})
            return made.model_copy(update={"resolution": asked})
        release = cell.release.version
        with environment.held(f"the wheels of {release}", hands.wheels / release):
            return make(cell, fixture, today, made_from, folder, hands)


def resolve(cell: Cell, folder: Path) -> Resolution:
    """What pip would install now. Raises MachineFailed with its words where it cannot tell."""
    build = cell.release.on_pypi
    asked = f"{build.distribution}=={build.version}"
    print(f"asking pip what it installs today for {asked}", flush=True)
    report = folder / "report.json"
    options = ("--dry-run", "--ignore-installed", "--no-cache-dir", "--quiet", "--report", report)
    python = installer.python_of(folder)
    installer.run(python, "-m", "pip", "--disable-pip-version-check", "install", *options, asked)
    told = json.loads(report.read_text(encoding="utf-8"))
    return Resolution(
        asked=asked,
        python=cell.release.python,
        pip=told["pip_version"],
        on=datetime.now(UTC).date(),
        lock=sorted(
            f"{found['metadata']['name'].lower()}=={found['metadata']['version']} "
            f"--hash=sha256:{found['download_info']['archive_info']['hashes']['sha256']}"
            for found in told["install"]
        ),
    )


def make(
    cell: Cell, fixture: Fixture, resolved: Resolution, made_from: str, folder: Path, hands: Hands
) -> Prepared:
    """The environment of this resolution; whether it imports, and what mends it if not."""
    seconds: dict[str, float] = {}
    python, uv = installer.python_of(folder), hands.uv
    with environment.timed(seconds, "download"):
        wheel = wheels.fetch(cell, cell.release.on_pypi, cache=hands.wheels)
    if (folder / environment.STAMP).exists():
        hands.make_empty(cell, folder, uv)
    with environment.timed(seconds, "install"):
        install_all(wheel, resolved, folder, uv)
    with environment.timed(seconds, "mend"):
        mended = loader.mend(folder, fixture.gaps_of(cell.release))
    about: dict[str, Any] = {"cuda": wheel.build.cuda, "cudnn": wheel.build.cudnn}
    with environment.timed(seconds, "imports"):
        resolved = resolved.model_copy(update=mend_import(folder, uv))
    if resolved.needs is not None:
        about = environment.import_once(python)
        resolved = resolved.model_copy(update=mend_numbers(resolved.needs, folder, uv))
    more = {"resolution": resolved, "settings": PLUGINS}
    about["packages"] = environment.packages_in(folder)
    return environment.conclude(folder, made_from, wheel, about, mended, seconds, **more)


def install_all(wheel: Wheel, resolved: Resolution, folder: Path, uv: str) -> None:
    """What was resolved, by its hashes. Raises MachineFailed where the wheel is another."""
    others = [line for line in resolved.lock if wheel.sha256 not in line]
    if len(others) == len(resolved.lock):
        raise installer.install_failed(f"{wheel.path.name}: not the file that pip resolved")
    print(f"installing {len(others)} packages and {wheel.path.name}", flush=True)
    lock, python = folder / "resolution.txt", installer.python_of(folder)
    write_text(lock, "\n".join(others) + "\n")
    installer.install(python, "--require-hashes", f"--requirement={lock}", uv=uv)
    installer.install(python, "--no-cache-dir", str(wheel.path), uv=uv)


def mend_import(folder: Path, uv: str) -> dict[str, Any]:
    """Why the release does not import and what it needs to; this is then installed."""
    if not (refused := why_not_imported(folder)):
        return {"refused": "", "needs": []}
    needs = find_pins(folder, uv, lambda before: not why_not_imported(folder, before))
    if needs:
        installer.install(installer.python_of(folder), "--only-binary=:all:", *needs, uv=uv)
    return {"refused": refused, "needs": needs}


def mend_numbers(needs: Sequence[str], folder: Path, uv: str) -> dict[str, Any]:
    """The pins with which numbers come back; what the properties need then lies beside."""
    put_beside("here.in", folder, uv)
    if numbers_come_back(folder):
        put_beside("suite.in", folder, uv)
        return {"pins": needs}
    pins = find_pins(folder, uv, lambda before: numbers_come_back(folder, before))
    if pins is None:
        return {"pins": None}
    names = {Requirement(pin).name for pin in pins}
    return {"pins": [*(need for need in needs if Requirement(need).name not in names), *pins]}


def why_not_imported(folder: Path, before: Path | None = None) -> str:
    """In the release's words, with the packages of `before` first; empty where it is imported."""
    try:
        settings = {"PYTHONPATH": str(before)} if before else {}
        environment.import_once(installer.python_of(folder), settings)
    except CannotRun as error:
        return error.not_run.detail
    return ""


def numbers_come_back(folder: Path, before: Path | None = None) -> bool:
    """Whether the release gives back what it is sent, with the packages of `before` first."""
    settings = {**PLUGINS, "PYTHONPATH": str(before)} if before else PLUGINS
    ended = run_program(installer.python_of(folder), "probe", ["round_trip"], settings)
    return ended.problem is None


def put_beside(wanted: str, folder: Path, uv: str) -> None:
    """Put what a file of requirements asks for, and the environment lacks, where it comes last.

    So does a version that the file asks for where the environment has another: of Setuptools, the
    last with `pkg_resources`.
    """
    beside, python = folder / "beside", installer.python_of(folder)
    there, lock = folder / "constraints.txt", folder / "beside.txt"
    blocks = requirements(REQUIREMENTS / wanted).values()
    wanted_here = [Requirement(block.partition("#")[0]) for block in blocks]
    bounds = {canonicalize_name(each.name): each.specifier for each in wanted_here}
    packages = environment.packages_in(folder)
    has = {canonicalize_name(name): version for name, version in packages.items()}
    serving = {n: v for n, v in has.items() if n not in bounds or bounds[n].contains(v, True)}
    write_text(there, "".join(f"{name}=={version}\n" for name, version in serving.items()))
    print(f"putting what the properties need beside it ({wanted})", flush=True)
    installer.run_uv(
        *(uv, "pip", "compile", "--quiet", "--python", python, "--only-binary", ":all:"),
        *("--config-file", REQUIREMENTS / "uv.toml", "--constraint", there),
        *("--output-file", lock, REQUIREMENTS / wanted),
    )
    lines = [line for line in lock.read_text("utf-8").splitlines() if line[:1].isalnum()]
    lacking = [line for line in lines if canonicalize_name(Requirement(line).name) not in serving]
    write_text(lock, "\n".join(lacking) + "\n")
    installer.install(python, f"--target={beside}", f"--requirement={lock}", uv=uv)
    (inside,) = folder.glob(loader.SITE_PACKAGES)
    write_text(inside / "beside.pth", f"{beside}\n")


def find_pins(folder: Path, uv: str, works: Callable[[Path], bool]) -> list[str] | None:
    """The fewest of the pins with which it works; None where all of them are not enough.

    Each is tried in a folder that comes before the environment on the path; it stays as it is.
    Raises MachineFailed as `run_uv`.
    """
    trial = folder / "trial"
    command = (uv, "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:")
    place = (f"--python={installer.python_of(folder)}", f"--target={trial}")
    for pins in chain.from_iterable(combinations(PINS, size) for size in (1, 2, 3)):
        if len({Requirement(pin).name for pin in pins}) < len(pins):
            continue
        shutil.rmtree(trial, ignore_errors=True)
        print(f"trying {' '.join(pins)}", flush=True)
        tried = run_checked([*command, "--dry-run", *place, *pins], settings_for_uv())
        if tried.status != NO_SOLUTION:  # there are wheels of these for the interpreter
            installer.run_uv(*command, *place, *pins)
            if works(trial):
                return list(pins)
    return None
