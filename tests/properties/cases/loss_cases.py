"""The cases of PP-YOLOE's box loss: their inputs, and the strategies that draw them.

They are drawn by structure, and the targets of a few one by one. They shrink to one positive, a
written target of `low`, the first side, and seed 0.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Callable
from zlib import compress, decompress

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from properties.cases.case import Case, Question
from properties.cases.target_kinds import targets
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange
from properties.oracle.loss_arrays import dfl_inputs, head_inputs

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
class Recipe:
    """Inputs that a function of the oracle makes from a few words."""

    make: Callable[..., Any]
    words: dict[str, Any]

    def __str__(self) -> str:
        words = ", ".join(f"{name}={word!r}" for name, word in self.words.items())
        return f"{self.make.__name__}({words})"

    @property
    def arguments(self) -> dict[str, Any]:
        return {"inputs": self.make(**self.words)}

    def code(self) -> str:
        return f"inputs = {self}"


@dataclass(frozen=True)
class StepInputs:
    """What the head saw at one step of a training, and the losses that it came to."""

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
        """Lines that make `inputs`, with 0 in the rows of the anchors that do not count."""
        background = self.inputs.assigned_scores.shape[-1]
        chosen = self.inputs.assigned_labels[..., None] != background
        lines = ["inputs = BoxLossInputs("]
        for name, array in self.inputs._asdict().items():
            kept = np.where(chosen, array, np.zeros((), array.dtype)) if array.ndim == 3 else array
            text = b64encode(compress(np.ascontiguousarray(kept).tobytes())).decode()
            lines.append(f"    {name}=unpack({text!r}, {kept.dtype.name!r}, {kept.shape}),")
        return "\n".join([*lines, ")"])


def unpack(text: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array whose bytes were compressed to this text."""
    return np.frombuffer(decompress(b64decode(text)), dtype).reshape(shape)


def dfl_cases(
    question: Question, dtype: str, reg_range: RegRange, *patterns: str
) -> st.SearchStrategy[Case]:
    """DFL of 1 to 24 positives with targets of these patterns, or of 1 to 3 with written ones."""
    low, high = reg_range
    end = float(np.array(high - 1 - 0.01, dtype))
    target = numbers.from_dtype(np.dtype(dtype), min_value=low, max_value=end).map(float)

    def case(pattern: str | tuple[float, ...], count: int, spread: float, seed: int) -> Case:
        return dfl_case(question, reg_range, dtype, pattern, count, spread, seed)

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
    return dfl_case(question, reg_range, dtype, written, 1, draw(SPREADS), draw(SEEDS))


def dfl_case(question: Question, *words: Any, **options: Any) -> Case:
    """A case of DFL, whose inputs are named by the words of `dfl_inputs`."""
    names = ("reg_range", "dtype", "pattern", "count", "spread", "seed")
    return Case(question, Recipe(dfl_inputs, dict(zip(names, words))), options)


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
    draw: st.DrawFn, question: Question, kind: str, dtype: str, label_dtype: str = "int64"
) -> Case:
    """DFL of 1 to 6 positives, one of whose targets is of this kind."""
    reg_range = draw(st.sampled_from(REG_RANGES))
    options = {"target": draw(targets(kind, dtype, reg_range)), "label_dtype": label_dtype}
    return draw(changed_cases(question, reg_range, dtype, options))


def changed_cases(
    question: Question, reg_range: RegRange, dtype: str, options: dict[str, Any]
) -> st.SearchStrategy[Case]:
    """DFL of 1 to 6 positives with targets in range, of which one place [N, 4] is to be changed."""

    def case(count: int, position: int, seed: int) -> Case:
        place = position % (4 * count)
        words = (reg_range, dtype, "inside", count, 4.0, seed)
        return dfl_case(question, *words, place=place, **options)

    return st.builds(case, st.integers(1, 6), st.integers(0, 23), SEEDS)


def head_cases(
    question: Question, reg_range: RegRange, *assigned: str, **options: Any
) -> st.SearchStrategy[Case]:
    """Box losses of 1 to 3 images, 1 to 40 anchors and 1 to 4 classes, assigned in these ways."""
    words: st.SearchStrategy[dict[str, Any]] = st.builds(
        dict,
        reg_range=st.just(reg_range),
        classes=st.integers(1, 4),
        batch=st.integers(1, 3),
        anchors=st.integers(1, 40),
        assigned=st.sampled_from(assigned or ASSIGNED),
        seed=SEEDS,
    )
    options = {"reg_range": reg_range, **options}
    return words.map(lambda drawn: Case(question, Recipe(head_inputs, drawn), options))


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
