"""The cases of PP-YOLOE's box loss: their inputs, and the strategies that draw them.

They are drawn by structure, and the targets of a few one by one. They shrink to one positive, a
written target of `low`, the first side, and seed 0.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Callable
from zlib import compress, decompress

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from properties.cases.target_kinds import GROUPS, targets
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange, clip_end, clip_holds
from properties.oracle.loss_arrays import confident_inputs, dfl_inputs, head_inputs

# Every reg_range that PaddleDetection's files set: the default; smalldet/ppyoloe_plus_sod_crn_l;
# its VisDrone configurations, small and large; and the upper end that its README suggests for DOTA.
REG_RANGES = ((0, 17), (-2, 17), (-2, 8), (-2, 20), (0, 13))
ASSIGNED = ("one", "some", "block", "all")  # words of `head_inputs`
REPORTED = (-1, -6, -37, 28, 60, 92, 460)  # labels in PaddleDetection's threads, for 17 bins
FEW_AND_MANY = ((0, 2), (0, 3), (-8, 33), (0, 129), (-512, 513))
MOST_BINS = max(high - low for low, high in (*REG_RANGES, *FEW_AND_MANY))
# Positives, of which each has four rows: as many as 8 images of 640 x 640 pixels have, nearly half
# of their anchors; and on each side of 2**18 and 2**20 rows.
BATCH = 30_000
MANY = [2**size + by for size in (16, 18) for by in (-1, 1)]

SEEDS = st.integers(0, 2**16)
# The greatest difference stays below 64, from which on the CPU's softmax is clipped.
SPREADS = st.sampled_from((1.0, 4.0, 16.0, 31.0))


@dataclass(frozen=True)
class Recipe:
    """Inputs that a function of the oracle makes from a few words."""

    make: Callable[..., Any]
    words: dict[str, Any]
    options: dict[str, Any]

    def __str__(self) -> str:
        words = ", ".join(f"{name}={word!r}" for name, word in self.words.items())
        return f"{self.make.__name__}({words})"

    @property
    def arrays(self) -> dict[str, Any]:
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
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.training}, step {self.number}"

    @property
    def arrays(self) -> dict[str, Any]:
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


def offsets(dtype: str) -> st.SearchStrategy[float]:
    """What all logits have in common, which no loss depends on: mostly 0."""
    far = (1e3, -1e4, float(np.finfo(dtype).max) / 2, -float(np.finfo(dtype).max) / 2)
    return st.sampled_from((*(0.0,) * 12, *far))


@st.composite
def any_dfl(draw: st.DrawFn, dtype: str, *patterns: str) -> Recipe:
    """DFL of 1 to 24 positives with targets of these patterns, or of 1 to 3 with written ones."""
    reg_range = draw(reg_ranges_of(dtype))
    end = float(np.array(clip_end(reg_range), dtype))
    target = numbers.from_dtype(np.dtype(dtype), min_value=reg_range[0], max_value=end).map(float)

    def written(count: int) -> st.SearchStrategy[tuple[float, ...]]:
        return st.lists(target, min_size=4 * count, max_size=4 * count).map(tuple)

    pattern = draw(st.integers(1, 3).flatmap(written) | st.sampled_from(patterns))
    count = draw(st.integers(1, 24)) if isinstance(pattern, str) else len(pattern) // 4
    words = draw(SPREADS), draw(SEEDS), draw(offsets(dtype))
    return recipe_of_dfl(reg_range, dtype, pattern, count, *words)


def reg_ranges_of(dtype: str) -> st.SearchStrategy[RegRange]:
    """Those that people set twice as often as others; none whose clip rounds up to the last bin."""
    ranges = (*REG_RANGES, *REG_RANGES, *FEW_AND_MANY)
    return st.sampled_from([each for each in ranges if clip_holds(each, dtype)])


@st.composite
def confident_dfl(draw: st.DrawFn, dtype: str) -> Recipe:
    """DFL of 1 to 6 positives whose predictions are sure of a bin that is not due.

    By 65 to 1,000, as in a training that diverges, or by up to half of what the dtype holds.
    """
    most = float(np.finfo(dtype).max) / 2
    far = (1e4, most) if most > 1e4 else (most,)
    height = draw(st.integers(70, 1000).map(float) | st.sampled_from(far))
    words = draw(st.sampled_from(REG_RANGES)), dtype, draw(st.integers(1, 6)), height, draw(SEEDS)
    return Recipe(confident_inputs, dict(zip(signature(confident_inputs).parameters, words)), {})


@st.composite
def dfl_past_the_clip(draw: st.DrawFn, dtype: str) -> Recipe:
    """DFL of one positive whose targets lie between the end of the head's clip and the last bin."""
    reg_range = _, high = draw(st.sampled_from(REG_RANGES))
    end = float(np.array(clip_end(reg_range), dtype))
    target = numbers.from_dtype(
        np.dtype(dtype), min_value=end, max_value=high - 1, exclude_max=True
    )
    written = draw(st.lists(target.map(float), min_size=4, max_size=4).map(tuple))
    return recipe_of_dfl(reg_range, dtype, written, 1, draw(SPREADS), draw(SEEDS))


def recipe_of_dfl(*words: Any, **options: Any) -> Recipe:
    """The inputs named by the words of `dfl_inputs`, in its order."""
    return Recipe(dfl_inputs, dict(zip(signature(dfl_inputs).parameters, words)), options)


@st.composite
def wrong_labels(draw: st.DrawFn, labels: st.SearchStrategy[int] | None = None) -> Recipe:
    """Cross entropies of 1 to 6 positives, one of whose labels is drawn from `labels`: without
    them, it is one past the last bin.
    """
    reg_range = low, high = draw(st.sampled_from(REG_RANGES))
    label = high - low if labels is None else draw(labels)
    dtype = draw(st.sampled_from(("float32", "float64")))
    return draw(changed_dfl(reg_range, dtype, label=label))


@st.composite
def wrong_targets(draw: st.DrawFn, group: str, dtype: str, label_dtype: str = "int64") -> Recipe:
    """DFL of 1 to 6 positives, one of whose targets is of a kind of this group."""
    reg_range = draw(st.sampled_from(REG_RANGES))
    target = draw(targets(draw(st.sampled_from(GROUPS[group])), dtype, reg_range))
    return draw(changed_dfl(reg_range, dtype, target=target, label_dtype=label_dtype))


@st.composite
def changed_dfl(draw: st.DrawFn, /, reg_range: RegRange, dtype: str, **options: Any) -> Recipe:
    """DFL of 1 to 6 positives with targets in range, of which one place [N, 4] is to be changed."""
    count, position, seed = draw(st.integers(1, 6)), draw(st.integers(0, 23)), draw(SEEDS)
    options["place"] = position % (4 * count)
    return recipe_of_dfl(reg_range, dtype, "inside", count, 4.0, seed, **options)


@st.composite
def any_box_loss(
    draw: st.DrawFn, /, reg_range: RegRange, assigned: Sequence[str] = ASSIGNED, **options: Any
) -> Recipe:
    """Box losses of 1 to 3 images, 1 to 40 anchors and up to 80 classes, assigned in these ways."""
    words = {
        "reg_range": reg_range,
        "classes": draw(st.sampled_from((1, 2, 3, 4, 80))),  # 80: COCO
        "batch": draw(st.integers(1, 3)),
        "anchors": draw(st.integers(1, 40)),
        "assigned": draw(st.sampled_from(assigned)),
        "seed": draw(SEEDS),
        "spread": draw(SPREADS),
    }
    return Recipe(head_inputs, words, {"reg_range": reg_range, **options})


@st.composite
def stale_box_loss(draw: st.DrawFn) -> Recipe:
    """Box losses with positives; stale floats of the size of pixels, beyond the range."""
    reg_range = low, high = draw(st.sampled_from(REG_RANGES))
    label = draw(
        st.sampled_from(REPORTED)
        | st.integers(1, 1000).map(lambda below: -below)
        | st.integers(high - low - 1, 1000)
    )
    fraction = draw(st.integers(0, 255)) / 256
    return draw(any_box_loss(reg_range, stale=low + label + fraction))
