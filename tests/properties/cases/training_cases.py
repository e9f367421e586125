"""The cases of a small PP-YOLOE that is trained: its steps, how they are verified and scripted."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import astuple, dataclass
from functools import cache
from itertools import islice

import numpy as np

from properties.cases.loss_cases import HELPERS, compare, comparing_program
from properties.detection import small_ppyoloe
from properties.detection.small_ppyoloe import CLASSES, REG_RANGE, Step, train
from properties.oracle.box_loss import BoxLossInputs
from properties.protocol.evidence import ask, begin, within
from properties.protocol.scripts import helpers_of, program
from properties.questions.box_loss_questions import Answers, box_loss_steps, losses_match

CONSTANTS = ("CLASSES", "SIDE", "STRIDES", "RATE", "STATIC_EPOCHS", "EPOCHS")
NO_INT32_LABELS = r"Type promotion only support calculations .* x: int64, y: int32"  # 3.0 and later


@cache
def trained(assigner: str, seed: int, label_dtype: str, count: int) -> list[Step]:
    """The first steps of a training: every property asks about the same ones."""
    return list(islice(train(assigner, seed, label_dtype), count))


@dataclass(frozen=True)
class TrainingCase:
    """The first `count` steps of a training. Its script needs PaddleDetection besides."""

    assigner: str
    seed: int
    label_dtype: str = "int64"
    count: int = 20

    def __str__(self) -> str:
        return (
            f"small PP-YOLOE: {self.count} steps with {self.assigner}, {self.label_dtype} labels, "
            f"seed {self.seed}"
        )

    def steps(self) -> list[Step]:
        begin(self)
        return ask(trained, *astuple(self), not_offered=[NO_INT32_LABELS])

    @property
    def reg_range(self) -> tuple[int, int]:
        return REG_RANGE

    def answers(self) -> Answers:
        """The box losses of the first step, which is taken anew."""
        step = next(train(self.assigner, self.seed, self.label_dtype))
        return losses_match(step.box_losses, step.inputs, REG_RANGE)

    def script(self) -> str:
        """A program that trains, and fails where numbers are not finite or the loss stays."""
        constants = {name: getattr(small_ppyoloe, name) for name in CONSTANTS}
        return program(
            f"{self}; needs paddledet 2.6.0",
            f"""from itertools import islice

{", ".join(constants)} = {tuple(constants.values())!r}
losses = []
for step in islice(train{astuple(self)[:3]!r}, {self.count}):
    print(step.loss, step.box_losses)
    losses.append(step.loss)
    assert np.isfinite(step.loss)
    assert not step.astray, step.astray
assert len(losses) == 1 or np.mean(losses[-3:]) < np.mean(losses[:3])
""",
            {**HELPERS, **helpers_of(small_ppyoloe)},
        )


@dataclass(frozen=True)
class StepCase:
    """The box loss of one step. Its script has the positives' rows; those of the others are 0."""

    training: TrainingCase
    number: int
    inputs: BoxLossInputs

    def __str__(self) -> str:
        return f"{self.training}: the box loss of step {self.number}"

    def script(self) -> str:
        """A program that goes the head's steps and fails at the first that is wrong."""
        labels = self.inputs.assigned_labels
        where = np.flatnonzero(labels != CLASSES)
        rows = "".join(
            f"    {name}=rows({packed(array.reshape(labels.size, -1)[where])!r}),\n"
            for name, array in self.inputs._asdict().items()
            if array.ndim == 3
        )
        before = f"""from base64 import b64decode

where = np.array({where.tolist()}, np.int64)


def floats(packed):
    return np.frombuffer(b64decode(packed), np.float32)


def rows(packed):
    found = floats(packed).reshape(len(where), -1)
    array = np.zeros(({labels.size}, found.shape[1]), np.float32)
    array[where] = found
    return array.reshape(*{labels.shape}, -1)


labels = np.full({labels.size}, {CLASSES}, np.{labels.dtype})
labels[where] = {labels.reshape(-1)[where].tolist()}
inputs = BoxLossInputs(
{rows}    anchor_points=floats({packed(self.inputs.anchor_points)!r}).reshape(-1, 2),
    assigned_labels=labels.reshape{labels.shape},
    assigned_scores_sum=np.asarray({float(self.inputs.assigned_scores_sum)!r}, np.float32),
)
"""
        return comparing_program(self, box_loss_steps, f"inputs, {REG_RANGE}", before)


def packed(array: np.ndarray) -> str:
    """The bytes of a float32 array as text: a quarter of what its decimals take."""
    return b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


def verify_box_losses(training: TrainingCase) -> None:
    """At each step there are positives, and the head's three box losses are the oracle's."""
    for number, step in enumerate(training.steps()):
        begin(StepCase(training, number, step.inputs))
        found = (step.inputs.assigned_labels != CLASSES).any()
        within(found, True, 0.0, "whether there are positives")
        compare(losses_match(step.box_losses, step.inputs, REG_RANGE))


def verify_finite(training: TrainingCase) -> None:
    """At each step the loss is finite, and so is every parameter's gradient."""
    for number, step in enumerate(training.steps()):
        loss = f"whether the loss of step {number}, {step.loss}, is finite"
        within(np.isfinite(step.loss), True, 0.0, loss)
        astray = f"step {number}: parameters without a finite gradient, {', '.join(step.astray)}"
        within(len(step.astray), 0, 0.0, astray)


def verify_fall(training: TrainingCase) -> None:
    """The mean loss of the last three steps is less than that of the first three."""
    losses = [step.loss for step in training.steps()]
    first, last = np.mean(losses[:3]), np.mean(losses[-3:])
    within(last < first, True, 0.0, f"whether the loss falls, from {first:.4g} to {last:.4g}")
