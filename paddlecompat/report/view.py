"""What the report shows, as plain data: the records judged and laid out.

The date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.forms import Place, in_order
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import store
from paddlecompat.records.judging import Standing, judge, pattern_explaining
from paddlecompat.records.record import Host, Record, class_order
from paddlecompat.report.grouping import grouped
from paddlecompat.report.tables import (
    ReleaseLine,
    Row,
    Sighting,
    letters_of,
    parts_of,
    rows_at,
)

PLACES: tuple[Place, ...] = ("cpu", "gpu")
Words = tuple[str, ...]


@dataclass(frozen=True)
class Badge:
    """What a badge says, and its colour as shields.io names it."""

    message: str
    color: str
    label: str = "paddle matrix"

    def json(self) -> str:
        """The form that shields.io's endpoint badge reads."""
        shown = {"schemaVersion": 1, "label": self.label, "message": self.message}
        return json.dumps({**shown, "color": self.color}, indent=1) + "\n"


def badge_of(standings: Iterable[Standing | None], unreadable: int = 0) -> Badge:
    """The badge for these cells: None stands for one that was not measured.

    Only cells that were measured count; where none was, there is nothing to be green about. A
    record that cannot be read may hide anything, so it costs the green too.
    """
    count = Counter(standings)
    measured = count.total() - count[None]
    parts = [f"{count['as expected']} of {measured} measured as expected"]
    if not measured:
        parts = ["nothing measured"]
    parts += [f"{count[word]} {word}" for word in ("worse", "better") if count[word]]
    parts += [f"{count[None]} not measured"] if measured and count[None] else []
    parts += [f"{unreadable} unreadable"] if unreadable else []
    colors = {
        "red": count["worse"],
        "yellow": unreadable,
        "lightgrey": not measured,
        "blue": count["better"],
    }
    return Badge(", ".join(parts), next((c for c, is_it in colors.items() if is_it), "brightgreen"))


def release_span(chosen: Collection[str], ordered: Sequence[str]) -> str:
    """'2.2.2-2.3.2, 3.3.1': those of the ordered that are chosen; neighbours are joined."""
    runs: list[list[str]] = [[]]
    for name in ordered:
        if name in chosen:
            runs[-1].append(name)
        elif runs[-1]:
            runs.append([])
    return ", ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs if run)


@dataclass(frozen=True)
class MatrixView:
    """All that the templates show."""

    records: list[Record]
    errors: list[str]
    """One line for each file that is not a record to show."""
    expectations: Sequence[Expectation]
    fixture: Fixture
    reports: Sequence[FieldReport]
    stand_ins: bool
    """Whether the records were made with a stand-in device."""

    @cached_property
    def letters(self) -> dict[Host, str]:
        return letters_of(record.host for record in self.records)

    @cached_property
    def rows(self) -> dict[Place, list[Row]]:
        rows = [
            Row(r.release, r.place, r, self.letters[r.host], judge(r, self.expectations))
            for r in self.records
        ]
        return {place: rows_at(place, rows, self.fixture) for place in PLACES}

    @property
    def all_rows(self) -> list[Row]:
        return [row for place in PLACES for row in self.rows[place]]

    @property
    def measured(self) -> list[Row]:
        """The rows that have a record, be it one that says why nothing ran."""
        return [row for row in self.all_rows if row.record]

    def shown(self, place: Place) -> list[Row]:
        """The rows of the tables: on the GPU those that were measured; the rest is `not run`."""
        return [row for row in self.rows[place] if place == "cpu" or row.judgement.measured]

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(row.verdict for row in self.all_rows)

    def cells_standing(self, standing: str) -> list[str]:
        """The cells that are 'worse' than expected, or 'better'."""
        rows = (row for row in self.all_rows if row.judgement.standing == standing)
        return [f"{row.place}-{row.label}" for row in rows]

    @property
    def badge(self) -> Badge:
        return badge_of((row.judgement.standing for row in self.all_rows), len(self.errors))

    @property
    def newest(self) -> Record | None:
        measured = (record for record in self.records if record.not_run is None)
        return max(measured, key=lambda record: record.measured_at, default=None)

    def groups(self, place: Place) -> dict[str, dict[str, dict[str, str]]]:
        """The table of each group: the titles of its properties, each with the keys of its results.

        A key comes with the parameter, '' where the property takes none. All are in the order in
        which the records list them.
        """
        groups: dict[str, dict[str, dict[str, str]]] = {}
        for result in (result for row in self.rows[place] for result in row.results.values()):
            title, parameter = parts_of(result)
            groups.setdefault(result.group, {}).setdefault(title, {})[result.key] = parameter
        return groups

    def classes(self, place: Place) -> list[str]:
        """The classes of host of a place, each a column."""
        found = {row.host_class for row in self.rows[place]}
        return sorted((name for name in found if name), key=class_order)

    def lines(self, place: Place) -> dict[str, ReleaseLine]:
        """The releases that have a row here, a build or a field report; the newest first."""
        rows = grouped(self.rows[place], lambda row: row.release)
        named, reports = set(rows), self.reports if place == "gpu" else ()
        if place == "gpu":
            named |= {release.version for release in self.fixture.release if release.gpu_builds}
            named |= {release for report in reports for release in report.exact}
        return {
            release: ReleaseLine(rows.get(release, []), [r for r in reports if r.concerns(release)])
            for release in sorted(named, key=in_order, reverse=True)
        }

    @cached_property
    def failures(self) -> list[Sighting]:
        return [failure for row in self.all_rows for failure in row.failures.values()]

    @property
    def exhibits(self) -> list[list[Sighting]]:
        """The failures, those of one property, outcome, cause and script together."""
        groups = grouped(
            self.failures, lambda f: (f.result.key, f.result.outcome, f.cause, f.script)
        )
        return list(groups.values())

    def tellings(self, failures: Sequence[Sighting]) -> dict[Words, list[Sighting]]:
        """These failures by their message, case, expected and actual."""
        return grouped(failures, lambda failure: failure.words)

    @property
    def meanings(self) -> dict[Words, list[Sighting]]:
        """The known failures by what they mean for training, in English and Chinese."""
        known = [failure for failure in self.failures if failure.cause]
        return grouped(known, lambda failure: failure.meaning)

    @property
    def unsupported(self) -> dict[str, list[Sighting]]:
        """What the releases do not offer, by the words in which they say so."""
        refusals = (
            Sighting(row.record, row.source, result)
            for row in self.measured
            for result in row.results.values()
            if row.record and result.outcome == "unsupported"
        )
        return grouped(refusals, lambda refusal: refusal.result.message)

    @property
    def mended(self) -> dict[str, list[str]]:
        """What was mended, with the cells in which it was."""
        mended = (
            (line, row.cell)
            for row in self.measured
            if row.record and row.record.environment
            for line in row.record.environment.mended
        )
        pairs = grouped(dict.fromkeys(mended), lambda pair: pair[0])
        return {line: [cell for _, cell in found] for line, found in pairs.items()}

    def explained_by(self, expectation: Expectation, pattern: str) -> list[Sighting]:
        """The failures that one pattern of an expectation explains."""
        known = (failure for failure in self.failures if failure.cause == expectation)
        return [f for f in known if pattern_explaining(expectation, f.result) == pattern]

    def cells_of(self, failures: Sequence[Sighting]) -> str:
        """'cpu 2.2.2-2.3.2, 3.3.1': where these were seen."""
        parts = {
            place: release_span(
                {f.record.release for f in failures if f.record.place == place},
                list(dict.fromkeys(row.release for row in reversed(self.rows[place]))),
            )
            for place in PLACES
        }
        return "; ".join(f"{place} {releases}" for place, releases in parts.items() if releases)

    def span(self, failures: Sequence[Sighting]) -> str:
        """`cells_of` several; of a single failure its cell and host, 'cpu-2.2.2 H1'."""
        if len(failures) > 1:
            return self.cells_of(failures)
        return f"{failures[0].record.cell} {failures[0].source}"


def view_of(
    folder: Path,
    known: Sequence[Expectation],
    fixture: Fixture,
    reports: Sequence[FieldReport] = (),
    stand_ins: bool = False,
) -> MatrixView:
    """The records of a folder, judged and laid out, with what others reported beside them.

    Of the records of one cell, host and build, the one that stays.
    """
    found, refused = store.gather(folder, stand_ins)
    staying = {r.file_name: r for r in sorted(found, key=store.standing)}
    records = [staying[name] for name in sorted(staying)]
    errors = [re.sub(rf"{re.escape(str(folder))}[/\\]+", "", line) for line in refused]
    return MatrixView(records, errors, known, fixture, reports, stand_ins)
