"""PP-YOLOE's box loss and its gradients, by NumPy alone and in float64. It never calls Paddle.

The distribution focal loss (DFL) is that of "Generalized Focal Loss" (arXiv:2006.04388), the
generalized intersection over union (GIoU) that of arXiv:1902.09630.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

RegRange = tuple[int, int]  # the first bin, and one past the last
IGNORED = -100  # the label for which Paddle's cross_entropy gives no loss


class BoxLossInputs(NamedTuple):
    """What the head's box loss is given, for B images of L anchors, K classes and C bins."""

    pred_dist: np.ndarray  # floats [B, L, 4 * C], logits
    pred_bboxes: np.ndarray  # floats [B, L, 4]
    anchor_points: np.ndarray  # floats [L, 2]
    assigned_labels: np.ndarray  # integers [B, L], K for background
    assigned_bboxes: np.ndarray  # floats [B, L, 4]
    assigned_scores: np.ndarray  # floats [B, L, K]
    assigned_scores_sum: np.ndarray  # a float, []


class DflInputs(NamedTuple):
    """What the distribution focal loss of N positives and C bins is computed from."""

    logits: np.ndarray  # [N, 4, C]
    targets: np.ndarray  # [N, 4]
    weights: np.ndarray  # [N]
    reg_range: RegRange


class Positives(NamedTuple):
    """The N anchors that are not background, in C order: what the losses are computed from."""

    boxes: np.ndarray  # [N, 4], predicted
    truth: np.ndarray  # [N, 4], assigned
    dfl: DflInputs


class BoxLoss(NamedTuple):
    """The three losses, or one value for each of them."""

    l1: Any
    giou: Any
    dfl: Any


def side_losses(logits: np.ndarray, targets: np.ndarray, reg_range: RegRange) -> np.ndarray:
    """The DFL of each side, float64 [N, 4], from logits [N, 4, C] and targets [N, 4]: eq. 6.

    With S = softmax(logits), l the bin below the target t and r = l + 1 the one above:
    -((r - t) log S_l + (t - l) log S_r). Raises ValueError where a target is out of range.
    """
    return np.asarray(-(bin_shares(targets, reg_range) * log_softmax(logits)).sum(axis=-1))


def bin_shares(targets: np.ndarray, reg_range: RegRange) -> np.ndarray:
    """The weight of each of the C bins, float64 [N, 4, C], for targets [N, 4]; they sum to one.

    A bin's weight is 1 less its distance from the target, and 0 from a distance of 1 on, which is
    eq. 6's r - t and t - l for the two neighbours. Raises ValueError where a target is below the
    first bin or above the last.
    """
    low, high = reg_range
    t = np.asarray(targets, np.float64)
    if not ((t >= low) & (t <= high - 1)).all():
        raise ValueError(f"a target is outside [{low}, {high - 1}]")
    return np.maximum(0.0, 1.0 - np.abs(t[..., None] - np.arange(low, high)))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """float64, over the last axis; the greatest logit is taken off first, so nothing overflows."""
    z = np.asarray(logits, np.float64)
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


def dfl_loss(inputs: DflInputs, scores_sum: float) -> float:
    """The head's DFL: the mean of a positive's four sides, times its weight, summed, over the sum
    of scores. Raises ValueError as `bin_shares`.
    """
    means = side_losses(inputs.logits, inputs.targets, inputs.reg_range).mean(axis=-1)
    return float((means * inputs.weights).sum() / scores_sum)


def dfl_gradient(inputs: DflInputs, scores_sum: float) -> np.ndarray:
    """The gradient of `dfl_loss` by the logits, float64 [N, 4, C].

    For a side it is softmax(logits) less the bins' shares, because the shares sum to one.
    """
    side = np.exp(log_softmax(inputs.logits)) - bin_shares(inputs.targets, inputs.reg_range)
    above = np.asarray(inputs.weights, np.float64) / (4 * scores_sum)
    return np.asarray(side * above[:, None, None])


def clip_end(reg_range: RegRange) -> float:
    """The greatest target that the head's clip leaves: a bin above it is always there."""
    return reg_range[1] - 1 - 0.01


def clip_holds(reg_range: RegRange, dtype: str) -> bool:
    """Whether `clip_end`, in this dtype, is still below the last bin.

    From some upper end on it rounds up to it, and then a sound release refuses the label of the bin
    above: from 34 on in float16, 262146 in float32; in bfloat16 from 6 on, so at the default, too.
    """
    return float(np.array(clip_end(reg_range), dtype)) < reg_range[1] - 1


def distances(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """From points [..., 2] to the sides of boxes [..., 4]: [..., 4], of their dtype."""
    return np.concatenate([points - boxes[..., :2], boxes[..., 2:] - points], axis=-1)


def clipped_distances(points: np.ndarray, boxes: np.ndarray, reg_range: RegRange) -> np.ndarray:
    """The distances as the head clips them to the range: float64 [..., 4]."""
    sides = distances(np.asarray(points, np.float64), np.asarray(boxes, np.float64))
    return np.asarray(sides.clip(reg_range[0], clip_end(reg_range)))


def giou_losses(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """1 - GIoU of each pair of boxes [N, 4], float64 [N]: algorithm 1 of the paper.

    With I, U and C the areas of the intersection, the union and the smallest box around both,
    GIoU = I/U - (C - U)/C, so the loss is 2 - I/U - U/C. Boxes have x1 < x2 and y1 < y2.
    """
    inner, union, outer, *_ = overlaps(boxes, truth)
    return np.asarray(2 - inner / union - union / outer)


def giou_gradients(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The gradient of each of `giou_losses` by its first box, float64 [N, 4].

    Where two sides coincide the loss has no gradient: this is one of the two on either side.
    """
    *areas, d_inner, d_union, d_outer = overlaps(boxes, truth)
    inner, union, outer = (area[:, None] for area in areas)
    by_union = (inner / union * d_union - d_inner) / union
    return np.asarray(by_union + (union / outer * d_outer - d_union) / outer)


def overlaps(boxes: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, ...]:
    """The areas I, U, C [N] of pairs of boxes [N, 4], and their gradients [N, 4] by the first."""
    b, t = np.asarray(boxes, np.float64), np.asarray(truth, np.float64)
    (area, d_area), (theirs, _) = area_and_gradient(b), area_and_gradient(t)
    lower, upper = np.maximum(b, t), np.minimum(b, t)
    shared = np.concatenate([lower[:, :2], upper[:, 2:]], axis=1)
    meet: np.ndarray = np.less(shared[:, :2], shared[:, 2:]).all(axis=1)
    inner, d_inner = area_and_gradient(shared)
    inner, d_inner = inner * meet, d_inner * meet[:, None] * np.equal(shared, b)

    around = np.concatenate([upper[:, :2], lower[:, 2:]], axis=1)
    outer, d_outer = area_and_gradient(around)
    d_outer = d_outer * np.equal(around, b)
    return inner, area + theirs - inner, outer, d_inner, d_area - d_inner, d_outer


def area_and_gradient(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas [N] of boxes [N, 4], and their gradients [N, 4]."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return width * height, np.stack([-height, -width, height, width], axis=1)


def positives(inputs: BoxLossInputs, reg_range: RegRange) -> Positives:
    """What the head selects. The background's label is the number of classes."""
    chosen = inputs.assigned_labels != inputs.assigned_scores.shape[-1]
    distances = clipped_distances(inputs.anchor_points, inputs.assigned_bboxes, reg_range)
    logits = inputs.pred_dist[chosen].reshape(-1, 4, reg_range[1] - reg_range[0])
    weights = inputs.assigned_scores.sum(axis=-1)[chosen]
    dfl = DflInputs(logits, distances[chosen], weights, reg_range)
    return Positives(inputs.pred_bboxes[chosen], inputs.assigned_bboxes[chosen], dfl)


def box_loss(inputs: BoxLossInputs, reg_range: RegRange) -> BoxLoss:
    """The head's three losses, floats: 0 where there is no positive.

    L1 is the mean over positives and coordinates, and has no weights; GIoU and DFL are weighted by
    the scores, and divided by their sum.
    """
    found = positives(inputs, reg_range)
    if not len(found.boxes):
        return BoxLoss(0.0, 0.0, 0.0)
    total = float(inputs.assigned_scores_sum)
    apart = np.abs(found.boxes.astype(np.float64) - found.truth)
    giou = giou_losses(found.boxes, found.truth) * found.dfl.weights
    return BoxLoss(float(apart.mean()), float(giou.sum() / total), dfl_loss(found.dfl, total))


def box_loss_gradients(inputs: BoxLossInputs, reg_range: RegRange) -> BoxLoss:
    """The gradients of L1 and GIoU by pred_bboxes [B, L, 4], of DFL by pred_dist [B, L, 4 * C].

    float64; 0 at anchors that are not positive.
    """
    found = positives(inputs, reg_range)
    total = float(inputs.assigned_scores_sum)
    weights = found.dfl.weights.astype(np.float64) / total
    apart = found.boxes.astype(np.float64) - found.truth
    chosen = inputs.assigned_labels != inputs.assigned_scores.shape[-1]
    l1, giou = np.zeros(inputs.pred_bboxes.shape), np.zeros(inputs.pred_bboxes.shape)
    dfl = np.zeros(inputs.pred_dist.shape)
    l1[chosen] = np.sign(apart) / max(apart.size, 1)
    giou[chosen] = giou_gradients(found.boxes, found.truth) * weights[:, None]
    dfl[chosen] = dfl_gradient(found.dfl, total).reshape(-1, inputs.pred_dist.shape[-1])
    return BoxLoss(l1, giou, dfl)
