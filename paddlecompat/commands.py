"""The commands that are no cell, as `commands.toml` declares them: what each does."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import tomllib

from paddlecompat import folders
from paddlecompat.cells import here, matrix, suite
from paddlecompat.cells.option_set import ABOUT_MUTANTS, Options, check
from paddlecompat.environments import cuda_libraries, environment, installed, installer, wheels
from paddlecompat.fixtures import bugs, builds, manifest, published, releases, uses
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.folders import PUBLISHED, RECORDS, REPORT, REPORTS, STUDIES, shown
from paddlecompat.machine import gpus, host, index
from paddlecompat.machine.command_line import Command, Run, options_from
from paddlecompat.records import store
from paddlecompat.records.build_answers import host_answer, wheel_answer
from paddlecompat.records.judging import Outcome, Status, status_of
from paddlecompat.records.record import Record
from paddlecompat.records.subject import Device
from paddlecompat.report import asked, pages, terminal, wheel_pages
from paddlecompat.report.asked import Asked
from paddlecompat.report.bug_pages import ledger
from paddlecompat.report.bug_pages.bug_scripts import install_command, python_for
from paddlecompat.report.facts import Facts
from paddlecompat.report.view import MatrixView, view_of
from paddlecompat.studies import advice, bench, mutation, wheels_on_pypi
from paddlecompat.studies import published_scripts as scripts
from paddlecompat.studies.published_scripts import Trial

LISTED = tomllib.loads(Path(__file__).with_name("commands.toml").read_text(encoding="utf-8"))
COMMANDS: dict[str, Command] = {}


def command(name: str, epilog: str = "") -> Callable[[Run], Run]:
    """Make a function the command of that name, as `commands.toml` declares it."""

    def declare(run: Run) -> Run:
        COMMANDS[name] = Command(name, run, Options, epilog=epilog, **LISTED[name])
        return run

    return declare


def meaning(record: Record, options: Options, fixture: Fixture) -> list[str]:
    """What a cell that was measured means for each use, in the reader's language.

    Nothing where only a part was asked, or a stand-in: that means nothing for anybody.
    """
    if not record.properties or record.partial or record.stand_in:
        return []
    facts = Facts([record], bugs.load(), fixture, (), uses.load_uses())
    return asked.record_lines(record, facts, asked.language_of(options.lang, os.environ))


@command("here")
def measure_here(parsed: Namespace, fixture: Fixture) -> Outcome:
    parsed.records = folders.HERE if parsed.records == RECORDS else parsed.records
    options = options_from(Options, parsed)
    filled, advised = here.measure(options, parsed.python, parsed.place)
    record, judgement = filled.record, filled.judgement
    lines = terminal.verdict_lines(record, judgement, filled.scripts)
    language = asked.language_of(options.lang, os.environ)
    more = terminal.here_lines(record, judgement, advised, options.keyword, language)
    told = meaning(record, options, fixture) or terminal.build_lines(record)
    more += wheel_pages.said_lines(record)
    print("", *lines, "", *told, *more, f"record: {filled.kept}", sep="\n", flush=True)
    status = status_of(record, judgement, require_device=True)
    status = Status.WORSE if record.lost else status  # known or not, nobody may train there
    words = " ".join(told) if record.lost else lines[0]
    return Outcome(cell=record.cell, status=status, words=words)


@command("manifest")
def list_properties(parsed: Namespace, fixture: Fixture) -> Status:
    cell = releases.cell_named(f"cpu-{bench.RELEASE}", fixture)
    with environment.held(cell.name):
        python = environment.prepare(cell, fixture).python
        made = suite.make_manifest(python, suite.new_folder(folders.RUNS / "manifest"))
    manifest.write(made)
    print(f"{len(made.properties)} properties are listed in {shown(manifest.MANIFEST)}")
    return Status.AS_EXPECTED


@command("matrix")
def run_matrix(parsed: Namespace, fixture: Fixture) -> Status:
    options = options_from(Options, parsed)
    check(options, parsed.kinds[0])  # a mistake is told once, not by each cell
    try:
        return matrix.run(fixture, parsed.kinds, parsed.jobs, parsed.anew, options)
    finally:
        report(parsed, fixture)


# An answer in words.


@command("ask")
def ask(parsed: Namespace, fixture: Fixture) -> Status:
    cards, words, system = uses.load_cards(), parsed.words, host.system()
    if words:
        names = [release.version for release in fixture.release]
        about = asked.read_words(words, names, cards, system)
    else:
        try:
            found = installed.first_with_paddle()
            build = found.build
        except ValueError as error:
            raise ValueError(f"{error}, or name a release: nox -s ask -- 2.6.2") from None
        device = gpus.look(needed=0) if "paddlepaddle-gpu" in found.versions else None
        there = (device.name, device.capability) if isinstance(device, Device) else ("", None)
        name, capability = there
        release, numpy = installed.release_of(build), found.versions.get("numpy")
        about = Asked(release, system, name, capability, build, numpy)
    view = view_on([PUBLISHED, RECORDS], fixture)
    facts = replace(view.facts, wheels=wheel_answer.read_all(), hosts=host_answer.read_all())
    language = asked.language_of(parsed.lang, os.environ)
    print(*asked.answer_lines(about, facts, language), sep="\n")
    return Status.AS_EXPECTED


# The report.


def view_on(folders: Sequence[Path], fixture: Fixture) -> MatrixView:
    """What the report shows of these records. Raises ValueError where an edited file is wrong."""
    known, reports = bugs.load(), published.load_field_reports()
    return view_of(folders, known, fixture, manifest.load(), reports)


@command("report")
def report(parsed: Namespace, fixture: Fixture) -> Status:
    """Make the local report; no tracked file changes. A record that is refused makes it worse."""
    shutil.rmtree(REPORT, ignore_errors=True)
    errors = [line for source in (REPORTS, STUDIES) for line in store.copy_studies(source, REPORT)]
    status = write_report(view_on([PUBLISHED, RECORDS], fixture), REPORT, errors)
    print(f"What was measured here is in {shown(RECORDS)}; nox -s publish takes it into reports/.")
    return status


@command("publish")
def publish_records(parsed: Namespace, fixture: Fixture) -> Status:
    suite = manifest.load()
    measured = [RECORDS] if RECORDS.exists() else []
    taken, refused = store.take(measured, PUBLISHED, store.as_own)
    sent, not_taken = store.merge(parsed.sent, PUBLISHED, fixture, suite)
    print(*(f"{line}\n" for line in (*taken, *sent)), sep="", end="")
    errors = store.copy_studies(STUDIES, REPORTS)
    lines = [f"refused: {line}" for line in (*refused, *not_taken, *errors)]
    readmes = [folders.ROOT / name for name in ("README.md", "README.zh.md")]
    status = write_report(view_on([PUBLISHED], fixture), REPORTS, lines, readmes)
    pages.write_reliability()
    pages.write_schemas()
    return status


@command("bug-report")
def report_bug(parsed: Namespace, fixture: Fixture) -> Status:
    view = view_on([PUBLISHED, RECORDS], fixture)
    print(ledger.report_of(view, parsed.id))
    return Status.AS_EXPECTED


@command("scripts")
def run_scripts(parsed: Namespace, fixture: Fixture) -> Status:
    return scripts.run(trials_of(parsed.bugs, fixture), fixture)


def trials_of(names: Sequence[str], fixture: Fixture) -> list[Trial]:
    """The scripts of these bugs, or of all, each in the release that it names and in a right one.

    Raises ValueError where a bug has no script.
    """
    view = view_on([PUBLISHED], fixture)
    found = {entry.bug.id: entry for entry in ledger.entries(view) if entry.script}
    if unknown := set(names) - found.keys():
        raise ValueError(f"no script of {', '.join(unknown)}; there are {', '.join(found)}")
    by_version = {release.version: release for release in fixture.release}
    trials = []
    for name, entry in found.items():
        for version, fails in ((entry.newest, True), (entry.right, False)):
            if version and entry.evidence and (not names or name in names):
                release = by_version[version]
                python = python_for(entry.evidence, release)
                install = install_command(entry.evidence, release)
                trials.append(Trial(release, python, install, name, entry.script, fails))
    return trials


def write_report(
    view: MatrixView, folder: Path, errors: Sequence[str] = (), readmes: Sequence[Path] = ()
) -> Status:
    """Write a report, and say what came of it. A file that was refused makes it worse."""
    summary = pages.write(view, folder, readmes)
    for line in (*errors, *(f"error: {line}" for line in view.errors)):
        print(line, file=sys.stderr)
    print(summary)
    return Status.WORSE if errors or view.errors else Status.AS_EXPECTED


# What is learnt beside the cells.


@command("advice")
def follow_advice(parsed: Namespace, fixture: Fixture) -> Status:
    status = advice.run(fixture, parsed.releases, parsed.seed, parsed.cases)
    return report(parsed, fixture) or status


@command("mutation", ABOUT_MUTANTS)
def run_mutants(parsed: Namespace, fixture: Fixture) -> Status:
    status, whole = mutation.run(fixture, parsed)
    return (report(parsed, fixture) if whole else Status.AS_EXPECTED) or Status(status)


@command("bench")
def time_properties(parsed: Namespace, fixture: Fixture) -> Status:
    whole = bench.run(fixture, parsed)
    return report(parsed, fixture) if whole else Status.AS_EXPECTED


@command("builds")
def read_builds(parsed: Namespace, fixture: Fixture) -> Status:
    kept_in = wheel_answer.READ_HERE if parsed.write else None
    return Status(wheels_on_pypi.check(fixture, parsed.releases, kept_in=kept_in))


@command("wheel")
def ask_wheels(parsed: Namespace, fixture: Fixture) -> Status:
    systems = [parsed.system] if parsed.system else builds.SYSTEMS
    answers = []
    for answer in wheels_on_pypi.ask(parsed.what, systems, fixture):
        print(*wheel_pages.answer_lines(answer, fixture), "", sep="\n")
        answers.append(answer.answer)
    good = all(answer in ("dormant", "absent") for answer in answers)
    return Status.AS_EXPECTED if good else Status.WORSE


@command("releases")
def find_unknown_releases(parsed: Namespace, fixture: Fixture) -> Status:
    unknown = index.unknown_builds(fixture)
    words = "on PyPI, and not in fixtures/releases.toml; CONTRIBUTING.md: add a release"
    print(*(f"{build}: {words}\n" for build in unknown), sep="", end="")
    if not unknown:
        print("fixtures/releases.toml has every release that PyPI has from 2.2.0 on")
    return Status.WORSE if unknown else Status.AS_EXPECTED


# Environments.


@command("libraries")
def open_libraries(parsed: Namespace, fixture: Fixture) -> Status:
    cell = releases.cell_named(parsed.cell, fixture)
    (build, *_) = wheels.choices(cell)
    found = cuda_libraries.check(environment.prepare(cell, fixture).folder, build)
    for name, opens in found.items():
        print(f"{'opens' if opens else 'DOES NOT OPEN'}: {name}")
    missing = list(found.values()).count(False)
    print(f"{cell.name}: {len(found) - missing} of {len(found)} open, without a GPU")
    return Status.WORSE if missing else Status.AS_EXPECTED


@command("lock")
def lock_releases(parsed: Namespace, fixture: Fixture) -> Status:
    """Lock the environments anew, with hashes; "here" names the test tools alone."""
    installer.lock(fixture, parsed.releases)
    return Status.AS_EXPECTED
