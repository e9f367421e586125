"""Which anchors are to predict which boxes, by NumPy alone. It never calls Paddle.

ATSS is arXiv:1912.02424, algorithm 1; the task-aligned assigner (TAL) is TOOD, arXiv:2108.07755,
section 3.2. PaddleDetection's documented steps say what the papers leave open.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from properties.oracle.head.boxes import Anchors, iou
from properties.oracle.head.rounded import EPS, Rounded, rounded

METRIC_EPS = 1e-9  # PaddleDetection's, beside the greatest metric


class Undecided(ValueError):
    """A choice hangs on float32's rounding: a release may choose either."""


class Truth(NamedTuple):
    """The boxes of B images, N at most of each, K classes."""

    labels: np.ndarray  # integers [B, N, 1]
    boxes: np.ndarray  # float32 [B, N, 4], in pixels
    present: np.ndarray  # float32 [B, N, 1], 1 of a box, 0 of padding


class Predicted(NamedTuple):
    """What the head predicts at L anchors."""

    scores: np.ndarray  # float32 [B, L, K]
    boxes: np.ndarray  # float32 [B, L, 4], in pixels


class Assigned(NamedTuple):
    """What each anchor is to predict."""

    labels: np.ndarray  # integers [B, L], K for background
    boxes: np.ndarray  # float32 [B, L, 4]; of background, those of the image's first box
    scores: Rounded  # [B, L, K]


def atss(truth: Truth, predicted: Predicted, anchors: Anchors, topk: int) -> Assigned:
    """The `topk` anchors of each level whose centres are nearest to a box's are its candidates.

    Those whose IoU is above the candidates' mean plus standard deviation (of a sample, as in the
    paper's code) and whose centres are inside the box are positive. The score is the predicted
    box's IoU. Raises Undecided. There are two candidates or more.
    """
    overlap = iou(truth.boxes[:, :, None], anchors.boxes)
    nearest = candidates(truth, anchors, topk)
    count = topk * len(anchors.counts)
    chosen = np.where(nearest, overlap.value, 0.0)
    mean = chosen.sum(-1, keepdims=True) / count
    squares = (np.where(nearest, chosen - mean, 0.0) ** 2).sum(-1, keepdims=True)
    threshold = mean + np.sqrt(squares / (count - 1))
    slack = 4 * overlap.error.max() + count * EPS
    above = nearest & decided(overlap.value - threshold, slack, nearest)
    positive = above & inside(truth, anchors.points, above)
    positive = to_one_box(positive, overlap)
    quality = iou(truth.boxes[:, :, None], predicted.boxes[:, None])
    return assigned(truth, positive, best(quality, positive), predicted.scores.shape[-1])


def candidates(truth: Truth, anchors: Anchors, topk: int) -> np.ndarray:
    """Whether an anchor is among its level's `topk` nearest to a box: [B, N, L]; never padding."""
    boxes = truth.boxes.astype(np.float64)
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    apart = centres[:, :, None] - anchors.points
    distance = np.sqrt((apart**2).sum(-1))
    slack = 8 * EPS * (distance + abs(boxes).max(-1)[..., None])
    ends = np.cumsum(anchors.counts)[:-1]
    levels = zip(*(np.split(each, ends, -1) for each in (-distance, slack)))
    present = truth.present > 0
    return np.concatenate([greatest(d, s, topk, present) for d, s in levels], -1)


def tal(truth: Truth, predicted: Predicted, anchors: Anchors, topk: int) -> Assigned:
    """The `topk` anchors inside a box of the greatest metric s * IoU**6 are positive.

    s is the predicted score of the box's class. The score that is due is the metric, scaled to the
    greatest IoU of the box's positives. Raises Undecided.
    """
    quality = iou(truth.boxes[:, :, None], predicted.boxes[:, None])
    scores = np.take_along_axis(predicted.scores.transpose(0, 2, 1), truth.labels, 1)
    metric = rounded(scores) * quality**6.0
    centred = inside(truth, anchors.points, truth.present > 0)
    ranked = np.where(centred, metric.value, -1.0)  # an anchor outside is never positive
    positive = greatest(ranked, metric.error * centred, topk, truth.present > 0) & centred
    if (positive & (metric.value <= metric.error)).any():
        raise Undecided("a metric may be 0, as that of the anchors outside")
    positive = to_one_box(positive, quality)
    own = metric * positive
    share = own / (greatest_of(own, -1) + METRIC_EPS) * greatest_of(quality * positive, -1)
    return assigned(truth, positive, greatest_of(share, -2)[:, 0], predicted.scores.shape[-1])


def greatest(ranked: np.ndarray, slack: np.ndarray, topk: int, present: np.ndarray) -> np.ndarray:
    """Whether an element is among the `topk` greatest of the last axis: [B, N, L].

    Raises Undecided where it is not clear which, in a row that is `present` [B, N, 1]. Elements
    that stand for nothing (-1) may tie.
    """
    order = np.argsort(-ranked, axis=-1, kind="stable")
    kept = np.zeros(ranked.shape, bool)
    np.put_along_axis(kept, order[..., :topk], True, -1)
    least = np.where(kept, ranked - slack, np.inf).min(-1)
    next_one = np.where(kept, -np.inf, ranked + slack).max(-1)
    if ((next_one >= least) & (next_one != -1) & present[..., 0]).any():
        raise Undecided("candidates tie")
    return np.asarray(kept & present)


def inside(truth: Truth, points: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Whether a point is inside a box: [B, N, L]. Raises Undecided at an edge, where `asked`."""
    boxes = truth.boxes[:, :, None].astype(np.float64)
    depth = np.concatenate([points - boxes[..., :2], boxes[..., 2:] - points], -1).min(-1)
    return decided(depth, 2e-9 + 0 * depth, asked) & (truth.present > 0)


def decided(margin: np.ndarray, slack: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Whether the margin is positive. Raises Undecided where it is not clear, and `asked`."""
    if ((abs(margin) <= slack) & asked).any():
        raise Undecided("a threshold is met")
    return np.asarray(margin > 0)


def to_one_box(positive: np.ndarray, overlap: Rounded) -> np.ndarray:
    """An anchor that is positive for several boxes is that of the greatest IoU in the image.

    As in PaddleDetection, that may be a box of which it is no candidate.
    """
    several = positive.sum(1) > 1
    value, error = overlap.value, overlap.error
    first = np.eye(value.shape[1], dtype=bool)[value.argmax(1)].transpose(0, 2, 1)
    rest = np.where(first, -np.inf, value + error).max(1)
    if (several & (rest >= np.where(first, value - error, -np.inf).max(1))).any():
        raise Undecided("boxes overlap alike")
    return np.where(several[:, None], first, positive)


def best(quality: Rounded, positive: np.ndarray) -> Rounded:
    """The IoU [B, L] of the box that an anchor is to predict, 0 of background."""
    return greatest_of(quality * positive, 1)[:, 0]


def greatest_of(numbers: Rounded, axis: int) -> Rounded:
    """The greatest along an axis, which stays."""
    return numbers.moved(lambda array: array.max(axis, keepdims=True))


def assigned(truth: Truth, positive: np.ndarray, score: Rounded, classes: int) -> Assigned:
    """Labels, boxes and scores of each anchor, from its box and its score [B, L]."""
    index, any_box = positive.argmax(1), positive.any(1)
    labels = np.take_along_axis(truth.labels[..., 0], index, 1)
    labels = np.where(any_box, labels, classes)
    boxes = np.take_along_axis(truth.boxes, index[..., None], 1)
    ones = np.equal(labels[..., None], np.arange(classes)).astype(np.float64)
    return Assigned(labels, boxes, score[..., None] * ones)
