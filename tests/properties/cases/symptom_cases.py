"""The cases of wrong DFL targets: what becomes of a loss, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Any, Callable
from unittest.mock import patch

import numpy as np
import paddle
from hypothesis import strategies as st

from properties.cases.loss_cases import (
    HALF_ON_CPU,
    HELPERS,
    REG_RANGES,
    SEEDS,
    HeadCase,
    compare,
    head_cases,
)
from properties.cases.target_kinds import IGNORED, targets
from properties.cases.training_cases import TrainingCase
from properties.detection.real_head import build_head, head_losses
from properties.oracle.arrays import changed_at
from properties.oracle.box_loss import side_losses
from properties.oracle.loss_arrays import dfl_arrays
from properties.oracle.tolerances import dfl_tolerance, target_error
from properties.protocol.evidence import ask, begin, refused, within
from properties.protocol.scripts import program
from properties.questions.box_loss_questions import Tensor, side_losses_by

REPORTED = (-1, -6, -37, 28, 60, 92, 460)  # in PaddleDetection's threads, for 17 bins
NOT_OFFERED = (
    HALF_ON_CPU,
    r"Tensor holds the wrong type, it holds int, but desires to be int64_t",  # int32 labels: 2.2
)

Dfl = Callable[[np.ndarray, np.ndarray, "tuple[int, int]"], Tensor]


# What a release's cross entropy says of a label that is no bin.


def reported_words(label: int, release: str = paddle.__version__) -> str:
    """A pattern of the error that users of this release report, naming the label."""
    if release.startswith("2.2."):
        return rf"ValueError: label should not out of bound, but got.*\[{label}\]"
    if release.startswith("2.3."):
        return rf"ValueError: Target {label} is out of {'lower' if label < 0 else 'upper'} bound\."
    due = ">= 0" if label < 0 else "less than the shape of axis dimension"
    what = rf"label value should {due} when label value\({label}\)"
    return rf"IndexError: \(OutOfRange\) {what} not equal to ignore_index\({IGNORED}\)"


# The DFL of positives, [N, 1], asked in two ways.


def head_dfl(logits: np.ndarray, targets: np.ndarray, reg_range: tuple[int, int]) -> Tensor:
    """As the real head has it, whose labels are int64."""
    z, t = paddle.to_tensor(logits), paddle.to_tensor(targets)
    return build_head(1, reg_range)._df_loss(z, t, reg_range[0])


def dfl_by_int32_labels(
    logits: np.ndarray, targets: np.ndarray, reg_range: tuple[int, int]
) -> Tensor:
    """As it would be with labels of half the width."""
    z, t = paddle.to_tensor(logits), paddle.to_tensor(targets)
    return side_losses_by(z, t, reg_range[0], "int32").mean(-1, keepdim=True)


LABEL_DTYPES: dict[Dfl, str] = {head_dfl: "int64", dfl_by_int32_labels: "int32"}


@dataclass(frozen=True)
class TargetCase:
    """The DFL of positives, one of whose targets [N, 4] is `target`.

    Its script asks in Paddle's operators, whatever the question: it runs without PaddleDetection.
    """

    question: Dfl
    target: float
    reg_range: tuple[int, int]
    dtype: str
    count: int
    position: int
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.question.__name__}: {self.dtype}, reg_range {self.reg_range}, target "
            f"{self.target!r} at {self.place} of {4 * self.count}, seed {self.seed}"
        )

    @property
    def place(self) -> int:
        return self.position % (4 * self.count)

    @property
    def words(self) -> tuple[Any, ...]:
        return self.reg_range, self.dtype, "inside", self.count, 4.0, self.seed

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits [N, 4, C] and targets [N, 4], all of them in range."""
        logits, targets, _ = dfl_arrays(*self.words)
        return logits, targets

    def script(self) -> str:
        """A program that fails where the loss is finite, or wrong of targets in range."""
        return program(
            str(self),
            f"""logits, targets, _ = dfl_arrays{self.words!r}
z = paddle.to_tensor(logits)


def losses(t):
    return side_losses_by(
        z, paddle.to_tensor(t), {self.reg_range[0]}, {LABEL_DTYPES[self.question]!r}
    ).numpy()


assert np.allclose(losses(targets), side_losses(logits, targets, {self.reg_range!r}), 1e-2)
targets.reshape(-1)[{self.place}] = float("{self.target!r}")
try:
    answer = losses(targets)
except Exception as error:
    print(f"refused: {{error}}")
else:
    print(answer)
    assert not np.isfinite(answer).all(), f"a finite loss of targets {{targets}}"
""",
            HELPERS,
        )


@dataclass(frozen=True)
class SymptomCase:
    """A box loss where memory held the float `stale`, and no selection is written.

    Its script asks for the DFL of targets that are all `stale`, which is what the head comes to.
    """

    asked: HeadCase | TrainingCase
    stale: float

    def __str__(self) -> str:
        return f"{self.asked}; memory held {self.stale!r}"

    @property
    def label(self) -> int:
        """The label that the release is to name: the lower one, unless that one is let pass."""
        low, high = self.asked.reg_range
        below = floor(self.stale) - low
        return below + 1 if below in (IGNORED, high - low - 1) else below

    def script(self) -> str:
        """A program that fails where the error is not the reported one."""
        low, high = self.asked.reg_range
        return program(
            str(self),
            f"""import re

logits = paddle.zeros([1, 4, {high - low}])
try:
    answer = paddle_side_losses(logits, paddle.full([1, 4], {self.stale!r}), {low})
except Exception as error:
    said = f"{{type(error).__name__}}: " + " ".join(str(error).split())
    print(said)
    assert re.match({reported_words(self.label)!r}, said), said
else:
    raise AssertionError(f"expected an error, got {{answer}}")
""",
            HELPERS,
        )


def verify_noticed(case: TargetCase) -> None:
    """Targets in range get the right loss, with one changed an error or a loss that is not finite.

    Else raises Violation.
    """
    begin(case)
    logits, inside = case.arrays()
    eps = max(float(np.finfo(dtype).eps) for dtype in (case.dtype, np.float32))
    losses = ask(case.question, logits, inside, case.reg_range, not_offered=NOT_OFFERED)
    due = side_losses(logits, inside, case.reg_range).mean(axis=-1, keepdims=True)
    # The head has its weights in float32, whatever the targets are.
    tolerance = dfl_tolerance(logits, np.ones(1), 1.0, eps, target_error(case.reg_range, eps))
    within(losses.numpy(), due, tolerance, "targets in range")
    wrong = changed_at(inside, case.place, case.target)
    refused(
        lambda: finite(case.question(logits, wrong, case.reg_range).numpy()),
        f"the DFL of a target {case.target!r}, beyond {case.reg_range}",
    )


def finite(losses: np.ndarray) -> np.ndarray:
    """The losses. Raises FloatingPointError where somebody would notice: NaN or an infinity."""
    if not np.isfinite(losses).all():
        raise FloatingPointError(f"not finite: {losses}")
    return losses


def verify_symptom(case: SymptomCase) -> None:
    """Written selections get the right losses, unwritten ones the error that was reported.

    Else raises Violation.
    """
    begin(case)
    compare(case.asked.answers())
    with patch.object(paddle, "masked_select", unwritten(case.stale)):
        refused(
            lambda: list(case.asked.answers()),
            f"the box loss, where memory held {case.stale!r}",
            reported_words(case.label),
        )


def unwritten(stale: float) -> Callable[..., Tensor]:
    """A `masked_select` that leaves its output as memory held it, where memory held `stale`.

    As `selection_defects.unwritten`; what memory held is put there, for a CPU's allocator writes
    marks of its own into what is free.
    """
    true = paddle.masked_select

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.full_like(true(x, mask, name), stale)

    return masked_select


# How cases are drawn. They shrink to one positive, the first side, and seed 0.


@st.composite
def target_cases(draw: st.DrawFn, question: Dfl, kind: str, dtype: str) -> TargetCase:
    """DFL of 1 to 6 positives, one of whose targets is of this kind."""
    reg_range = draw(st.sampled_from(REG_RANGES))
    return TargetCase(
        question=question,
        target=draw(targets(kind, dtype, reg_range)),
        reg_range=reg_range,
        dtype=dtype,
        count=draw(st.integers(1, 6)),
        position=draw(st.integers(0, 23)),
        seed=draw(SEEDS),
    )


@st.composite
def symptom_cases(draw: st.DrawFn) -> SymptomCase:
    """Box losses with positives; stale floats of the size of pixels, beyond the range."""
    reg_range = low, high = draw(st.sampled_from(REG_RANGES))
    label = draw(
        st.sampled_from(REPORTED)
        | st.integers(1, 1000).map(lambda below: -below)
        | st.integers(high - low - 1, 1000)
    )
    fraction = draw(st.integers(0, 255)) / 256
    return SymptomCase(draw(head_cases(head_losses, reg_range)), low + label + fraction)
