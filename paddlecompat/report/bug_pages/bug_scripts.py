"""The short script of a failure: what to install, what is due, what comes instead, and the lines.

The lines are made from the case by `tests/properties/programs/short_scripts.py`. On a GPU faults
come and go with what memory held, so there the record's own script stays.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from functools import cache

from paddlecompat.fixtures.bugs import Bug
from paddlecompat.fixtures.builds import System
from paddlecompat.fixtures.forms import pip_install
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.folders import TESTS
from paddlecompat.records.record import IMPORTS, Evidence
from paddlecompat.report.view import Sighting

WIDTH = 100
SHOWN = 300  # characters of what is due, and of what comes instead
HEX = re.compile(r" \(<U\d+, shape \[[\d, ]*\]\)")  # of bits that were written as text


def install_command(seen: Sighting, release: Release) -> str:
    """What makes of a release the environment of the cell where the failure was seen."""
    resolved = seen.record.resolution
    if not resolved:
        system: System = "windows" if seen.record.host.system == "Windows" else "linux"
        return release.install_command(release.on_pypi, system)
    needs = [] if seen.result.key == IMPORTS else resolved.needs or []
    return pip_install(f"{release.on_pypi.distribution}=={release.version}", *needs)


def python_for(seen: Sighting, release: Release) -> str:
    """The CPython of that environment, as '3.12'."""
    return seen.record.resolution.python if seen.record.resolution else release.python


def script_for(seen: Sighting, fixture: Fixture) -> str:
    """The short script, else the record's own; '' where the record has neither."""
    return short_script(seen, fixture) or seen.script


def short_script(seen: Sighting, fixture: Fixture) -> str:
    """The short script; '' where none can be made of the case, or others measured it."""
    record, shown = seen.record, seen.result.evidence
    release = next((r for r in fixture.release if r.version == record.release), None)
    if not (shown and release) or record.place != "cpu" or record.provenance != "own":
        return ""
    lines = lines_of(shown.case, shown.expected, shown.actual)
    gaps = [gap.asked for gap in fixture.gaps_of(release)]
    return f"{head_of(seen, shown, release, gaps)}{lines}" if lines else ""


@cache
def lines_of(case: str, expected: str, actual: str) -> str:
    """The lines below the head; '' where the case is of no form that is known."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from properties.programs.short_scripts import script_of  # NumPy is not loaded for others

    return script_of(case, expected, actual)


def head_of(seen: Sighting, shown: Evidence, release: Release, gaps: Sequence[str]) -> str:
    """The comment at the top of a script. `gaps` are what its release may lack on Linux."""
    bug, python = seen.cause if isinstance(seen.cause, Bug) else None, python_for(seen, release)
    only_gpu = release.on_pypi.distribution == "paddlepaddle-gpu"
    named = " (on PyPI as paddlepaddle-gpu alone; no GPU is needed)" if only_gpu else ""
    lines = [
        bug.title if bug else seen.full_title,
        f"PaddlePaddle {release.version} on the CPU, CPython {python}{named}",
        f"Install:  {install_command(seen, release)}",
    ]
    if gaps and seen.record.host.system == "Linux":
        command = f"nox -s {seen.record.cell}"
        lines.append(f"          Linux without {', '.join(gaps)}: {command} mends it")
    instead = "a loss, and no error" if shown.expected == "an error" else shown.actual
    for label, text in (("Expected:", shown.expected), ("Instead:", instead)):
        short = textwrap.shorten(HEX.sub("", text), SHOWN, placeholder=" ...")
        lines += textwrap.wrap(f"{label:<9} {short}", WIDTH - 2, subsequent_indent=" " * 10)
    lines += [f"Upstream: {bug.link}"] if bug else []
    return "".join(f"# {line}\n" for line in lines)
