"""What is asked of a release, the form of an answer, and what answers are made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar, get_args

from pydantic import Field

from paddlecompat.fixtures.bugs import Bug, Expected, Known, Severity
from paddlecompat.fixtures.builds import SYSTEM_NAMED, Capability, System
from paddlecompat.fixtures.forms import Kind, Model, Version
from paddlecompat.fixtures.manifest import Manifest
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.fixtures.uses import Use
from paddlecompat.records.build_answers.host_answer import HostAnswer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.judging import Judgement, judge
from paddlecompat.records.record import Record
from paddlecompat.records.subject import Answer as WheelWord
from paddlecompat.records.subject import Host

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
How = Literal["pinned", "fresh"]
"""How it was installed: the build that fits with what it can live with, or by pip alone, today."""
HOWS: tuple[How, ...] = get_args(How)
Worst = Severity | Literal["right", "unknown"]
Basis = Literal[
    "measured",
    "measured elsewhere",
    "measured on the host half",
    "from the wheel",
    "measured by others",
    "reported",
    "unknown",
]
Reason = Literal[
    "held",
    "in part",
    "failed",
    "no code",
    "no build",
    "live",
    "reported wrong",
    "reported right",
    "not measured",
]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by their key; keys and items in the order in which they come."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


class Question(Model):
    """What somebody asks."""

    use: str = Field(description="The use's id.")
    release: Version
    how: How = Field(description="'fresh': by pip alone; 'pinned': the build and pins that fit.")
    system: System
    capability: Capability | None = Field(description="The card's; None: on the CPU.")
    build: str | None = Field(default=None, description="As '2.4.2.post112'; None: as `how` says.")


class Finding(Model):
    """The worst that is known to happen."""

    worst: Worst
    basis: Basis = Field(
        description="Where it is known from; none is shown as another. 'measured elsewhere': on "
        "the CPU under Linux, where the same code runs. 'measured on the host half': the build ran "
        "on a made-up driver, and its kernels did not."
    )
    reason: Reason
    build: str | None = Field(default=None, description="The build spoken of: '2.4.2.post112'.")
    has: list[Capability] = Field(default=[], description="What that build has GPU code for.")
    cuda: str | None = Field(default=None, description="The CUDA version that it was made for.")
    bugs: list[str] = Field(default=[], description="Ids of the bugs that show, the worst first.")
    new: int = Field(default=0, description="Failed properties that no bug explains.")
    properties: int = Field(default=0, description="How many of the use's properties held.")
    untested: int = Field(default=0, description="Properties that need PaddleDetection.")
    not_asked: int = Field(default=0, description="Properties that are newer than the record.")
    calls: int = Field(default=0, description="How many of their calls were compared.")
    wrong: int = Field(default=0, description="Field reports that saw the defect there.")
    right: int = Field(default=0, description="Field reports that saw it right there.")
    unclear: int = Field(default=0, description="Field reports that fit another cause as well.")
    noticed: bool | None = Field(
        default=None, description="Whether the release notices a launch that fails; of 'no code'."
    )
    on_the_cpu: Worst | None = Field(
        default=None, description="Of a card nobody measured: the answer on the CPU."
    )
    wheel: WheelWord | None = Field(
        default=None, description="What the build's wheel says of the reported defect."
    )
    threads: list[str] = Field(default=[], description="The reports' threads.")
    instead: str | None = Field(default=None, description="The build of another release to take.")
    finds_out: str = Field(default="", description="The command that measures it.")
    records: list[str] = Field(default=[], description="The files that show it, in reports/cells.")


class Answer(Finding):
    """The worst that is known to happen, and what to do."""

    install: str = Field(default="", description="What to install; empty: nothing else is needed.")


@dataclass(frozen=True, eq=False)
class Facts:
    """All that answers are made of. They are compared by identity: answers are kept by them."""

    records: Sequence[Record]
    known: Known
    fixture: Fixture
    reports: Sequence[FieldReport]
    uses: Sequence[Use]
    wheels: Sequence[WheelAnswer] = ()
    """What wheels say by their own code."""
    hosts: Sequence[HostAnswer] = ()
    """What builds' host halves did."""
    listed: Manifest | None = None
    """Today's properties; None: those of each record are all that there are."""

    @cached_property
    def judgements(self) -> dict[str, Judgement]:
        """Of each record, by its file's name."""
        return {record.file_name: judge(record, self.known) for record in self.records}

    def newer_than(self, record: Record, use: Use) -> list[str]:
        """Those of today's properties that the use needs, and that the record was not asked."""
        if self.listed is None or record.conditions is None or record.lost:
            return []
        known = {result.key for result in record.properties}
        listed = (each.key for each in self.listed.properties_at(record.place))
        return [key for key in listed if use.needs(key) and key not in known]

    def wheel(self, build: str, system: System) -> WheelAnswer | None:
        """What the wheel of a build says of the reported defect; None: nobody asked it."""
        found = (w for w in self.wheels if (w.version, w.system) == (build, system))
        return next(found, None)

    def shows_on_host(self, where: Expected, build: str, system: System) -> bool:
        """Whether the host half of a build shows a bug as that block expects it."""
        found = (h for h in self.hosts if (h.build.version, h.system) == (build, system))
        return any(answer.shown_of(where) for answer in found)

    def threads_of(self, release: str, cause: str) -> list[str]:
        """Where the release was reported for that cause alone, each thread once."""
        found = (r.link for r in self.reports if r.concerns(release) and r.cause == [cause])
        return list(dict.fromkeys(found))

    def use(self, name: str) -> Use:
        return next(use for use in self.uses if use.id == name)

    def release(self, version: str) -> Release:
        return next(each for each in self.fixture.release if each.version == version)

    def bugs_of(self, answer: Answer) -> list[Bug]:
        """The bugs that an answer names."""
        by_id = {bug.id: bug for bug in self.known.bug}
        return [by_id[name] for name in answer.bugs]

    @cached_property
    def by_cell(self) -> dict[tuple[Kind, str, System | None], list[Record]]:
        """The records by kind of cell, release and system."""
        newest = sorted(self.records, key=lambda record: record.measured_at, reverse=True)
        ordered = sorted(newest, key=lambda record: record.provenance == "sent in")
        return grouped(ordered, lambda record: (record.kind, record.release, runs(record.host)))

    def records_of(self, kind: Kind, release: str, system: System) -> list[Record]:
        """Of that kind of cell, those measured here first, then the newest first."""
        return self.by_cell.get((kind, release, system), [])


def runs(host: Host) -> System | None:
    """The system whose builds the host runs; Wine runs those of Windows."""
    return SYSTEM_NAMED.get("windows" if host.system == "Wine" else host.system.lower())
