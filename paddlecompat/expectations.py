"""`fixtures/expectations.toml`: the violations already known, and how a cell compares with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from paddlecompat.records import UNSOUND, Model, Place, PropertyResult, Record, read_toml
from paddlecompat.releases import ROOT

EXPECTATIONS = ROOT / "fixtures" / "expectations.toml"
RELEASE_OR_SERIES = re.compile(r"\d+\.(\d+\.(\d+|\*)|\*)")
Standing = Literal["as expected", "worse", "better"]


def release_or_series(release: str) -> str:
    """The release as it is. Raises ValueError where it is none, nor a series of them."""
    if not RELEASE_OR_SERIES.fullmatch(release):
        raise ValueError(f"{release!r} is no release: write it as '2.4.1', '2.4.*' or '2.*'")
    return release


def a_thread(link: str) -> str:
    """The link as it is. Raises ValueError where it is none that both pages can show."""
    if not re.fullmatch(r"https://[^\s<>()|]+", link):
        raise ValueError(f"{link!r} is no link: write the thread's address, 'https://...'")
    return link


class Expectation(Model):
    """A violation already known: where it is seen, its cause, and the thread that tells of it."""

    releases: Annotated[
        list[Annotated[str, AfterValidator(release_or_series)]], Field(min_length=1)
    ]
    place: Place
    property: Annotated[str, Field(pattern=".::.", description="A pattern on `group::name`.")]
    outcome: Literal["violated", "crashed", "timed out"]
    cause: Annotated[str, Field(min_length=1, description="What is wrong in the release.")]
    means: Annotated[str, Field(min_length=1, description="To who trains: whom it concerns.")]
    means_zh: Annotated[str, Field(min_length=1, description="The same in Chinese.")]
    link: Annotated[str, AfterValidator(a_thread)]
    os: Literal["Linux", "Windows", "macOS"] | None = None
    says: list[str] = Field(default=[], description="Words of its message: one of these.")
    sometimes: bool = Field(default=False, description="It comes and goes: never called gone.")

    def concerns(self, record: Record) -> bool:
        """Whether it speaks of the record's release, place and operating system."""
        return (
            any(fnmatchcase(record.release, release) for release in self.releases)
            and record.place == self.place
            and (self.os is None or record.host.os.startswith(self.os))
        )

    def names(self, result: PropertyResult) -> bool:
        """Whether it speaks of this property; `[` is a bracket in it, not a set of characters."""
        return fnmatchcase(result.key, self.property.replace("[", "[[]"))

    def explains(self, result: PropertyResult) -> bool:
        """Whether it speaks of this property, and of what the property came to."""
        said = not self.says or any(words in result.message for words in self.says)
        return said and self.names(result) and result.outcome == self.outcome


class ExpectationsFile(Model):
    """All of `fixtures/expectations.toml`."""

    expectation: list[Expectation] = Field(default=[])


@dataclass(frozen=True)
class Judgement:
    """How a cell compares with what is expected of it."""

    measured: bool = False
    new: list[PropertyResult] = field(default_factory=list)
    """Violations that no expectation explains."""
    known: list[tuple[PropertyResult, Expectation]] = field(default_factory=list)
    """Violations that one explains, each with the first that does."""
    gone: list[Expectation] = field(default_factory=list)
    """What they expect was looked for, and holds now."""
    absent: list[Expectation] = field(default_factory=list)
    """They name no property of this record: removed, renamed or misspelt."""

    @property
    def standing(self) -> Standing | None:
        """None where nothing was measured; worse where something is both new and gone."""
        if not self.measured:
            return None
        return "worse" if self.new else "better" if self.gone else "as expected"


def load(path: Path = EXPECTATIONS) -> list[Expectation]:
    """The expectations, in the order of the file.

    Raises ValueError with one line that names the file, the field and what to write there.
    """
    return read_toml(ExpectationsFile, path).expectation


def judge(record: Record, expectations: Sequence[Expectation]) -> Judgement:
    """Compare a cell with what is expected of it."""
    if record.verdict == "not run":
        return Judgement()
    here = [expectation for expectation in expectations if expectation.concerns(record)]
    judgement = Judgement(measured=True)
    for result in record.properties:
        if result.outcome not in UNSOUND:
            continue
        cause = next((expectation for expectation in here if expectation.explains(result)), None)
        if cause is None:
            judgement.new.append(result)
        else:
            judgement.known.append((result, cause))
    for expectation in here:
        named = [result for result in record.properties if expectation.names(result)]
        if not named:
            judgement.absent.append(expectation)
        elif (
            not expectation.sometimes
            and not any(expectation.explains(r) for r in named)
            and any(r.outcome == "holds" for r in named)
        ):
            judgement.gone.append(expectation)
    return judgement
