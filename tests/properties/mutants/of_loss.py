"""Mutants on the way of PP-YOLOE's DFL: its formula (arXiv:2006.04388, eq. 6), its operators.

A mutant of the formula stands in `paddle_side_losses`, which restates it, and in the head's own
`_df_loss`. A mutant of an operator reaches both by itself.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import paddle

from properties.detection.box_loss_questions import cross_entropies, paddle_side_losses
from properties.mutants.faults import Fault, Function, Tensor, mutant

SIDE_LOSSES = "properties.detection.box_loss_questions.paddle_side_losses"
DF_LOSS = "ppdet.modeling.heads.ppyoloe_head.PPYOLOEHead._df_loss"
CROSS_ENTROPY = "paddle.nn.functional.cross_entropy"
IGNORED = -100  # cross_entropy's default ignore_index
SOUND = partial(paddle_side_losses)  # in a wrapping: the function itself is replaced everywhere


# The formula: side losses [N, 4] from logits [N, 4, C], targets [N, 4] and the range's lower end.


def in_the_head(fault: Fault, true: Function) -> Function:
    """The same fault for the head's method, which takes the mean over the sides itself."""

    def df_loss(head: Any, pred_dist: Tensor, target: Tensor, lower_bound: int = 0) -> Tensor:
        return fault(SOUND, pred_dist, target, lower_bound).mean(-1, keepdim=True)

    return df_loss


def entropies(
    logits: Tensor, targets: Tensor, low: int, labels: str = "int64"
) -> tuple[Tensor, Tensor, Tensor]:
    """Both cross entropies of each side, and how much of the upper one is due; all [N, 4]."""
    floor = targets.floor()
    label = floor.astype(labels) - low
    return cross_entropies(logits, label), cross_entropies(logits, label + 1), targets - floor


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def weights_swapped(true: Function, *inputs: Any) -> Tensor:
    """The bin below gets the weight of the bin above, and that one the other's."""
    below, above, share = entropies(*inputs)
    return below * share + above * (1 - share)


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def weights_beyond_one(true: Function, *inputs: Any) -> Tensor:
    """The bins' weights do not sum to one: the bin below always counts whole."""
    below, above, share = entropies(*inputs)
    return below + above * share


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def left_term_only(true: Function, *inputs: Any) -> Tensor:
    """The bin above is left out."""
    below, _, share = entropies(*inputs)
    return below * (1 - share)


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def lower_bound_ignored(
    true: Function, logits: Tensor, targets: Tensor, low: int, *labels: str
) -> Tensor:
    """Bins are counted from 0, whatever the range's lower end, and end at the last one.

    PaddleDetection's head took a lower end into its range only after it was first released.
    """
    return true(logits, targets.clip(0, logits.shape[-1] - 1.01), 0, *labels)


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def rounded_targets(true: Function, *inputs: Any) -> Tensor:
    """The whole weight goes to the nearest bin: cross entropy in place of DFL."""
    below, above, share = entropies(*inputs)
    nearest = (share >= 0.5).astype(share.dtype)
    return below * (1 - nearest) + above * nearest


@mutant(DF_LOSS, in_the_head)
@mutant(SIDE_LOSSES)
def not_finite_repaired(
    true: Function, logits: Tensor, targets: Tensor, low: int, *labels: str
) -> Tensor:
    """A target that is NaN or infinite becomes the range's first bin, and nobody is told."""
    finite = paddle.isfinite(targets)
    repaired = paddle.where(finite, targets, paddle.full_like(targets, low))
    return true(logits, repaired, low, *labels)


# Operators on the way.


@mutant(CROSS_ENTROPY)
def bins_off_by_one(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """Every label counts as the class after it: classes that are numbered from 1."""
    true(logits, label, **named)  # refuses what the release refuses
    keeps = paddle.logical_or(label < 0, label == logits.shape[-1] - 1)
    return true(logits, paddle.where(keeps, label, label + 1), **named)


@mutant(CROSS_ENTROPY)
def out_of_range_dropped(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """A label that is no class counts for nothing: no loss, and nobody is told."""
    inside = paddle.logical_and(label >= 0, label < logits.shape[-1])
    dropped = paddle.where(inside, label, paddle.full_like(label, IGNORED))
    return true(logits, dropped, **named)


@mutant(CROSS_ENTROPY)
def ignored_label_counted(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """The ignored label counts as class 0."""
    counted = paddle.where(label == IGNORED, paddle.zeros_like(label), label)
    return true(logits, counted, **named)


@mutant(CROSS_ENTROPY)
def float16_arithmetic(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """Logits and losses are rounded to float16: mixed precision where nobody asked for it."""
    dtype = logits.dtype
    entropy = true(logits.astype("float16").astype(dtype), label, **named)
    return entropy.astype("float16").astype(dtype)


@mutant(CROSS_ENTROPY)
def great_losses_capped(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """No loss is greater than 30: a logarithm that is clipped, as the CPU's is at 64."""
    return true(logits, label, **named).clip(max=30.0)


@mutant(CROSS_ENTROPY)
def no_rows_refused(true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
    """Of no rows it is an error, as a launch grid of 0 is to CUDA."""
    if 0 in logits.shape:
        raise OSError("CUDA error(9), invalid configuration argument")
    return true(logits, label, **named)


@mutant("paddle.Tensor.clip")
def clip_missing(true: Function, x: Tensor, *ends: Any, **named: Any) -> Tensor:
    """Nothing is clipped: distances leave the range."""
    return x + 0


@mutant("paddle.Tensor.clip")
def clip_too_late(
    true: Function, x: Tensor, min: Any = None, max: Any = None, name: str | None = None
) -> Tensor:
    """Distances are clipped once the bin's fraction was taken off, and get it back.

    One that lies beyond the range keeps its fraction, where the range's end is due.
    """
    whole = x.floor()
    last = None if max is None else float(max) // 1
    return true(whole, min, last) + (x - whole)


@mutant("paddle.Tensor.mean")
def mean_is_the_sum(
    true: Function, x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None
) -> Tensor:
    """A mean over the last axis is not divided by its length."""
    return x.sum(axis, keepdim=keepdim) if axis == -1 else true(x, axis, keepdim)


@mutant("paddle.Tensor.__ne__")
def background_counted(true: Function, x: Tensor, y: Any) -> Tensor:
    """`labels != background` is True everywhere: every anchor becomes a positive."""
    different = true(x, y)
    labels = isinstance(y, int) and "int" in str(x.dtype) and len(x.shape) == 2
    return paddle.ones_like(different) if labels else different
