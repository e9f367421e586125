"""What the pages on mutants and on speed show."""

from __future__ import annotations

import statistics
from pathlib import Path

from jinja2 import Environment

from paddlecompat.records import study_results
from paddlecompat.records.study_results import MutationResults, Trial
from paddlecompat.report.tables import grouped, parts_of

Row = dict[str, list[float | None]]


def render(folder: Path, templates: Environment) -> dict[str, str]:
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
