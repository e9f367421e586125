"""The advice that circulates for PP-YOLOE's `Target -1 is out of lower bound`, as code.

Each piece says what it changes about PaddleDetection's own head: the function that selects, the
targets of the DFL, the boxes beforehand, the range, or the whole box loss. All else stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable
from unittest import mock

import numpy as np
import paddle

from properties.detection.box_loss_questions import paddle_giou_losses, paddle_side_losses, scalar
from properties.detection.real_head import Head, build_head
from properties.mutants.faults import Function
from properties.oracle.box_loss import BoxLoss, BoxLossInputs
from properties.questions.memory import Tensor

Selection = Callable[[Tensor, Tensor], Tensor]
Range = tuple[int, int]

RANGE: Range = (0, 17)  # PaddleDetection's default
WIDER: tuple[Range, ...] = ((0, 33), (0, 65), (0, 129), (-8, 33), (-64, 65), (-512, 513))
EMPTY = -40.0  # the logit of a bin that was added: e^-48 of what the head's own bins have
# The release's own, in a wrapping: `put_in_place` replaces the function in every module.
SELECT = partial(paddle.masked_select)
POINTS_IN_A_ROW = 8  # of `head_inputs`


@dataclass(frozen=True)
class Advice:
    """One piece of advice in one variant, and what it changes; None changes nothing."""

    advice: str
    variant: str
    reg_range: Range = RANGE
    select: Selection | None = None
    targets: Callable[[Tensor, Range], tuple[Tensor, Any]] | None = None
    boxes: Callable[[BoxLossInputs], BoxLossInputs] | None = None
    loss: Callable[..., tuple[Tensor, Tensor, Tensor]] | None = None


def ask(advice: Advice, inputs: BoxLossInputs) -> tuple[BoxLoss, Tensor, Tensor]:
    """The head's three losses with the advice followed, and the leaves: distributions and boxes.

    `inputs` are for RANGE; a wider head is given the same predictions, its added bins empty.
    """
    from ppdet.modeling.heads import ppyoloe_head

    inputs = advice.boxes(inputs) if advice.boxes else inputs
    dist, boxes = (
        paddle.to_tensor(array, stop_gradient=False)
        for array in (widen(inputs.pred_dist, advice.reg_range), inputs.pred_bboxes)
    )
    head = build_head(inputs.assigned_scores.shape[-1], advice.reg_range)
    assigned = (*map(paddle.to_tensor, inputs[2:6]), scalar(inputs.assigned_scores_sum))
    select = advice.select or paddle.masked_select
    instead = SimpleNamespace(**{**vars(paddle), "masked_select": select})
    df_loss = with_targets(head, advice.targets) if advice.targets else head._df_loss
    losses = advice.loss or type(head)._bbox_loss
    put = mock.patch.object
    with put(ppyoloe_head, "paddle", instead), put(head, "_df_loss", df_loss):
        return BoxLoss(*losses(head, dist, boxes, *assigned)), dist, boxes


def widen(dist: np.ndarray, reg_range: Range) -> np.ndarray:
    """Logits [..., 4 * C] of RANGE's bins as logits [..., 4 * C'] of a wider range's."""
    low, high = reg_range
    added = [(0, 0)] * (dist.ndim - 1) + [(0, 0), (RANGE[0] - low, high - RANGE[1])]
    bins = dist.reshape(*dist.shape[:-1], 4, -1)
    wide: np.ndarray = np.pad(bins, added, constant_values=EMPTY)
    return wide.reshape(*dist.shape[:-1], -1)


def narrow(dist: np.ndarray, reg_range: Range) -> np.ndarray:
    """What `widen` made wider, [..., 4 * C'], for RANGE's bins alone: [..., 4 * C]."""
    bins = dist.reshape(*dist.shape[:-1], 4, -1)
    first, count = RANGE[0] - reg_range[0], RANGE[1] - RANGE[0]
    return bins[..., first : first + count].reshape(*dist.shape[:-1], -1)


# Selecting by other means. Each takes x and a bool mask of its shape, and gives a 1-D tensor.


def on_the_cpu(x: Tensor, mask: Tensor) -> Tensor:
    selected = SELECT(x.cpu(), mask.cpu())
    return selected.cuda() if paddle.get_device().startswith("gpu") else selected


def by_numpy(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.to_tensor(x.numpy()[mask.numpy()])


def gather_nonzero(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.gather(x.reshape([-1]), paddle.nonzero(mask.reshape([-1])).reshape([-1]))


def gather_nd_nonzero(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.gather_nd(x, paddle.nonzero(mask))


def index_select_nonzero(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.index_select(x.reshape([-1]), paddle.nonzero(mask.reshape([-1])).reshape([-1]))


def boolean_index(x: Tensor, mask: Tensor) -> Tensor:
    return x[mask]


def boolean_index_in_full(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """The operators that `x[mask]` runs in this release, some from C++, as GLOG_v=6 tells them."""
    if int(paddle.__version__.split(".")[0]) >= 3:
        return paddle.masked_select(x, mask)
    return paddle.gather_nd(x, paddle.nonzero(mask))


def gather_sorted(x: Tensor, mask: Tensor) -> Tensor:
    """The positions of the selected, sorted to the front of those that are not."""
    flat = mask.reshape([-1])
    size = flat.shape[0]
    position = paddle.arange(size, dtype="int64")
    places = paddle.where(flat, position, paddle.full_like(position, size))
    return paddle.gather(x.reshape([-1]), paddle.sort(places)[: int(flat.sum())])


def gather_topk(x: Tensor, mask: Tensor) -> Tensor:
    flat = mask.reshape([-1])
    _, places = paddle.topk(flat.astype("float32"), int(flat.sum()))
    return paddle.gather(x.reshape([-1]), paddle.sort(places))


def gather_numpy_indices(x: Tensor, mask: Tensor) -> Tensor:
    places = paddle.to_tensor(np.flatnonzero(mask.numpy()))
    return paddle.gather(x.reshape([-1]), places)


# Checking the targets [N, 4] before the DFL: those to use, and a factor [N, 1], or 1, for the loss.


def with_targets(head: Head, check: Callable[[Tensor, Range], tuple[Tensor, Any]]) -> Any:
    """The head's `_df_loss` after a check of its targets."""
    original = head._df_loss

    def _df_loss(pred_dist: Tensor, target: Tensor, lower_bound: int = 0) -> Tensor:
        checked, factor = check(target, head.reg_range)
        return original(pred_dist, checked, lower_bound) * factor

    return _df_loss


def drop_outside(targets: Tensor, reg_range: Range) -> tuple[Tensor, Tensor]:
    """A positive with a target out of range, or NaN, has no loss."""
    low, high = reg_range
    inside = paddle.logical_and(targets >= low, targets < high - 1)
    kept = inside.astype("float32").min(-1, keepdim=True)
    return paddle.where(inside, targets, paddle.full_like(targets, low)), kept


def clip_targets(targets: Tensor, reg_range: Range) -> tuple[Tensor, int]:
    return targets.clip(reg_range[0], reg_range[1] - 1 - 0.01), 1


def clip_without_nan(targets: Tensor, reg_range: Range) -> tuple[Tensor, int]:
    """NaN becomes 0. (`paddle.nan_to_num` is not in every release.)"""
    numbers = paddle.where(paddle.isnan(targets), paddle.zeros_like(targets), targets)
    return clip_targets(numbers, reg_range)


# Checking or mending the boxes before the loss.


def drop_beyond(inputs: BoxLossInputs) -> BoxLossInputs:
    """An anchor with a side of its box out of RANGE is no longer a positive."""
    points, boxes = inputs.anchor_points, inputs.assigned_bboxes
    sides = np.concatenate([points - boxes[..., :2], boxes[..., 2:] - points], axis=-1)
    inside = ((sides >= RANGE[0]) & (sides <= RANGE[1] - 1 - 0.01)).all(axis=-1)
    background = inputs.assigned_scores.shape[-1]
    labels = np.where(inside, inputs.assigned_labels, background)
    return inputs._replace(assigned_labels=labels)


def order_corners(inputs: BoxLossInputs) -> BoxLossInputs:
    first, second = inputs.assigned_bboxes[..., :2], inputs.assigned_bboxes[..., 2:]
    ordered = np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=-1)
    return inputs._replace(assigned_bboxes=ordered)


def clip_to_the_image(inputs: BoxLossInputs) -> BoxLossInputs:
    """The image is what the grid of anchor points covers."""
    rows = -(-len(inputs.anchor_points) // POINTS_IN_A_ROW)
    corner = np.array([POINTS_IN_A_ROW, rows] * 2, np.float32)
    return inputs._replace(assigned_bboxes=inputs.assigned_bboxes.clip(0, corner))


# The box loss without any selection.


def where_and_sum(
    head: Head,
    dist: Tensor,
    boxes: Tensor,
    points: Tensor,
    labels: Tensor,
    truth: Tensor,
    scores: Tensor,
    total: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The losses of every anchor, background too; what is not a positive is 0 in the sums."""
    positive = labels != head.num_classes

    def weighted(losses: Tensor) -> Tensor:
        return where_positive(losses * scores.sum(-1)).sum() / total

    def where_positive(losses: Tensor) -> Tensor:
        return paddle.where(positive, losses, paddle.zeros_like(losses))

    logits = dist.reshape([*dist.shape[:2], 4, -1])
    sides = paddle_side_losses(logits, head._bbox2distance(points, truth), head.reg_range[0])
    apart = where_positive((boxes - truth).abs().mean(-1))
    l1 = apart.sum() / positive.astype("float32").sum()
    return l1, weighted(paddle_giou_losses(boxes, truth).squeeze(-1)), weighted(sides.mean(-1))


NONZERO = (gather_nonzero, gather_nd_nonzero, index_select_nonzero)  # what calls `paddle.nonzero`
ADVICE = (
    Advice("no advice", "the head as it is"),
    *(Advice("widen reg_range", str(wide), wide) for wide in WIDER),
    Advice("select on the CPU", "Tensor.cpu(), and back", select=on_the_cpu),
    Advice("select on the CPU", "through NumPy, and back", select=by_numpy),
    Advice("filter the values", "drop positives with a target out of range", targets=drop_outside),
    Advice("filter the values", "clip the targets", targets=clip_targets),
    Advice("filter the values", "NaN to 0, then clip", targets=clip_without_nan),
    Advice("filter the values", "drop boxes beyond the range", boxes=drop_beyond),
    Advice("repair the boxes", "put the corners in order", boxes=order_corners),
    Advice("repair the boxes", "clip to the image", boxes=clip_to_the_image),
    Advice("another formulation", "gather of nonzero", select=gather_nonzero),
    Advice("another formulation", "gather_nd of nonzero", select=gather_nd_nonzero),
    Advice("another formulation", "index_select of nonzero", select=index_select_nonzero),
    Advice("another formulation", "boolean index", select=boolean_index),
    Advice("another formulation", "gather of sorted positions", select=gather_sorted),
    Advice("another formulation", "gather of topk", select=gather_topk),
    Advice("another formulation", "gather of NumPy's indices", select=gather_numpy_indices),
    Advice("another formulation", "where and sum", loss=where_and_sum),
)
