"""What failed, and what shows it: each distinct script once, whatever the number of its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.records.record import Outcome, PropertyResult, Record

NAME = re.compile(r"(?:test_)?(?P<property>[^\[]*)(?:\[(?P<parameter>.*)\])?", re.DOTALL)


@dataclass(frozen=True)
class Finding:
    """A property that failed in a cell, and where the page tells of it."""

    record: Record
    host: str
    result: PropertyResult
    title: str
    anchor: str
    cause: Expectation | None

    @property
    def told(self) -> tuple[str, str, str, str]:
        """Message, case, expected, actual; empty where there is none."""
        result, shown = self.result, self.result.evidence
        if shown is None:
            return result.message, result.case or "", "", ""
        return result.message, shown.case, shown.expected, shown.actual

    @property
    def script(self) -> str:
        return self.result.evidence.script if self.result.evidence else ""


@dataclass(frozen=True)
class Telling:
    """Words that came out of one cell or more."""

    message: str
    case: str
    expected: str
    actual: str
    findings: list[Finding]


@dataclass(frozen=True)
class Exhibit:
    """One property that failed in one way, by one script, in one cell or more."""

    group: str
    title: str
    outcome: Outcome
    cause: Expectation | None
    script: str
    findings: list[Finding]

    @property
    def tellings(self) -> list[Telling]:
        """What the cells told, each text once."""
        found: dict[tuple[str, str, str, str], list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.told, []).append(finding)
        return [Telling(*told, findings) for told, findings in found.items()]


def exhibits(findings: Iterable[Finding]) -> list[Exhibit]:
    """The findings, those of one property, outcome, cause and script together."""
    together: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        result, cause = finding.result, finding.cause
        same = (result.key, result.outcome, cause and cause.model_dump_json(), finding.script)
        together.setdefault(same, []).append(finding)
    return [
        Exhibit(f.result.group, f.title, f.result.outcome, f.cause, f.script, found)
        for found in together.values()
        for f in found[:1]
    ]


def parts_of(result: PropertyResult) -> tuple[str, str]:
    """'test_copies_bytes[float32]' as 'copies bytes' and 'float32'."""
    match = NAME.fullmatch(result.name)
    if match is None:
        return result.name, ""
    return match["property"].replace("_", " "), match["parameter"] or ""


def subject_of(result: PropertyResult) -> str:
    """'masked_select: copies bytes', whatever the parameter."""
    return f"{result.group}: {parts_of(result)[0]}"


def title_of(result: PropertyResult) -> str:
    title, parameter = parts_of(result)
    return f"{title} [{parameter}]" if parameter else title


def anchor_of(record: Record, result: PropertyResult) -> str:
    """A place in the page that stays the same as long as the cell and the property do."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{record.cell}-{title_of(result)}".lower()).strip("-")
    return f"{words}-{sha256(f'{record.file_name}/{result.key}'.encode()).hexdigest()[:6]}"
