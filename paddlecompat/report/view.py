"""What the report shows, as plain data: the records judged and laid out.

The date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.field_reports import FieldReport
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import host_classes, store
from paddlecompat.records.record import Host, Record
from paddlecompat.report.badge import Badge, badge
from paddlecompat.report.findings import Exhibit, Finding, exhibits, subject_of, title_of
from paddlecompat.report.tables import (
    Group,
    Line,
    Row,
    groups_of,
    lettered,
    lines_of,
    placed,
    row_of,
)

PLACES: tuple[Place, ...] = ("cpu", "gpu")


@dataclass(frozen=True)
class Meaning:
    """What violations of one kind mean to who trains, and where they were found."""

    english: str
    chinese: str
    cells: str
    titles: list[str]
    findings: list[Finding]


@dataclass(frozen=True)
class Saying:
    """Words that came out of several cells."""

    text: str
    cells: list[str]
    properties: list[str]


@dataclass(frozen=True)
class View:
    """All that the templates show."""

    rows: dict[Place, list[Row]]
    groups: dict[Place, list[Group]]
    hosts: dict[str, Host]
    unsupported: list[Saying]
    mended: list[Saying]
    expectations: list[Expectation]
    reports: list[FieldReport]
    lines: dict[Place, list[Line]]
    errors: list[str]
    stand_ins: bool
    badge: Badge
    newest: Record | None

    @property
    def all_rows(self) -> list[Row]:
        return [row for place in PLACES for row in self.rows[place]]

    @property
    def measured(self) -> list[Row]:
        """The rows that have a record, be it one that says why nothing ran."""
        return [row for row in self.all_rows if row.record]

    @property
    def findings(self) -> list[Finding]:
        return [finding for row in self.all_rows for finding in row.findings.values()]

    @property
    def exhibits(self) -> list[Exhibit]:
        return exhibits(self.findings)

    def classes(self, place: Place) -> list[str]:
        """The classes of host of a place, each a column."""
        found = {row.host_class for row in self.rows[place]} - {None}
        return sorted((name for name in found if name), key=host_classes.in_order)

    def shown(self, place: Place) -> list[Row]:
        """The rows of the tables: on the GPU those that were measured; the rest is `not run`."""
        return [row for row in self.rows[place] if place == "cpu" or row.judgement.measured]

    def line(self, place: Place, release: str) -> Line | None:
        return next((line for line in self.lines[place] if line.release == release), None)

    def span(self, found: Sequence[Finding]) -> str:
        """'cpu 2.2.2-2.3.2' or, of a single cell, 'cpu-2.2.2 H1'."""
        first = found[0]
        return self.cells_of(found) if len(found) > 1 else f"{first.record.cell} {first.host}"

    @property
    def meanings(self) -> list[Meaning]:
        """What the known violations mean, each once."""
        known: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            if finding.cause is not None:
                known.setdefault((finding.cause.means, finding.cause.means_zh), []).append(finding)
        return [
            Meaning(
                *words,
                cells=self.cells_of(found),
                titles=list(dict.fromkeys(subject_of(finding.result) for finding in found)),
                findings=found,
            )
            for words, found in known.items()
        ]

    def cells_of(self, found: Sequence[Finding]) -> str:
        """'cpu 2.2.2-2.3.2, 3.3.1': where these were found."""
        return "; ".join(
            f"{place} {releases}"
            for place in PLACES
            if (
                releases := spanned(
                    {f.record.release for f in found if f.record.place == place},
                    list(dict.fromkeys(row.release for row in reversed(self.rows[place]))),
                )
            )
        )

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(row.verdict for row in self.all_rows)

    def explained_by(self, expectation: Expectation) -> list[Finding]:
        """The violations that it explains."""
        return [finding for finding in self.findings if finding.cause == expectation]

    def standing(self, standing: str) -> list[str]:
        """The cells that stand so."""
        return [
            f"{row.place}-{row.label}"
            for row in self.all_rows
            if row.judgement.standing == standing
        ]


def view_of(
    folder: Path,
    known: Sequence[Expectation],
    fixture: Fixture,
    reports: Sequence[FieldReport] = (),
    stand_ins: bool = False,
) -> View:
    """Judge the records of a folder and lay them out, with what others reported beside them."""
    gathered = store.gather(folder, stand_ins)
    sane = those_that_stay(gathered.records)
    errors = [re.sub(rf"{re.escape(str(folder))}[/\\]+", "", line) for line in gathered.errors]
    letters = lettered(record.host for record in sane)
    rows = [row_of(record, letters[record.host], known) for record in sane]
    by_place = {place: placed(rows, place, fixture) for place in PLACES}
    ordered = [row for place in PLACES for row in by_place[place]]
    return View(
        rows=by_place,
        groups={place: groups_of(by_place[place]) for place in PLACES},
        hosts={letter: host for host, letter in letters.items()},
        unsupported=collected(
            (result.message, row.cell, f"{result.group}: {title_of(result)}")
            for row in ordered
            for result in row.results.values()
            if result.outcome == "unsupported"
        ),
        mended=collected(
            (line, row.cell, "")
            for row in ordered
            if row.record and row.record.environment
            for line in row.record.environment.mended
        ),
        expectations=list(known),
        reports=list(reports),
        lines={place: lines_of(by_place[place], place, fixture, reports) for place in PLACES},
        errors=errors,
        stand_ins=stand_ins,
        badge=badge((row.judgement.standing for row in ordered), len(errors)),
        newest=max(
            (record for record in sane if record.not_run is None),
            key=lambda record: record.measured_at,
            default=None,
        ),
    )


def those_that_stay(found: Iterable[Record]) -> list[Record]:
    """The record of each cell, host and build that stays."""
    staying = {r.file_name: r for r in sorted(found, key=store.standing)}
    return [staying[name] for name in sorted(staying)]


def spanned(chosen: Collection[str], ordered: Sequence[str]) -> str:
    """'2.2.2-2.3.2, 3.3.1': those of the ordered that are chosen; neighbours are joined."""
    runs: list[list[str]] = [[]]
    for name in ordered:
        if name in chosen:
            runs[-1].append(name)
        elif runs[-1]:
            runs.append([])
    return ", ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs if run)


def collected(said: Iterable[tuple[str, str, str]]) -> list[Saying]:
    """Each text once, with the cells and properties that it came from, in order."""
    sayings: dict[str, Saying] = {}
    for text, cell, about in said:
        saying = sayings.setdefault(text, Saying(text, [], []))
        if cell not in saying.cells:
            saying.cells.append(cell)
        if about and about not in saying.properties:
            saying.properties.append(about)
    return list(sayings.values())
