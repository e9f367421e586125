"""The pages that say what this project itself can be trusted for.

What its properties see, in mutants and at what speed; and what was seen to go wrong with a run or
with the table (`fixtures/faults.toml`), each with its tests: one without a test is shown as such.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from paddlecompat.fixtures.forms import Model, Words, read_toml
from paddlecompat.folders import FIXTURES
from paddlecompat.records import study_results
from paddlecompat.records.study_results import Trial
from paddlecompat.report.facts import grouped
from paddlecompat.report.templates import render_text

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


def render_faults(path: Path) -> str:
    """The page. Raises ValueError, as `read_toml` does."""
    faults = read_toml(FaultsFile, path).fault
    sections = grouped(faults, lambda fault: fault.section)
    return render_text(
        "reliability.md.j2",
        sections=[(name, sections.get(name, [])) for name in get_args(Section)],
        files=sorted({test.partition("::")[0] for fault in faults for test in fault.tests}),
        untested=sum(not fault.tests for fault in faults),
        total=len(faults),
    )


def render_studies(folder: Path) -> dict[str, str]:
    """The pages on what was measured in `folder`, as far as it was. Raises ValueError."""
    pages: dict[str, str] = {}
    if (path := folder / study_results.MUTATION.name).exists():
        measured = study_results.read_mutation(path)
        pages["mutation.md"] = render_text(
            "mutation.md.j2",
            measured=measured,
            costs={trial.release: cost_of(trial) for trial in measured.trials},
            hidden={trial.release: measured.not_shown(trial) for trial in measured.trials},
            sections=grouped(measured.trials[0].mutants, lambda result: section_of(result.mutant)),
            stale=study_results.STALE,
        )
    if (path := folder / study_results.BENCH.name).exists():
        timed = study_results.read_bench(path)
        lines = study_results.lines_of(timed)
        pages["bench.md"] = render_text("bench.md.j2", bench=timed, groups=lines)
    return pages


def cost_of(trial: Trial) -> dict[str, float]:
    """Of the mutants that were killed, how much it took: medians, and the most."""
    killed = [result for result in trial.standing if result.killed_by]
    examples = [result.quickest for result in killed if result.quickest is not None]
    spent = [result.spent for result in killed]
    return {
        "examples": statistics.median(examples or [0]),
        "most_examples": max(examples, default=0),
        "seconds": statistics.median(spent or [0]),
        "most_seconds": max(spent, default=0),
    }


def section_of(mutant: str) -> str:
    """'masked_select' of 'masked_select: drop last'; '' of one that was written by hand."""
    return mutant.partition(": ")[0] if ": " in mutant else ""
