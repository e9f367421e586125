"""TODO."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass

from paddlecompat.records.mutation_results import Sensitivity, Trial


@dataclass(frozen=True)
class Table:
    """A group's properties across, defects down: after how many examples each caught which."""

    group: str
    properties: list[str]
    rows: dict[str, list[float | None]]


def tables(trial: Trial) -> list[Table]:
    """For each group of properties; a property's parameters are one column, the quickest counts."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key in trial.properties:
        group, title = column_of(key)
        if title not in groups[group]:
            groups[group].append(title)
    return [table_of(trial, group, titles) for group, titles in groups.items()]


def table_of(trial: Trial, group: str, titles: list[str]) -> Table:
    rows = {}
    for tried in trial.defects:
        quickest: dict[tuple[str, str], float] = {}
        for key, catch in tried.caught.items():
            column = column_of(key)
            quickest[column] = min(catch.examples, quickest.get(column, catch.examples))
        if any(column[0] == group for column in quickest):
            rows[tried.defect] = [quickest.get((group, title)) for title in titles]
    return Table(group, titles, rows)


def column_of(key: str) -> tuple[str, str]:
    """'masked_select::test_a_b[c]' as 'masked_select' and 'a b'."""
    group, _, name = key.partition("::")
    return group, name.partition("[")[0].removeprefix("test_").replace("_", " ")


def examples_to_catch(measured: Sensitivity) -> float:
    """The median over defects and releases of the quickest property's median examples."""
    quickest = [tried.quickest for trial in measured.trials for tried in trial.defects]
    return statistics.median(number for number in quickest if number is not None)
