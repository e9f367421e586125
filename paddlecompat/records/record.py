"""The form of the record of one cell on one host.

It is published as JSON Schema in `reports/record.schema.json`, made from the models here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from paddlecompat.fixtures.forms import Model, Place, Sha256, Version, in_order, tag_of

PropertyOutcome = Literal["holds", "violated", "unsupported", "crashed", "timed out"]
Verdict = Literal["sound", "unsound", "not run"]
SanitizerTool = Literal["memcheck", "initcheck"]
Reason = Literal[
    "no build",
    "no interpreter",
    "no CUDA device",
    "driver too old",
    "device not supported by the build",
    "too little device memory",
    "device in use",
    "device refused",
    "no CUDA libraries",
    "install failed",
    "import failed",
]

UNSOUND: frozenset[PropertyOutcome] = frozenset({"violated", "crashed", "timed out"})
SYSTEMS = ("Linux", "WSL", "Windows", "macOS")
GENERATIONS = (
    ("Kepler", (3, 0)),
    ("Maxwell", (5, 0)),
    ("Pascal", (6, 0)),
    ("Volta", (7, 0)),
    ("Turing", (7, 5)),
    ("Ampere", (8, 0)),
    ("Ada", (8, 9)),
    ("Hopper", (9, 0)),
    ("Blackwell", (10, 0)),
)
"""NVIDIA's, each with its first compute capability; it ends where the next begins."""


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; one that does not say its zone is taken as UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such moment in UTC: write it as '2025-01-02T03:04:05Z'") from None


Moment = Annotated[datetime, AfterValidator(in_utc)]


class Host(Model):
    """Where a cell was measured. Nothing in it names a person or a machine."""

    os: str = Field(description="For example 'Linux, Debian GNU/Linux 12 (bookworm)'.")
    machine: str = Field(description="For example 'x86_64' or 'AMD64'.")
    libc: str = Field(description="For example 'glibc 2.36'; empty where there is none to name.")
    python: str = Field(description="The cell's interpreter, for example 'CPython 3.10'.")
    cpu: str
    gpu: str | None = None
    driver: str | None = None

    @property
    def slug(self) -> str:
        """A short file-name part, the same for the same host and different for another."""
        system = re.split(r"\W", self.os)[0]
        family = f"{system}-{self.machine}-{self.libc or 'no-libc'}".lower()
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:6]
        return f"{re.sub(r'[^a-z0-9.]+', '-', family)[:60]}-{digest}"

    @property
    def system(self) -> str:
        """'Linux', 'WSL', 'Windows' or 'macOS'; 'another system' for any other."""
        if "WSL" in self.os:
            return "WSL"
        return next((name for name in SYSTEMS if self.os.startswith(name)), "another system")


class MeasuredBuild(Model):
    """The wheel that was measured."""

    distribution: Literal["paddlepaddle", "paddlepaddle-gpu"]
    version: str = Field(
        pattern=r"^[0-9]+(\.[0-9]+)*[A-Za-z0-9.+_-]{0,40}$",
        description="With its local tag where it has one, as '2.3.2.post112'.",
    )
    cuda: str | None = Field(description="What the build itself says it was made for.")
    cudnn: str | None
    wheel: str = Field(description="The wheel's file name; empty where it was installed already.")
    sha256: Sha256 | None = Field(description="None where it was installed already.")
    locked: bool = Field(description="Whether the sha256 was checked against fixtures/.")
    source: str = Field(description="'index', 'file' or 'installed': where it was taken from.")

    @property
    def tag(self) -> str:
        """'post112' of '2.3.2.post112'; empty where the version has none."""
        return tag_of(self.version)


class Device(Model):
    """The device that was measured, as its driver and the build's CUDA libraries tell of it."""

    name: str = Field(description="For example 'NVIDIA GeForce RTX 3090'.")
    capability: str = Field(
        pattern=r"^[0-9]{1,2}\.[0-9]$", description="Compute capability, as '8.6'."
    )
    memory_gib: FiniteFloat
    driver: str = Field(description="The driver's version, as '535.104.05'.")
    driver_cuda: str = Field(description="The newest CUDA version that the driver serves: '12.2'.")
    runtime: dict[str, str] = Field(default={}, description="CUDA libraries loaded: versions.")

    @property
    def generation(self) -> str:
        """'Turing' for the capability 7.5."""
        capability = tuple(in_order(self.capability))
        reached = [name for name, first in GENERATIONS if capability >= first]
        return reached[-1] if reached else f"capability {self.capability}"


class Finding(Model):
    """One thing that compute-sanitizer said, as often as it said it."""

    text: str
    times: int = Field(ge=1)


class Sanitizer(Model):
    """What NVIDIA's compute-sanitizer found while the properties ran."""

    tool: SanitizerTool
    version: str
    findings: list[Finding] = []


class Environment(Model):
    """What stood beside the build, and what closing the loader gap took."""

    packages: dict[str, str] = Field(description="Distribution name to version, as installed.")
    mended: list[str] = Field(description="One line for each thing that was mended.")


class Seconds(Model):
    """Where the time went. The first four are of the environment's making, also when reused."""

    download: FiniteFloat | None = None
    install: FiniteFloat | None = None
    mend: FiniteFloat | None = None
    imports: FiniteFloat | None = Field(
        default=None, description="`import paddle` in a fresh process."
    )
    test: FiniteFloat | None = None
    environment_reused: bool = False


class Evidence(Model):
    """What shows a violation: the shrunk case, and a script that needs paddle and numpy alone."""

    case: str
    expected: str
    actual: str
    script: str


class PropertyResult(Model):
    """What one property came to in this cell."""

    group: str = Field(description="What is tested: 'masked_select', 'dfl_loss', ...")
    name: str = Field(description="The test's own name, with its parameter in brackets.")
    outcome: PropertyOutcome
    calls: int = Field(ge=0, description="Calls whose answer was compared with the oracle's.")
    examples: int = Field(ge=0, description="Examples that Hypothesis drew.")
    seconds: FiniteFloat = Field(ge=0)
    message: str = Field(default="", description="Why not `holds`; the release's own words.")
    evidence: Evidence | None = Field(default=None, description="For `violated`.")
    case: str | None = Field(default=None, description="The case that the process died on.")

    @property
    def key(self) -> str:
        return f"{self.group}::{self.name}"


class BuildFor(Model):
    """What would be measured on a machine with another card."""

    card: str = Field(description="With its compute capability: 'GeForce RTX 3090 (8.6)'.")
    build: str | None = Field(description="As '2.3.2.post112'; None where none fits.")
    why: str


class NotRun(Model):
    """Why nothing was measured."""

    reason: Reason
    detail: str = Field(description="What was found, and what to do.")
    builds: list[BuildFor] = Field(default=[], description="What example cards would be given.")


class Record(Model):
    """One cell on one host."""

    schema_version: Literal[1] = 1
    cell: str = Field(pattern=r"^(cpu|gpu)-\d+\.\d+\.\d+$")
    release: Version
    place: Place
    host: Host
    build: MeasuredBuild | None = None
    chosen: Annotated[str, Field(pattern=r"^[\w.+!-]{1,40}$")] | None = Field(
        default=None, description="The build's version, as it was chosen for a GPU."
    )
    device: Device | None = Field(default=None, description="None on the CPU.")
    environment: Environment | None = None
    stand_in: str | None = Field(
        default=None, description="The fault of a stand-in device: never a published record."
    )
    sanitizer: Sanitizer | None = None
    verdict: Verdict
    not_run: NotRun | None = None
    profile: str
    seed: int | None = Field(description="None where the profile is derandomised.")
    seconds: Seconds = Seconds()
    properties: list[PropertyResult] = []
    measured_at: Moment

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Record:
        """A record that was edited by hand contradicts itself."""
        if self.cell != f"{self.place}-{self.release}":
            raise ValueError(f"cell: {self.cell!r} is not {self.release!r} on the {self.place}")
        if self.verdict != (found := verdict_of(self.properties)):
            raise ValueError(f"verdict: {self.verdict!r}, but its properties are {found!r}")
        return self

    @property
    def calls(self) -> int:
        return sum(result.calls for result in self.properties)

    @property
    def file_name(self) -> str:
        """Of the cell and the host; a build with a tag (`post112`) has a record of its own."""
        tag = tag_of(self.build.version if self.build else self.chosen or "")
        return f"{self.cell}{f'.{tag}' if tag else ''}@{self.host.slug}.json"

    @property
    def host_class(self) -> str | None:
        """Its column in the tables: 'Linux', or 'Windows, Turing' for a GPU cell.

        None for a GPU cell that reached no device.
        """
        if self.place == "cpu":
            return self.host.system
        if self.device is not None:
            return f"{self.host.system}, {self.device.generation}"
        reached = self.host.gpu is not None or self.not_run is None
        return f"{self.host.system}, card not told" if reached else None


def verdict_of(results: Collection[PropertyResult]) -> Verdict:
    """`sound` needs at least one property that holds on verified calls, and none that failed."""
    if any(result.outcome in UNSOUND for result in results):
        return "unsound"
    return "sound" if any(r.outcome == "holds" and r.calls for r in results) else "not run"


def class_order(host_class: str) -> tuple[int, int, str]:
    """What to sort classes of hosts by: Linux first, and old generations before new ones."""
    system, _, card = host_class.partition(", ")
    cards = [name for name, _ in GENERATIONS]
    return [*SYSTEMS, system].index(system), [*cards, card].index(card), host_class


class CannotRun(Exception):
    """A cell ends as `not run`, for the reason given."""

    def __init__(self, not_run: NotRun) -> None:
        super().__init__(f"{not_run.reason}: {not_run.detail}")
        self.not_run = not_run
