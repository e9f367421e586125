"""The cases of PP-YOLOE's box loss: their inputs, and the strategies that draw them.

They are drawn by structure, and the targets of a few one by one. They shrink to one positive, a
written target of `low`, the first side, and seed 0.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from properties.cases.case import Case, Question
from properties.cases.target_kinds import targets
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange
from properties.oracle.loss_arrays import dfl_arrays, head_inputs

# Every reg_range that PaddleDetection's files set: the default; smalldet/ppyoloe_plus_sod_crn_l;
# its VisDrone configurations, small and large; and the upper end that its README suggests for DOTA.
REG_RANGES = ((0, 17), (-2, 17), (-2, 8), (-2, 20), (0, 13))
ASSIGNED = ("one", "some", "block", "all")  # words of `head_inputs`
REPORTED = (-1, -6, -37, 28, 60, 92, 460)  # labels in PaddleDetection's threads, for 17 bins
MOST_BINS = max(high - low for low, high in REG_RANGES)
over_ranges = pytest.mark.parametrize("reg_range", REG_RANGES, ids=str)

SEEDS = st.integers(0, 2**16)
SPREADS = st.sampled_from((1.0, 4.0, 16.0))


@dataclass(frozen=True)
class DflInputs:
    """The logits, targets and weights of `count` positives, named by the words of `dfl_arrays`."""

    reg_range: RegRange
    dtype: str
    pattern: str | tuple[float, ...]
    count: int
    spread: float
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.dtype}, {self.count} positives, targets {self.pattern}, logits within "
            f"{self.spread:g}, seed {self.seed}"
        )

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(zip(("logits", "targets", "weights"), dfl_arrays(*astuple(self))))

    def code(self) -> str:
        return f"logits, targets, weights = dfl_arrays{astuple(self)!r}"


@dataclass(frozen=True)
class HeadInputs:
    """The inputs of the head's box loss, named by the words of `head_inputs`."""

    reg_range: RegRange
    classes: int
    batch: int
    anchors: int
    assigned: str
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.classes} classes, {self.batch} x {self.anchors} anchors, {self.assigned} "
            f"assigned, seed {self.seed}"
        )

    @property
    def arguments(self) -> dict[str, Any]:
        return {"inputs": head_inputs(*astuple(self))}

    def code(self) -> str:
        return f"inputs = head_inputs{astuple(self)!r}"


@dataclass(frozen=True)
class StepInputs:
    """What the head saw and made of it at one step of a training, which is named by its words."""

    training: str
    number: int
    inputs: BoxLossInputs
    box_losses: BoxLoss

    def __str__(self) -> str:
        return f"{self.training}, step {self.number}"

    @property
    def arguments(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "box_losses": self.box_losses}

    def code(self) -> str:
        """Lines that make `inputs`: the rows of positives, for the rest of a row does not count."""
        labels, total = self.inputs.assigned_labels, float(self.inputs.assigned_scores_sum)
        classes = self.inputs.assigned_scores.shape[-1]
        where = np.flatnonzero(labels != classes)
        rows = {
            name: packed(array.reshape(labels.size, -1)[where])
            for name, array in self.inputs._asdict().items()
            if array.ndim == 3
        }
        points = packed(self.inputs.anchor_points)
        found = labels.reshape(-1)[where].tolist()
        return f"""labels = np.full({labels.size}, {classes}, np.{labels.dtype})
where = {where.tolist()}
labels[where] = {found}
rows = {rows!r}
inputs = BoxLossInputs(
    **{{name: spread_out(text, where, labels.reshape{labels.shape}) for name, text in rows.items()}},
    anchor_points=unpacked({points!r}).reshape(-1, 2),
    assigned_labels=labels.reshape{labels.shape},
    assigned_scores_sum=np.asarray({total!r}, np.float32),
)"""


def packed(array: np.ndarray) -> str:
    """The bytes of a float32 array as text: a quarter of what its decimals take."""
    return b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """The float32 elements of `packed` text."""
    return np.frombuffer(b64decode(text), np.float32)


def spread_out(text: str, where: list[int], labels: np.ndarray) -> np.ndarray:
    """The rows of `packed` text in their places, and 0 in all others: [*labels.shape, columns]."""
    rows = unpacked(text).reshape(len(where), -1)
    array = np.zeros((labels.size, rows.shape[1]), np.float32)
    array[where] = rows
    return array.reshape(*labels.shape, -1)


def dfl_cases(
    question: Question, dtype: str, reg_range: RegRange, *patterns: str
) -> st.SearchStrategy[Case]:
    """DFL of 1 to 24 positives with targets of these patterns, or of 1 to 3 with written ones."""
    low, high = reg_range
    end = float(np.array(high - 1 - 0.01, dtype))
    target = numbers.from_dtype(np.dtype(dtype), min_value=low, max_value=end).map(float)

    def case(pattern: str | tuple[float, ...], count: int, spread: float, seed: int) -> Case:
        inputs = DflInputs(reg_range, dtype, pattern, count, spread, seed)
        return Case(question, inputs, {"reg_range": reg_range})

    def written(count: int) -> st.SearchStrategy[Case]:
        targets = st.lists(target, min_size=4 * count, max_size=4 * count).map(tuple)
        return st.builds(case, targets, st.just(count), SPREADS, SEEDS)

    named = st.builds(case, st.sampled_from(patterns), st.integers(1, 24), SPREADS, SEEDS)
    return st.one_of(st.integers(1, 3).flatmap(written), named)


@st.composite
def dfl_cases_past_the_clip(draw: st.DrawFn, question: Question, dtype: str) -> Case:
    """DFL of one positive whose targets lie between the end of the head's clip and the last bin."""
    reg_range = _, high = draw(st.sampled_from(REG_RANGES))
    end = float(np.array(high - 1 - 0.01, dtype))
    target = numbers.from_dtype(
        np.dtype(dtype), min_value=end, max_value=high - 1, exclude_max=True
    )
    written = draw(st.lists(target.map(float), min_size=4, max_size=4).map(tuple))
    inputs = DflInputs(reg_range, dtype, written, 1, draw(SPREADS), draw(SEEDS))
    return Case(question, inputs, {"reg_range": reg_range})


@st.composite
def label_cases(
    draw: st.DrawFn, question: Question, labels: st.SearchStrategy[int], *reg_ranges: RegRange
) -> Case:
    """Cross entropies of 1 to 6 positives, one of whose labels is drawn from `labels`."""
    label = draw(labels)
    reg_range = draw(st.sampled_from(reg_ranges or REG_RANGES))
    dtype = draw(st.sampled_from(("float32", "float64")))
    return draw(changed_cases(question, reg_range, dtype, {"label": label}))


@st.composite
def target_cases(
    draw: st.DrawFn, question: Question, kind: str, dtype: str, **options: Any
) -> Case:
    """DFL of 1 to 6 positives, one of whose targets is of this kind."""
    reg_range = draw(st.sampled_from(REG_RANGES))
    target = draw(targets(kind, dtype, reg_range))
    return draw(changed_cases(question, reg_range, dtype, {"target": target, **options}))


def changed_cases(
    question: Question, reg_range: RegRange, dtype: str, options: dict[str, Any]
) -> st.SearchStrategy[Case]:
    """DFL of 1 to 6 positives with targets in range, of which one place [N, 4] is to be changed."""

    def case(count: int, position: int, seed: int) -> Case:
        inputs = DflInputs(reg_range, dtype, "inside", count, 4.0, seed)
        place = position % (4 * count)
        return Case(question, inputs, {"reg_range": reg_range, "place": place, **options})

    return st.builds(case, st.integers(1, 6), st.integers(0, 23), SEEDS)


def head_cases(
    question: Question, reg_range: RegRange, *assigned: str, **options: Any
) -> st.SearchStrategy[Case]:
    """Box losses of 1 to 3 images, 1 to 40 anchors and 1 to 4 classes, assigned in these ways."""
    inputs = st.builds(
        HeadInputs,
        reg_range=st.just(reg_range),
        classes=st.integers(1, 4),
        batch=st.integers(1, 3),
        anchors=st.integers(1, 40),
        assigned=st.sampled_from(assigned or ASSIGNED),
        seed=SEEDS,
    )
    return inputs.map(lambda made: Case(question, made, {"reg_range": reg_range, **options}))


@st.composite
def stale_cases(draw: st.DrawFn, question: Question) -> Case:
    """Box losses with positives; stale floats of the size of pixels, beyond the range."""
    reg_range = low, high = draw(st.sampled_from(REG_RANGES))
    label = draw(
        st.sampled_from(REPORTED)
        | st.integers(1, 1000).map(lambda below: -below)
        | st.integers(high - low - 1, 1000)
    )
    fraction = draw(st.integers(0, 255)) / 256
    return draw(head_cases(question, reg_range, stale=low + label + fraction))
