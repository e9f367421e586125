"""Mutants of PP-YOLOE: its DFL (arXiv:2006.04388, eq. 6), the operators on its way, the scores.

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
HEAD = "ppdet.modeling.heads.ppyoloe_head.PPYOLOEHead"
DF_LOSS = f"{HEAD}._df_loss"
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


# Scores, boxes and targets.


@mutant(f"{HEAD}._varifocal_loss")
@mutant(f"{HEAD}._focal_loss")
def score_loss_halved(true: Function, *scores: Tensor, **named: Any) -> Tensor:
    """The loss of the scores is half of what is due, and so is its gradient."""
    return true(*scores, **named) / 2


@mutant("paddle.nn.functional.binary_cross_entropy")
def score_weights_ignored(true: Function, *scores: Tensor, weight: Any = None, **named: Any) -> Any:
    """Each score counts alike, be it easy or hard."""
    return true(*scores, **named)


@mutant("paddle.topk")
def nearest_candidate_missing(
    true: Function, x: Tensor, k: int, axis: int = -1, largest: bool = True, **named: Any
) -> Any:
    """Of the least elements one is missing: ATSS has one candidate less in each level."""
    return true(x, k if largest else k - 1, axis=axis, largest=largest, **named)


@mutant("paddle.topk")
def best_aligned_missing(
    true: Function, x: Tensor, k: int, axis: int = -1, largest: bool = True, **named: Any
) -> Any:
    """Of the greatest elements one is missing: TAL has one positive less for each box."""
    return true(x, k - 1 if largest else k, axis=axis, largest=largest, **named)


@mutant("paddle.Tensor.std")
def deviation_of_a_population(true: Function, x: Tensor, axis: Any, **named: Any) -> Tensor:
    """The variance is divided by n and not by n - 1: ATSS's threshold falls."""
    return true(x, axis, **{**named, "unbiased": False})


@mutant("paddle.nn.functional.softmax")
def softmax_uniform(true: Function, x: Tensor, axis: int = -1, **named: Any) -> Tensor:
    """Each bin has the same share, whatever the logits: every side is as long."""
    return true(x * 0.0, axis, **named)


@mutant("paddle.nn.functional.adaptive_avg_pool2d")
def attention_of_a_corner(true: Function, x: Tensor, *size: Any, **named: Any) -> Tensor:
    """The mean over a feature map leaves its last row out."""
    return true(x[:, :, :-1], *size, **named)
