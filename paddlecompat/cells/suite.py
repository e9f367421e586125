"""Run the properties in an environment, and read what came of each.

A study adds a plugin, whose findings come with each property's report.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from paddlecompat.cells.matrix import what_is_left
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.workers import Crew, Report
from paddlecompat.fixtures import manifest
from paddlecompat.fixtures.forms import PLACES, Model, Place, write_json
from paddlecompat.fixtures.manifest import FIRST, PROPERTIES, Manifest, ManifestProperty
from paddlecompat.fixtures.uses import Use
from paddlecompat.folders import shown
from paddlecompat.machine import host
from paddlecompat.machine.command_line import pytest_arguments
from paddlecompat.machine.processes import run_program
from paddlecompat.machine.processes.sanitizer import SLOWER, Watch
from paddlecompat.machine.processes.variables import measuring_environment, telling_variables
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import UNSOUND, Conditions, MachineFailed, PropertyResult

KEPT = 5  # folders of runs, of each cell
WORDS, SCRIPT = 4000, 100_000  # characters of a text, and of a script, in the record
DEATHS = ("crashed", "timed out")
SHOWN_EVERY, TOLD_EVERY = 0.2, 15  # seconds, on a terminal and elsewhere
CLEAR = "\r\033[K"  # the line of a terminal


@dataclass(frozen=True)
class Request:
    """How the properties run in an environment."""

    place: Place
    options: Options
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the build needs."""
    watch: Watch | None = None
    workers: int = 1
    """Processes side by side."""
    properties: Path = PROPERTIES
    most_lost: int = 10
    """How often the device may be lost: then the run ends with what it has."""
    uses: Sequence[Use] = ()
    """The properties of the first run first, and the terminal says when they are through."""

    @property
    def limit(self) -> float:
        """Seconds for one property."""
        limit = PROFILES[self.options.profile].seconds * (SLOWER if self.watch else 1)
        return self.options.timeout or limit


class Asked(NamedTuple):
    """How many properties pytest was asked, and what it reported; less where it ended early."""

    properties: int
    reports: list[Report]


class Ran(Model):
    """What came of a run that ended."""

    results: list[PropertyResult]
    conditions: Conditions


def new_folder(runs: Path) -> Path:
    """A fresh folder for one run, below `runs`, where those of the last few runs are kept."""
    for old in sorted(path for path in runs.glob("*") if path.is_dir())[: 1 - KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    folder = runs / f"{datetime.now(UTC):%Y-%m-%dT%H.%M.%S.%fZ}"
    folder.mkdir(parents=True)
    return folder


def run(python: Path, request: Request, folder: Path, listed: Manifest | None = None) -> Ran:
    """What came of every property of the manifest, or of those that were asked for.

    Where numbers do not come back as they were sent, nothing else is asked. A property whose
    process died or hung is asked again alone. The last file in `folder` is `ended.json`: a run
    without it is no evidence. Raises ValueError where the properties are not those of the
    manifest, else as `run_pytest`.
    """
    listed = listed or manifest.load()
    before_it_ran = manifest.digest_of(request.properties)
    as_result = partial(result_of, listed, PROFILES[request.options.profile].due)
    asked = run_pytest(python, request, folder, listed=listed)
    results = {report.nodeid: as_result(report) for report in asked.reports}
    alone = replace(request, workers=1, uses=(), options=replace(request.options, keyword=None))
    died = [nodeid for nodeid, result in results.items() if result.outcome in DEATHS]
    for number, nodeid in enumerate(died, start=1):
        before = results[nodeid]
        print(f"{before.key}: {before.message}; once more, alone", flush=True)
        again = run_pytest(python, alone, folder / f"again-{number}", only=[nodeid]).reports[-1]
        results[nodeid] = charged(before, as_result(again), folder)
    not_asked, given_up = asked.properties - len(results), ""
    if sum(report.lost for report in asked.reports) >= (most := request.most_lost):
        given_up = f"a device that was lost {most} times: {not_asked} not asked"
        not_asked = 0
    if not_asked and not any(result.outcome in UNSOUND for result in results.values()):
        raise MachineFailed("the round trip failed once, and not alone; nothing was recorded")
    if (short := host.what_is_short(folder)) is not None:
        raise MachineFailed(f"{short}; nothing was recorded")
    digest, options = manifest.digest_of(request.properties), request.options
    unchanged = digest == listed.digest == before_it_ran
    conditions = Conditions(
        suite=digest,
        properties=len(listed.properties_at(request.place)),
        not_asked=not_asked,
        partial=options.partial or given_up or ("" if unchanged else "edited properties"),
        workers=request.workers,
        seconds_per_property=request.limit,
        gibibytes=options.memory_limit,
        variables=telling_variables(measuring_environment(request.settings)),
        outcomes=Counter(result.outcome for result in results.values()),
    )
    write_json(folder / "ended.json", conditions)
    return Ran(results=list(results.values()), conditions=conditions)


def check_all_are_there(listed: Manifest, request: Request, nodeids: Sequence[str]) -> None:
    """Raise ValueError where the whole suite is asked for, and it is not that of the manifest."""
    found = listed.difference(request.place, map(key_of, nodeids))
    if request.options.keyword is None and (wrong := found):
        advice = "restore them, or make the manifest anew with `nox -s manifest`"
        raise ValueError(f"not the properties of fixtures/manifest.json: {wrong}; {advice}")


def charged(before: PropertyResult, again: PropertyResult, folder: Path) -> PropertyResult:
    """What a property that died comes to: that it dies, only where it did so again, alone."""
    if again.outcome in DEATHS:
        return again
    words = f"{before.message}, on {before.case or 'no case yet'}; not when it ran again, alone"
    return again.model_copy(update={"once": f"{words} (logs: {shown(folder)})"})


def run_pytest(
    python: Path,
    request: Request,
    folder: Path,
    plugin: Sequence[str] = (),
    only: Sequence[str] = (),
    listed: Manifest | None = None,
) -> Asked:
    """Run the properties in `python`, or those of these node ids; logs go to `folder`.

    Raises ValueError where no property is selected or they are not those of `listed`, CannotRun
    where a module cannot be collected, MachineFailed where it was cut short.
    """
    folder.mkdir(parents=True, exist_ok=True)
    host.check_room(folder)
    with closing(crew_of(python, request, folder, plugin)) as crew:
        known = [each.nodeid for each in crew.collect()]
        if listed:
            check_all_are_there(listed, request, known)
        asked = [nodeid for nodeid in known if nodeid in set(only)] if only else known
        if not asked:
            raise ValueError(f"no property matches -k {request.options.keyword!r}")
        needing = {n: [use.needs(key_of(n)) for use in request.uses] for n in asked}
        asked.sort(key=lambda nodeid: [*needing[nodeid], True].index(True))  # by the first use
        first = [nodeid for nodeid in asked if key_of(nodeid).startswith(FIRST)]
        reports = list(told(crew.run(first), first))
        if not any(report.found["property"]["outcome"] in UNSOUND for report in reports):
            rest = [nodeid for nodeid in asked if nodeid not in first]
            reports += told(crew.run(rest), rest, request.uses)
        crew.dismiss()
        return Asked(len(asked), reports)


def make_manifest(python: Path, folder: Path) -> Manifest:
    """The manifest of the properties, as an interpreter with a release collects them.

    Those that draw no examples run there once, on the CPU: the calls that they verify are due.
    """
    asked = Request("cpu", Options())
    places: dict[str, list[Place]] = {}
    calls: dict[str, int | None] = {}
    loops = []
    for place in PLACES:
        with closing(crew_of(python, replace(asked, place=place), folder)) as crew:
            collected = crew.collect()
        for found in collected:
            key = key_of(found.nodeid)
            places.setdefault(key, []).append(place)
            calls[key] = 1 if found.examples == 0 else found.examples
            loops += [found.nodeid] if found.examples == 0 and place == "cpu" else []
    for report in run_pytest(python, asked, folder, only=loops).reports if loops else ():
        calls[key_of(report.nodeid)] = max(1, report.found["property"]["calls"])
    every = [
        ManifestProperty(key=key, places=tuple(there), calls=calls[key])
        for key, there in places.items()
    ]
    return Manifest(digest=manifest.digest_of(), properties=every)


def crew_of(python: Path, request: Request, folder: Path, plugin: Sequence[str] = ()) -> Crew:
    """The workers of a run."""
    for stale in folder.glob("worker-*"):
        stale.unlink()
    command = [
        *(request.watch.command(folder) if request.watch else []),
        *(str(python.absolute()), "-m", "pytest", "--quiet", "--no-header", "--no-summary"),
        # Hypothesis writes a traceback of every failing example: Python's own costs least.
        *("--tb=native", "--capture=no", f"--place={request.place}"),
        *(*pytest_arguments(request.options), *plugin, str(request.properties)),
    ]
    environment = measuring_environment(request.settings)

    def script_of(journal: Path) -> str | None:
        asked = ["script", request.place, str(journal)]
        ended = run_program(python, "probe", asked, request.settings, 120, inside)
        return None if ended.problem else str(json.loads(ended.said)["script"])

    inside = request.properties.parent  # plugins are found there
    limits = request.limit, request.most_lost
    return Crew(command, environment, inside, folder, *limits, script_of, request.workers)


def told(
    reports: Iterable[Report], asked: Collection[str], uses: Iterable[Use] = ()
) -> Iterator[Report]:
    """The same reports; the terminal says what ran last, what is left, and how each use went."""
    started = last = time.monotonic()
    on_terminal, total = sys.stdout.isatty(), len(asked)
    of_use = {use.title: {n for n in asked if use.needs(key_of(n))} for use in uses}
    done: dict[str, str] = {}
    for report in reports:
        done[report.nodeid] = report.found["property"]["outcome"]
        for title, needed in list(of_use.items()):
            if needed and needed <= done.keys():
                count = Counter(done[nodeid] for nodeid in of_use.pop(title))
                words = ", ".join(f"{number} {outcome}" for outcome, number in count.most_common())
                line = f"{title}: {words}, after {time.monotonic() - started:.0f} s"
                print(CLEAR * on_terminal + line, flush=True)
        if time.monotonic() - last > (SHOWN_EVERY if on_terminal else TOLD_EVERY):
            last = time.monotonic()
            ahead = what_is_left(started, len(done), total)
            line = f"[{len(done)}/{total}] {key_of(report.nodeid)}; {ahead}"
            if on_terminal:
                print(CLEAR + line[:100], end="", flush=True)
            else:
                print(line, flush=True)
        yield report
    if on_terminal:
        print(CLEAR, end="", flush=True)


def result_of(listed: Manifest, of_profile: int, report: Report) -> PropertyResult:
    """A property's result from what its report carried."""
    key = key_of(report.nodeid)
    group, _, name = key.partition("::")
    found: dict[str, Any] = recordable(report.found["property"])
    found["seconds"] = round(report.seconds, 3)
    due = listed.due(key, of_profile)
    needed = 1 if found.get("asserted") else due
    if found["outcome"] == "holds" and found["calls"] < needed:
        words = f"verified {found['calls']} calls, fewer than the {needed} that are due"
        found |= {"outcome": "violated", "severity": "error", "message": words}
    return PropertyResult.model_validate({"group": group, "name": name, "due": due, **found})


def recordable(found: Any, name: str = "") -> Any:
    """The same, its texts as a record can hold them: cut, and without halves of characters."""
    if isinstance(found, dict):
        return {name: recordable(each, name) for name, each in found.items()}
    if isinstance(found, str):
        longest = SCRIPT if name == "script" else WORDS
        return found.encode("utf-8", "backslashreplace").decode("utf-8")[:longest]
    return found


def key_of(nodeid: str) -> str:
    """A property's name in the records: 'where::test_a' of 'kernel/test_where.py::test_a'."""
    module, _, name = nodeid.partition("::")
    return f"{re.sub(r'^test_', '', Path(module).stem)}::{name}"
