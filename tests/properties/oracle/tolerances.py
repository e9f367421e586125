"""How far a release's losses may be from the oracle's: absolute bounds for each element, derived.

`u` is the greatest relative error of one rounding, of the release and of the oracle together. The
terms below count the roundings of the kernels that releases 2.2 to 3.3 have on the CPU
(phi/kernels/funcs/cpu_vec.h, softmax_impl.h, cross_entropy.cc, Eigen's TensorReduction.h); other
places add in more lanes. `least_relative_error` says what a tolerance sees.
"""

from __future__ import annotations

from math import exp, log2, sqrt

import numpy as np

from properties.oracle.box_loss import (
    BoxLoss,
    BoxLossInputs,
    DflInputs,
    RegRange,
    bin_shares,
    box_loss,
    giou_losses,
    log_softmax,
    overlaps,
    positives,
)

LANES = 4  # that sums are at least added in: SSE, float32
LEAF = 1024  # additions in a row before Eigen's sum goes on as a tree
CERTAIN = 10.0  # standard deviations
CLIPPED = exp(-64.0)  # the least exponential in Paddle's CPU softmax, where less is due


def unit(dtype: np.dtype) -> float:
    """`u` of a release that computes in this dtype: half the spacing of its floats at 1, and half
    that of the oracle's float64. The hundredth on top covers the terms of second order.
    """
    return 1.01 * float(np.finfo(dtype).eps + np.finfo(np.float64).eps) / 2


def least_relative_error(due: np.ndarray, tolerance: np.ndarray | float) -> float:
    """The least e for which an answer of (1 + e) times what is due is seen."""
    size = np.abs(np.asarray(due, np.float64))
    return float((np.broadcast_to(tolerance, size.shape)[size > 0] / size[size > 0]).min())


def roundings(chain: float) -> float:
    """How many u a number may be off after `chain` roundings in a row.

    All of them, up to 100; beyond, ten times their root: a model whose assumption (the roundings'
    means are 0) random numbers meet, and that then fails less than once in 10**21 (Higham and Mary,
    "A New Approach to Probabilistic Rounding Error Analysis", 2019, theorem 2.4).
    """
    return min(chain, CERTAIN * sqrt(chain))


def mean_roundings(count: int) -> float:
    """How many u the mean of `count` numbers of one sign may be off: added in LANES, divided.

    Eigen's mean is no tree: in every release, an addend passes through an eighth of all additions.
    """
    return 1 + roundings(min(count, count / LANES + 8))


def sum_roundings(count: int) -> float:
    """The same of `paddle.sum`, which is a tree over leaves of LEAF additions in a row."""
    return roundings(min(count, count / LANES + 8, LEAF + log2(count + 1) + 8))


def relative_probability_errors(logits: np.ndarray, u: float) -> np.ndarray:
    """The relative errors of softmax [..., C], where no difference of logits is clipped.

    With d the distances below the greatest logit: a difference errs by d u, exp makes that a
    relative error and adds 4 u (2 units in the last place, as CUDA's does). The sum has the mean
    error of its addends, weighted by softmax, and C - 1 additions; inverse and product add 2, and
    as much again is left to orders of the same steps that other places take.
    """
    below = logits.max(axis=-1, keepdims=True).astype(np.float64) - logits
    mean = (np.exp(log_softmax(logits)) * below).sum(axis=-1, keepdims=True)
    return np.asarray(u * (below + mean + roundings(logits.shape[-1] - 1) + 12))


def entropy_errors(logits: np.ndarray, u: float) -> np.ndarray:
    """How far the cross entropy of each bin as the label may be off, [..., C]: the log turns
    softmax's relative error into an absolute one, and errs by 2 u (one unit) of itself.

    It sees 3e-6 of a float32 loss of 1, and 3e-7 of one of 30.
    """
    return relative_probability_errors(logits, u) - 2 * u * log_softmax(logits)


def label_entropies(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cross entropies [...] of logits [..., C], and how far they may be off."""
    errors = entropy_errors(logits, unit(logits.dtype))
    due, tolerance = (
        np.take_along_axis(all_bins, labels[..., None], -1)[..., 0]
        for all_bins in (-log_softmax(logits), errors)
    )
    return due, tolerance


def gradient_errors(logits: np.ndarray, shares: np.ndarray, u: float) -> np.ndarray:
    """How far softmax less the shares may be off, [..., C], times an upstream gradient.

    Both have up to 8 roundings: of the upstream gradient, the products, differences and the sum of
    two cross entropies. A probability below CLIPPED or u**2 may be either, or 0.

    It sees 2e-6 of a float32 gradient.
    """
    probabilities = np.exp(log_softmax(logits))
    softmax = probabilities * relative_probability_errors(logits, u) + 2 * CLIPPED + u * u
    return np.asarray(softmax + 8 * u * (probabilities + shares))


def side_tolerance(
    inputs: DflInputs, u: float, target_error: np.ndarray | float = 0.0
) -> np.ndarray:
    """How far each side's DFL may be off, [N, 4].

    Its two cross entropies err as `entropy_errors`, times their shares. A share is one or two
    differences of numbers up to 1, and errs by u; product and sum add 2 u of the loss. A target
    that is off moves the loss by at most the greatest step between neighbouring logits.
    """
    logits, targets, _, reg_range = inputs
    shares, entropies = bin_shares(targets, reg_range), -log_softmax(logits)
    errors = shares * (entropy_errors(logits, u) + 2 * u * entropies)
    step = np.abs(np.diff(logits.astype(np.float64), axis=-1)).max(axis=-1)
    shared = u * (entropies * (shares > 0)).sum(axis=-1)
    return np.asarray(errors.sum(axis=-1) + shared + target_error * step)


def dfl_tolerance(
    inputs: DflInputs, scores_sum: float, u: float, target_error: np.ndarray | float = 0.0
) -> float:
    """How far `dfl_loss` may be off: sides as `side_tolerance`; the mean of four and the weight are
    4 roundings, the sum `sum_roundings`, the division one.

    It sees 2e-6 of a float32 loss of 24 positives, and 2e-5 of one of 30,000.
    """
    logits, targets, weights, reg_range = inputs
    sides = -(bin_shares(targets, reg_range) * log_softmax(logits)).sum(axis=-1)
    steps = u * (5 + sum_roundings(len(weights)))
    terms = (side_tolerance(inputs, u, target_error) + steps * sides).mean(axis=-1) * weights
    return float(terms.sum() / scores_sum)


def dfl_gradient_tolerance(
    inputs: DflInputs, scores_sum: float, u: float, target_error: np.ndarray | float = 0.0
) -> np.ndarray:
    """How far `dfl_gradient` may be off, [N, 4, C]: as `gradient_errors`; the shares of the bins
    beside a target err by u and as the target does.
    """
    logits, targets, weights, (low, high) = inputs
    errors = gradient_errors(logits, bin_shares(targets, inputs.reg_range), u)
    off = np.abs(targets.astype(np.float64)[..., None] - np.arange(low, high))
    moved = np.broadcast_to(u + np.asarray(target_error), targets.shape)[..., None] * (off < 1.01)
    return np.asarray((errors + moved) * (weights / (4.0 * scores_sum))[:, None, None])


def box_loss_tolerance(inputs: BoxLossInputs, reg_range: RegRange, u: float) -> BoxLoss:
    """How far each of `box_loss` may be off.

    L1: a difference and a mean. GIoU: pairs as `giou_errors`, a weight, the sum, the division. DFL:
    its targets are differences, clipped.

    In float32 and for 40 positives, it sees 3e-6 of L1, 3e-6 of GIoU and 2e-6 of DFL; of L1 for
    30,000, 1e-4.
    """
    found = positives(inputs, reg_range)
    count, weights = len(found.boxes), found.dfl.weights
    if not count:
        return BoxLoss(0.0, 0.0, 0.0)
    total = float(inputs.assigned_scores_sum)
    losses = giou_losses(found.boxes, found.truth)
    pairs = giou_errors(found.boxes, found.truth, u) + u * (3 + sum_roundings(count)) * losses
    return BoxLoss(
        l1=u * (1 + mean_roundings(4 * count)) * box_loss(inputs, reg_range).l1,
        giou=float((pairs * weights).sum() / total),
        dfl=dfl_tolerance(found.dfl, total, u, target_error(found.dfl, u)),
    )


def giou_errors(boxes: np.ndarray, truth: np.ndarray, u: float) -> np.ndarray:
    """How far each of `giou_losses` may be off, [N].

    Sides err by u, areas by 3 u; the union U of areas A1 + A2 - I by u (4 (A1 + A2) + 3 I + U) =
    u (5 U + 7 I). The rest is that, through I/U, (C - U)/C, their difference and the one from 1.
    (The head's 1e-10 beside the areas is far below that, for areas of a hundredth and more.)
    """
    inner, union, outer, *_ = overlaps(boxes, truth)
    iou, gap = inner / union, 1 - union / outer
    by_iou = iou * (9 + 7 * iou)
    return np.asarray(u * (by_iou + gap_error(iou, gap) + np.abs(iou - gap) + 1 - iou + gap))


def gap_error(iou: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """How many u (C - U)/C may be off, where it is `gap`."""
    return np.asarray(3 + (5 + 7 * iou) * (1 - gap) + 5 * gap)


def giou_gradient_errors(boxes: np.ndarray, truth: np.ndarray, u: float) -> np.ndarray:
    """How far each of `giou_gradients` may be off, [N, 4], times an upstream gradient with 3
    roundings of its own: the errors of what goes back to C, U and I, step by step as automatic
    differentiation does it; each then meets a side (2 roundings) and the others (2 more).

    It sees 1e-6 of a float32 gradient.
    """
    *areas, d_inner, d_union, d_outer = overlaps(boxes, truth)
    inner, union, outer = (area[:, None] for area in areas)
    iou, gap = inner / union, 1 - union / outer
    to_union, to_outer = iou / union - 1 / outer, (1 - gap) / outer
    to_inner = -1 / union - to_union
    off_outer = (7 + gap_error(iou, gap) + 8 * gap + 1 - gap) / outer
    off_union = 7 / outer + iou * (9 + 7 * iou + 10 + 7 * iou) / union + np.abs(to_union)
    off_inner = (9 + 7 * iou) / union + off_union + np.abs(to_inner)
    return np.asarray(
        u * (off_outer + 4 * np.abs(to_outer)) * np.abs(d_outer)
        + u * (off_union + 4 * np.abs(to_union)) * np.abs(d_union + d_inner)
        + u * (off_inner + 4 * np.abs(to_inner)) * np.abs(d_inner)
    )


def box_loss_gradient_tolerance(inputs: BoxLossInputs, reg_range: RegRange, u: float) -> BoxLoss:
    """How far each of `box_loss_gradients` may be off, of its shapes: 0 at anchors that are not
    positive. L1's are all 1/4N, after two divisions.
    """
    found = positives(inputs, reg_range)
    total = float(inputs.assigned_scores_sum)
    chosen = inputs.assigned_labels != inputs.assigned_scores.shape[-1]
    l1, giou = np.zeros(inputs.pred_bboxes.shape), np.zeros(inputs.pred_bboxes.shape)
    dfl = np.zeros(inputs.pred_dist.shape)
    l1[chosen] = u * 4 / max(4 * len(found.boxes), 1)
    weights = found.dfl.weights[:, None] / total
    giou[chosen] = giou_gradient_errors(found.boxes, found.truth, u) * weights
    sides = dfl_gradient_tolerance(found.dfl, total, u, target_error(found.dfl, u))
    dfl[chosen] = sides.reshape(-1, inputs.pred_dist.shape[-1])
    return BoxLoss(l1, giou, dfl)


def target_error(inputs: DflInputs, u: float) -> np.ndarray:
    """How far targets [N, 4] may be off that are one difference, clipped to the range."""
    return np.asarray(u * np.abs(inputs.targets))
