"""The short script of a failure: what to install, what is due, what comes instead, and the lines.

The lines are made from the case by `tests/properties/programs/short_scripts.py`. On a GPU faults
come and go with what memory held, so there the record's own script stays.
"""

from __future__ import annotations

import re
import sys
import textwrap
from functools import cache

from paddlecompat.fixtures.bugs import Bug
from paddlecompat.fixtures.folders import TESTS
from paddlecompat.fixtures.releases import Fixture, System
from paddlecompat.fixtures.setups import Setup
from paddlecompat.records.record import IMPORTS
from paddlecompat.report.tables import Sighting

WIDTH = 100
SHOWN = 300  # characters of what is due, and of what comes instead
HEX = re.compile(r" \(<U\d+, shape \[[\d, ]*\]\)")  # of bits that were written as text


def setup_of(seen: Sighting, fixture: Fixture, version: str = "") -> Setup:
    """That of the cell where it was seen, of its release or of another version."""
    record = seen.record
    release = next(r for r in fixture.release if r.version == (version or record.release))
    if not record.resolution:
        return Setup(release, release.python)
    needs = () if seen.result.key == IMPORTS else tuple(record.resolution.needs or ())
    return Setup(release, record.resolution.python, needs)


def script_for(seen: Sighting, fixture: Fixture) -> str:
    """The short script, else the record's own; '' where the record has neither."""
    return short_script(seen, fixture) or seen.script


def short_script(seen: Sighting, fixture: Fixture) -> str:
    """The short script; '' where none can be made of the case, or others measured it."""
    record, shown = seen.record, seen.result.evidence
    listed = any(release.version == record.release for release in fixture.release)
    if shown is None or record.place != "cpu" or record.provenance != "own" or not listed:
        return ""
    lines = lines_of(shown.case, shown.expected, shown.actual)
    return f"{head_of(seen, fixture)}{lines}" if lines else ""


@cache
def lines_of(case: str, expected: str, actual: str) -> str:
    """The lines below the head; '' where the case is of no form that is known."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from properties.programs.short_scripts import script_of  # NumPy is not loaded for others

    return script_of(case, expected, actual)


def head_of(seen: Sighting, fixture: Fixture) -> str:
    """The comment at the top of the script of a failure that has evidence."""
    setup, shown = setup_of(seen, fixture), seen.result.evidence
    release, bug = setup.release, seen.cause if isinstance(seen.cause, Bug) else None
    expected, actual = (shown.expected, shown.actual) if shown else ("", "")
    system: System = "windows" if seen.record.host.system == "Windows" else "linux"
    gaps = [gap.asked for gap in fixture.gaps_of(release)]
    only_gpu = release.on_pypi.distribution == "paddlepaddle-gpu"
    named = " (on PyPI as paddlepaddle-gpu alone; no GPU is needed)" if only_gpu else ""
    lines = [
        bug.title if bug else seen.full_title,
        f"PaddlePaddle {release.version} on the CPU, CPython {setup.python}{named}",
        f"Install:  {setup.install_command(system)}",
    ]
    if gaps and system == "linux":
        lines.append(f"          Linux without {', '.join(gaps)}: nox -s {seen.record.cell}")
    instead = "a loss, and no error" if expected == "an error" else actual
    lines += [*comment("Expected", expected), *comment("Instead", instead)]
    lines += [f"Upstream: {bug.link}"] if bug else []
    return "".join(f"# {line}\n" for line in lines)


def comment(label: str, text: str) -> list[str]:
    """As much of the text as a head has room for, in lines of a page's width."""
    short = textwrap.shorten(HEX.sub("", text), SHOWN, placeholder=" ...")
    return textwrap.wrap(f"{label + ':':<9} {short}", WIDTH - 2, subsequent_indent=" " * 10)
