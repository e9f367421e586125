"""Fill one cell: its environment, its device, its properties, its record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paddlecompat.cells import suite
from paddlecompat.cells.keeping import Filled, conclude
from paddlecompat.cells.option_set import Options, workers_at
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.environments import cuda_libraries, environment, fresh, wheels
from paddlecompat.environments.environment import Wanted
from paddlecompat.environments.wheel_code import asking
from paddlecompat.environments.windows import wine
from paddlecompat.fixtures import bugs, builds, forms, uses
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.forms import Kind, place_of
from paddlecompat.fixtures.releases import Cell, Fixture, Release
from paddlecompat.folders import PUBLISHED, RUNS
from paddlecompat.machine import choice, gpus, host
from paddlecompat.machine.choice import Machine
from paddlecompat.machine.processes.sanitizer import Watch, installed
from paddlecompat.machine.processes.variables import left_out
from paddlecompat.records import subject
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.record import (
    IMPORTS,
    CannotRun,
    Evidence,
    NotRun,
    PropertyResult,
    Record,
    verdict_of,
)
from paddlecompat.records.subject import Device, Resolution

SAME_DEVICE = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # CUDA's first device is then the driver's


def machine_with(device: Device) -> Machine:
    """This machine with that device: what it can reach, and which CUDA libraries it can have."""
    system = host.system()
    return Machine(
        system,
        device.capability,
        device.driver,
        device.driver_cuda,
        indexes=frozenset({"pypi", "paddle"} if wheels.reachable() else {"pypi"}),
        served=builds.served_versions(system) | cuda_libraries.installed_versions(),
    )


def fill(cell: Cell, fixture: Fixture, options: Options) -> Filled:
    """Measure `cell` and write what was seen, also where the release or the device cannot run.

    Raises ValueError, before anything is measured, where an edited file is wrong or `options` name
    no build of the release; MachineFailed, and keeps no record, where the run was cut short.
    """
    known = bugs.load()
    with environment.held(cell.name), wine.server_for(cell):
        folder = suite.new_folder(RUNS / cell.name)
        record = measure(cell, fixture, options, folder)
        if options.prune:
            environment.remove(cell)
    return conclude(record, known, options, folder)


def measure(cell: Cell, fixture: Fixture, options: Options, folder: Path) -> Record:
    """The cell's record, also where nothing could be run: it then holds as much as was found."""
    again = fresh.resolution_in(options.from_record, cell) if options.from_record else None
    if cell.kind == "fresh":
        cell = fresh.cell_for(cell, again.python if again else options.cpython)
    record = blank(cell.kind, cell.release.version, cell.release.python, options)
    if wine.is_needed(cell):
        record = record.model_copy(update={"host": wine.describe(cell.release.python)})
    build = choice.build_named(cell.release, options.build) if options.build else None
    if options.wheel is not None:
        build = wheels.given_build(cell, options.wheel)
    watch = installed(options.sanitize) if options.sanitize else None
    prepare = fresh.prepare if cell.kind == "fresh" else environment.prepare
    try:
        if cell.place == "gpu":
            asked = build or cell.release.gpu_build(cell.release.version)
            record = with_answer(record, asking.known_answer(asked.hashes, host.system()))
            device = gpus.look(options.stand_in)
            if isinstance(device, NotRun):
                raise CannotRun(with_examples(device, cell.release))
            record = with_device(record, device)
        first = Wanted(options.wheel, build, options.stand_in is None, again)
        tries = attempts(record, cell, fixture, first)
        for record, wanted in tries:
            try:
                prepared = prepare(cell, fixture, wanted)
                break
            except CannotRun as error:
                if error.not_run.reason != "no build" or build or record.device is None:
                    raise
                print(f"{error.not_run.detail}; looking for another build", flush=True)
        told = ("build", "environment", "seconds", "resolution")
        record = record.model_copy(update={name: getattr(prepared, name) for name in told})
        if prepared.resolution and prepared.resolution.needs is None:
            raise CannotRun(NotRun(reason="import failed", detail=prepared.resolution.refused))
        settings = prepared.settings
        if cell.place == "gpu":
            found = asking.ask_built(prepared.build, prepared.folder, host.system())
            record = with_answer(record, found, told=True)
            settings = {**SAME_DEVICE, **cuda_libraries.settings(prepared.folder)}
        return run_properties(record, prepared.python, options, settings, folder, watch)
    except CannotRun as error:
        changed = changes(record, options) if error.not_run.reason == "import failed" else []
        return give_up(record, error.not_run.model_copy(update={"changed": changed}))


def with_answer(record: Record, answer: WheelAnswer | None, *, told: bool = False) -> Record:
    """The record with what the wheel of its build says of the reported defect."""
    said = answer.said if answer else None
    if said and told:
        about = f"the reported defect is {said.answer}: {said.reason}"
        print(f"asked the wheel of {said.version}: {about}", flush=True)
    return record.model_copy(update={"wheel": said})


def import_result(resolved: Resolution) -> PropertyResult:
    """A fresh cell's own property: whether the release imports as it was resolved.

    The others are put to it with what it needs to import.
    """
    group, _, name = IMPORTS.partition("::")
    held = PropertyResult(
        group=group, name=name, outcome="holds", calls=1, examples=0, due=1, seconds=0.0
    )
    if not (words := resolved.refused):
        return held
    asked = f"pip install {resolved.asked}, on CPython {resolved.python}"
    shown = Evidence(
        case=asked, expected="paddle is imported", actual=words, script="import paddle\n"
    )
    refused = {"outcome": "violated", "severity": "error", "calls": 0, "message": words}
    return held.model_copy(update={**refused, "evidence": shown})


def changes(record: Record, options: Options) -> list[str]:
    """What stands beside the build, and stood otherwise when the cell was last measured."""
    there = (forms.read_kept(Record, p / record.file_name) for p in (options.records, PUBLISHED))
    before = next((found for found in there if found and found.properties), None)
    then = before.environment.packages if before and before.environment else {}
    now = environment.packages_of(record.cell)
    names = sorted(then.keys() | now.keys()) if then else []
    pairs = ((name, then.get(name, "none"), now.get(name, "none")) for name in names)
    return [f"{name} {old} -> {new}" for name, old, new in pairs if old != new]


def blank(kind: Kind, release: str, python: str, options: Options) -> Record:
    """What is known of a release's record, on CPython `python`, before anything ran."""
    return Record(
        cell=f"{kind}-{release}",
        release=release,
        place=place_of(kind),
        host=host.describe(python),
        verdict="not run",
        not_run=NotRun(reason="import failed", detail="nothing was tried yet"),
        stand_in=options.stand_in,
        profile=options.profile,
        seed=options.seed,
        measured_at=datetime.now(UTC).replace(microsecond=0),
    )


def give_up(record: Record, why: NotRun) -> Record:
    """The record of what could not be run."""
    not_run = why.model_copy(update={"detail": subject.impersonal(why.detail)})
    return record.model_copy(update={"verdict": "not run", "not_run": not_run})


def with_examples(found: NotRun, release: Release) -> NotRun:
    """Why there is no device, with the builds that example cards would be given."""
    if found.reason != "no CUDA device":
        return found
    system = host.system()
    examples = choice.example_builds(release, system, builds.served_versions(system))
    return found.model_copy(update={"builds": examples})


def with_device(record: Record, device: Device) -> Record:
    """The record, measured on this device."""
    seen = record.host.model_copy(update={"gpu": device.name, "driver": device.driver})
    return record.model_copy(update={"host": seen, "device": device})


def attempts(
    record: Record, cell: Cell, fixture: Fixture, wanted: Wanted
) -> Iterator[tuple[Record, Wanted]]:
    """What to prepare, and the record with that build, the best first; the next, should it lack.

    Raises CannotRun where none fits, or none is left.
    """
    if record.device is None:
        yield record, wanted
        return
    machine = machine_with(record.device)
    while True:
        build = wanted.build or best_build(record.device, cell, fixture, machine)
        if wanted.build and not wanted.wheel:
            check_code(build, cell.release, fixture, machine)
        record = record.model_copy(update={"chosen": build.version})
        record = with_answer(record, asking.known_answer(build.hashes, host.system()))
        yield record, replace(wanted, build=build)
        machine = replace(machine, lacking=machine.lacking | {build.version})


def best_build(device: Device, cell: Cell, fixture: Fixture, machine: Machine) -> Build:
    """The build for the device. Raises CannotRun where none fits."""
    found = choice.choose(cell.release, machine)
    if isinstance(found, NotRun):
        if found.reason == choice.UNSUPPORTED:
            check_code(cell.release.gpu_builds[0], cell.release, fixture, machine)
            found = choice.with_nearest(found, cell.release, fixture, machine)
        raise CannotRun(found)
    print(f"{device.name}: {found.build.version}, {found.why}", flush=True)
    return found.build


def check_code(build: Build, release: Release, fixture: Fixture, machine: Machine) -> None:
    """Raise CannotRun where the build's wheel, as it was read, has no code for the device."""
    if missing := choice.missing_code(build, release, fixture, machine):
        raise CannotRun(missing)


def run_properties(
    record: Record,
    python: Path,
    options: Options,
    settings: Mapping[str, str],
    folder: Path,
    watch: Watch | None = None,
) -> Record:
    """The record with what the properties came to. Raises CannotRun where the device refuses."""
    if record.device is not None:
        assert record.build is not None
        asked = record.build, record.device, settings, options.stand_in
        found = gpus.try_device(python, *asked)
        if isinstance(found, NotRun):
            raise CannotRun(found)
        loaded = record.device.model_copy(update={"runtime": found})
        record = record.model_copy(update={"device": loaded})
    if names := left_out():
        print(f"left out of the measurement: {', '.join(names)}", flush=True)
    workers = workers_at(record.place, options)
    request = Request(record.place, options, settings, watch, workers, uses=uses.load_uses())
    started = time.monotonic()
    ran = suite.run(python, request, folder)
    seconds = record.seconds.model_copy(update={"test": round(time.monotonic() - started, 2)})
    seen = Ran.model_validate_json(subject.impersonal(ran.model_dump_json()))
    results = [import_result(resolved)] if (resolved := record.resolution) else []
    results += seen.results
    outcomes = Counter(result.outcome for result in results)
    update: dict[str, object] = {
        "not_run": None,
        "properties": results,
        "conditions": seen.conditions.model_copy(update={"outcomes": outcomes}),
        "verdict": verdict_of(results),
        "seconds": seconds,
        "sanitizer": watch.found(folder) if watch else None,
    }
    return Record.model_validate(dict(record.model_copy(update=update)))
