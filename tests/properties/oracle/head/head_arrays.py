"""The inputs of PP-YOLOE's head, from a few words and a seed: numpy and the oracle's types only.

`RandomState` is used because NumPy promises never to change its stream.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

import numpy as np

from properties.oracle.box_loss import RegRange
from properties.oracle.head.assigners import Assigned, Predicted, Truth, Undecided, atss, tal
from properties.oracle.head.boxes import Anchors, anchors_of
from properties.oracle.head.classification import Scores
from properties.oracle.head.layers import Branch

TOPK = {"ATSS": 9, "TAL": 13}  # PP-YOLOE's
STRIDES = (32, 16, 8)  # of PP-YOLOE's levels, the coarsest first


class Assignment(NamedTuple):
    """What an assigner is given, and what it is due."""

    truth: Truth
    predicted: Predicted
    anchors: Anchors
    due: Assigned


class HeadInputs(NamedTuple):
    """A step of the head: the feature maps of its levels, its parameters, the boxes to learn."""

    features: list[np.ndarray]  # float32 [B, C, H, W] of each level
    of_scores: list[Branch]  # of each level
    of_sides: list[Branch]
    truth: Truth


class Distributions(NamedTuple):
    """Distributions to be decoded, and the gradient by the boxes that they give."""

    points: np.ndarray  # float32 [L, 2]
    logits: np.ndarray  # float32 [B, L, 4 * C]
    upstream: np.ndarray  # float32 [B, L, 4]


def score_inputs(batch: int, anchors: int, classes: int, seed: int) -> Scores:
    """Scores of logits from -25 to 16, where float32 still tells 1 - p from 0.

    A third of the anchors are positives, whose scores due are drawn, or 0 or 1.
    """
    draw = np.random.RandomState(seed)
    logits = draw.uniform(-25, 16, (batch, anchors, classes)) * draw.choice([0.1, 1])
    labels = np.equal(draw.randint(0, 3 * classes, (batch, anchors, 1)), np.arange(classes))
    quality = draw.uniform(-0.2, 1.2, (batch, anchors, 1)).clip(0, 1)
    arrays = (1 / (1 + np.exp(-logits)), quality * labels, labels)
    return Scores(*(array.astype(np.float32) for array in arrays))


def distributions(
    reg_range: RegRange, batch: int, anchors: int, spread: float, seed: int
) -> Distributions:
    """Logits within `spread` of 0."""
    draw = np.random.RandomState(seed)
    logits = draw.uniform(-spread, spread, (batch, anchors, 4 * (reg_range[1] - reg_range[0])))
    arrays = draw.uniform(0, 80, (anchors, 2)), logits, draw.uniform(-1, 1, (batch, anchors, 4))
    return Distributions(*(array.astype(np.float32) for array in arrays))


def box_pairs(count: int, seed: int) -> np.ndarray:
    """Pairs of boxes float32 [2, N, 4] in whole pixels up to 4: many are inverted or have no area.

    In every other pair the second one is a box as it should be.
    """
    pairs = np.random.RandomState(seed).randint(0, 5, (2, count, 4)).astype(np.float32)
    pairs[1, ::2, 2:] += 5
    return pairs


def truth_of(draw: np.random.RandomState, side: int, classes: int, shape: tuple[int, int]) -> Truth:
    """Boxes of a twentieth of the image's side and more; some images' last ones are padding."""
    corner, size = draw.uniform(0, 0.8, (*shape, 2)), draw.uniform(0.05, 0.6, (*shape, 2))
    boxes = np.concatenate([corner, np.minimum(corner + size, 1)], -1) * side
    count = draw.randint(1, shape[1] + 1, (shape[0], 1))
    present = (np.arange(shape[1]) < count)[..., None].astype(np.float32)
    labels = draw.randint(0, classes, (*shape, 1)) * (present > 0)
    return Truth(labels.astype(np.int64), (boxes * present).astype(np.float32), present)


def assignment(
    assigner: str, topk: int, side: int, classes: int, batch: int, boxes: int, seed: int
) -> Assignment:
    """Boxes predicted about the true ones; drawn again until float32 decides every choice."""
    draw, anchors = np.random.RandomState(seed), anchors_of(side, STRIDES)
    count = len(anchors.points)
    while True:
        truth = truth_of(draw, side, classes, (batch, boxes))
        scores = draw.uniform(0.01, 0.99, (batch, count, classes)).astype(np.float32)
        near = np.take_along_axis(truth.boxes, draw.randint(0, boxes, (batch, count, 1)), 1)
        near = near + draw.uniform(-0.05, 0.05, near.shape) * side
        predicted = Predicted(scores, near.astype(np.float32))
        try:
            due = assigners()[assigner](truth, predicted, anchors, topk)
        except Undecided:
            continue
        return Assignment(truth, predicted, anchors, due)


def assigners() -> dict[str, Callable[[Truth, Predicted, Anchors, int], Assigned]]:
    """By the names that `small_ppyoloe.EPOCHS` has."""
    return {"ATSS": atss, "TAL": tal}


def head_inputs_of(
    side: int, channels: int, classes: int, reg_range: RegRange, batch: int, boxes: int, seed: int
) -> HeadInputs:
    """Feature maps of unit deviation, and parameters for scores about 0.1 and sides about 4."""
    draw = np.random.RandomState(seed)
    maps = [
        draw.randn(batch, channels, side // stride, side // stride).astype(np.float32)
        for stride in STRIDES
    ]
    bins = reg_range[1] - reg_range[0]
    of_scores = [drawn_branch(draw, channels, classes, -2.0) for _ in STRIDES]
    of_sides = [drawn_branch(draw, channels, 4 * bins, 0.0) for _ in STRIDES]
    return HeadInputs(maps, of_scores, of_sides, truth_of(draw, side, classes, (batch, boxes)))


def drawn_branch(draw: np.random.RandomState, channels: int, out: int, bias: float) -> Branch:
    """Parameters of the size that keeps the size of what passes."""
    square, each = (channels, channels, 1, 1), channels**-0.5
    arrays = Branch(
        fc_weight=draw.randn(*square) * each,
        fc_bias=draw.randn(channels),
        conv_weight=draw.randn(*square) * each,
        bn_weight=draw.uniform(0.5, 1.5, channels),
        bn_bias=draw.randn(channels) / 2,
        weight=draw.randn(out, channels, 3, 3) * each / 3,
        bias=draw.randn(out) / 4 + bias,
    )
    return Branch(*(array.astype(np.float32) for array in arrays))
