"""How a cell compares with what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.records.record import UNSOUND, PropertyResult, Record

Standing = Literal["as expected", "worse", "better"]


@dataclass(frozen=True)
class Judgement:
    """How a cell compares with what is expected of it."""

    measured: bool = False
    new: list[PropertyResult] = field(default_factory=list)
    """Violations that no expectation explains."""
    known: list[tuple[PropertyResult, Expectation]] = field(default_factory=list)
    """Violations that one explains, each with the first that does."""
    gone: list[tuple[str, Expectation]] = field(default_factory=list)
    """Patterns: none of their properties shows the violation any more, and one of them holds."""
    absent: list[tuple[str, Expectation]] = field(default_factory=list)
    """Patterns that name no property of this record: removed, renamed or misspelt."""

    @property
    def standing(self) -> Standing | None:
        """None where nothing was measured; worse where something is both new and gone."""
        if not self.measured:
            return None
        return "worse" if self.new else "better" if self.gone else "as expected"


def judge(record: Record, expectations: Sequence[Expectation]) -> Judgement:
    """Compare a cell with what is expected of it."""
    if record.verdict == "not run":
        return Judgement()
    here = [expectation for expectation in expectations if concerns(expectation, record)]
    judgement = Judgement(measured=True)
    for result in (result for result in record.properties if result.outcome in UNSOUND):
        if cause := next((e for e in here if pattern_explaining(e, result)), None):
            judgement.known.append((result, cause))
        else:
            judgement.new.append(result)
    for pattern, expectation in ((pattern, e) for e in here for pattern in e.properties):
        named = [result for result in record.properties if names(pattern, result)]
        shown = any(pattern_explaining(expectation, result) for result in named)
        if not named:
            judgement.absent.append((pattern, expectation))
        elif not (shown or expectation.sometimes) and any(r.outcome == "holds" for r in named):
            judgement.gone.append((pattern, expectation))
    return judgement


def concerns(expectation: Expectation, record: Record) -> bool:
    """Whether it speaks of the record's release, place and operating system."""
    return (
        any(fnmatchcase(record.release, release) for release in expectation.releases)
        and record.place == expectation.place
        and (expectation.os is None or record.host.os.startswith(expectation.os))
    )


def names(pattern: str, result: PropertyResult) -> bool:
    """Whether the pattern names the property; `[` is a bracket, and begins no set of characters."""
    return fnmatchcase(result.key, pattern.replace("[", "[[]"))


def pattern_explaining(expectation: Expectation, result: PropertyResult) -> str | None:
    """The first pattern that names the property, where its outcome and message are as expected."""
    says = expectation.says or ("",)
    if result.outcome != expectation.outcome or not any(word in result.message for word in says):
        return None
    return next((pattern for pattern in expectation.properties if names(pattern, result)), None)
