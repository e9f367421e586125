"""The advice that circulates for PP-YOLOE's `Target -1 is out of lower bound`, as code.

Each piece says what it changes about PaddleDetection's own head: the function that selects, the
targets of the DFL, the boxes beforehand, the range, or the whole box loss. All else stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import getitem
from types import SimpleNamespace
from typing import Callable
from unittest import mock

import numpy as np
import paddle

from properties.detection.box_loss_questions import paddle_giou_losses, paddle_side_losses, scalar
from properties.detection.real_head import Head, build_head
from properties.mutants.faults import Function
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, clip_end, distances
from properties.questions.memory import Tensor

Selection = Callable[[Tensor, Tensor], Tensor]
Losses = tuple[Tensor, Tensor, Tensor]
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
    """A 1-D tensor of x and a bool mask of its shape."""
    dfl: Callable[[Function, Tensor], Tensor] | None = None
    """The DFL [N, 1], from the head's own, a function of the targets, and the targets [N, 4]."""
    boxes: Callable[[BoxLossInputs], BoxLossInputs] | None = None
    loss: Callable[..., Losses] | None = None


def ask(advice: Advice, inputs: BoxLossInputs) -> tuple[BoxLoss, Tensor, Tensor]:
    """The head's three losses with the advice followed, and the leaves: distributions and boxes.

    `inputs` are for RANGE; a wider head is given the same predictions, its added bins empty.
    """
    from ppdet.modeling.heads import ppyoloe_head

    inputs = advice.boxes(inputs) if advice.boxes else inputs
    dist, boxes = (paddle.to_tensor(array, stop_gradient=False) for array in inputs[:2])
    head = build_head(inputs.assigned_scores.shape[-1], advice.reg_range)
    assigned = (*map(paddle.to_tensor, inputs[2:6]), scalar(inputs.assigned_scores_sum))
    select = advice.select or paddle.masked_select
    instead = SimpleNamespace(**{**vars(paddle), "masked_select": select})
    own, losses = head._df_loss, advice.loss or type(head)._bbox_loss

    def df_loss(pred_dist: Tensor, target: Tensor, low: int = 0) -> Tensor:
        def of_targets(checked: Tensor) -> Tensor:
            return own(pred_dist, checked, low)

        return advice.dfl(of_targets, target) if advice.dfl else of_targets(target)

    put = mock.patch.object
    with put(ppyoloe_head, "paddle", instead), put(head, "_df_loss", df_loss):
        wide = widen(dist, advice.reg_range)
        return BoxLoss(*losses(head, wide, boxes, *assigned)), dist, boxes


def widen(dist: Tensor, reg_range: Range) -> Tensor:
    """Logits [B, L, 4 * C] of RANGE's bins as logits [B, L, 4 * C'] of a wider range's."""
    if reg_range == RANGE:
        return dist
    bins = dist.reshape([*dist.shape[:-1], 4, -1])
    added = [0] * 6 + [RANGE[0] - reg_range[0], reg_range[1] - RANGE[1]]
    return paddle.nn.functional.pad(bins, added, value=EMPTY).reshape([*dist.shape[:-1], -1])


# Selecting by other means.


def on_the_cpu(x: Tensor, mask: Tensor) -> Tensor:
    selected = SELECT(x.cpu(), mask.cpu())
    return selected.cuda() if paddle.get_device().startswith("gpu") else selected


def by_numpy(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.to_tensor(x.numpy()[mask.numpy()])


def gather_nd_nonzero(x: Tensor, mask: Tensor) -> Tensor:
    return paddle.gather_nd(x, paddle.nonzero(mask))


def boolean_index_in_full(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """The operators that `x[mask]` runs in this release, some from C++, as GLOG_v=6 tells them."""
    if int(paddle.__version__.split(".")[0]) >= 3:
        return paddle.masked_select(x, mask)
    return gather_nd_nonzero(x, mask)


def by_places(places: Callable[[Tensor], Tensor], read: Function = paddle.gather) -> Selection:
    """Read x by the positions where the mask is True, both laid out flat."""
    return lambda x, mask: read(x.reshape([-1]), places(mask.reshape([-1])))


def nonzero_places(mask: Tensor) -> Tensor:
    return paddle.nonzero(mask).reshape([-1])


def sorted_places(mask: Tensor) -> Tensor:
    """The positions of the selected, sorted to the front of those that are not."""
    size = mask.shape[0]
    position = paddle.arange(size, dtype="int64")
    places = paddle.where(mask, position, paddle.full_like(position, size))
    return paddle.sort(places)[: int(mask.sum())]


def topk_places(mask: Tensor) -> Tensor:
    _, places = paddle.topk(mask.astype("float32"), int(mask.sum()))
    return paddle.sort(places)


# Checking the targets before the DFL.


def drop_outside(dfl: Function, targets: Tensor) -> Tensor:
    """A positive with a target out of range, or NaN, has no loss."""
    inside = paddle.logical_and(targets >= RANGE[0], targets < RANGE[1] - 1)
    kept = inside.astype("float32").min(-1, keepdim=True)
    return dfl(paddle.where(inside, targets, paddle.full_like(targets, RANGE[0]))) * kept


def clip_targets(dfl: Function, targets: Tensor) -> Tensor:
    return dfl(targets.clip(RANGE[0], clip_end(RANGE)))


def clip_without_nan(dfl: Function, targets: Tensor) -> Tensor:
    """NaN becomes 0. (`paddle.nan_to_num` is not in every release.)"""
    numbers = paddle.where(paddle.isnan(targets), paddle.zeros_like(targets), targets)
    return clip_targets(dfl, numbers)


# Checking or mending the boxes before the loss.


def drop_beyond(inputs: BoxLossInputs) -> BoxLossInputs:
    """An anchor with a side of its box out of RANGE is no longer a positive."""
    sides = distances(inputs.anchor_points, inputs.assigned_bboxes)
    inside = ((sides >= RANGE[0]) & (sides <= clip_end(RANGE))).all(axis=-1)
    background = inputs.assigned_scores.shape[-1]
    labels = np.where(inside, inputs.assigned_labels, background)
    return inputs._replace(assigned_labels=labels)


def order_corners(inputs: BoxLossInputs) -> BoxLossInputs:
    boxes = inputs.assigned_bboxes
    ordered = np.sort(boxes.reshape(*boxes.shape[:-1], 2, 2), axis=-2).reshape(boxes.shape)
    return inputs._replace(assigned_bboxes=ordered)


def clip_to_the_image(inputs: BoxLossInputs) -> BoxLossInputs:
    """The image is what the grid of anchor points covers."""
    rows = -(-len(inputs.anchor_points) // POINTS_IN_A_ROW)
    corner = np.array([POINTS_IN_A_ROW, rows] * 2, np.float32)
    return inputs._replace(assigned_bboxes=inputs.assigned_bboxes.clip(0, corner))


# The box loss without any selection.


def where_and_sum(head: Head, dist: Tensor, boxes: Tensor, *assigned: Tensor) -> Losses:
    """The losses of every anchor, background too; what is not a positive is 0 in the sums."""
    points, labels, truth, scores, total = assigned
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


SELECTIONS: dict[str, Selection] = {
    "gather of nonzero": by_places(nonzero_places),
    "gather_nd of nonzero": gather_nd_nonzero,
    "index_select of nonzero": by_places(nonzero_places, paddle.index_select),
    "boolean index": getitem,
    "gather of sorted positions": by_places(sorted_places),
    "gather of topk": by_places(topk_places),
    "gather of NumPy's indices": by_places(
        lambda mask: paddle.to_tensor(np.flatnonzero(mask.numpy()))
    ),
}
ADVICE = (
    Advice("no advice", "the head as it is"),
    *(Advice("widen reg_range", str(wide), wide) for wide in WIDER),
    Advice("select on the CPU", "Tensor.cpu(), and back", select=on_the_cpu),
    Advice("select on the CPU", "through NumPy, and back", select=by_numpy),
    Advice("filter the values", "drop positives with a target out of range", dfl=drop_outside),
    Advice("filter the values", "clip the targets", dfl=clip_targets),
    Advice("filter the values", "NaN to 0, then clip", dfl=clip_without_nan),
    Advice("filter the values", "drop boxes beyond the range", boxes=drop_beyond),
    Advice("repair the boxes", "put the corners in order", boxes=order_corners),
    Advice("repair the boxes", "clip to the image", boxes=clip_to_the_image),
    *(Advice("another formulation", variant, select=by) for variant, by in SELECTIONS.items()),
    Advice("another formulation", "where and sum", loss=where_and_sum),
)
