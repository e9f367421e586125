"""Defects on the way of PP-YOLOE's DFL: its formula (arXiv:2006.04388, eq. 6), its operators.

A defect of the formula stands in `loss_questions.side_losses_by`, which restates it, and, by
`IN_THE_HEAD`, in the head's own `_df_loss`. A defect of an operator reaches both by itself.
"""

from __future__ import annotations

from typing import Any, Callable

import paddle

Tensor = Any  # paddle carries no types
Function = Callable[..., Tensor]
Factory = Callable[[Function], Function]
DF_LOSS = "ppdet.modeling.heads.ppyoloe_head.PPYOLOEHead._df_loss"
INT64 = "int64"
IGNORED = -100  # cross_entropy's default ignore_index


# The formula: side losses [N, 4] from logits [N, 4, C], targets [N, 4] and the range's lower end.


def weights_swapped(true: Function) -> Function:
    """The bin below gets the weight of the bin above, and that one the other's."""

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        below, above, share = entropies(logits, targets, low, labels)
        return below * share + above * (1 - share)

    return side_losses


def weights_beyond_one(true: Function) -> Function:
    """The bins' weights do not sum to one: the bin below always counts whole."""

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        below, above, share = entropies(logits, targets, low, labels)
        return below + above * share

    return side_losses


def left_term_only(true: Function) -> Function:
    """The bin above is left out."""

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        below, _, share = entropies(logits, targets, low, labels)
        return below * (1 - share)

    return side_losses


def lower_bound_ignored(true: Function) -> Function:
    """Bins are counted from 0, whatever the range's lower end, and end at the last one.

    PaddleDetection's head took a lower end into its range only after it was first released.
    """

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        return true(logits, targets.clip(0, logits.shape[-1] - 1.01), 0, labels)

    return side_losses


def rounded_targets(true: Function) -> Function:
    """The whole weight goes to the nearest bin: cross entropy in place of DFL."""

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        below, above, share = entropies(logits, targets, low, labels)
        nearest = (share >= 0.5).astype(share.dtype)
        return below * (1 - nearest) + above * nearest

    return side_losses


def not_finite_repaired(true: Function) -> Function:
    """A target that is NaN or infinite becomes the range's first bin, and nobody is told."""

    def side_losses(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
        finite = paddle.isfinite(targets)
        return true(
            logits, paddle.where(finite, targets, paddle.full_like(targets, low)), low, labels
        )

    return side_losses


def entropies(
    logits: Tensor, targets: Tensor, low: int, labels: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Both cross entropies of each side, and how much of the upper one is due; all [N, 4]."""
    floor = targets.floor()
    label = floor.astype(labels) - low
    below, above = (
        paddle.nn.functional.cross_entropy(logits, label + step, reduction="none")
        for step in (0, 1)
    )
    return below, above, targets - floor


def in_the_head(factory: Factory) -> Factory:
    """The same fault for the head's method, which takes the mean over the sides itself."""

    def for_the_head(true: Function) -> Function:
        def sound(logits: Tensor, targets: Tensor, low: int, labels: str = INT64) -> Tensor:
            below, above, share = entropies(logits, targets, low, labels)
            return below * (1 - share) + above * share

        faulty = factory(sound)

        def df_loss(head: Any, pred_dist: Tensor, target: Tensor, lower_bound: int = 0) -> Tensor:
            return faulty(pred_dist, target, lower_bound).mean(-1, keepdim=True)

        return df_loss

    return for_the_head


# Operators on the way.


def bins_off_by_one(true: Function) -> Function:
    """Every label counts as the class after it: classes that are numbered from 1."""

    def cross_entropy(logits: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        true(logits, label, *args, **kwargs)  # refuses what the release refuses
        after = paddle.where(
            label == logits.shape[-1] - 1, label, paddle.where(label < 0, label, label + 1)
        )
        return true(logits, after, *args, **kwargs)

    return cross_entropy


def out_of_range_dropped(true: Function) -> Function:
    """A label that is no class counts for nothing: no loss, and nobody is told."""

    def cross_entropy(logits: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        inside = paddle.logical_and(label >= 0, label < logits.shape[-1])
        dropped = paddle.where(inside, label, paddle.full_like(label, IGNORED))
        return true(logits, dropped, *args, **kwargs)

    return cross_entropy


def ignored_label_counted(true: Function) -> Function:
    """The ignored label counts as class 0."""

    def cross_entropy(logits: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        counted = paddle.where(label == IGNORED, paddle.zeros_like(label), label)
        return true(logits, counted, *args, **kwargs)

    return cross_entropy


def float16_arithmetic(true: Function) -> Function:
    """Logits and losses are rounded to float16: mixed precision where nobody asked for it."""

    def cross_entropy(logits: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        dtype = logits.dtype
        entropy = true(logits.astype("float16").astype(dtype), label, *args, **kwargs)
        return entropy.astype("float16").astype(dtype)

    return cross_entropy


def clip_missing(true: Function) -> Function:
    """Nothing is clipped: distances leave the range."""

    def clip(x: Tensor, min: Any = None, max: Any = None, name: str | None = None) -> Tensor:
        return x + 0

    return clip


def clip_too_late(true: Function) -> Function:
    """Distances are clipped once the bin's fraction was taken off, and get it back.

    One that lies beyond the range keeps its fraction, where the range's end is due.
    """

    def clip(x: Tensor, min: Any = None, max: Any = None, name: str | None = None) -> Tensor:
        whole = x.floor()
        last = None if max is None else float(max) // 1
        return true(whole, min, last) + (x - whole)

    return clip


def mean_is_the_sum(true: Function) -> Function:
    """A mean over the last axis is not divided by its length."""

    def mean(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
        return x.sum(axis, keepdim=keepdim) if axis == -1 else true(x, axis, keepdim)

    return mean


def background_counted(true: Function) -> Function:
    """`labels != background` is True everywhere: every anchor becomes a positive."""

    def not_equal(x: Tensor, y: Any) -> Tensor:
        different = true(x, y)
        labels = isinstance(y, int) and "int" in str(x.dtype) and len(x.shape) == 2
        return paddle.ones_like(different) if labels else different

    return not_equal


FORMULA = (
    weights_swapped,
    weights_beyond_one,
    left_term_only,
    lower_bound_ignored,
    rounded_targets,
    not_finite_repaired,
)
IN_THE_HEAD = {factory.__name__: in_the_head(factory) for factory in FORMULA}
DEFECTS = {
    "properties.questions.box_loss_questions.side_losses_by": FORMULA,
    "paddle.nn.functional.cross_entropy": (
        bins_off_by_one,
        out_of_range_dropped,
        ignored_label_counted,
        float16_arithmetic,
    ),
    "paddle.Tensor.clip": (clip_missing, clip_too_late),
    "paddle.Tensor.mean": (mean_is_the_sum,),
    "paddle.Tensor.__ne__": (background_counted,),
}
