"""What the report shows, as plain data: the records judged and laid out.

The date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from paddlecompat.fixtures.bugs import Bug, Explanation, Known, Severity
from paddlecompat.fixtures.forms import KINDS, Kind, in_order
from paddlecompat.fixtures.manifest import Manifest
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.uses import load_uses
from paddlecompat.records import store
from paddlecompat.records.judging import Judgement, severity_of
from paddlecompat.records.record import UNSOUND, PropertyResult, Record
from paddlecompat.records.subject import Host
from paddlecompat.report.facts import Facts

BY_OTHERS = "◇"
"""The mark of what others measured, wherever a cell of theirs is named."""
LONGEST = 400  # characters of a text on a page; the record has all of it


def parts_of(name: str) -> tuple[str, str]:
    """'test_copies_bytes[float32]' as 'copies bytes' and 'float32'."""
    name, _, parameter = name.removeprefix("test_").partition("[")
    return name.replace("_", " "), parameter.removesuffix("]")


def named(record: Record) -> str:
    """'cpu-2.3.2', with the mark of what others measured."""
    return f"{record.cell} {BY_OTHERS}" if record.provenance == "sent in" else record.cell


@dataclass(frozen=True)
class Sighting:
    """What one property came to in one cell; where it failed, with what explains it."""

    record: Record
    result: PropertyResult
    cause: Explanation | None = None

    @property
    def subject(self) -> str:
        """'masked_select: copies bytes', whatever the parameter."""
        return f"{self.result.group}: {parts_of(self.result.name)[0]}"

    @property
    def full_title(self) -> str:
        """'masked_select: copies bytes [float32]'."""
        parameter = parts_of(self.result.name)[1]
        return f"{self.subject} [{parameter}]" if parameter else self.subject

    @property
    def failed(self) -> bool:
        return self.result.outcome in UNSOUND

    @property
    def severity(self) -> Severity:
        """How bad it is; of a failure."""
        return severity_of(self.result, self.cause)

    @property
    def anchor(self) -> str:
        """Where the release's page has its evidence: the property, below what explains it."""
        words = re.sub(r"[^a-z0-9]+", "-", self.subject.lower()).strip("-")
        below = self.cause.id if isinstance(self.cause, Bug) else ""
        return f"{words}-{sha256(f'{self.subject}/{below}'.encode()).hexdigest()[:6]}"

    @property
    def where(self) -> str:
        """'cpu-2.3.2', with the mark of what others measured."""
        return named(self.record)

    @property
    def words(self) -> tuple[str, ...]:
        """Message, case, expected, actual; '' for those that there are not."""
        result, shown = self.result, self.result.evidence
        texts = (shown.case, shown.expected, shown.actual) if shown else (result.case or "", "", "")
        return tuple(self.shorten(text) for text in (result.message, *texts))

    @property
    def once(self) -> str:
        """How it died the first time, and not when alone."""
        return self.shorten(self.result.once)

    def shorten(self, text: str) -> str:
        """As much as a page shows; of a stranger in one line, so that no space hides anything."""
        text = " ".join(text.split()) if self.record.provenance == "sent in" else text
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

    @property
    def said(self) -> str:
        """'crashed: Segmentation fault', in one line."""
        return " ".join(f"{self.result.outcome}: {self.result.message}".split())

    @property
    def script(self) -> str:
        return self.result.evidence.script if self.result.evidence else ""

    @property
    def command(self) -> str:
        """What puts the property to that release here."""
        record, name = self.record, self.result.name.partition("[")[0]
        seed = "" if record.seed is None else f" --seed {record.seed}"
        named = record.place == "gpu" and record.build and record.session != "here"
        build = f" --build {record.build.version}" if named and record.build else ""
        return f"nox -s {record.session} -- -k {name} --profile {record.profile}{seed}{build}"


@dataclass(frozen=True)
class Row:
    """One cell on one host; without a record where there is none."""

    release: str
    kind: Kind
    record: Record | None = None
    host: str = ""
    judgement: Judgement = field(default_factory=Judgement)
    several: bool = False
    """Whether to say where it was measured: the cell has other rows, or this one is of others."""
    outdated: bool = False
    """Whether it was put to other properties than today's."""

    @property
    def cell(self) -> str:
        return f"{self.kind}-{self.release}"

    @property
    def where(self) -> str:
        """The cell, with the mark of what others measured."""
        return named(self.record) if self.record else self.cell

    @property
    def by_others(self) -> bool:
        return self.record is not None and self.record.provenance == "sent in"

    @property
    def source(self) -> str:
        """Where it was measured, the build's tag, and whether it is of others: 'H2 post112 ◇'."""
        build = self.record.build if self.record else None
        parts = (self.host, build.tag if build else "", BY_OTHERS if self.by_others else "")
        return " ".join(filter(None, parts))

    @property
    def label(self) -> str:
        """The release, with its source where that is needed to tell two rows apart."""
        return f"{self.release} {self.source}" if self.several else self.release

    @property
    def anchor(self) -> str:
        """Where the page has this row."""
        return f"{self.cell}-{self.source}".replace(" ", "-").replace(BY_OTHERS, "sent")

    @cached_property
    def results(self) -> dict[str, PropertyResult]:
        """What each property came to, by its key."""
        return {result.key: result for result in self.record.properties} if self.record else {}

    @cached_property
    def failures(self) -> list[Sighting]:
        """The properties that failed."""
        return [seen for seen in self.sightings if seen.failed]

    @cached_property
    def sightings(self) -> list[Sighting]:
        """What each property came to, with what explains it."""
        if self.record is None:
            return []
        causes, results = self.judgement.causes, self.record.properties
        return [Sighting(self.record, r, causes.get(r.key)) for r in results]


@dataclass(frozen=True)
class MatrixView:
    """All that the templates show."""

    facts: Facts
    errors: list[str]
    """One line for each file that is not a record to show."""

    @cached_property
    def letters(self) -> dict[Host, str]:
        """H1, H2, ... for each host, the one with the most records first."""
        count = Counter(record.host for record in self.facts.records)
        ranked = sorted(count, key=lambda host: (-count[host], host.slug))
        return {host: f"H{number}" for number, host in enumerate(ranked, start=1)}

    @cached_property
    def all_rows(self) -> list[Row]:
        """By kind, newest release first; on the CPU also the releases without a record."""
        facts, count = self.facts, Counter(record.cell for record in self.facts.records)
        today = facts.listed.digest if facts.listed else None
        rows = [
            Row(
                *(r.release, r.kind, r, self.letters[r.host], facts.judgements[r.file_name]),
                several=count[r.cell] > 1 or r.provenance == "sent in",
                outdated=r.conditions is not None and r.conditions.suite != today,
            )
            for r in facts.records
        ]
        listed = [Row(r.version, "cpu") for r in facts.fixture.release if "cpu" in r.places]
        rows += [row for row in listed if row.cell not in count]

        def place(row: Row) -> tuple[int, list[int], str]:
            return KINDS.index(row.kind), [-part for part in in_order(row.release)], row.source

        return sorted(rows, key=place)

    @property
    def own_rows(self) -> list[Row]:
        return [row for row in self.all_rows if not row.by_others]

    @property
    def newest(self) -> Record | None:
        measured = (record for record in self.facts.records if record.not_run is None)
        return max(measured, key=lambda record: record.measured_at, default=None)


def view_of(
    folders: Sequence[Path],
    known: Known,
    fixture: Fixture,
    listed: Manifest,
    reports: Sequence[FieldReport] = (),
) -> MatrixView:
    """The records of these folders, judged and laid out, with what others reported beside them.

    Of the records of one cell, host, build and provenance, the one that stays. One that was put to
    others than the `listed` properties is marked, and shows of them those that are still asked.
    """
    records: list[Record] = []
    errors: list[str] = []
    for folder in folders:
        found, refused = store.gather(folder)
        records += found
        errors += [re.sub(rf"{re.escape(str(folder))}[/\\]+", "", line) for line in refused]
    shown = [store.still_asked(record, listed) for record in store.staying(records)]
    return MatrixView(Facts(shown, known, fixture, reports, load_uses(), listed=listed), errors)
