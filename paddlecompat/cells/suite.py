"""Run the properties in an environment: one pytest run in its interpreter, read back as results.

A worker of pytest-xdist that dies is replaced and costs its property alone. pytest-reportlog and
the journal of `tests/properties` bring back what was seen. A study adds a plugin, whose findings
come with each property's report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paddlecompat.cells.option_set import PROPERTIES, Options
from paddlecompat.cells.sanitizer import SLOWER, Watch
from paddlecompat.fixtures.forms import Place
from paddlecompat.machine import processes
from paddlecompat.machine.command_line import pytest_arguments
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import CannotRun, NotRun, PropertyResult

NO_TESTS_SELECTED = 5
DIED = "the process died before this property ran"
NEVER_RAN = {"property": {"outcome": "crashed", "calls": 0, "examples": 0, "message": DIED}}


@dataclass(frozen=True)
class Request:
    """How the properties run in an environment."""

    place: Place
    options: Options
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the build needs."""
    watch: Watch | None = None
    properties: Path = PROPERTIES
    restarts: int = 100
    """Of workers that died."""


@dataclass(frozen=True)
class Report:
    """What pytest reported of a property."""

    nodeid: str
    seconds: float
    found: dict[str, Any]
    """What conftest.py and the plugins say of it, by their names for it."""


def run(python: Path, request: Request, folder: Path) -> list[PropertyResult]:
    """What came of every property. Logs go to `folder`, progress to the terminal.

    Raises as `run_pytest`.
    """
    reports = {report.nodeid: report for report in run_pytest(python, request, folder)}
    collected = json.loads((folder / "journal.json.collected").read_text(encoding="utf-8"))
    return [result_of(reports.get(nodeid, Report(nodeid, 0.0, NEVER_RAN))) for nodeid in collected]


def run_pytest(
    python: Path,
    request: Request,
    folder: Path,
    plugin: Sequence[str] = (),
    only: Sequence[str] = (),
) -> list[Report]:
    """Run the properties in `python`, or those of these node ids; the reports in their order.

    Logs go to `folder`. What pytest prints goes to the terminal; with the options of a plugin, to a
    log, too. Raises ValueError where `request` selects no property, CannotRun where none could be
    collected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, journal = folder / "report.jsonl", folder / "journal.json"
    collected = Path(f"{journal}.collected")
    for stale in (log, journal, collected, *folder.glob("sanitizer.*.log")):
        stale.unlink(missing_ok=True)
    watched = request.watch.command(folder) if request.watch else []
    paths = [f"{request.properties}/{nodeid}" for nodeid in only] or [str(request.properties)]
    asked = [*watched, *command(python, request, log, journal), *plugin, *paths]
    inside = request.properties.parent  # plugins are found there
    if plugin:
        status = processes.run_logged(asked, folder / "pytest.log", request.settings, inside)
    else:
        status = processes.run_shown(asked, request.settings, inside)
    if status == NO_TESTS_SELECTED:
        raise ValueError(f"no property matches -k {request.options.keyword!r}")
    problem = collection_error(log)
    if problem or not collected.exists():
        words = "pytest could not collect the properties; its words are above, or in pytest.log"
        raise CannotRun(NotRun(reason="import failed", detail=problem or words))
    return list(reports_in(log))


def command(python: Path, request: Request, log: Path, journal: Path) -> list[str]:
    """The pytest command line."""
    options = request.options
    limit = PROFILES[options.profile].seconds * (SLOWER if request.watch else 1)
    return [
        *(str(python.absolute()), "-m", "pytest"),
        *("--quiet", "--no-header", "--tb=no", "--no-summary"),
        *("--numprocesses=1", f"--max-worker-restart={request.restarts}"),
        *(f"--timeout={options.timeout or limit}", "--timeout-method=thread"),
        *(f"--report-log={log}", f"--journal={journal}"),
        *(f"--place={request.place}", *pytest_arguments(options)),
    ]


def reports_in(log: Path) -> Iterator[Report]:
    """The log's reports that say how a property ended."""
    for entry in entries(log):
        found = dict(entry.get("user_properties") or ())
        if entry.get("$report_type") == "TestReport" and "property" in found:
            yield Report(entry["nodeid"], entry["duration"], found)


def collection_error(log: Path) -> str | None:
    """Why a module of properties could not be collected, in its last words; None: all were."""
    for entry in entries(log):
        if entry.get("$report_type") == "CollectReport" and entry["outcome"] == "failed":
            words = str(entry["longrepr"]).strip().splitlines()
            return f"{entry['nodeid']}: {words[-1]}"
    return None


def entries(log: Path) -> list[dict[str, Any]]:
    """The lines of pytest-reportlog's file; an unfinished last line is left out."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def result_of(report: Report) -> PropertyResult:
    """A property's result from what its report carried."""
    group, _, name = key_of(report.nodeid).partition("::")
    found = {**report.found["property"], "seconds": round(report.seconds, 3)}
    return PropertyResult.model_validate({"group": group, "name": name, **found})


def key_of(nodeid: str) -> str:
    """A property's name in the records: 'where::test_a' of 'kernel/test_where.py::test_a'."""
    module, _, name = nodeid.partition("::")
    return f"{re.sub(r'^test_', '', Path(module).stem)}::{name}"
