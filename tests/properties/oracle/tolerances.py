"""How far a release's losses may be from the oracle's: absolute bounds, derived.

`eps` is the spacing of the release's floats at 1. The relative error of one rounding is
at most half of it. A whole is counted: the other half covers the oracle's own rounding and the
terms of second order.
"""

from __future__ import annotations

from math import log

import numpy as np

from properties.oracle.box_loss import (
    BoxLoss,
    BoxLossInputs,
    DflInputs,
    RegRange,
    box_loss,
    overlaps,
    positives,
)


def side_tolerance(logits: np.ndarray, eps: float, target_error: float = 0.0) -> float:
    """How far a side's DFL may be off, where no logit is beyond M: both cross entropies are at most
    E = 2 M + log C.

    The greatest logit is taken off (each difference is at most 2 M, so it errs by 2 M eps); exp
    turns that into a relative error, to which it and the division add a few (8); adding C terms
    that are positive adds C; the log turns it into an absolute one again. Then at most five
    roundings of numbers up to E: the log itself, the difference, the weight, the product, the sum.
    A target that is off by `target_error` moves the loss by the logits' difference times that.
    """
    classes, greatest = logits.shape[-1], greatest_logit(logits)
    entropy = 2 * greatest + log(classes)
    relative: float = 2 * greatest + 8 + classes + 5 * entropy
    return eps * relative + target_error * 2 * greatest


def dfl_tolerance(
    inputs: DflInputs, scores_sum: float, eps: float, target_error: float = 0.0
) -> float:
    """How far `dfl_loss` may be off: each of N positives by `side_tolerance`, and the sum by one
    rounding a term of at most N + 8: mean of four, weight, N terms, division.
    """
    entropy = 2 * greatest_logit(inputs.logits) + log(inputs.logits.shape[-1])
    adding = eps * (len(inputs.weights) + 8) * entropy
    one = side_tolerance(inputs.logits, eps, target_error) + adding
    return float(one * inputs.weights.sum() / scores_sum)


def dfl_gradient_tolerance(
    inputs: DflInputs, scores_sum: float, eps: float, target_error: float = 0.0
) -> np.ndarray:
    """How far `dfl_gradient` may be off, [N, 1, 1], and any sum of a side's: softmax's relative
    error as in `side_tolerance`, of elements that sum to one; 8 roundings of the shares and of the
    factor from above, at most 1 each, for each of two cross entropies.
    """
    classes, greatest = inputs.logits.shape[-1], greatest_logit(inputs.logits)
    relative = eps * (2 * greatest + 8 + classes + 16) + 2 * target_error
    tolerance: np.ndarray = relative * np.asarray(inputs.weights, np.float64) / (4 * scores_sum)
    return tolerance[:, None, None]


def box_loss_tolerance(inputs: BoxLossInputs, reg_range: RegRange, eps: float) -> BoxLoss:
    """How far each of `box_loss` may be off.

    L1: a rounding a difference, one an addition. GIoU: sides err by 1 eps, areas by 3, the union,
    of which the two areas are at most twice, by 16, so I/U and (C - U)/C by 20 each; with the last
    roundings 48 of numbers up to 2, where the weighted sum adds N + 8. (The head's 1e-10 beside the
    areas is far below that.) DFL: its targets are differences, clipped, that err by eps of the
    range's greater end.
    """
    found = positives(inputs, reg_range)
    total, count = float(inputs.assigned_scores_sum), len(found.boxes)
    return BoxLoss(
        l1=eps * (4 * count + 4) * box_loss(inputs, reg_range).l1,
        giou=eps * (48 + 2 * (count + 8)) * float(found.dfl.weights.sum()) / total,
        dfl=dfl_tolerance(found.dfl, total, eps, target_error(reg_range, eps)),
    )


def box_loss_gradient_tolerance(inputs: BoxLossInputs, reg_range: RegRange, eps: float) -> BoxLoss:
    """How far each of `box_loss_gradients` may be off: absolute bounds for the positives' elements.

    L1's are all 1/4N, after two divisions. GIoU's are made of at most 7 terms, each at most the
    greatest side around both boxes over U, each off by 20 eps as in `box_loss_tolerance`: 140.
    """
    found = positives(inputs, reg_range)
    total, count = float(inputs.assigned_scores_sum), len(found.boxes)
    if not count:
        return BoxLoss(0.0, 0.0, 0.0)
    _, union, *_ = overlaps(found.boxes, found.truth)
    both = np.stack([found.boxes, found.truth]).astype(np.float64)
    side = (both[..., 2:].max(axis=0) - both[..., :2].min(axis=0)).max(axis=-1)
    dfl = dfl_gradient_tolerance(found.dfl, total, eps, target_error(reg_range, eps))
    return BoxLoss(
        l1=eps * 4 / (4 * count),
        giou=float((140 * eps * side / union * found.dfl.weights).max() / total),
        dfl=float(dfl.max()),
    )


def target_error(reg_range: RegRange, eps: float) -> float:
    """How far a distance may be off that is one difference, clipped to the range."""
    return eps * max(abs(end) for end in reg_range)


def greatest_logit(logits: np.ndarray) -> float:
    """How far the logits go from 0."""
    return float(np.abs(logits).max(initial=0.0))
