"""`fixtures/faults.toml`, and its page: what was seen to go wrong, what is promised, and the tests.

A fault without a test is shown as one: what is only promised is not known to be kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from jinja2 import Environment
from pydantic import Field

from paddlecompat.fixtures.folders import FIXTURES
from paddlecompat.fixtures.forms import Model, Words, read_toml
from paddlecompat.report.tables import grouped

FAULTS = FIXTURES / "faults.toml"
Section = Literal[
    "green that was not",
    "red that blames the wrong party",
    "hangs and stuck states",
    "records from others",
]
Test = Annotated[str, Field(pattern=r"^tests/(unit|integration)/test_\w+\.py::test_\w+$")]


class Fault(Model):
    """One thing that went wrong, and what was made of it."""

    section: Section = Field(description="What the fault did to the table.")
    what: Words = Field(description="What was done, and what came of it.")
    what_zh: Words = Field(description="The same in Chinese.")
    promise: Words = Field(description="What comes of it now.")
    promise_zh: Words = Field(description="The same in Chinese.")
    tests: list[Test] = Field(
        description="The tests that do it for real: 'tests/unit/test_a.py::test_b'; [] for none."
    )


class FaultsFile(Model):
    """What was seen to go wrong with a run or with the table."""

    fault: list[Fault] = Field(min_length=1, description="One block for each.")


def load(path: Path = FAULTS) -> list[Fault]:
    """The faults, in the order of the file. Raises ValueError, as `read_toml` does."""
    return read_toml(FaultsFile, path).fault


def render(path: Path, templates: Environment) -> str:
    """The page. Raises ValueError, as `read_toml` does."""
    faults = load(path)
    sections = grouped(faults, lambda fault: fault.section)
    return templates.get_template("reliability.md.j2").render(
        sections=[(name, sections.get(name, [])) for name in get_args(Section)],
        files=sorted({test.partition("::")[0] for fault in faults for test in fault.tests}),
        untested=sum(not fault.tests for fault in faults),
        total=len(faults),
    )
