"""The oracle of PP-YOLOE's whole head, beside numbers worked by hand and finite differences."""

from __future__ import annotations

from math import log
from typing import Any, Callable

import numpy as np
import pytest
from properties.oracle.head import assigners, boxes, classification, layers
from properties.oracle.head.assigners import Predicted, Truth, Undecided
from properties.oracle.head.classification import Scores
from properties.oracle.head.layers import Branch
from properties.oracle.head.rounded import Rounded, dot, rounded, softmax

from unit.test_loss_oracle import differences

DRAW = np.random.RandomState(0)
SQUARE = (0.0, 0.0, 2.0, 2.0)


def scores(predicted: float, due: float, label: float) -> Scores:
    return Scores(*(np.full((1, 1, 1), number) for number in (predicted, due, label)))


def weighted_sum(out: Rounded, weights: np.ndarray) -> float:
    return float((out.value * weights).sum())


# Rounding.


def float32_cases() -> dict[str, Callable[[Any, Any], Any]]:
    """Functions of two positive arrays, as float32 arrays and as `Rounded` have them."""
    return {
        "sum": lambda a, b: a + b,
        "difference": lambda a, b: a - b,
        "product": lambda a, b: a * b,
        "quotient": lambda a, b: a / b,
        "power": lambda a, b: a**6.0,
        "root": lambda a, b: np.sqrt(a) if isinstance(a, np.ndarray) else a.sqrt(),
        "logarithm": lambda a, b: np.log(a) if isinstance(a, np.ndarray) else a.log(),
        "exponential": lambda a, b: np.exp(-a) if isinstance(a, np.ndarray) else (-a).exp(),
        "total": lambda a, b: (a * b).sum(0),
        "one after the other": lambda a, b: ((a - b) / (a + b)) ** 2.0 + a * b - a,
    }


@pytest.mark.parametrize("name", float32_cases())
def test_float32_stays_within_the_bound_and_not_far_below(name: str) -> None:
    function = float32_cases()[name]
    a, b = (DRAW.uniform(0.5, 2, 4000).astype(np.float32) for _ in range(2))
    b = np.minimum(a * np.float32(0.9), b)
    due = function(rounded(a), rounded(b))
    apart = abs(function(a, b).astype(np.float64) - due.value)
    assert (apart <= due.error).all()
    assert apart.max() >= due.error.max() / 100 or name == "total"


def test_what_float32_holds_exactly_has_no_error() -> None:
    assert (rounded(3.0) * 4.0 - 2.0).error == 0
    assert (rounded(1.0) / 3.0).error > 0


def test_a_divisor_that_may_be_zero_bounds_nothing() -> None:
    third = rounded(1.0) / 3.0
    assert np.isinf((rounded(1.0) / (third - 1 / 3)).error)


def test_dot_sums_products() -> None:
    a, b = DRAW.randn(3, 4), DRAW.randn(5, 4)
    found = dot("nk,mk->nm", a, b)
    assert found.value == pytest.approx(a @ b.T)
    assert found.error == pytest.approx(6 * 2.0**-23 * abs(a) @ abs(b).T, rel=0.5)


def test_dot_carries_its_operands_errors() -> None:
    one = Rounded(np.array([3.0]), np.array([0.5]))
    assert dot("n,n->", one, np.array([2.0])).error == pytest.approx(1.0, rel=1e-5)
    assert dot("n,n->", np.array([2.0]), one).error == pytest.approx(1.0, rel=1e-5)


def test_softmax_does_not_overflow() -> None:
    assert softmax(np.array([1000.0, 1000.0])).value == pytest.approx([0.5, 0.5])


# The losses of the scores.


@pytest.mark.parametrize(
    ("given", "loss"),
    [
        ((0.5, 0.0, 0.0), 0.75 * 0.25 * log(2)),  # background: alpha p**2 times -log(1 - p)
        ((0.25, 0.0, 0.0), 0.75 / 16 * log(4 / 3)),
        ((0.5, 0.5, 1.0), 0.5 * log(2)),  # a positive of quality 1/2
        ((0.25, 1.0, 1.0), log(4)),
        ((0.25, 0.0, 1.0), 0.0),  # a positive of quality 0 counts for nothing
    ],
)
def test_varifocal_loss_of_one_score(given: tuple[float, float, float], loss: float) -> None:
    assert classification.varifocal(scores(*given))[0].value == pytest.approx(loss)


@pytest.mark.parametrize(
    ("given", "alpha", "loss"),
    [
        ((0.25, 1.0, 1.0), 0.25, 0.25 * 9 / 16 * log(4)),
        ((0.25, 0.0, 0.0), 0.25, 0.75 / 16 * log(4 / 3)),
        ((0.25, 1.0, 1.0), -1.0, 9 / 16 * log(4)),
        ((0.5, 0.5, 1.0), 0.25, 0.0),
    ],
)
def test_focal_loss_of_one_score(
    given: tuple[float, float, float], alpha: float, loss: float
) -> None:
    assert classification.focal(scores(*given), alpha)[0].value == pytest.approx(loss)


@pytest.mark.parametrize("loss", [classification.varifocal, classification.focal])
def test_gradients_of_the_scores_agree_with_differences(loss: Any) -> None:
    shape = (2, 3, 2)
    labels = DRAW.randint(0, 2, shape).astype(float)
    given = Scores(DRAW.uniform(0.1, 0.9, shape), DRAW.uniform(0, 1, shape) * labels, labels)
    expected = differences(lambda p: float(loss(given._replace(predicted=p))[0].value), given[0])
    assert loss(given)[1].value == pytest.approx(expected, abs=1e-7)


# Boxes.


def test_anchors_lie_in_the_middle_of_cells() -> None:
    found = boxes.anchors_of(8, (8, 4))
    assert found.points.tolist() == [[4, 4], [2, 2], [6, 2], [2, 6], [6, 6]]
    assert found.boxes[:2].tolist() == [[-16, -16, 24, 24], [-8, -8, 12, 12]]
    assert (found.strides[:, 0].tolist(), found.counts) == ([8, 4, 4, 4, 4], (1, 4))


def test_distances_are_the_means_of_bins() -> None:
    logits = np.log(np.tile([0.5, 0.25, 0.25], (1, 1, 4)))  # of bins -1, 0, 1: mean -1/4
    found = boxes.decoded(np.array([[3.0, 5.0]]), logits, (-1, 2))
    assert found.value[0, 0] == pytest.approx([3.25, 5.25, 2.75, 4.75])


def test_gradients_of_decoding_agree_with_differences() -> None:
    logits, upstream, points = DRAW.randn(2, 2, 12), DRAW.randn(2, 2, 4), DRAW.randn(2, 2)
    expected = differences(
        lambda z: weighted_sum(boxes.decoded(points, z, (-1, 2)), upstream), logits
    )
    found = boxes.decoded_gradient(upstream, logits, (-1, 2))
    assert found.value == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("box", "iou", "giou_loss"),
    [
        ((0, 0, 2, 1), 1 / 2, 1 / 2),
        ((1, 1, 3, 3), 1 / 7, 1 - 1 / 7 + 2 / 9),
        ((3, 0, 5, 2), 0, 1 + 2 / 10),
        ((1, 1, 1, 1), 0, 1),  # a point inside: U = C = 4
        ((2, 0, 0, 2), 0, 2),  # inverted in x: area -4, U = 0, C = 4
        ((3, 3, 1, 1), 0, 1 + (4 - 8) / 4),  # inverted in both: area 4, U = 8, C = 4
    ],
)
def test_overlap_of_two_boxes(box: tuple[float, ...], iou: float, giou_loss: float) -> None:
    one, other = np.array([box], float), np.array([SQUARE])
    assert boxes.iou(one, other).value == pytest.approx([iou])
    assert boxes.giou_loss(one, other).value == pytest.approx([giou_loss], abs=1e-9)


def test_two_points_in_one_place_do_not_overlap() -> None:
    point = np.ones((1, 4))
    assert boxes.iou(point, point).value == [0]
    assert boxes.giou_loss(point, point).value == [1]


# Assigners: one level of 4 x 4 cells of 8 pixels, two classes.

ANCHORS = boxes.anchors_of(32, (8,))


def truth(*found: tuple[float, ...], padded: int = 0) -> Truth:
    """One image with these boxes, of classes 0, 1, …, and padding."""
    given = np.array([[*found, *[(0.0,) * 4] * padded]], np.float32)
    present = np.array([[1.0] * len(found) + [0.0] * padded], np.float32)
    return Truth(np.arange(given.shape[1])[None, :, None] % 2, given, present[..., None])


def predicted(score: float = 0.5) -> Predicted:
    """Each anchor's box: 8 pixels about its centre, of the same score in both classes."""
    sides = np.concatenate([ANCHORS.points - 4, ANCHORS.points + 4], -1)[None].astype(np.float32)
    return Predicted(np.full((1, 16, 2), score, np.float32), sides)


def places(assigned: assigners.Assigned) -> dict[int, int]:
    """The label of each anchor that is not background."""
    return {i: int(label) for i, label in enumerate(assigned.labels[0]) if label != 2}


def test_atss_takes_what_overlaps_more_than_most_candidates() -> None:
    box = (-20.0, -20.0, 30.0, 29.0)
    # anchors 0, 1 and 4: IoU 0.653, 0.601, 0.576; their mean and deviation sum to 0.649
    found = assigners.atss(truth(box, padded=1), predicted(), ANCHORS, topk=3)
    assert places(found) == {0: 0}
    assert found.boxes[0, 0].tolist() == list(box)
    assert found.scores.value[0, 0] == pytest.approx([64 / 2450, 0])
    assert found.scores.value[0, 1:].sum() == 0


def test_atss_topk_bounds_the_candidates() -> None:
    nearest = assigners.candidates(truth((7.0, 6.0, 18.0, 17.0)), ANCHORS, 5)
    assert nearest.sum() == 5
    assert nearest[0, 0, 5]


def test_candidates_that_tie_are_undecided() -> None:
    with pytest.raises(Undecided, match="tie"):
        assigners.candidates(truth((8.0, 8.0, 24.0, 24.0)), ANCHORS, 1)


def test_tal_takes_the_best_aligned_inside() -> None:
    given = predicted()
    given.scores[0, 9, 0] = 0.75
    given.boxes[0, 5] = (8, 8, 16, 20)
    given.boxes[0, 6], given.boxes[0, 10] = (16, 8, 20, 10), (16, 16, 20, 18)
    found = assigners.tal(truth((8.0, 8.0, 20.5, 20.5)), given, ANCHORS, topk=2)
    assert places(found) == {5: 0, 9: 0}
    first, second = 96 / 156.25, 36 / 184.25
    assert found.scores.value[0, 5] == pytest.approx([first, 0], rel=1e-6)
    share = 0.75 * second**6 / (0.5 * first**6)
    assert found.scores.value[0, 9] == pytest.approx([share * first, 0], rel=1e-6)


def test_a_metric_of_nothing_is_undecided() -> None:
    given = predicted()
    given.boxes[0, 5] = (0, 0, 1, 1)
    with pytest.raises(Undecided, match="0"):
        assigners.tal(truth((8.0, 8.0, 16.0, 16.0)), given, ANCHORS, topk=1)


def test_an_anchor_of_two_boxes_is_that_of_the_greater_overlap() -> None:
    of_both = assigners.to_one_box(np.ones((1, 2, 1), bool), rounded([[[0.2], [0.3]]]))
    assert of_both.tolist() == [[[False], [True]]]
    given = truth((7.0, 7.0, 18.0, 17.0), (6.0, 7.0, 18.0, 18.5))
    assert places(assigners.tal(given, predicted(), ANCHORS, topk=1)) == {5: 0}


# Layers.


def branch(channels: int, out: int) -> Branch:
    sides = [(channels, channels, 1, 1), (channels,)]
    shapes = [*sides, sides[0], (channels,), (channels,), (out, channels, 3, 3), (out,)]
    return Branch(*(DRAW.randn(*shape) for shape in shapes))


def test_a_convolution_meets_its_neighbours() -> None:
    one = np.zeros((1, 1, 3, 3))
    one[0, 0, 1, 1] = 1
    weight = np.arange(9.0).reshape(1, 1, 3, 3)
    found = layers.convolved(layers.patches_of(rounded(one)), weight, 0).value[0, 0]
    assert found.tolist() == weight[0, 0, ::-1, ::-1].tolist()


def test_a_branch_normalizes_over_images_and_places() -> None:
    given, feature = branch(2, 3), DRAW.randn(2, 2, 3, 3)
    passed = layers.forwards(feature, given, adds=True)
    assert passed.mean.value == pytest.approx(feature.mean((2, 3)))
    assert passed.normal.value.mean((0, 2, 3)) == pytest.approx([0, 0])
    assert passed.normal.value.std((0, 2, 3)) == pytest.approx([1, 1], rel=1e-4)
    z = passed.shifted.value
    assert passed.patches.value[:, 8:10] == pytest.approx(z / (1 + np.exp(-z)) + feature)


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("name", Branch._fields)
def test_gradients_of_a_branch_agree_with_differences(name: str, adds: bool) -> None:
    given, feature, upstream = branch(2, 3), DRAW.randn(2, 2, 3, 3), DRAW.randn(2, 3, 3, 3)

    def loss(array: np.ndarray) -> float:
        changed = given._replace(**{name: array})
        return weighted_sum(layers.forwards(feature, changed, adds).out, upstream)

    passed = layers.forwards(feature, given, adds)
    found = getattr(layers.backwards(rounded(upstream), feature, given, passed), name)
    expected = differences(loss, getattr(given, name))
    assert found.value == pytest.approx(expected, abs=1e-6)
