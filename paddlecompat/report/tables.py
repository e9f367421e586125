"""The tables of the report: their rows, one a record, and their columns, one a property.

Releases stand newest first; groups and properties in the order in which the records list them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from paddlecompat.fixtures import forms
from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.field_reports import FieldReport
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import host_classes, judging
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, Host, PropertyResult, Record
from paddlecompat.report.findings import Finding, anchor_of, parts_of, title_of

WORST_FIRST = ("unsound", "sound", "not run")
WORST_OUTCOME_FIRST = ("crashed", "timed out", "violated", "holds", "unsupported")


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
class Row:
    """One release at one place on one host; without a record where there is none."""

    release: str
    place: Place
    record: Record | None = None
    host: str = ""
    several: bool = False
    """Whether the cell has other rows beside this one: of other hosts, or of other builds."""
    judgement: Judgement = field(default_factory=Judgement)
    results: dict[str, PropertyResult] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        return f"{self.place}-{self.release}"

    @property
    def source(self) -> str:
        """Where it was measured, and the build's tag where it has one: 'H2 post112'."""
        return source_of(self.record, self.host) if self.record else ""

    @property
    def label(self) -> str:
        """The release, with its source where that is needed to tell two rows apart."""
        return f"{self.release} {self.source}" if self.several else self.release

    @property
    def anchor(self) -> str:
        """Where the page has this row."""
        return f"{self.cell}-{self.source}".replace(" ", "-")

    @property
    def verdict(self) -> str:
        return self.record.verdict if self.record else "no record"

    @property
    def host_class(self) -> str | None:
        return host_classes.host_class(self.record) if self.record else None

    @property
    def ppyoloe(self) -> str:
        """What came of PP-YOLOE's head and its training on right data: the worst outcome."""
        found = {r.outcome for r in self.results.values() if r.group.startswith("ppyoloe")}
        return next((outcome for outcome in WORST_OUTCOME_FIRST if outcome in found), "")

    def of(self, column: Property) -> dict[str, PropertyResult]:
        """What a property came to here, by its parameter; without those that were not measured."""
        keys = column.columns.items()
        return {parameter: self.results[key] for key, parameter in keys if key in self.results}


@dataclass(frozen=True)
class Line:
    """One release at one place on every class of host, and what others reported of it."""

    release: str
    rows: list[Row]
    reports: list[FieldReport]

    def of(self, host_class: str | None) -> list[Row]:
        """The rows of this class, the worst verdict first."""
        here = [row for row in self.rows if row.record and row.host_class == host_class]
        return sorted(here, key=lambda row: (WORST_FIRST.index(row.verdict), row.source))

    def seen(self, seen: str) -> list[FieldReport]:
        return [report for report in self.reports if report.seen == seen]

    def machines(self, seen: str) -> str:
        """'Windows CUDA 11, Tesla V100': in a few words, where those who saw this saw it."""
        reports = sorted(self.seen(seen), key=lambda report: report.os is None)
        told = dict.fromkeys(report.machine for report in reports)
        return ", ".join(m for m in told if not any(other.startswith(f"{m} ") for other in told))


def lettered(hosts: Iterable[Host]) -> dict[Host, str]:
    """H1, H2, ... for each host, the one with the most records first."""
    count = Counter(hosts)
    ranked = sorted(count, key=lambda host: (-count[host], host.slug))
    return {host: f"H{number}" for number, host in enumerate(ranked, start=1)}


def row_of(record: Record, host: str, known: Sequence[Expectation]) -> Row:
    """A record, judged."""
    judgement = judging.judge(record, known)
    causes = {result.key: cause for result, cause in judgement.known}
    findings = {
        r.key: Finding(
            record,
            source_of(record, host),
            r,
            title_of(r),
            anchor_of(record, r),
            causes.get(r.key),
        )
        for r in record.properties
        if r.outcome in UNSOUND
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


def source_of(record: Record, host: str) -> str:
    """'H2', or 'H2 post112' where the build has a tag."""
    return f"{host} {record.build.tag}".strip() if record.build else host


def placed(rows: Iterable[Row], place: Place, fixture: Fixture) -> list[Row]:
    """The rows of one place, newest release first; the CPU's with the releases nobody measured."""
    here = [row for row in rows if row.place == place]
    count = Counter(row.release for row in here)
    here = [replace(row, several=count[row.release] > 1) for row in here]
    if place == "cpu":
        listed = (r.version for r in fixture.release if place in r.places)
        here += [Row(version, place) for version in listed if version not in count]
    return sorted(
        here, key=lambda row: ([-part for part in forms.in_order(row.release)], row.source)
    )


def lines_of(
    rows: Sequence[Row], place: Place, fixture: Fixture, reports: Sequence[FieldReport]
) -> list[Line]:
    """A line for each release that has a row here, a build or a field report; newest first."""
    named = {row.release for row in rows}
    if place == "gpu":
        named |= {release.version for release in fixture.release if release.gpu_builds}
        named |= {release for report in reports for release in report.exact}
    return [
        Line(
            release,
            [row for row in rows if row.release == release],
            [report for report in reports if place == "gpu" and report.concerns(release)],
        )
        for release in sorted(named, key=forms.in_order, reverse=True)
    ]


def groups_of(rows: Iterable[Row]) -> list[Group]:
    """The tables of one place, in the order in which the records list the properties."""
    groups: dict[str, dict[str, Property]] = {}
    for result in (result for row in rows for result in row.results.values()):
        title, parameter = parts_of(result)
        group = groups.setdefault(result.group, {})
        group.setdefault(title, Property(title, {})).columns.setdefault(result.key, parameter)
    return [Group(name, list(properties.values())) for name, properties in groups.items()]
