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

from paddlecompat.fixtures.bugs import Explanation
from paddlecompat.fixtures.forms import Kind
from paddlecompat.fixtures.published import Fault, FieldReport
from paddlecompat.fixtures.releases import SYSTEMS, Fixture
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, NoCode, PropertyResult, Record

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
BY_OTHERS = "◇"
"""The mark of what others measured, wherever a cell of theirs is named."""
KERNEL: Fault = "unwritten output"
"""The fault of the kernel that selects; any other says nothing of it."""
LONGEST = 400  # characters of a text on a page; the record has all of it
CARDS = {"RTX 30": "8.6", "RTX 40": "8.9", "A100": "8.0", "H100": "9.0", "RTX 50": "12.0"}
"""Cards that people have, with their compute capabilities."""
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


def named(record: Record) -> str:
    """'cpu-2.3.2', with the mark of what others measured."""
    return f"{record.cell} {BY_OTHERS}" if record.provenance == "sent in" else record.cell


@dataclass(frozen=True)
class Sighting:
    """What one property came to in one cell; where it failed, with what explains it."""

    record: Record
    source: str
    """The row's: 'H2 post112'."""
    result: PropertyResult
    cause: Explanation | None = None

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

    @property
    def alike(self) -> tuple[str, str, Explanation | None]:
        """What the failures that the page shows together have in common."""
        return self.result.key, self.result.outcome, self.cause


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

    @property
    def verdict(self) -> str:
        return self.record.verdict if self.record else "no record"

    @property
    def no_code(self) -> NoCode | None:
        """What is derived from a build that has no code for the card."""
        why = self.record.not_run if self.record else None
        return why.no_code if why else None

    @cached_property
    def results(self) -> dict[str, PropertyResult]:
        """What each property came to, by its key."""
        return {result.key: result for result in self.record.properties} if self.record else {}

    @cached_property
    def failures(self) -> dict[str, Sighting]:
        """The properties that failed, by their keys."""
        return {seen.result.key: seen for seen in self.sightings if seen.result.outcome in UNSOUND}

    @cached_property
    def sightings(self) -> list[Sighting]:
        """What each property came to, with what explains it."""
        if self.record is None:
            return []
        causes, results = self.judgement.causes, self.record.properties
        return [Sighting(self.record, self.source, r, causes.get(r.key)) for r in results]

    @property
    def withdrawn(self) -> list[Sighting]:
        """What is not offered, though nothing says that it is not."""
        refused = [seen for seen in self.sightings if seen.result.outcome == "unsupported"]
        return [seen for seen in refused if seen.cause is None]

    @property
    def faults(self) -> list[str]:
        """Of a fresh environment what everybody meets, the worst first."""
        resolved = self.record.resolution if self.record else None
        faults = {
            "silently wrong": bool(self.record and self.record.lost),
            "does not import": bool(resolved and resolved.refused),
        }
        return [name for name, there in faults.items() if there]

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
class WheelLine:
    """What a release's wheel on PyPI has for each of `CARDS`: derived from its GPU code."""

    noticed: bool | None
    """Whether the release notices a launch that failed; None: not measured."""
    code: tuple[str, ...]
    """What runs on the card: 'sm_86', 'PTX', or '' where nothing does."""


def wheel_lines(fixture: Fixture) -> dict[str, WheelLine]:
    """The line of each release that has GPU code on PyPI; one for each system where they differ."""
    lines = {}
    for release, build in ((r, b) for r in fixture.release for b in r.gpu_builds):
        codes = {system: build.on(system) for system in SYSTEMS if build.index == "pypi"}
        found = {
            system: WheelLine(release.failed_launches, tuple(map(code.shown_for, CARDS.values())))
            for system, code in codes.items()
            if code
        }
        alike = len(set(found.values())) == 1
        for system, line in found.items():
            lines[release.version if alike else f"{release.version} {system}"] = line
    return lines


@dataclass(frozen=True)
class ReleaseLine:
    """One release in one kind of cell on every class of host, and what others reported of it."""

    rows: list[Row]
    reports: list[FieldReport]

    def of(self, host_class: str | None) -> list[Row]:
        """The rows of this class: those measured here first, then the worst verdict."""
        here = [r for r in self.rows if r.record and r.record.host_class == host_class]
        return sorted(
            here, key=lambda row: (row.by_others, WORST_FIRST.index(row.verdict), row.source)
        )

    @property
    def causes(self) -> dict[tuple[Fault, ...], list[FieldReport]]:
        """The reports by what was at fault, wrong before right; those that do not tell it as ().

        A report that tells two faults not apart is of neither of them, but of both.
        """
        ordered = sorted(self.reports, key=lambda report: (report.rank, report.seen == "right"))
        return grouped(ordered, lambda report: tuple(report.cause))

    def machines(self, seen: str) -> str:
        """'Windows CUDA 11, Tesla V100': in a few words, where the kernel was seen so."""
        reports = self.causes.get((KERNEL,), [])
        ordered = sorted(reports, key=lambda report: report.os is None)
        names = dict.fromkeys(report.machine for report in ordered if report.seen == seen)
        return ", ".join(m for m in names if not any(other.startswith(f"{m} ") for other in names))

    @property
    def other_faults(self) -> list[Fault]:
        """What else was at fault where it was seen wrong, as far as the threads tell it."""
        told = [causes for causes in self.causes if len(causes) == 1 and causes != (KERNEL,)]
        return [c[0] for c in told if any(r.seen == "wrong" for r in self.causes[c])]
