"""A worker: a pytest process that runs the properties which the launcher names, one at a time.

The launcher (`paddlecompat/cells/workers.py`) writes node ids to the standard input, and reads
these files: NAME.collected.json, which properties there are, written once; NAME.jsonl, a line of
JSON for each thing reported; NAME.journal, which property runs on which case. The process may die
at any time, and is replaced. One that is stopped says with which exit status of the launcher.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NoReturn, TextIO

import pytest
from hypothesis import settings

from properties.protocol.release_errors import printable

CANNOT_WRITE = 74  # EX_IOERR: the launcher knows it


class Worker:
    """The hooks of such a process. `path` is NAME: each process has one of its own."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[str] = []
        self.asked = take_standard_input()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that fails, or skips itself, would take its properties away without a word."""
        if not report.passed:
            words = str(report.longrepr).strip().splitlines() or ["no words"]
            self.problems.append(printable(f"{report.nodeid}: {words[-1]}"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Say what was collected; then run what is asked for, until the launcher wants no more."""
        properties = [{"nodeid": i.nodeid, "examples": examples_of(i)} for i in session.items]
        self.write("collected.json", {"properties": properties, "problems": self.problems})
        items = {item.nodeid: item for item in session.items}
        for line in self.asked:
            item = items[line.rstrip("\n")]
            try:
                # The session as the next item: what is set up for all of it stays.
                item.ihook.pytest_runtest_protocol(item=item, nextitem=session)
            except (pytest.exit.Exception, KeyboardInterrupt, session.Interrupted) as stop:
                interrupted = isinstance(stop, KeyboardInterrupt)
                status = 3 if interrupted else getattr(stop, "returncode", None) or 2
                said = printable(f"{type(stop).__name__}: {stop}")
                self.tell(item.nodeid, stopped=said, status=status)
                return True
            self.tell(item.nodeid, ended=True)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = dict(report.user_properties)
        if "property" in found:
            self.tell(report.nodeid, seconds=report.duration, found=found)
        elif report.failed:  # an error of the teardown
            words = str(report.longrepr).strip().splitlines() or ["no words"]
            self.tell(report.nodeid, after=printable(words[-1]))

    def tell(self, nodeid: str, **said: Any) -> None:
        try:
            with Path(f"{self.path}.jsonl").open("a", encoding="ascii") as file:
                file.write(json.dumps({"nodeid": nodeid, **said}) + "\n")
        except OSError:
            leave_unwritten()

    def write(self, ending: str, said: dict[str, Any]) -> None:
        try:
            beside = Path(f"{self.path}.{ending}.part")
            beside.write_text(json.dumps(said), encoding="ascii")
            beside.replace(f"{self.path}.{ending}")
        except OSError:
            leave_unwritten()


def leave_unwritten() -> NoReturn:
    """End this process: what it finds cannot be written, so no release may be charged with it."""
    os._exit(CANNOT_WRITE)


def take_standard_input() -> TextIO:
    """The standard input, out of the reach of what a release starts."""
    taken = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return taken


def examples_of(item: Any) -> int | None:
    """How many examples the property draws, where that is not for the profile to say.

    None: the profile's number. 0: it draws none, and loops by itself.
    """
    if not hasattr(item.obj, "hypothesis"):
        return 0
    default: Any = settings.default
    own: Any = getattr(item.obj, "_hypothesis_internal_use_settings", default)
    return None if own.max_examples == default.max_examples else int(own.max_examples)
