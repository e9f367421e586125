"""What came of following the advice, in each release: counts, and the verdicts made from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from paddlecompat.fixtures import forms
from paddlecompat.fixtures.forms import Model, Place, Version
from paddlecompat.folders import REPORTS, STUDIES

MEASURED = STUDIES / "advice"
PUBLISHED = REPORTS / "advice"
NO_ADVICE = "no advice"
Condition = Literal["sound", "sound, boxes inside", "unwritten", "unwritten, nonzero right"]
Verdict = Literal[
    "restores the right loss",
    "changes a right loss",
    "hides the error",
    "loses the gradient",
    "no effect",
]
Range = tuple[int, int]
Piece = tuple[str, str]
"""A piece of advice, and its variant."""


class Run(Model):
    """How the cases ended under one piece of advice, in one condition."""

    advice: str
    variant: str
    condition: Condition
    memory: str = Field(default="", description="What the unwritten outputs hold.")
    right: int = Field(default=0, ge=0, description="The oracle's losses, within the tolerance.")
    trains: int = Field(default=0, ge=0, description="Right, and so are the gradients.")
    wrong: int = Field(default=0, ge=0, description="Finite, beyond the tolerance.")
    not_finite: int = Field(default=0, ge=0)
    raised: int = Field(default=0, ge=0)
    message: str = Field(default="", description="The most frequent of the errors raised.")
    median_error: float | None = Field(default=None, description="Relative, of those wrong.")
    greatest_error: float | None = None

    @property
    def cases(self) -> int:
        return self.right + self.wrong + self.not_finite + self.raised

    @property
    def piece(self) -> Piece:
        return self.advice, self.variant


class Accuracy(Model):
    """How far the DFL is off, for targets of a dtype."""

    reg_range: Range
    dtype: str
    targets: Range = Field(description="Where the targets lie.")
    raised: int = Field(default=0, ge=0)
    median_error: float | None = None
    greatest_error: float | None = None


class Targets(Model):
    """Where the head's clip leaves the targets of a kind of box, four a box."""

    boxes: str
    dtype: str
    reg_range: Range
    clipped_by: Literal["Paddle", "NumPy"]
    inside: int = Field(default=0, ge=0)
    below: int = Field(default=0, ge=0)
    above: int = Field(default=0, ge=0)
    nan: int = Field(default=0, ge=0)
    dfl: str = Field(description="'finite', 'not finite', or the error.")

    @property
    def stay(self) -> bool:
        """Whether all of them are in the range, and make a finite DFL."""
        return self.dfl == "finite" and not (self.below or self.above or self.nan)


class Measured(Model):
    """What came out of one release."""

    release: Version
    place: Place
    seed: int
    cases: int = Field(ge=1)
    losses: list[Run] = Field(min_length=1)
    accuracy: list[Accuracy]
    targets: list[Targets]

    @model_validator(mode="after")
    def counts_every_case(self) -> Measured:
        for run in self.losses:
            if run.cases != self.cases or run.trains > run.right:
                raise ValueError(f"losses: {run.variant!r} ({run.condition}) miscounts its cases")
        return self

    @property
    def name(self) -> str:
        return f"{self.place}-{self.release}"

    def runs(self, piece: Piece, *conditions: Condition) -> list[Run]:
        """The runs of a piece of advice in these conditions, or in all."""
        runs = [run for run in self.losses if run.piece == piece]
        return [run for run in runs if not conditions or run.condition in conditions]

    @property
    def without(self) -> list[Run]:
        """The runs without any advice."""
        return [run for run in self.losses if run.advice == NO_ADVICE]


def verdicts_of(runs: Sequence[Run], without: Sequence[Run]) -> list[Verdict]:
    """All the verdicts that one piece of advice earns in one release.

    *Changes a right loss*: on the sound release, fewer losses are right than without the advice.
    *Restores the right loss*: with the defect every loss is right, and it changes none.
    *Hides the error*: with the defect and some content of the memory, fewer cases raise than
    without the advice, and more end in a loss that is finite and wrong. *Loses the gradient*: a
    loss is right, but its gradients are not. *No effect*: none of these.
    """
    bare = {(run.condition, run.memory): run for run in without}
    faulty = [(run, bare["unwritten", run.memory]) for run in runs if run.memory]
    changes = any(run.right < bare[run.condition, ""].right for run in runs if not run.memory)
    hides = any(run.raised < than.raised and run.wrong > than.wrong for run, than in faulty)
    earned: dict[Verdict, bool] = {
        "restores the right loss": not changes and all(run.right == run.cases for run, _ in faulty),
        "changes a right loss": changes,
        "hides the error": hides,
        "loses the gradient": any(run.trains < run.right for run in runs),
    }
    return [verdict for verdict, given in earned.items() if given] or ["no effect"]


def upgrade(measured: Sequence[Measured]) -> Verdict:
    """What an upgrade does to the loss of the releases as they are, oldest first.

    *Restores the right loss*: some are wrong, and no release after a right one is. *Changes a right
    loss*: one after a right one is wrong. *No effect*: all are right, or none.
    """
    right = [
        all(run.right == run.cases for run in one.without if not run.memory) for one in measured
    ]
    if len(set(right)) < 2:
        return "no effect"
    return "restores the right loss" if right == sorted(right) else "changes a right loss"


def gather(folder: Path) -> tuple[list[Measured], list[str]]:
    """Every release in `folder`, oldest first; and a line for each file that cannot be read."""
    measured, errors = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            measured.append(forms.read_as(Measured, path))
        except (OSError, ValueError) as error:
            why = f"{path}: {error.strerror}" if isinstance(error, OSError) else str(error)
            errors.append(why.removeprefix(f"{path.parent}{os.sep}"))
    return sorted(measured, key=lambda one: forms.in_order(one.release)), errors


def write(measured: Measured, folder: Path = MEASURED) -> Path:
    """Keep what was measured; where it went."""
    return forms.write_json(folder / f"{measured.name}.json", measured, exclude_defaults=True)
