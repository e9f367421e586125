"""Records as files: written, read back, taken in from elsewhere, and published.

A record from elsewhere is data: it is read, never run, and its file is named anew. It stands beside
what was measured here, and never in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.forms import printable, read_as, read_kept, write_json, write_text
from paddlecompat.fixtures.manifest import FIRST, Manifest
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import advice_results, study_results
from paddlecompat.records.build_answers import host_answer, wheel_answer
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import IMPORTS, Record

MOST_FILES = 2000  # in a folder: more than any table has
EARLIEST = datetime(2022, 1, 1, tzinfo=UTC)  # the oldest release that is measured came then
REFUSING = re.compile("refused|label|wrong_target|published_case|raises")
"""Of names of properties: a refusal is due there, which a GPU's kernel may give by an assertion."""
TOLERANCE = timedelta(days=1)  # clocks differ

Accept = Callable[[Record], Record]
"""What gives a record as it may be taken. Raises ValueError with the field and what to do."""


def write(record: Record, folder: Path) -> Path:
    """Write it; beside it the lock of what pip resolved, unless others sent it."""
    path = write_json(folder / record.file_name, record)
    if record.resolution and record.provenance == "own":
        write_text(path.with_suffix(".lock.txt"), record.resolution.requirements)
    return path


def read(path: Path) -> Record:
    """One record. Raises ValueError with one line that names the file and the field."""
    return read_as(Record, path)


# Of two records, which stays.


def keep(record: Record, folder: Path) -> bool:
    """Write the record unless that which is there stays or says the same; whether it was written.

    Raises ValueError where the file's name is that of another host's record.
    """
    if there := read_kept(Record, folder / record.file_name):
        if there.identity != record.identity:
            raise ValueError(f"{record.file_name}: another host's record has this name")
        same = record.not_run is not None and record.not_run == there.not_run
        if same or record == there or not replaces(record, there):
            return False
    write(record, folder)
    return True


def replaces(record: Record, there: Record) -> bool:
    """Whether the record takes the place of another of the same identity.

    What tells of the release stays before what could not be run; then that of more examples, then
    that of a build which the fixtures lock, then the newer. The date alone counts where one of them
    says that the release does not import, and where they were put to other properties.
    """
    both_tell = examples_of(record) >= 0 and examples_of(there) >= 0
    suites = [one.conditions.suite if one.conditions else None for one in (record, there)]
    if both_tell and suites[0] != suites[1]:
        return record.measured_at >= there.measured_at

    def standing(one: Record) -> tuple[int, bool, datetime]:
        return examples_of(one), bool(one.build and one.build.locked), one.measured_at

    return standing(record) >= standing(there)


def examples_of(record: Record) -> int:
    """How many a property was given; -1 where nothing was learnt of the release."""
    if record.not_run is None:
        return PROFILES[record.profile].examples
    return 0 if record.not_run.reason == "import failed" else -1


def staying(records: Iterable[Record]) -> list[Record]:
    """Of the records of each identity the one that stays, in the order of their files' names."""
    stays: dict[tuple[object, ...], Record] = {}
    for record in sorted(records, key=lambda record: record.measured_at):
        there = stays.setdefault(record.identity, record)
        if replaces(record, there):
            stays[record.identity] = record
    return sorted(stays.values(), key=lambda record: record.file_name)


def still_asked(record: Record, listed: Manifest) -> Record:
    """The record without the properties that today's suite no longer asks."""
    if record.conditions is None or record.conditions.suite == listed.digest:
        return record
    keys = {IMPORTS, *(each.key for each in listed.properties)}
    left = [result for result in record.properties if result.key in keys]
    return record.model_copy(update={"properties": left})


# Many files.


def gather(path: Path) -> tuple[list[Record], list[str]]:
    """The records in a folder, or in a file, that may be shown; and a line for each other file."""
    return read_all(path, whole) if path.exists() else ([], [])


def read_all(path: Path, accept: Accept) -> tuple[list[Record], list[str]]:
    """The records of a folder or a file that are accepted; a line for each that is refused."""
    problem = "a link, which is not followed: name the file or folder itself"
    files = list(islice(path.glob("*.json"), MOST_FILES + 1)) if path.is_dir() else [path]
    if len(files) > MOST_FILES:
        problem = f"more than {MOST_FILES:,} files: name those that are records"
    if path.is_symlink() or len(files) > MOST_FILES:
        return [], [printable(f"{path}: {problem}")]
    records: list[Record] = []
    errors: list[str] = []
    for file in sorted(files):
        try:
            records.append(accept(read(file)))
        except (OSError, ValueError) as error:
            why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            named = why if why.startswith(f"{file}: ") else f"{file}: {why}"
            errors.append(printable(named, len(str(file)) + 400))
    return records, errors


def take(paths: Iterable[Path], folder: Path, accept: Accept) -> tuple[list[str], list[str]]:
    """Take records into `folder`, as `keep`: a line for each, and one for each file refused."""
    taken: list[str] = []
    refused: list[str] = []
    for path in paths:
        records, errors = read_all(path, accept)
        for record in records:
            try:
                kept = keep(record, folder)
                taken.append(f"{record.file_name}: {'taken' if kept else 'the one here stays'}")
            except (OSError, ValueError) as error:
                errors.append(printable(f"{record.file_name}: cannot be written: {error}"))
        if not (records or errors):
            errors.append(printable(f"{path}: no record there: name a folder that holds *.json"))
        refused += errors
    return taken, refused


def merge(
    sent: Iterable[Path], folder: Path, fixture: Fixture, suite: Manifest
) -> tuple[list[str], list[str]]:
    """`take` what others sent in, to stand beside what was measured here."""
    return take(sent, folder, lambda record: as_sent_in(record, fixture, suite))


def copy_studies(source: Path, target: Path) -> list[str]:
    """Bring what the studies measured into another folder; a line for each advice refused.

    Raises ValueError where another file cannot be read.
    """
    measured, errors = advice_results.gather(source / advice_results.MEASURED.name)
    for one in measured:
        advice_results.write(one, target / advice_results.MEASURED.name)
    if (path := source / study_results.MUTATION.name).exists():
        study_results.write_mutation(study_results.read_mutation(path).trials, target / path.name)
    if (path := source / study_results.BENCH.name).exists():
        study_results.write_bench(study_results.read_bench(path), target / path.name)
    for answer in wheel_answer.read_all(source / wheel_answer.ANSWERS.name):
        wheel_answer.write(answer, target / wheel_answer.ANSWERS.name)
    for seen in host_answer.read_all(source / host_answer.HOST_ANSWERS.name):
        host_answer.write(seen, target / host_answer.HOST_ANSWERS.name)
    return errors


# What is accepted: each of these raises ValueError with the field and what to do.


def whole(record: Record) -> Record:
    """A record of the whole suite on a real device."""
    if record.stand_in is not None:
        raise ValueError(
            f"stand_in: made with a stand-in device ({record.stand_in}): use a real one"
        )
    if record.partial:
        why = f"not the whole suite ({record.partial})"
        raise ValueError(f"conditions.partial: {why}: measure anew with `nox -s {record.session}`")
    return record


def as_own(record: Record) -> Record:
    """A whole record of this machine."""
    if record.provenance != "own":
        raise ValueError("provenance: sent in: publish it with `nox -s publish -- PATH`")
    return whole(record)


def as_sent_in(record: Record, fixture: Fixture, suite: Manifest) -> Record:
    """A whole record of others, without what can be recomputed, their scripts and commands."""
    if record.not_run and record.not_run.reason == "import failed":
        raise ValueError("not_run: import failed: of others it is a field report, in fixtures/")
    check_release(whole(record), fixture)
    check_properties(record, suite)
    if not EARLIEST <= record.measured_at <= datetime.now(UTC) + TOLERANCE:
        when = f"{record.measured_at:%Y-%m-%d}"
        raise ValueError(f"measured_at: {when} is no day since 2022: set the clock, measure anew")
    believed = record.model_dump(
        exclude={
            "wheel": True,
            "not_run": {"no_code"},
            "properties": {"__all__": {"evidence": {"script"}}},
        }
    )
    if build := record.build:
        named = Build(distribution=build.distribution, version=build.version)
        believed["build"]["locked"] = build.sha256 in named.hashes
    return Record.model_validate({**believed, "provenance": "sent in"})


def check_release(record: Record, fixture: Fixture) -> None:
    """Refuse a release that does not exist, and a build that is none of it."""
    release = next((r for r in fixture.release if r.version == record.release), None)
    if release is None:
        raise ValueError(f"release: fixtures/releases.toml has no {record.release}: add it first")
    if record.build is None and record.properties:
        raise ValueError("build: has to say which build was measured")
    builds = [("chosen", "paddlepaddle-gpu", record.chosen)] if record.chosen else []
    if record.build:
        builds.append(("build.version", record.build.distribution, record.build.version))
    for field, distribution, version in builds:
        if not release.has_build(distribution, version):
            problem = f"no build {distribution} {version} of {record.release} is known"
            raise ValueError(f"{field}: {problem}: list it in fixtures/releases.toml")


def check_properties(record: Record, suite: Manifest) -> None:
    """Refuse other properties than those of the manifest, or other numbers of calls due."""
    if record.conditions is None:
        return
    if (record.device is None) != (record.place == "cpu"):
        raise ValueError("device: a GPU cell has one, a CPU cell has none")
    anew = f"measure anew with `nox -s {record.session}`"
    if record.conditions.suite != suite.digest:
        raise ValueError(f"conditions.suite: other properties than today's: {anew}")
    listed = {found.key for found in suite.properties_at(record.place)}
    first = {key for key in listed if key.startswith(FIRST)}
    asked = first if record.conditions.not_asked else listed
    wanted = asked | ({IMPORTS} if record.kind == "fresh" else set())
    if odd := wanted.symmetric_difference(result.key for result in record.properties):
        some = f"{len(odd)} are missing or too many, as {printable(min(odd), 120)}"
        raise ValueError(f"properties: {some}: {anew}")
    if record.conditions.properties != (there := len(listed)):
        raise ValueError(f"conditions.properties: there are {there}: {anew}")
    if record.conditions.not_asked != (left := len(listed - asked)):
        raise ValueError(f"conditions.not_asked: {left} were not asked: {anew}")
    for result in record.properties:
        due = 1 if result.key == IMPORTS else suite.due(result.key, PROFILES[record.profile].due)
        if result.due != due:
            raise ValueError(f"properties: {result.key}: {due} calls are due: {anew}")
        if result.asserted and (record.place == "cpu" or not REFUSING.search(result.name)):
            raise ValueError(f"properties: {result.key}: no kernel has to assert there: {anew}")
