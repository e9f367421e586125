"""What the made-up driver answers, and the log of what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Union

import tomllib
from pydantic import Field, TypeAdapter

from paddlecompat.fixtures.builds import Capability
from paddlecompat.fixtures.forms import Line, Model

FAULTS = Path(__file__).with_name("faults.toml")
Error = Annotated[int, Field(ge=0, le=999)]
Mebibytes = Annotated[int, Field(ge=1)]


class Answers(Model):
    """A driver, a card, and a chosen fault."""

    card: Line = "Made-up T4"
    capability: Capability = "7.5"
    driver: Line = "535.104.05"
    cuda: int = Field(default=12020, description="The newest CUDA that it serves: 12.2.")
    memory: Mebibytes = 4096
    free: Mebibytes = 3072
    held_before: int = Field(default=0xAB, ge=0, le=255, description="Each byte of new memory.")
    carry_out: bool = Field(default=True, description="Whether a launch it knows is carried out.")
    launch: Error = Field(default=0, description="What each launch comes to, as 209.")
    skip: Line = Field(default="", description="In the names of kernels: it is not carried out.")
    synchronize: Error = 0
    allocate: Error = 0
    cudnn: int = Field(default=7605, description="What cuDNN says of itself: 7.6.5.")
    copy_: Error = Field(default=0, alias="copy")
    lost_after: int = Field(default=0, ge=0, description="The context is lost after so many calls.")
    lost_with: Error = 719
    linked: bool = Field(default=True, description="Whether there is a libcuda.so.")

    def settings(self, log: Path | None = None) -> dict[str, str]:
        """The variables by which a process is told. `log` is written at its end."""
        told = self.model_dump(by_alias=True, exclude={"linked"})
        named = {f"MADE_UP_{name.upper()}": value for name, value in told.items()}
        if log:
            named["MADE_UP_LOG"] = str(log)
        return {name: str(int(v)) if isinstance(v, bool) else str(v) for name, v in named.items()}


def load() -> dict[str, Answers]:
    """The drivers that are declared, by name. Raises ValueError where one is not of the form."""
    tables = tomllib.loads(FAULTS.read_text(encoding="utf-8"))
    return {name: Answers.model_validate(table) for name, table in tables.items()}


class Opened(Model):
    what: Literal["open"]
    card: str
    capability: Capability


class Allocated(Model):
    what: Literal["allocate"]
    at: int
    bytes: int
    came: Error


class Freed(Model):
    what: Literal["free"]
    at: int


class Copied(Model):
    what: Literal["copy"]
    kind: Literal["to device", "to host", "on device", "any"]
    to: int
    from_: int = Field(alias="from")
    bytes: int
    came: Error


class Filled(Model):
    what: Literal["fill"]
    at: int
    bytes: int
    came: Error


class Launched(Model):
    what: Literal["launch"]
    kernel: str = Field(description="Its mangled name.")
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    arguments: list[str] = Field(description="At least its own, each with at least its bytes.")
    came: Error
    carried_out: bool


class Synchronized(Model):
    what: Literal["synchronize"]


class Called(Model):
    """A function that is not declared: it came to nothing."""

    what: Literal["call"]
    name: str


class Marked(Model):
    """What the program says that runs in the release."""

    what: Literal["mark"]
    text: str


Entry = Annotated[
    Union[Opened, Allocated, Freed, Copied, Filled, Launched, Synchronized, Called, Marked],
    Field(discriminator="what"),
]
FORM: TypeAdapter[Entry] = TypeAdapter(Entry)


def read_log(path: Path) -> Iterator[Entry]:
    """What was asked, in its order; the last line may be cut off where the process died."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n"):
                yield FORM.validate_json(line)
