"""How a cell compares with what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.forms import Model
from paddlecompat.records.record import UNSOUND, PropertyResult, Record

Standing = Literal["as expected", "worse", "better"]


@dataclass(frozen=True)
class Judgement:
    """How a cell compares with what is expected of it."""

    measured: bool = False
    new: list[PropertyResult] = field(default_factory=list)
    """Violations that no expectation explains, and what is no longer offered."""
    known: list[tuple[PropertyResult, Expectation]] = field(default_factory=list)
    """Violations that one explains, each with the first that does."""
    refused: list[tuple[PropertyResult, Expectation]] = field(default_factory=list)
    """What is not offered, each with the first expectation that says so."""
    gone: list[tuple[str, Expectation]] = field(default_factory=list)
    """Patterns: none of their properties shows the violation any more, and one of them holds."""
    absent: list[tuple[str, Expectation]] = field(default_factory=list)
    """Patterns that name no property of this record: removed, renamed or misspelt."""

    nothing: bool = False
    """Whether the release gave nothing to compare: it did not import, or refused every call."""

    @property
    def causes(self) -> dict[str, Expectation]:
        """What explains a property's outcome, by the property's key."""
        return {result.key: cause for result, cause in (*self.known, *self.refused)}

    @property
    def standing(self) -> Standing | None:
        """None where nothing was measured; worse where something is both new and gone."""
        if self.nothing or self.new:
            return "worse"
        if not self.measured:
            return None
        return "better" if self.gone else "as expected"


def judge(record: Record, expectations: Sequence[Expectation]) -> Judgement:
    """Compare a cell with what is expected of it."""
    if record.not_run is not None:
        return Judgement(nothing=record.not_run.reason == "import failed")
    here = [expectation for expectation in expectations if concerns(expectation, record)]
    judgement = Judgement(measured=True, nothing=record.verdict == "not run")
    for result in (result for result in record.properties if result.outcome != "holds"):
        cause = next((e for e in here if pattern_explaining(e, result)), None)
        if cause is None:
            judgement.new.append(result)
        else:
            kind = judgement.known if result.outcome in UNSOUND else judgement.refused
            kind.append((result, cause))
    for pattern, expectation in ((pattern, e) for e in here for pattern in e.properties):
        named = [result for result in record.properties if names(pattern, result)]
        shown = any(pattern_explaining(expectation, result) for result in named)
        if not named and not (record.conditions and record.conditions.not_asked):
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


class Status(IntEnum):
    """The exit status of `python -m paddlecompat`."""

    AS_EXPECTED = 0
    WORSE = 1
    WRONG_OPTIONS = 2
    MACHINE_FAILED = 3

    @property
    def words(self) -> str:
        """What it means, in a line."""
        return (
            "as expected",
            "worse than expected, or --require-device without a device",
            "wrong options, or an edited file that is wrong",
            "the machine or the network failed, and nothing is said about a release",
        )[self]


class Outcome(Model):
    """What came of filling a cell, or of another command."""

    cell: str = Field(description="The cell's name: 'cpu-2.3.2'; of another command, its own.")
    status: Status = Field(description="0 as expected; 1 worse; 2 wrong options; 3 machine failed.")
    words: str = Field(description="One line for a list of cells.")
    nothing_ran: bool = Field(default=False, description="Whether the cell ended as `not run`.")


def status_of(
    record: Record, judgement: Judgement, strict: bool = False, require_device: bool = False
) -> Status:
    """The exit status of a cell that ended in this record.

    With `strict` a cell that is better than expected fails, too. With `require_device` so does a
    GPU cell that has no device, or no build for it.
    """
    if judgement.standing in (("worse", "better") if strict else ("worse",)):
        return Status.WORSE
    if record.not_run is None:
        return Status.AS_EXPECTED
    reason = record.not_run.reason
    if reason == "no CUDA libraries" or (reason == "no build" and record.place == "cpu"):
        return Status.MACHINE_FAILED
    return Status.WORSE if require_device else Status.AS_EXPECTED
