"""Put the properties to an environment: one pytest run in its interpreter, read back as results.

Each property runs in a worker of pytest-xdist under pytest-timeout; a worker that dies is replaced
and costs its property alone. pytest-reportlog and the journal of `tests/properties` bring back what
was seen, also from a run that was cut short.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from paddlecompat.cells.option_set import TIMEOUT, Request
from paddlecompat.cells.sanitizer import SLOWER
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.machine.processes import plain_environment
from paddlecompat.records.record import CannotRun, Evidence, NotRun, PropertyResult

NO_TESTS_SELECTED = 5


def run(python: Path, request: Request, folder: Path) -> list[PropertyResult]:
    """Run the properties in `python`; logs go to `folder`, progress to the terminal.

    Raises ValueError where `request` selects no property, CannotRun where none could be collected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, journal = folder / "report.jsonl", folder / "journal.json"
    collected = Path(f"{journal}.collected")
    for stale in (log, journal, collected, *folder.glob("sanitizer.*.log")):
        stale.unlink(missing_ok=True)
    watched = request.watch.command(folder) if request.watch else []
    asked = [*watched, *command(python, request, log, journal)]
    ended = subprocess.run(asked, cwd=ROOT, env={**plain_environment(), **request.settings})
    if ended.returncode == NO_TESTS_SELECTED:
        raise ValueError(f"no property matches -k {request.keyword!r}")
    if problem := collection_error(log):
        raise CannotRun(NotRun(reason="import failed", detail=problem))
    if not collected.exists():
        detail = "pytest could not collect the properties; its words are above"
        raise CannotRun(NotRun(reason="import failed", detail=detail))
    return results(log, json.loads(collected.read_text(encoding="utf-8")))


def command(python: Path, request: Request, log: Path, journal: Path) -> list[str]:
    """The pytest command line."""
    timeout = request.timeout or TIMEOUT[request.profile] * (SLOWER if request.watch else 1)
    optional = {
        "--hypothesis-seed": request.seed,
        "-k": request.keyword,
        "--defect": request.defect,
        "--target": request.target,
        "--memory-limit": request.memory_limit,
        "--stand-in": request.stand_in,
    }
    return [
        *(str(python), "-m", "pytest", str(request.properties), "--quiet", "--no-header"),
        *(
            "--tb=no",
            "--no-summary",
            "--numprocesses=1",
            f"--max-worker-restart={request.restarts}",
        ),
        *(f"--timeout={timeout}", "--timeout-method=thread"),
        *(f"--report-log={log}", f"--journal={journal}"),
        *(f"--place={request.place}", f"--profile={request.profile}"),
        *(f"{name}={value}" for name, value in optional.items() if value is not None),
    ]


def results(log: Path, collected: list[str]) -> list[PropertyResult]:
    """What the log says of every property that was collected, in that order."""
    seen: dict[str, PropertyResult] = {}
    for entry in entries(log):
        found = dict(entry.get("user_properties") or ()).get("property")
        if entry.get("$report_type") == "TestReport" and found is not None:
            seen[entry["nodeid"]] = result(entry["nodeid"], entry["duration"], found)
    return [seen.get(nodeid) or never_ran(nodeid) for nodeid in collected]


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


def result(nodeid: str, seconds: float, found: dict[str, Any]) -> PropertyResult:
    """A property's result from what its report carried."""
    evidence = found.pop("evidence", None)
    return PropertyResult(
        group=group(nodeid),
        name=nodeid.partition("::")[2],
        seconds=round(seconds, 3),
        evidence=None if evidence is None else Evidence(**evidence),
        **found,
    )


def group(nodeid: str) -> str:
    """'masked_select' of 'tests/properties/test_masked_select.py::test_…'."""
    module = Path(nodeid.partition("::")[0]).stem
    return re.sub(r"^test_", "", module)


def never_ran(nodeid: str) -> PropertyResult:
    """A collected property without a result: its worker died before it could start."""
    found = {"outcome": "crashed", "calls": 0, "examples": 0}
    return result(nodeid, 0.0, {**found, "message": "the process died before this property ran"})
