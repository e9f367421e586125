"""The pages that say what this project itself can be trusted for.

What its properties see, in mutants and at what speed; and what was seen to go wrong with a run or
with the table (`fixtures/faults.toml`), each with its tests: one without a test is shown as such.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, Literal, get_args

from jinja2 import Environment
from pydantic import Field

from paddlecompat.fixtures.forms import Model, Words, read_toml
from paddlecompat.folders import FIXTURES
from paddlecompat.records import study_results
from paddlecompat.records.study_results import MutationResults, Trial
from paddlecompat.report.view import grouped, parts_of

FAULTS = FIXTURES / "faults.toml"
Section = Literal[
    "green that was not",
    "red that blames the wrong party",
    "hangs and stuck states",
    "records from others",
]
Test = Annotated[str, Field(pattern=r"^tests/(unit|integration)/test_\w+\.py::test_\w+$")]
Row = dict[str, list[float | None]]


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


def load_faults(path: Path = FAULTS) -> list[Fault]:
    """The faults, in the order of the file. Raises ValueError, as `read_toml` does."""
    return read_toml(FaultsFile, path).fault


def render_faults(path: Path, templates: Environment) -> str:
    """The page. Raises ValueError, as `read_toml` does."""
    faults = load_faults(path)
    sections = grouped(faults, lambda fault: fault.section)
    return templates.get_template("reliability.md.j2").render(
        sections=[(name, sections.get(name, [])) for name in get_args(Section)],
        files=sorted({test.partition("::")[0] for fault in faults for test in fault.tests}),
        untested=sum(not fault.tests for fault in faults),
        total=len(faults),
    )


def render_studies(folder: Path, templates: Environment) -> dict[str, str]:
    """The pages on what was measured in `folder`, as far as it was. Raises ValueError."""
    pages, examples = {}, None
    if (path := folder / study_results.MUTATION.name).exists():
        measured = study_results.read_mutation(path)
        shown = max(measured.trials, key=lambda trial: len(trial.properties))
        examples = examples_to_kill(measured)
        pages["mutation.md"] = templates.get_template("mutation.md.j2").render(
            measured=measured,
            hidden={trial.release: measured.not_shown(trial) for trial in measured.trials},
            shown=shown,
            tables=tables(shown),
            stale=study_results.STALE,
        )
    if (path := folder / study_results.BENCH.name).exists():
        timed = study_results.read_bench(path)
        pages["bench.md"] = templates.get_template("bench.md.j2").render(
            bench=timed, groups=study_results.lines_of(timed), examples=examples
        )
    return pages


def tables(trial: Trial) -> list[tuple[str, list[str], Row]]:
    """For each group of properties: properties across, mutants down, after how many examples.

    A property's parameters are one column, in which the quickest counts.
    """
    columns = dict.fromkeys(map(column_of, trial.properties))
    rows: dict[str, dict[tuple[str, str], float]] = {}
    for result in trial.mutants:
        kills = grouped(result.killed_by.items(), lambda kill: column_of(kill[0]))
        rows[result.mutant] = {
            column: min(kill.examples for _, kill in kills) for column, kills in kills.items()
        }
    found = []
    for group, mine in grouped(columns, lambda column: column[0]).items():
        killed = {mutant: [row.get(column) for column in mine] for mutant, row in rows.items()}
        shown = {mutant: row for mutant, row in killed.items() if row.count(None) < len(row)}
        found.append((group, [title for _, title in mine], shown))
    return found


def column_of(key: str) -> tuple[str, str]:
    """'masked_select::test_a_b[c]' as 'masked_select' and 'a b'."""
    group, _, name = key.partition("::")
    return group, parts_of(name)[0]


def examples_to_kill(measured: MutationResults) -> float:
    """The median over mutants and releases of the quickest property's median examples."""
    quickest = [result.quickest for trial in measured.trials for result in trial.mutants]
    return statistics.median(number for number in quickest if number is not None)
