"""The tables of the report: a row for each record, a column for each property.

Releases stand newest first; groups and properties in the order in which the records list them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, PropertyResult, Record

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
WORST_FIRST = ("unsound", "sound", "not run")
WORST_OUTCOME_FIRST = ("crashed", "timed out", "violated", "holds", "unsupported")


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by their key; keys and items in the order in which they come."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def parts_of(name: str) -> tuple[str, str]:
    """'test_copies_bytes[float32]' as 'copies bytes' and 'float32'."""
    name, _, parameter = name.removeprefix("test_").partition("[")
    return name.replace("_", " "), parameter.removesuffix("]")


@dataclass(frozen=True)
class Sighting:
    """What one property came to in one cell; where it failed, with what explains it."""

    record: Record
    source: str
    """The host, and the build's tag where it has one: 'H2 post112'."""
    result: PropertyResult
    cause: Expectation | None = None

    @property
    def subject(self) -> str:
        """'masked_select: copies bytes', whatever the parameter."""
        return f"{self.result.group}: {parts_of(self.result.name)[0]}"

    @property
    def title(self) -> str:
        """'copies bytes [float32]'."""
        title, parameter = parts_of(self.result.name)
        return f"{title} [{parameter}]" if parameter else title

    @property
    def full_title(self) -> str:
        """'masked_select: copies bytes [float32]'."""
        return f"{self.result.group}: {self.title}"

    @property
    def anchor(self) -> str:
        """A place in the page that stays the same as long as the cell and the property do."""
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.record.cell}-{self.title}".lower()).strip("-")
        digest = sha256(f"{self.record.file_name}/{self.result.key}".encode()).hexdigest()
        return f"{words}-{digest[:6]}"

    @property
    def words(self) -> tuple[str, ...]:
        """Message, case, expected, actual; '' for those that there are not."""
        result, shown = self.result, self.result.evidence
        if shown is None:
            return result.message, result.case or "", "", ""
        return result.message, shown.case, shown.expected, shown.actual

    @property
    def said(self) -> str:
        """'crashed: Segmentation fault', in one line."""
        return " ".join(f"{self.result.outcome}: {self.result.message}".split())

    @property
    def meaning(self) -> tuple[str, ...]:
        """What a known failure means for training, in English and in Chinese."""
        return (self.cause.means, self.cause.means_zh) if self.cause else ()

    @property
    def script(self) -> str:
        return self.result.evidence.script if self.result.evidence else ""

    @property
    def kind(self) -> tuple[str, str, Expectation | None, str]:
        """What the failures that the page shows together have in common."""
        return self.result.key, self.result.outcome, self.cause, self.script


@dataclass(frozen=True)
class Row:
    """One release at one place on one host; without a record where there is none."""

    release: str
    place: Place
    record: Record | None = None
    host: str = ""
    judgement: Judgement = field(default_factory=Judgement)
    several: bool = False
    """Whether the cell has other rows beside this one: of other hosts, or of other builds."""

    @property
    def cell(self) -> str:
        return f"{self.place}-{self.release}"

    @property
    def source(self) -> str:
        """Where it was measured, and the build's tag where it has one: 'H2 post112'."""
        build = self.record.build if self.record else None
        return f"{self.host} {build.tag}".strip() if build else self.host

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

    @cached_property
    def results(self) -> dict[str, PropertyResult]:
        """What each property came to, by its key."""
        return {result.key: result for result in self.record.properties} if self.record else {}

    @cached_property
    def failures(self) -> dict[str, Sighting]:
        """The properties that failed, by their keys."""
        causes = {result.key: cause for result, cause in self.judgement.known}
        return {
            key: Sighting(self.record, self.source, result, causes.get(key))
            for key, result in self.results.items()
            if self.record and result.outcome in UNSOUND
        }

    @property
    def ppyoloe(self) -> str:
        """What came of PP-YOLOE's head and its training on right data: the worst outcome."""
        found = {r.outcome for r in self.results.values() if r.group.startswith("ppyoloe")}
        return next((outcome for outcome in WORST_OUTCOME_FIRST if outcome in found), "")

    def of(self, parameters: dict[str, str]) -> dict[str, PropertyResult]:
        """What a property came to here, by its parameter; without those that were not measured."""
        keys = parameters.items()
        return {parameter: self.results[key] for key, parameter in keys if key in self.results}


@dataclass(frozen=True)
class ReleaseLine:
    """One release at one place on every class of host, and what others reported of it."""

    rows: list[Row]
    reports: list[FieldReport]

    def of(self, host_class: str | None) -> list[Row]:
        """The rows of this class, the worst verdict first."""
        here = [r for r in self.rows if r.record and r.record.host_class == host_class]
        return sorted(here, key=lambda row: (WORST_FIRST.index(row.verdict), row.source))

    def machines(self, seen: str) -> str:
        """'Windows CUDA 11, Tesla V100': in a few words, where those who saw this saw it."""
        reports = sorted(self.reports, key=lambda report: report.os is None)
        names = dict.fromkeys(report.machine for report in reports if report.seen == seen)
        return ", ".join(m for m in names if not any(other.startswith(f"{m} ") for other in names))
