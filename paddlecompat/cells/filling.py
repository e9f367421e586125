"""Fill one cell: its environment, its device, its properties, its record."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options, workers_at
from paddlecompat.cells.sanitizer import installed
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.environments import cuda_libraries, environment, fresh, wheels
from paddlecompat.environments.environment import Prepared, Wanted
from paddlecompat.environments.wheel_code import asking
from paddlecompat.environments.windows import wine
from paddlecompat.fixtures import bugs, cuda, forms, uses
from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.forms import Kind, place_of
from paddlecompat.fixtures.releases import Build, Cell, Fixture, Release
from paddlecompat.folders import PUBLISHED, RECORDS, RUNS, shown
from paddlecompat.machine import choice, gpus, host
from paddlecompat.machine.choice import Machine
from paddlecompat.machine.processes.variables import left_out
from paddlecompat.records import judging, store, subject
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.judging import Judgement
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
        served=cuda.served_versions(system) | cuda_libraries.installed_versions(),
    )


def prepare_environment(cell: Cell, fixture: Fixture, wanted: Wanted) -> Prepared:
    """The cell's environment, made in the way of its kind. Raises as these do."""
    prepare = fresh.prepare if cell.kind == "fresh" else environment.prepare
    return prepare(cell, fixture, wanted)


@dataclass(frozen=True)
class Hands:
    """What filling a cell needs from the machine; tests hand in their own."""

    prepare: Callable[[Cell, Fixture, Wanted], Prepared] = prepare_environment
    remove: Callable[[Cell], None] = environment.remove
    look: Callable[[str | None], Device | NotRun] = gpus.look
    machine_with: Callable[[Device], Machine] = machine_with
    try_device: Callable[..., dict[str, str] | NotRun] = gpus.try_device
    settings: Callable[[Path], dict[str, str]] = cuda_libraries.settings
    run: Callable[[Path, Request, Path], Ran] = suite.run
    load_known: Callable[[], Known] = bugs.load
    known_answer: Callable[..., WheelAnswer | None] = asking.known_answer
    ask_built: Callable[..., WheelAnswer | None] = asking.ask_built
    held: Callable[[str], AbstractContextManager[object]] = environment.held
    served: Callable[[Cell], AbstractContextManager[object]] = wine.server_for
    packages: Callable[[str], dict[str, str]] = environment.packages_of
    work: Path = RUNS
    published: Path = PUBLISHED


@dataclass(frozen=True)
class Filled:
    """A cell's record, how it compares with what is expected, and where things lie."""

    record: Record
    judgement: Judgement
    kept: str
    """Where the record is, in words."""
    scripts: Mapping[str, Path]
    """The script of each violation, by the property's key."""


def fill(cell: Cell, fixture: Fixture, options: Options, hands: Hands | None = None) -> Filled:
    """Measure `cell` and write what was seen, also where the release or the device cannot run.

    The environment is this process's alone from its first use to the end. Raises ValueError where
    a file that people edit is wrong, or `options` name no build of the release: before anything is
    measured. Raises MachineFailed, and keeps no record, where the run was cut short.
    """
    hands = hands or Hands()
    known = hands.load_known()
    with hands.held(cell.name), hands.served(cell):
        folder = suite.new_folder(hands.work / cell.name)
        record = measure(cell, fixture, options, hands, folder)
        if options.prune:
            hands.remove(cell)
    return conclude(record, known, options, folder)


def conclude(record: Record, known: Known, options: Options, folder: Path) -> Filled:
    """Keep the record and the scripts, and judge it by what is expected of what was asked for."""
    judgement = judging.judge(record, known)
    conditions = record.conditions
    whole = conditions is None or len(record.properties) >= conditions.properties
    if options.keyword is not None or not (whole or record.lost):
        judgement.absent.clear()  # what was not asked for is not missing
    return Filled(record, judgement, keep(record, options, folder), write_scripts(record, folder))


def keep(record: Record, options: Options, folder: Path) -> str:
    """Write the record; where it went, in words."""
    by_stand_in = record.stand_in is not None and options.records == RECORDS
    if record.partial or by_stand_in:
        path = store.write(record, folder)
        why = f"of {record.partial}" if record.partial else "of a stand-in"
        return f"{shown(path)} ({why}: kept out of the table)"
    where = shown(options.records / record.file_name)
    if store.keep(record, options.records):
        return where
    return f"{where} (as it was: it says the same, is newer, or was measured with more examples)"


def write_scripts(record: Record, folder: Path) -> dict[str, Path]:
    """Write each violation's script as a file, ready to run or to paste; its path by property."""
    scripts = {}
    for result in record.properties:
        if result.evidence is not None and result.evidence.script:
            name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{result.group}-{result.name}").strip("-")
            scripts[result.key] = folder / "scripts" / f"{name}.py"
            forms.write_text(scripts[result.key], result.evidence.script)
    return scripts


def measure(cell: Cell, fixture: Fixture, options: Options, hands: Hands, folder: Path) -> Record:
    """The cell's record, also where nothing could be run: it then holds as much as was found."""
    again = fresh.resolution_in(options.from_record, cell) if options.from_record else None
    if cell.kind == "fresh":
        cell = fresh.cell_for(cell, again.python if again else options.cpython)
    record = blank(cell.kind, cell.release.version, cell.release.python, options)
    if wine.is_needed(cell):
        record = record.model_copy(update={"host": wine.describe(cell.release.python)})
    build = named_build(cell, options)
    watch = installed(options.sanitize) if options.sanitize else None
    try:
        if cell.place == "gpu":
            asked = build or cell.release.gpu_build(cell.release.version)
            record = with_answer(record, hands.known_answer(asked.hashes, host.system()))
            record = add_device(record, cell, hands.look(options.stand_in))
        first = Wanted(options.wheel, build, options.stand_in is None, again)
        tries = attempts(record, cell, fixture, first, hands)
        for record, wanted in tries:
            try:
                prepared = hands.prepare(cell, fixture, wanted)
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
            found = hands.ask_built(prepared.build, prepared.folder, host.system())
            record = tell(with_answer(record, found))
            settings = {**SAME_DEVICE, **hands.settings(prepared.folder)}
        workers = workers_at(cell.place, options)
        request = Request(cell.place, options, settings, watch, workers, uses=uses.load_uses())
        return run_properties(record, prepared.python, request, folder, hands)
    except CannotRun as error:
        changed = changes(record, options, hands) if error.not_run.reason == "import failed" else []
        return give_up(record, error.not_run.model_copy(update={"changed": changed}))


def with_answer(record: Record, answer: WheelAnswer | None) -> Record:
    """The record with what the wheel of its build says of the reported defect."""
    return record.model_copy(update={"wheel": answer.said if answer else None})


def tell(record: Record) -> Record:
    """Say what the wheel says, before anything runs; the record as it is."""
    if said := record.wheel:
        about = f"the reported defect is {said.answer}: {said.reason}"
        print(f"asked the wheel of {said.version}: {about}", flush=True)
    return record


def import_result(resolved: Resolution) -> PropertyResult:
    """A fresh cell's own property: whether the release imports as it was resolved.

    The others are put to it with what it needs to import.
    """
    group, _, name = IMPORTS.partition("::")
    found: dict[str, object] = {"outcome": "holds", "calls": 1}
    if words := resolved.refused:
        shown = Evidence(
            case=f"pip install {resolved.asked}, on CPython {resolved.python}",
            expected="paddle is imported",
            actual=words,
            script="import paddle\n",
        )
        found = {"outcome": "violated", "severity": "error", "calls": 0}
        found |= {"message": words, "evidence": shown}
    common = {"group": group, "name": name, "examples": 0, "due": 1, "seconds": 0.0}
    return PropertyResult.model_validate({**common, **found})


def changes(record: Record, options: Options, hands: Hands) -> list[str]:
    """What stands beside the build, and stood otherwise when the cell was last measured."""
    before = store.last_measured(record, (options.records, hands.published))
    then = before.environment.packages if before and before.environment else {}
    now = hands.packages(record.cell)
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


def add_device(record: Record, cell: Cell, found: Device | NotRun) -> Record:
    """The record with its device. Raises CannotRun, with builds for example cards, without one."""
    if isinstance(found, NotRun):
        if found.reason != "no CUDA device":
            raise CannotRun(found)
        system = host.system()
        builds = choice.example_builds(cell.release, system, cuda.served_versions(system))
        raise CannotRun(found.model_copy(update={"builds": builds}))
    return with_device(record, found)


def with_device(record: Record, device: Device) -> Record:
    """The record, measured on this device."""
    seen = record.host.model_copy(update={"gpu": device.name, "driver": device.driver})
    return record.model_copy(update={"host": seen, "device": device})


def named_build(cell: Cell, options: Options) -> Build | None:
    """The build that a person names; raises ValueError where it is not of the cell's release."""
    if options.wheel is not None:
        return wheels.given_build(cell, options.wheel)
    return choice.build_named(cell.release, options.build) if options.build else None


def attempts(
    record: Record, cell: Cell, fixture: Fixture, wanted: Wanted, hands: Hands
) -> Iterator[tuple[Record, Wanted]]:
    """What to prepare, and the record with what is known of that build, the best build first.

    Only on a device where no build is named there is a next one, in case the indexes lack the one
    before. Raises CannotRun where none fits, or none is left.
    """
    if record.device is None:
        yield record, wanted
        return
    machine, named = hands.machine_with(record.device), wanted.build
    while True:
        build = named
        if build is None or wanted.wheel is None:
            build = build_for(record.device, cell, fixture, named, machine)
        record = record.model_copy(update={"chosen": build.version})
        record = with_answer(record, hands.known_answer(build.hashes, host.system()))
        yield record, replace(wanted, build=build)
        machine = replace(machine, lacking=machine.lacking | {build.version})


def build_for(
    device: Device, cell: Cell, fixture: Fixture, named: Build | None, machine: Machine
) -> Build:
    """The build that is named, else the one for the device.

    Raises CannotRun where none fits, or where the wheel of the named one has no code for it.
    """
    if named is not None:
        check_code(named, cell.release, fixture, machine)
        return named
    found = choice.choose(cell.release, machine)
    if isinstance(found, NotRun):
        if found.reason == choice.UNSUPPORTED:
            check_code(cell.release.gpu_builds[0], cell.release, fixture, machine)
        raise CannotRun(found)
    print(f"{device.name}: {found.build.version}, {found.why}", flush=True)
    return found.build


def check_code(build: Build, release: Release, fixture: Fixture, machine: Machine) -> None:
    """Raise CannotRun where the build's wheel, as it was read, has no code for the device."""
    if missing := choice.missing_code(build, release, fixture, machine):
        raise CannotRun(missing)


def run_properties(
    record: Record, python: Path, request: Request, folder: Path, hands: Hands
) -> Record:
    """The record with what the properties came to and, on a device, with what it loaded.

    Raises CannotRun where the build cannot use the device.
    """
    if record.device is not None:
        assert record.build is not None
        stand_in = request.options.stand_in
        found = hands.try_device(python, record.build, record.device, request.settings, stand_in)
        if isinstance(found, NotRun):
            raise CannotRun(found)
        loaded = record.device.model_copy(update={"runtime": found})
        record = record.model_copy(update={"device": loaded})
    if names := left_out():
        print(f"left out of the measurement: {', '.join(names)}", flush=True)
    started = time.monotonic()
    ran = hands.run(python, request, folder)
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
        "sanitizer": request.watch.found(folder) if request.watch else None,
    }
    return Record.model_validate(dict(record.model_copy(update=update)))
