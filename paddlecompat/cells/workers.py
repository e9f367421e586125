"""Workers: the processes that run the properties, and what is done when one of them dies or hangs.

A worker is a pytest process in the cell's interpreter (`tests/properties/protocol/worker.py`). It
runs one property at a time, under a deadline that is kept here. pytest-xdist cannot carry this: its
controller waits for the end of a pipe that a worker's children may hold open.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paddlecompat.folders import shown
from paddlecompat.machine.processes.children import Child, start
from paddlecompat.records.judging import Status
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun

CANNOT_WRITE = 74  # the exit status of a worker whose files cannot be written
COLLECTING = 600  # seconds until a worker has collected the properties
ENDING = 30  # seconds until a worker that is not needed any more has ended
STARTS = 3  # in a row, without a property: then something kills every worker
PAUSE = 0.01  # seconds between two looks at the workers


@dataclass(frozen=True)
class Report:
    """What a worker reported of a property, or what its death says of it."""

    nodeid: str
    seconds: float
    found: dict[str, Any]
    """What conftest.py and the plugins say of it, by their names for it."""
    log: Path
    """What the worker and the release printed."""
    lost: bool = False
    """Whether the device no longer answered, and no refusal was due."""


@dataclass(frozen=True)
class Collected:
    """A property that pytest found."""

    nodeid: str
    examples: int | None
    """How many it draws, where the profile does not say; 0 where it draws none."""


class Worker:
    """One process, and what it was given to run."""

    def __init__(self, crew: Crew, number: int) -> None:
        self.crew, self.name = crew, crew.folder / f"worker-{number}"
        self.log = Path(f"{self.name}.log")
        with self.log.open("wb") as log:
            self.child: Child = start(
                [*crew.command, f"--worker={self.name}"],
                crew.environment,
                crew.inside,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.nodeid: str | None = None
        self.since = time.monotonic()
        self.found: dict[str, Any] | None = None
        self.told = Path(f"{self.name}.jsonl")
        self.told.touch()
        self.read = 0  # bytes of it

    @property
    def collected(self) -> dict[str, Any] | None:
        """What it collected; None until it has."""
        file = Path(f"{self.name}.collected.json")
        if not self.found and file.exists():
            self.found = json.loads(file.read_text(encoding="ascii"))
        return self.found

    def give(self, nodeid: str) -> None:
        """Have it run a property."""
        self.nodeid, self.since = nodeid, time.monotonic()
        with suppress(OSError):  # it died: the next look at it says so
            assert self.child.stdin is not None
            self.child.stdin.write(f"{nodeid}\n".encode())
            self.child.stdin.flush()

    def reports(self) -> Iterator[Report]:
        """What it reported since the last look. Raises as `stop` where it was stopped."""
        if self.told.stat().st_size == self.read:
            return
        with self.told.open("rb") as lines:
            lines.seek(self.read)
            whole = lines.read().rpartition(b"\n")[0]
        self.read += len(whole) + 1 if whole else 0
        for entry in map(self.entry_of, whole.splitlines()):
            if "stopped" in entry:
                raise stop(entry)
            if "after" in entry:
                words = f"an error after the property: {entry['after']}"
                found = outcome("violated", words)
                found["property"]["severity"] = "error"
                yield Report(entry["nodeid"], 0.0, found, self.log)
            elif "found" in entry:
                yield Report(entry["nodeid"], entry["seconds"], entry["found"], self.log)
            else:
                self.nodeid = None

    def entry_of(self, line: bytes) -> dict[str, Any]:
        """A line that it wrote. Raises MachineFailed where something else wrote there, too."""
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and "nodeid" in entry:
                return entry
        raise MachineFailed(f"{shown(self.told)}: {line[:80]!r} is not what a worker writes there")

    @property
    def is_overdue(self) -> bool:
        limit = COLLECTING if self.nodeid is None else self.crew.seconds
        working = self.nodeid is not None or self.collected is None
        return working and time.monotonic() - self.since > limit

    def death(self, overdue: bool) -> Report:
        """What the end of its process says of the property that ran."""
        assert self.nodeid is not None
        journal = Path(f"{self.name}.journal")
        header = last_words(journal)
        header = header if header.get("property") == self.nodeid else {}  # else it is an older one
        left = header.get("left") or {}
        found = outcome("crashed", ended_by(self.child.poll()))
        if overdue:
            found = outcome("timed out", f"no end within {self.crew.seconds:g} s")
        if left:
            found = outcome("crashed", f"the device no longer answered: {left['said']}")
        if left and left["asserted"]:
            words = f"the device refuses by an assertion that ends the process: {left['said']}"
            found = outcome("holds", words)
            found["property"] |= {name: left[name] for name in ("asserted", "calls", "examples")}
        elif header.get("case") and (script := self.crew.script_of(journal)):
            said = found["property"]["message"]
            answers = {"expected": "an answer", "actual": said, "script": script}
            found["property"]["evidence"] = {"case": header["case"], **answers}
        found["property"]["case"] = header.get("case")
        lost = bool(left) and not left["asserted"]
        return Report(self.nodeid, time.monotonic() - self.since, found, self.log, lost)

    def last_printed(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or "it printed nothing"


@dataclass
class Crew:
    """Workers side by side, until they are closed."""

    command: Sequence[str]
    """The pytest command, but for a worker's own name."""
    environment: Mapping[str, str]
    inside: Path
    """The folder in which plugins are found."""
    folder: Path
    """Where the workers' files lie."""
    seconds: float
    """The limit of one property."""
    most_lost: int
    """How often the device may be lost: each time a process starts anew, which takes some 8 s."""
    script_of: Callable[[Path], str | None]
    """The script of the case in a journal of a process that died."""
    size: int
    workers: list[Worker] = field(default_factory=list)
    started: int = 0
    starts_in_vain: int = 0
    lost: int = 0
    """How often the device was."""

    def close(self) -> None:
        """End them all, whatever they do."""
        for worker in self.workers:
            worker.child.kill()
        self.workers.clear()

    def start(self) -> Worker:
        self.started += 1
        return Worker(self, self.started)

    def collect(self) -> list[Collected]:
        """The properties, as the first worker finds them; CannotRun where a module fails."""
        self.workers = [self.start()]
        while (found := self.workers[0].collected) is None:
            self.look_after(0)
            time.sleep(PAUSE)
        if found["problems"]:
            raise CannotRun(NotRun(reason="import failed", detail=found["problems"][0]))
        return [Collected(**each) for each in found["properties"]]

    def run(self, nodeids: Sequence[str]) -> Iterator[Report]:
        """The reports of these properties, as they come, until the device is lost too often."""
        waiting = deque(nodeids)
        while len(self.workers) < min(self.size, len(waiting)):
            self.workers.append(self.start())
        while waiting or any(worker.nodeid for worker in self.workers):
            if self.lost >= self.most_lost:
                waiting.clear()
            for place, worker in enumerate(self.workers):
                yield from worker.reports()
                yield from self.look_after(place)
                worker = self.workers[place]
                if waiting and worker.nodeid is None and worker.collected is not None:
                    worker.give(waiting.popleft())
            time.sleep(PAUSE)

    def dismiss(self) -> None:
        """Let them end by themselves: compute-sanitizer writes down the last things then."""
        for worker in self.workers:
            with suppress(OSError):
                assert worker.child.stdin is not None
                worker.child.stdin.close()
            worker.child.wait(ENDING)

    def look_after(self, place: int) -> list[Report]:
        """Replace a worker that died, or whose time is up, and report the property that it ran."""
        worker = self.workers[place]
        overdue = worker.is_overdue
        status = worker.child.poll()
        if status is None and not overdue:
            return []
        worker.child.kill()
        if status == CANNOT_WRITE:
            raise MachineFailed(f"nothing can be written to {self.folder}: is the disk full?")
        reports = list(worker.reports())
        if worker.nodeid is not None:
            reports.append(worker.death(overdue))
            self.lost += reports[-1].lost
            self.starts_in_vain = 0
        elif worker.collected is None:
            self.starts_in_vain += 1
        if self.starts_in_vain >= STARTS:
            words = f"{STARTS} processes ended before their first property, the last after"
            raise MachineFailed(f"{words} {worker.last_printed()!r} (log: {worker.log})")
        self.workers[place] = self.start()
        return reports


def outcome(name: str, message: str) -> dict[str, Any]:
    """What is found of a property whose process says nothing of it any more."""
    return {"property": {"outcome": name, "calls": 0, "examples": 0, "message": message}}


def stop(entry: Mapping[str, Any]) -> Exception:
    """Why a worker was stopped in the middle of a property: nothing is said about a release."""
    words = f"the run was stopped in {entry['nodeid']}: {entry['stopped']}"
    return MachineFailed(words) if entry["status"] == Status.MACHINE_FAILED else ValueError(words)


def ended_by(status: int | None) -> str:
    """'the process died: SIGSEGV', or 'the process ended, with status 3'."""
    if status is None or status >= 0:
        return f"the process ended, with status {status}"
    try:
        return f"the process died: {signal.Signals(-status).name}"
    except ValueError:
        return f"the process died: signal {-status}"


def last_words(journal: Path) -> dict[str, Any]:
    """The journal's header; empty where there is none, or it was cut off."""
    with suppress(OSError, ValueError):
        return dict(json.loads(journal.read_bytes().partition(b"\n")[0]))
    return {}
