"""The form of what a GPU build's host half did on the made-up driver: `reports/host/*.json`.

It is a record of its own kind, with a basis of its own: the release ran, its kernels did not. It is
no measurement on a GPU, and is never taken for one.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field

from paddlecompat.fixtures.bugs import Expected, Known
from paddlecompat.fixtures.builds import System
from paddlecompat.fixtures.forms import Line, Model, Sha256, in_order, read_as, write_json
from paddlecompat.folders import REPORTS, STUDIES
from paddlecompat.records.build_answers.wheel_answer import FunctionName
from paddlecompat.records.subject import Host, MeasuredBuild

HOST_ANSWERS = REPORTS / "host"
SEEN_HERE = STUDIES / "host"

Came = Literal["never written", "died", "raised", "written", "nothing to write"]
"""What comes of a tensor, the worst first. `raised` and `died` are of its call."""
AS_OUTCOME: dict[Came, str] = {"never written": "violated", "died": "crashed"}
"""What is a fault, as the outcome of properties on a GPU."""


class SeenFunction(Model):
    """The copy of the count and the launches of one function, as they were seen."""

    function: FunctionName
    dtype: Line
    elements: int = Field(ge=0)
    copied: list[int] = Field(max_length=10, description="Bytes of each copy to the host.")
    kernels: list[Line] = Field(max_length=40, description="What was launched, in its order.")
    grids: list[int] = Field(max_length=40, description="In how many blocks each.")
    differs: Line = Field(
        default="",
        description="How it differs from what the wheel's code said; empty: it does not.",
    )


class Output(Model):
    """Who writes a tensor that a function returns, or a gradient: by the arguments of launches."""

    operator: Line = Field(description="As 'masked_select'.")
    tensor: Line = Field(description="'output', or 'gradient by x'.")
    dtype: Line
    came: Came
    writers: list[Line] = Field(
        default=[],
        max_length=40,
        description="Kernels that are given its address and may write there, copies, fills.",
    )
    words: Line = Field(default="", description="Where its call raised or died: with what words.")
    cases: list[Line] = Field(max_length=100, description="Elements and mask: '3000, all True'.")

    @property
    def name(self) -> str:
        """As fixtures/bugs.toml has it: 'masked_select: gradient by x'."""
        return f"{self.operator}: {self.tensor}"


class FailedCall(Model):
    """What a call came to, while the driver failed."""

    fault: Line = Field(description="By its name in faults.toml.")
    call: Line
    raised: Line | None = Field(description="In the release's words; None: it was not noticed.")


class TrainingStep(Model):
    """What a step of a small PP-YOLOE came to."""

    fault: Line
    held: Line = Field(description="What memory held before: 'zeros'.")
    assigner: Line
    came: Literal["finite", "not finite", "raised", "died"]
    loss: Line = ""
    astray: int | None = Field(default=None, description="Gradients that are not finite.")
    words: Line = ""


class HostAnswer(Model):
    """What the host half of a build did."""

    schema_version: Literal[1] = 1
    basis: Literal["measured on the host half"] = "measured on the host half"
    build: MeasuredBuild
    release: Line
    system: System
    host: Host
    sources: Sha256 = Field(description="Of the made-up driver's sources.")
    functions: list[SeenFunction] = Field(max_length=1000)
    against: Sha256 | None = Field(description="The wheel whose answer was held against it.")
    outputs: list[Output] = Field(max_length=1000)
    failed: list[FailedCall] = Field(max_length=200)
    training: list[TrainingStep] = Field(max_length=50)

    @property
    def file_name(self) -> str:
        sha256 = self.build.sha256 or "installed"
        return f"{self.build.version}-{self.system}-{sha256[:8]}.json"

    @property
    def differing(self) -> list[SeenFunction]:
        """Those that did otherwise than the wheel's code said."""
        return [seen for seen in self.functions if seen.differs]

    @property
    def noticing(self) -> list[str]:
        """The calls that notice where a kernel has no code for the card."""
        return [call.call for call in self.failed if call.fault == "no-code" and call.raised]

    def outputs_that(self, *came: Came) -> list[Output]:
        return [output for output in self.outputs if output.came in came]

    def shown_of(self, where: Expected) -> list[Output]:
        """The outputs that a bug's block expects of this release to be faulty, and that are."""
        listed = where.on_host_half if where.concerns(self.release) else ()
        faulty = self.outputs_that(*AS_OUTCOME)
        return [o for o in faulty if o.name in listed and AS_OUTCOME[o.came] == where.outcome]

    def new(self, known: Known) -> list[Output]:
        """The faulty outputs that no known bug explains."""
        blocks = [where for bug in known.bug for where in bug.expected]
        explained = [output for where in blocks for output in self.shown_of(where)]
        return [output for output in self.outputs_that(*AS_OUTCOME) if output not in explained]

    @property
    def counts(self) -> dict[str, int]:
        """How many cases came to what."""
        return Counter(output.came for output in self.outputs for _ in output.cases)


def read_all(folder: Path = HOST_ANSWERS) -> list[HostAnswer]:
    """The answers in a folder, the oldest release first. Raises ValueError as `read_as`."""
    found = [read_as(HostAnswer, path) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda one: (in_order(one.release), one.build.version, one.system))


def write(answer: HostAnswer, folder: Path = SEEN_HERE) -> Path:
    """Keep an answer."""
    return write_json(folder / answer.file_name, answer, exclude_defaults=True)
