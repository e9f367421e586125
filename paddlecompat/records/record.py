"""The form of the record of one cell on one host.

It is published as JSON Schema in `reports/record.schema.json`, made from the models here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from paddlecompat.fixtures import forms
from paddlecompat.fixtures.bugs import Severity
from paddlecompat.fixtures.builds import Capability
from paddlecompat.fixtures.forms import Kind, Line, Model, Place, Sha256, Text, Version
from paddlecompat.fixtures.manifest import FIRST
from paddlecompat.records import subject
from paddlecompat.records.profiles import ProfileName

PropertyOutcome = Literal["holds", "violated", "unsupported", "crashed", "timed out"]
Verdict = Literal["sound", "unsound", "not run"]
Reason = Literal[
    "no build",
    "no CUDA device",
    "driver too old",
    "device not supported by the build",
    "too little device memory",
    "device in use",
    "device refused",
    "no CUDA libraries",
    "no Wine",
    "import failed",
]
Provenance = Literal["own", "sent in"]

BuildVersion = Annotated[str, Field(pattern=r"^[\w.+!-]{1,40}$")]
Count = Annotated[int, Field(ge=0, le=subject.MOST)]
IMPORTS = "pip::test_paddle_imports_as_pip_installs_it"
"""A fresh cell's own property: the environment's making shows whether it holds."""
UNSOUND: frozenset[PropertyOutcome] = frozenset({"violated", "crashed", "timed out"})


class Evidence(Model):
    """What shows a violation: the shrunk case, and a script that needs paddle and numpy alone."""

    case: Text
    expected: Text
    actual: Text
    script: Annotated[str, Field(max_length=100_000)] = Field(
        default="", description="Empty in a record that was sent in: no script of others is shown."
    )


class PropertyResult(Model):
    """What one property came to in this cell."""

    group: Line = Field(description="What is tested: 'masked_select', 'dfl_loss', ...")
    name: Line = Field(description="The test's own name, with its parameter in brackets.")
    outcome: PropertyOutcome
    calls: Count = Field(description="Calls whose answer was compared with the oracle's.")
    examples: Count = Field(description="Examples that Hypothesis drew.")
    due: int = Field(ge=1, le=subject.MOST, description="The calls that it has to verify to hold.")
    seconds: FiniteFloat = Field(ge=0)
    severity: Severity | None = Field(
        default=None,
        description="For `violated`: of the worst example that was drawn, told by its evidence. "
        "'silent': a wrong answer, or one where an error was due; 'error': it raised; 'bits': only "
        "a NaN's bits or the sign of zero differ. Records of before December 2026 lack it.",
    )
    message: Text = Field(default="", description="Why not `holds`; the release's own words.")
    evidence: Evidence | None = Field(default=None, description="For `violated`.")
    case: Text | None = Field(default=None, description="The case that the process died on.")
    asserted: bool = Field(
        default=False,
        description="GPU: a kernel refused by an assertion, which ends the process.",
    )
    once: Text = Field(
        default="", description="How it ended the first time, where it ended otherwise when alone."
    )

    @model_validator(mode="after")
    def holds_by_its_calls(self) -> PropertyResult:
        due = 1 if self.asserted else self.due
        if self.outcome == "holds" and self.calls < due:
            raise ValueError(f"calls: {self.calls} verified, fewer than the {due} that are due")
        if self.severity and self.outcome != "violated":
            raise ValueError(f"severity: {self.outcome!r} has none")
        return self

    @property
    def key(self) -> str:
        return f"{self.group}::{self.name}"


class BuildFor(Model):
    """What would be measured on a machine with another card."""

    card: Line = Field(description="With its compute capability: 'GeForce RTX 3090 (8.6)'.")
    build: Line | None = Field(description="As '2.3.2.post112'; None where none fits.")
    why: Line


class NoCode(Model):
    """A build that has no code for the device, as its wheel was read: derived, not measured."""

    build: BuildVersion = Field(description="As '2.3.2'.")
    has: list[Capability] = Field(
        max_length=100, description="What its wheel has code for: ['7.0', '7.5']."
    )
    capability: Capability = Field(description="The device's: '8.6'.")
    noticed: bool | None = Field(
        description="Whether the release notices a launch that failed; None: not measured."
    )
    instead: BuildVersion | None = Field(description="The build to take; None where none fits.")
    install: Line = Field(description="The command that installs that one; empty without one.")

    @property
    def severity(self) -> Literal["silent", "error"]:
        """Silent unless the release is known to notice."""
        return "error" if self.noticed else "silent"


class NotRun(Model):
    """Why nothing was measured."""

    reason: Reason
    detail: Text = Field(description="What was found, and what to do.")
    builds: list[BuildFor] = Field(
        default=[], max_length=20, description="What example cards would be given."
    )
    changed: list[Line] = Field(
        default=[],
        max_length=2000,
        description="What stands beside the build now, and stood otherwise when it last imported.",
    )
    no_code: NoCode | None = Field(
        default=None,
        description="What the build comes to on the device; never in a record that was sent in.",
    )


class Conditions(Model):
    """Under what the properties ran."""

    suite: Sha256 = Field(description="Digest of the sources of the properties.")
    properties: Count = Field(description="How many the manifest has for this place.")
    not_asked: Count = Field(
        default=0, description="How many were not asked, as numbers did not come back as sent."
    )
    partial: Line = Field(
        default="",
        description="Why this is not the whole suite on the release as it is: '-k mask'.",
    )
    workers: int = Field(ge=1, le=1000, description="Processes side by side.")
    seconds_per_property: FiniteFloat = Field(gt=0, description="The time limit.")
    gibibytes: FiniteFloat | None = Field(
        default=None, description="The limit of a process's address space; None: none."
    )
    variables: dict[Line, Text] = Field(
        default={}, max_length=100, description="Environment variables that a result may depend on."
    )
    outcomes: dict[PropertyOutcome, Count] = Field(
        description="How many properties ended how: what the run said last."
    )


class Record(Model):
    """One cell on one host."""

    schema_version: Literal[2] = 2
    provenance: Provenance = Field(default="own", description="'sent in': measured by others.")
    cell: str = Field(pattern=r"^(cpu|gpu|fresh|windows)-\d+\.\d+\.\d+$")
    release: Version
    place: Place
    host: subject.Host
    build: subject.MeasuredBuild | None = None
    chosen: BuildVersion | None = Field(
        default=None, description="The build's version, as it was chosen for a GPU."
    )
    device: subject.Device | None = Field(default=None, description="None on the CPU.")
    environment: subject.Environment | None = None
    resolution: subject.Resolution | None = Field(
        default=None, description="Of a fresh environment: what pip resolved, and when."
    )
    stand_in: Line | None = Field(
        default=None, description="The fault of a stand-in device: never a published record."
    )
    sanitizer: subject.Sanitizer | None = None
    wheel: subject.WheelSaid | None = Field(
        default=None, description="GPU: what the build's wheel says of the reported defect."
    )
    verdict: Verdict
    not_run: NotRun | None = None
    conditions: Conditions | None = Field(default=None, description="None where nothing ran.")
    profile: ProfileName
    seed: Annotated[int, Field(ge=0, lt=2**64)] | None = Field(
        description="None where the profile is derandomised."
    )
    seconds: subject.Seconds = subject.Seconds()
    properties: list[PropertyResult] = Field(default=[], max_length=5000)
    measured_at: forms.Moment

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Record:
        """A record that was edited by hand contradicts itself."""
        if self.cell != f"{self.kind}-{self.release}" or self.place != forms.place_of(self.kind):
            raise ValueError(f"cell: {self.cell!r} is not {self.release!r} on the {self.place}")
        if self.verdict != (found := verdict_of(self.properties)):
            raise ValueError(f"verdict: {self.verdict!r}, but its properties are {found!r}")
        if bool(self.properties) == (self.not_run is not None):
            raise ValueError("not_run: has to say why, where nothing ran, and nowhere else")
        if bool(self.properties) != (self.conditions is not None):
            raise ValueError("conditions: have to say under what the properties ran")
        counted = Counter(result.outcome for result in self.properties)
        if self.conditions and self.conditions.outcomes != counted:
            raise ValueError("conditions.outcomes: the run ended with other outcomes than these")
        if self.conditions and self.conditions.not_asked and not self.lost:
            raise ValueError("conditions.not_asked: no round trip failed: all were to be asked")
        if self.resolution and self.kind != "fresh":
            raise ValueError("resolution: only a fresh environment has one")
        if self.resolution and self.resolution.asked.partition("==")[2] != self.release:
            raise ValueError(f"resolution.asked: of another release than {self.release}")
        if len({result.key for result in self.properties}) < len(self.properties):
            raise ValueError("properties: one of them stands there twice")
        return self

    @property
    def kind(self) -> Kind:
        """The word before the release in the cell's name."""
        return next(kind for kind in forms.KINDS if self.cell.startswith(f"{kind}-"))

    @property
    def partial(self) -> str:
        """Why this is not the whole suite on the release as it is; empty where it is."""
        return self.conditions.partial if self.conditions else ""

    @property
    def lost(self) -> list[PropertyResult]:
        """What failed before the others were asked: numbers that did not come back as sent."""
        if not (self.conditions and self.conditions.not_asked):
            return []
        return [r for r in self.properties if r.key.startswith(FIRST) and r.outcome in UNSOUND]

    @property
    def numpy(self) -> str:
        """The version that stood beside the build; '' where that is not told."""
        return self.environment.packages.get("numpy", "") if self.environment else ""

    @property
    def calls(self) -> int:
        return sum(result.calls for result in self.properties)

    @property
    def file_name(self) -> str:
        """Of cell, host and provenance; a build with a tag (`post112`) has a record of its own."""
        sent = "~sent" if self.provenance == "sent in" else ""
        return f"{self.cell}{f'.{self.tag}' if self.tag else ''}@{self.host.slug}{sent}.json"

    @property
    def tag(self) -> str:
        """That of the build; empty where it has none."""
        return forms.tag_of(self.build.version if self.build else self.chosen or "")

    @property
    def identity(self) -> tuple[object, ...]:
        """What is alike in records of which one stays."""
        return self.cell, self.host, self.tag, self.provenance

    @property
    def session(self) -> str:
        """The Nox session that measures it anew."""
        return "here" if self.build and self.build.source == "installed" else self.cell


def verdict_of(results: Collection[PropertyResult]) -> Verdict:
    """`sound` needs at least one property that holds on verified calls, and none that failed."""
    if any(result.outcome in UNSOUND for result in results):
        return "unsound"
    return "sound" if any(r.outcome == "holds" and r.calls for r in results) else "not run"


class CannotRun(Exception):
    """A cell ends as `not run`, for the reason given."""

    def __init__(self, not_run: NotRun) -> None:
        super().__init__(f"{not_run.reason}: {not_run.detail}")
        self.not_run = not_run


class MachineFailed(Exception):
    """The machine or the network failed: nothing is said about a release, and nothing recorded."""
