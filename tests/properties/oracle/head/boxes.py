"""Boxes of PP-YOLOE: where anchors lie, what distributions decode to, how far boxes overlap.

By NumPy alone; it never calls Paddle. The integral over bins is that of arXiv:2006.04388, eq. 4;
GIoU is arXiv:1902.09630.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from properties.oracle.box_loss import RegRange
from properties.oracle.head.rounded import Rounded, dot, maximum, minimum, rounded, softmax

CELL = 5.0  # PaddleDetection's default: an anchor's side, in strides


class Anchors(NamedTuple):
    """The L anchors of a pyramid of levels, in pixels: float32, C order within a level."""

    boxes: np.ndarray  # [L, 4]
    points: np.ndarray  # [L, 2], their centres
    strides: np.ndarray  # [L, 1]
    counts: tuple[int, ...]  # of each level


def anchors_of(side: int, strides: Sequence[int]) -> Anchors:
    """Of a square image of `side` pixels: one in the middle of each cell of `stride` pixels."""
    boxes, points, of_level, counts = [], [], [], []
    for stride in strides:
        cells = (np.arange(side // stride) + 0.5) * stride
        x, y = np.meshgrid(cells, cells)
        centres = np.stack([x.ravel(), y.ravel()], axis=-1)
        boxes.append(np.concatenate([centres - CELL * stride / 2, centres + CELL * stride / 2], -1))
        points.append(centres)
        of_level.append(np.full((len(centres), 1), stride))
        counts.append(len(centres))
    arrays = [np.concatenate(each).astype(np.float32) for each in (boxes, points, of_level)]
    return Anchors(arrays[0], arrays[1], arrays[2], tuple(counts))


def decoded(points: np.ndarray, logits: np.ndarray, reg_range: RegRange) -> Rounded:
    """Boxes [B, L, 4], from points [L, 2] and the logits [B, L, 4 * C] of C bins a side.

    A side's distance from the point is the mean of the bins over its softmax.
    """
    sides = distances_of(logits, reg_range)
    before, after = rounded(points) - sides[..., :2], rounded(points) + sides[..., 2:]
    return joined(before, after)


def distances_of(logits: np.ndarray, reg_range: RegRange) -> Rounded:
    """The four distances [B, L, 4] of logits [B, L, 4 * C]."""
    shares = softmax(logits.reshape(*logits.shape[:-1], 4, -1))
    return dot("blsc,c->bls", shares, np.arange(*reg_range))


def decoded_gradient(
    upstream: Rounded | np.ndarray, logits: np.ndarray, reg_range: RegRange
) -> Rounded:
    """The gradient by the logits [..., 4 * C], where that by the boxes is `upstream` [..., 4].

    A bin's is its share times the bin less the mean; left and top grow as the box's corner falls.
    """
    bins = rounded(np.arange(*reg_range, dtype=np.float64))
    given = rounded(upstream) * np.array([-1.0, -1.0, 1.0, 1.0])
    shares = softmax(logits.reshape(*logits.shape[:-1], 4, -1))
    by_share = given[..., None] * bins
    mean = (shares * by_share).sum(-1, keepdims=True)
    return (shares * (by_share - mean)).moved(lambda array: array.reshape(logits.shape))


def joined(*parts: Rounded) -> Rounded:
    """Side by side along the last axis."""
    return Rounded(*(np.concatenate(arrays, -1) for arrays in zip(*map(as_arrays, parts))))


def as_arrays(part: Rounded) -> tuple[np.ndarray, np.ndarray]:
    return part.value, part.error


def iou(boxes: np.ndarray, others: np.ndarray, eps: float = 1e-9) -> Rounded:
    """The intersection over the union of boxes [..., 4] that broadcast together; [...].

    An inverted box has no area. `eps` is PaddleDetection's, which keeps the union from 0.
    """
    a, b = rounded(boxes), rounded(others)
    shared = area(meeting(a, b), clipped=True)
    return shared / (area(a, clipped=True) + area(b, clipped=True) - shared + eps)


def giou_loss(boxes: np.ndarray, truth: np.ndarray, eps: float = 1e-10) -> Rounded:
    """1 - GIoU of pairs of boxes [N, 4]; [N]. An inverted box has the area that its sides give."""
    a, b = rounded(boxes), rounded(truth)
    shared = area(meeting(a, b), clipped=True)
    union = area(a) + area(b) - shared + eps
    around = joined(minimum(a[..., :2], b[..., :2]), maximum(a[..., 2:], b[..., 2:]))
    outer = area(around) + eps
    return 1.0 - (shared / union - (outer - union) / outer)


def meeting(a: Rounded, b: Rounded) -> Rounded:
    """The box that two boxes have in common; inverted where there is none."""
    return joined(maximum(a[..., :2], b[..., :2]), minimum(a[..., 2:], b[..., 2:]))


def area(boxes: Rounded, clipped: bool = False) -> Rounded:
    """Of boxes [..., 4], or of those that are not inverted and 0 of the others; [...]."""
    sides = boxes[..., 2:] - boxes[..., :2]
    sides = sides.clip(0) if clipped else sides
    return sides[..., 0] * sides[..., 1]
