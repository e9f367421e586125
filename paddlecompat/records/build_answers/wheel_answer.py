"""The form of what a wheel's own x86 code says: `reports/wheels/*.json`.

It is a record of its own kind: nothing of it was measured by running Paddle.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from paddlecompat.fixtures.builds import Capability, GpuCode, System
from paddlecompat.fixtures.forms import Line, Model, Sha256, in_order, read_as, write_json
from paddlecompat.folders import REPORTS, STUDIES
from paddlecompat.records.record import BuildVersion
from paddlecompat.records.subject import Answer, WheelSaid

ANSWERS = REPORTS / "wheels"
READ_HERE = STUDIES / "wheels"

WORST: tuple[Answer, ...] = get_args(Answer)
FunctionName = Literal["masked_select", "masked_select's gradient", "nonzero"]
FUNCTIONS: tuple[FunctionName, ...] = get_args(FunctionName)
Address = Annotated[str, Field(pattern=r"^0x[0-9a-f]{1,16}$")]
Bytes = Annotated[int, Field(ge=1, le=64)]


class Step(Model):
    """An instruction of the wheel that shows what was found."""

    address: Address = Field(description="In the library as it was linked.")
    text: Line = Field(description="The instruction.")
    does: Literal[
        "gives the size",
        "copies the count",
        "reads the count",
        "writes beyond the count",
        "reads beyond the count",
        "passes an address beyond the count",
    ]


class FunctionAnswer(Model):
    """What one host function does, by its code."""

    function: FunctionName
    dtype: Line = Field(description="Of the elements: 'float32'.")
    address: Address | None = Field(description="Where it begins; None: it was not found.")
    copied: Bytes | None = Field(default=None, description="Bytes that the copy of the count has.")
    count: Bytes | None = Field(default=None, description="Bytes that the count is read as.")
    steps: list[Step] = Field(default=[], max_length=40, description="The proof, in its order.")
    kernels: list[Line] = Field(
        default=[], max_length=40, description="The kernels that it launches, in their order."
    )
    grids: dict[int, list[int]] = Field(
        default={}, description="Their grids, in blocks, by the number of elements."
    )
    answer: Answer
    reason: Line = Field(description="Why that is the answer.")


class WheelAnswer(Model):
    """What a wheel holds: the reported defect or not, and GPU code for which cards."""

    schema_version: Literal[1] = 1
    version: BuildVersion = Field(description="The build's, with its tag: '2.3.2.post112'.")
    system: System
    file: Line = Field(description="The wheel's name; of an installed build the library's.")
    sha256: Sha256 = Field(description="The wheel's; of an installed build the library's.")
    library: Line = Field(description="What of it holds the kernels.")
    toolchain: Line = Field(description="What linked or compiled it: 'linker 14.16', 'GCC 8.2.0'.")
    cuda: Line = Field(description="What it was made for, by its own word.")
    cudnn: Line
    sm: list[Capability] = Field(description="What it has native GPU code for.")
    ptx: list[Capability] = Field(description="What it has PTX for.")
    functions: list[FunctionAnswer] = Field(max_length=200)
    answer: Answer = Field(description="The worst of its functions'.")

    @model_validator(mode="after")
    def agrees_with_itself(self) -> WheelAnswer:
        if self.answer != (worst := worst_of(found.answer for found in self.functions)):
            raise ValueError(f"answer: {self.answer!r}, but its functions are {worst!r}")
        return self

    @property
    def release(self) -> str:
        """'2.3.2' of '2.3.2.post112'."""
        return ".".join(re.findall(r"\d+", self.version)[:3])

    @property
    def code(self) -> GpuCode:
        """Its GPU code, in the form that the fixtures have."""
        return GpuCode(sm=self.sm, ptx=self.ptx, source="wheel")

    @property
    def counts(self) -> dict[Answer, int]:
        """How many of its functions have which answer, the worst first."""
        counted = Counter(found.answer for found in self.functions)
        return {answer: counted[answer] for answer in WORST if counted[answer]}

    @property
    def read(self) -> list[FunctionAnswer]:
        """The functions that were read: of the others the code says nothing."""
        return [found for found in self.functions if found.answer != "not read"]

    @property
    def typical(self) -> FunctionAnswer:
        """Of its functions one that has its answer."""
        return next(found for found in self.functions if found.answer == self.answer)

    @property
    def said(self) -> WheelSaid:
        """It in short, as the record of a cell carries it."""
        return WheelSaid(
            version=self.version,
            system=self.system,
            sha256=self.sha256,
            answer=self.answer,
            counts=self.counts,
            reason=self.typical.reason,
        )

    @property
    def file_name(self) -> str:
        return f"{self.version}-{self.system}-{self.sha256[:8]}.json"


def worst_of(answers: Iterable[Answer]) -> Answer:
    """The worst of them; where there is none, nothing was read."""
    return min(answers, key=WORST.index, default="not read")


def by_build(answers: Iterable[WheelAnswer]) -> dict[str, dict[System, WheelAnswer]]:
    """The answers of each build, the newest first, by system: of several wheels the worst."""
    builds: dict[str, dict[System, WheelAnswer]] = {}
    for answer in sorted(answers, key=lambda one: in_order(one.release), reverse=True):
        there = builds.setdefault(answer.version, {})
        other = there.get(answer.system, answer)
        there[answer.system] = min(other, answer, key=lambda one: WORST.index(one.answer))
    return builds


def read_all(folder: Path = ANSWERS) -> list[WheelAnswer]:
    """The answers in a folder, the oldest release first. Raises ValueError as `read_as`."""
    found = [read_as(WheelAnswer, path) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda one: (in_order(one.release), one.version, one.system, one.file))


def find(sha256: str, folder: Path = ANSWERS) -> WheelAnswer | None:
    """The answer of the wheel with that sha256, where one is kept."""
    kept = (read_as(WheelAnswer, path) for path in sorted(folder.glob(f"*-{sha256[:8]}.json")))
    return next((found for found in kept if found.sha256 == sha256), None)


def write(answer: WheelAnswer, folder: Path = READ_HERE) -> Path:
    """Keep an answer."""
    return write_json(folder / answer.file_name, answer)
