"""Fill one cell: its environment, its device, its properties, its record, its verdict."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paddlecompat.cells import filling, option_set, suite
from paddlecompat.cells.option_set import WORK, Options
from paddlecompat.environments import cuda_libraries, wheels
from paddlecompat.environments.environment import Wanted, prepare, remove
from paddlecompat.fixtures import cuda, expectations, forms
from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.releases import Build, Cell, Fixture
from paddlecompat.machine import choice, gpus, host, interpreters
from paddlecompat.machine.choice import Machine
from paddlecompat.records import judging, store
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import (
    CannotRun,
    Device,
    NotRun,
    Record,
    verdict_of,
)
from paddlecompat.records.store import impersonal, without_folders
from paddlecompat.report import terminal


def machine_with(found: Device) -> Machine:
    """This machine with that device: what it can reach, and which CUDA libraries it can have."""
    system = host.system()
    return Machine(
        system,
        found.capability,
        found.driver,
        found.driver_cuda,
        indexes=frozenset({"pypi", "paddle"} if wheels.reachable() else {"pypi"}),
        served=cuda.served_versions(system) | cuda_libraries.installed_versions(),
    )


SAME_DEVICE = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # CUDA's first device is then the driver's


def fill(cell: Cell, fixture: Fixture, environment: Path | None, options: Options) -> int:
    """Measure `cell` in `environment` (None: there is no interpreter for one); write what was seen.

    Returns the exit status: 0 as expected, 1 worse or, with --strict, better. The verdict in one
    line is left in `.nox/cells/CELL/verdict.txt`.
    """
    known = expectations.load()
    work = WORK / cell.name
    record = measure(cell, fixture, environment, options)
    kept = keep(record, options, work)
    judgement = judged(record, known, options.request)
    if options.prune and environment is not None:
        remove(cell)
    lines = terminal.verdict_lines(record, judgement, write_scripts(record, work / "scripts"))
    verdict = " ".join(map(str.strip, lines)) if record.not_run else lines[0]
    forms.write_text(work / "verdict.txt", verdict)
    print("", *lines, *terminal.build_lines(record), f"record: {kept}", sep="\n", flush=True)
    if record.not_run is not None:
        return int(options.require_device and cell.place == "gpu")
    failing = ("worse", "better") if options.strict else ("worse",)
    return int(judgement.standing in failing)


def judged(record: Record, known: Sequence[Expectation], request: option_set.Request) -> Judgement:
    """How the record compares with what is expected of what was asked for."""
    judgement = judging.judge(record, known)
    if request.keyword is not None:
        judgement.absent.clear()  # what was not asked for is not missing
    return judgement


def make_ready(cell: Cell, fixture: Fixture, environment: Path | None, wheel: Path | None) -> int:
    """Make the cell's environment and measure nothing; 1 where that fails, with the reason."""
    if environment is None:
        print(f"{cell.name}: no interpreter. {interpreters.how_to_get(cell.release.python)}")
        return 1
    try:
        prepare(cell, fixture, Wanted(wheel))
    except CannotRun as error:
        print(f"{cell.name}: {error.not_run.reason}: {error.not_run.detail}")
        return 1
    print(f"{cell.name} is ready")
    return 0


def keep(record: Record, options: Options, work: Path) -> str:
    """Write the record; where it went, in words."""
    if not options.published:
        path = store.write(record, work)
        return f"{shown(path)} (not the whole suite as it is: kept out of the table)"
    where = shown(options.records / record.file_name)
    if store.keep(record, options.records):
        return where
    return f"{where} (as it was: it says the same, is newer, or was measured with more examples)"


def shown(path: Path) -> str:
    """The path as a person in the checkout would write it."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def measure(cell: Cell, fixture: Fixture, environment: Path | None, options: Options) -> Record:
    """The cell's record, also where nothing could be run: it then holds as much as was found."""
    record = blank(cell.release.version, cell.release.python, options.request)
    request, build = options.request, None
    named = named_build(cell, options)
    try:
        if cell.place == "gpu":
            record = with_device(record, cell, request.stand_in)
            build = named or build_for(record, cell)
            record = record.model_copy(update={"chosen": build.version})
        if environment is None:
            detail = interpreters.how_to_get(cell.release.python)
            raise CannotRun(NotRun(reason="no interpreter", detail=detail))
        wanted = Wanted(options.wheel, build, cuda_libraries=request.stand_in is None)
        prepared = prepare(cell, fixture, wanted)
        found = {"build": prepared.build, "environment": prepared.environment}
        record = record.model_copy(update={**found, "seconds": prepared.seconds})
        if cell.place == "gpu":
            settings = {**SAME_DEVICE, **cuda_libraries.settings(prepared.folder)}
            request = replace(request, settings=settings)
            record = tried_on_device(record, prepared.python, request)
        return tested(record, prepared.python, request, WORK / cell.name)
    except CannotRun as error:
        return given_up(record, error.not_run)


def given_up(record: Record, why: NotRun) -> Record:
    """The record of what could not be run."""
    not_run = why.model_copy(update={"detail": impersonal(why.detail)})
    return record.model_copy(update={"verdict": "not run", "not_run": not_run})


def blank(release: str, python: str, request: option_set.Request) -> Record:
    """What is known of a release's record, on CPython `python`, before anything ran."""
    return Record(
        cell=f"{request.place}-{release}",
        release=release,
        place=request.place,
        host=host.describe(python),
        verdict="not run",
        stand_in=request.stand_in,
        profile=request.profile,
        seed=request.seed,
        measured_at=datetime.now(UTC).replace(microsecond=0),
    )


def with_device(record: Record, cell: Cell, stand_in: str | None) -> Record:
    """The record with its device.

    Raises CannotRun without one; it then says what example cards would be given.
    """
    found = gpus.look(stand_in)
    if isinstance(found, NotRun):
        system = host.system()
        builds = choice.example_builds(cell.release, system, cuda.served_versions(system))
        raise CannotRun(found.model_copy(update={"builds": builds}))
    return seen_on(record, found)


def seen_on(record: Record, found: Device) -> Record:
    """The record with its device."""
    seen = record.host.model_copy(update={"gpu": found.name, "driver": found.driver})
    return record.model_copy(update={"host": seen, "device": found})


def named_build(cell: Cell, options: Options) -> Build | None:
    """The build that a person names; raises ValueError where it is not of the cell's release."""
    if options.wheel is not None:
        return wheels.given_build(cell, options.wheel)
    return choice.build_named(cell.release, options.build) if options.build else None


def build_for(record: Record, cell: Cell) -> Build:
    """The build for the record's device. Raises CannotRun where none fits."""
    assert record.device is not None
    found = choice.choose(cell.release, filling.machine_with(record.device))
    if isinstance(found, NotRun):
        raise CannotRun(found)
    print(f"{record.device.name}: {found.build.version}, {found.why}", flush=True)
    return found.build


def tried_on_device(record: Record, python: Path, request: option_set.Request) -> Record:
    """The record with what the device loaded; raises CannotRun where the build cannot use it."""
    assert record.build is not None
    assert record.device is not None
    found = gpus.try_device(python, record.build, record.device, request.settings, request.stand_in)
    if isinstance(found, NotRun):
        raise CannotRun(found)
    loaded = record.device.model_copy(update={"runtime": found})
    return record.model_copy(update={"device": loaded})


def tested(record: Record, python: Path, request: option_set.Request, work: Path) -> Record:
    """The record with what the properties came to."""
    started = time.monotonic()
    properties = [without_folders(result) for result in suite.run(python, request, work)]
    seconds = {"test": round(time.monotonic() - started, 2)}
    found: dict[str, object] = {"properties": properties}
    found["verdict"] = verdict_of(properties)
    found["sanitizer"] = request.watch.found(work) if request.watch else None
    return record.model_copy(update={**found, "seconds": record.seconds.model_copy(update=seconds)})


def write_scripts(record: Record, folder: Path) -> dict[str, Path]:
    """Each violation's script as a file, ready to run or to paste; its path by property."""
    scripts = {}
    for result in record.properties:
        if result.evidence is not None:
            name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{result.group}-{result.name}").strip("-")
            forms.write_text(folder / f"{name}.py", result.evidence.script)
            scripts[result.key] = (folder / f"{name}.py").relative_to(ROOT)
    return scripts
