"""How a cell compares with what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from pydantic import Field

from paddlecompat.fixtures.bugs import Bug, Expected, Explanation, Known, Severity, Where
from paddlecompat.fixtures.forms import Model
from paddlecompat.fixtures.uses import names, one_names
from paddlecompat.records.record import PropertyResult, Record

Standing = Literal["as expected", "worse", "better"]


@dataclass(frozen=True)
class Judgement:
    """How a cell compares with what is expected of it."""

    measured: bool = False
    new: list[PropertyResult] = field(default_factory=list)
    """Violations that no bug explains, and what is no longer offered."""
    causes: dict[str, Explanation] = field(default_factory=dict)
    """What explains a property's outcome, by the property's key: the first bug or block that does.
    """
    gone: list[tuple[str, Explanation]] = field(default_factory=list)
    """Patterns: none of their properties shows the violation any more, and one of them holds."""
    absent: list[tuple[str, Explanation]] = field(default_factory=list)
    """Patterns that name no property of this record: removed, renamed or misspelt."""

    nothing: bool = False
    """Whether the release gave nothing to compare: it did not import, or refused every call."""

    @property
    def standing(self) -> Standing | None:
        """None where nothing was measured; worse where something is both new and gone."""
        if self.nothing or self.new:
            return "worse"
        if not self.measured:
            return None
        return "better" if self.gone else "as expected"


def judge(record: Record, known: Known) -> Judgement:
    """Compare a cell with what is expected of it."""
    if record.not_run is not None:
        return Judgement(nothing=record.not_run.reason == "import failed")
    here = [(cause, where) for cause, where in known.blocks if concerns(where, record)]
    judgement = Judgement(measured=True, nothing=record.verdict == "not run")
    for result in (result for result in record.properties if result.outcome != "holds"):
        if cause := next((cause for cause, where in here if explains(where, result)), None):
            judgement.causes[result.key] = cause
        else:
            judgement.new.append(result)
    whole = not (record.conditions and record.conditions.not_asked)
    for cause, where, pattern in ((c, w, pattern) for c, w in here for pattern in w.properties):
        named = [result for result in record.properties if names(pattern, result.key)]
        shown = any(explains(where, result) for result in named)
        if not named and whole:
            judgement.absent.append((pattern, cause))
        elif not (shown or where.sometimes) and any(r.outcome == "holds" for r in named):
            judgement.gone.append((pattern, cause))
    return judgement


def concerns(where: Where, record: Record) -> bool:
    """Whether it speaks of the record's release, place, system, environment and packages."""
    packages = record.environment.packages if record.environment else {}
    installed = {canonicalize_name(name): version for name, version in packages.items()}
    return (
        where.concerns(record.release)
        and record.place == where.place
        and (where.os is None or record.host.os.startswith(where.os))
        and where.environment in (None, "fresh" if record.kind == "fresh" else "pinned")
        and all(
            is_among(installed.get(canonicalize_name(name), ""), due)
            for name, due in where.packages.items()
        )
    )


def is_among(version: str, due: str) -> bool:
    """Whether it is one of the versions; a text that is no version, from elsewhere, is not."""
    try:
        return SpecifierSet(due).contains(version, prereleases=True)
    except InvalidVersion:
        return False


def explains(where: Where, result: PropertyResult) -> bool:
    """Whether it names the property, and its outcome and message are as expected."""
    due = where.outcome if isinstance(where, Expected) else "unsupported"
    return (
        result.outcome == due
        and where.fits(result.message)
        and one_names(where.properties, result.key)
    )


def severity_of(result: PropertyResult, cause: Explanation | None) -> Severity:
    """How bad a failure is: as was seen. Where an old record does not say, that of the bug."""
    if result.outcome != "violated":
        return "crash"
    told: Severity = "silent" if ": expected " in result.message else "error"
    return result.severity or (cause.severity if isinstance(cause, Bug) else told)


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

    `strict`: better than expected fails, too. `require_device`: so does a GPU cell without a build.
    """
    if judgement.standing in (("worse", "better") if strict else ("worse",)):
        return Status.WORSE
    if record.not_run is None:
        return Status.AS_EXPECTED
    reason = record.not_run.reason
    if reason == "no CUDA libraries" or (reason == "no build" and record.place == "cpu"):
        return Status.MACHINE_FAILED
    return Status.WORSE if require_device else Status.AS_EXPECTED
