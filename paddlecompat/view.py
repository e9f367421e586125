"""What the report shows, as plain data: the records judged and laid out.

Releases stand newest first; groups and properties in the order in which the records list them. The
date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from paddlecompat import expectations as expected
from paddlecompat import records
from paddlecompat.badge import Badge, badge
from paddlecompat.expectations import Expectation, Judgement
from paddlecompat.records import Host, Place, PropertyResult, Record
from paddlecompat.releases import Fixture

PLACES: tuple[Place, ...] = ("cpu", "gpu")
NAME = re.compile(r"(?:test_)?(?P<property>[^\[]*)(?:\[(?P<parameter>.*)\])?", re.DOTALL)


@dataclass(frozen=True)
class Property:
    """A property as a column; as several, where it takes a parameter."""

    title: str
    columns: dict[str, str]
    """The key of a result to its parameter, '' where it takes none."""


@dataclass(frozen=True)
class Group:
    """The properties of one subject: one table."""

    name: str
    properties: list[Property]


@dataclass(frozen=True)
class Finding:
    """A property that failed in a cell, and where the page tells of it."""

    record: Record
    host: str
    result: PropertyResult
    title: str
    anchor: str
    cause: Expectation | None


@dataclass(frozen=True)
class Row:
    """One release at one place on one host; without a record where there is none."""

    release: str
    place: Place
    record: Record | None = None
    host: str = ""
    several: bool = False
    """Whether the cell has other hosts' rows beside this one."""
    judgement: Judgement = field(default_factory=Judgement)
    results: dict[str, PropertyResult] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        return f"{self.place}-{self.release}"

    @property
    def label(self) -> str:
        """The release, with its host where that is needed to tell two rows apart."""
        return f"{self.release} {self.host}" if self.several else self.release

    @property
    def verdict(self) -> str:
        return self.record.verdict if self.record else "no record"

    def of(self, column: Property) -> dict[str, PropertyResult]:
        """What a property came to here, by its parameter; without those that were not measured."""
        keys = column.columns.items()
        return {parameter: self.results[key] for key, parameter in keys if key in self.results}


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
    errors: list[str]
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


def view_of(folder: Path, known: Sequence[Expectation], fixture: Fixture) -> View:
    """Judge the records of a folder and lay them out."""
    gathered = records.gather(folder)
    sane = newest_of_each(gathered.records)
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
        errors=errors,
        badge=badge((row.judgement.standing for row in ordered), len(errors)),
        newest=max(sane, key=moment, default=None),
    )


def newest_of_each(found: Iterable[Record]) -> list[Record]:
    """The newest record of each cell on each host."""
    newest = {r.file_name: r for r in sorted(found, key=moment)}
    return [newest[name] for name in sorted(newest)]


def moment(record: Record) -> datetime:
    """When it was measured, in UTC; a time that does not say its zone is taken as UTC."""
    at = record.measured_at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def lettered(hosts: Iterable[Host]) -> dict[Host, str]:
    """H1, H2, ... for each host, the one with the most records first."""
    count = Counter(hosts)
    ranked = sorted(count, key=lambda host: (-count[host], host.slug))
    return {host: f"H{number}" for number, host in enumerate(ranked, start=1)}


def row_of(record: Record, host: str, known: Sequence[Expectation]) -> Row:
    """A record, judged."""
    judgement = expected.judge(record, known)
    causes = {result.key: cause for result, cause in judgement.known}
    findings = {
        r.key: Finding(record, host, r, title_of(r), anchor_of(record, r), causes.get(r.key))
        for r in record.properties
        if r.outcome in records.UNSOUND
    }
    results = {result.key: result for result in record.properties}
    return Row(
        record.release,
        record.place,
        record,
        host,
        judgement=judgement,
        results=results,
        findings=findings,
    )


def placed(rows: Iterable[Row], place: Place, fixture: Fixture) -> list[Row]:
    """The rows of one place, newest release first; the CPU's with the releases nobody measured."""
    here = [row for row in rows if row.place == place]
    count = Counter(row.release for row in here)
    here = [replace(row, several=count[row.release] > 1) for row in here]
    if place == "cpu":
        listed = (r.version for r in fixture.release if place in r.places)
        here += [Row(version, place) for version in listed if version not in count]
    return sorted(
        here, key=lambda row: ([-part for part in records.in_order(row.release)], row.host)
    )


def groups_of(rows: Iterable[Row]) -> list[Group]:
    """The tables of one place, in the order in which the records list the properties."""
    groups: dict[str, dict[str, Property]] = {}
    for result in (result for row in rows for result in row.results.values()):
        title, parameter = parts_of(result)
        group = groups.setdefault(result.group, {})
        group.setdefault(title, Property(title, {})).columns.setdefault(result.key, parameter)
    return [Group(name, list(properties.values())) for name, properties in groups.items()]


def parts_of(result: PropertyResult) -> tuple[str, str]:
    """'test_copies_bytes[float32]' as 'copies bytes' and 'float32'."""
    match = NAME.fullmatch(result.name)
    if match is None:
        return result.name, ""
    return match["property"].replace("_", " "), match["parameter"] or ""


def subject_of(result: PropertyResult) -> str:
    """'masked_select: copies bytes', whatever the parameter."""
    return f"{result.group}: {parts_of(result)[0]}"


def spanned(chosen: Collection[str], ordered: Sequence[str]) -> str:
    """'2.2.2-2.3.2, 3.3.1': those of the ordered that are chosen; neighbours are joined."""
    runs: list[list[str]] = [[]]
    for name in ordered:
        if name in chosen:
            runs[-1].append(name)
        elif runs[-1]:
            runs.append([])
    return ", ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs if run)


def title_of(result: PropertyResult) -> str:
    title, parameter = parts_of(result)
    return f"{title} [{parameter}]" if parameter else title


def anchor_of(record: Record, result: PropertyResult) -> str:
    """A place in the page that stays the same as long as the cell and the property do."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{record.cell}-{title_of(result)}".lower()).strip("-")
    return f"{words}-{sha256(f'{record.file_name}/{result.key}'.encode()).hexdigest()[:6]}"


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
