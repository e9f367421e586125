"""The oracle of PP-YOLOE's box loss, beside numbers worked by hand and finite differences."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from properties.oracle import box_loss
from properties.oracle.box_loss import BoxLossInputs, DflInputs

RANGE = (0, 3)  # three bins: 0, 1 and 2
SHARES = np.array([0.5, 0.25, 0.25])
LOGITS = np.log(np.tile(SHARES, (1, 4, 1)))  # of softmax SHARES


def one_positive() -> BoxLossInputs:
    """Two anchors at (1, 1), two classes; the first anchor is a positive of score 0.5."""
    return BoxLossInputs(
        pred_dist=np.concatenate([LOGITS.reshape(1, 1, 12), np.full((1, 1, 12), 7.0)], axis=1),
        pred_bboxes=np.array([[[0, 0, 2, 2], [9, 9, 99, 99]]], float),
        anchor_points=np.array([[1, 1], [1, 1]], float),
        assigned_labels=np.array([[1, 2]]),
        assigned_bboxes=np.array([[[1, 1, 3, 9], [0, 0, 1, 1]]], float),
        assigned_scores=np.array([[[0, 0.5], [0, 0]]]),
        assigned_scores_sum=np.array(2.0),
    )


def differences(function: object, at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a function of an array, by central differences."""
    assert callable(function)
    gradient = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        nudge = np.zeros(at.shape)
        nudge[index] = step
        gradient[index] = (function(at + nudge) - function(at - nudge)) / (2 * step)
    return gradient


@pytest.mark.parametrize(
    ("target", "loss"),
    [
        (0.0, log(2)),
        (1.0, log(4)),
        (2.0, log(4)),
        (0.5, (log(2) + log(4)) / 2),
        (0.25, 0.75 * log(2) + 0.25 * log(4)),
    ],
)
def test_a_side_is_the_weighted_entropy_of_its_two_bins(target: float, loss: float) -> None:
    sides = box_loss.side_losses(LOGITS, np.full((1, 4), target), RANGE)
    assert sides == pytest.approx(np.full((1, 4), loss))


def test_bins_are_counted_from_the_lower_end() -> None:
    shares = box_loss.bin_shares(np.array([[-2.0, -1.5, 0.0, 0.99]]), (-2, 2))
    assert shares[0, 0] == pytest.approx([1, 0, 0, 0])
    assert shares[0, 1] == pytest.approx([0.5, 0.5, 0, 0])
    assert shares[0, 2] == pytest.approx([0, 0, 1, 0])
    assert shares[0, 3] == pytest.approx([0, 0, 0.01, 0.99])


@pytest.mark.parametrize("target", [-0.1, 2.1, 28.0, float("nan")])
def test_a_target_out_of_range_is_an_error(target: float) -> None:
    with pytest.raises(ValueError, match=r"outside \[0, 2\]"):
        box_loss.bin_shares(np.array([[target]]), RANGE)


def test_log_softmax_does_not_overflow() -> None:
    assert box_loss.log_softmax(np.array([1000.0, 1000.0])) == pytest.approx([-log(2), -log(2)])


def test_dfl_is_weighted_and_divided_by_the_scores() -> None:
    logits, targets = np.tile(LOGITS, (2, 1, 1)), np.array([[0.0] * 4, [1, 1, 0, 0]])
    loss = box_loss.dfl_loss(DflInputs(logits, targets, np.array([1.0, 0.5]), RANGE), 2.0)
    assert loss == pytest.approx((log(2) + 0.5 * (log(2) + log(4)) / 2) / 2)


def test_dfl_gradient_is_softmax_less_the_shares() -> None:
    inputs = DflInputs(LOGITS, np.full((1, 4), 0.25), np.array([2.0]), RANGE)
    gradient = box_loss.dfl_gradient(inputs, 1.0)
    assert gradient[0, 0] == pytest.approx((SHARES - [0.75, 0.25, 0]) * 2 / 4)


def test_dfl_gradient_agrees_with_differences() -> None:
    draw = np.random.RandomState(0)
    logits, weights = draw.randn(3, 4, 3), draw.uniform(0, 1, 3)
    inputs = DflInputs(logits, draw.uniform(0, 2, (3, 4)), weights, RANGE)
    expected = differences(
        lambda z: box_loss.dfl_loss(inputs._replace(logits=z), 1.5), logits, step=1e-5
    )
    found = box_loss.dfl_gradient(inputs, 1.5)
    assert found == pytest.approx(expected, abs=1e-8)


def test_distances_are_clipped_to_the_range() -> None:
    points, boxes = np.array([[1.0, 1.0]]), np.array([[0.5, 2.0, 1.5, 9.0]])
    assert box_loss.clipped_distances(points, boxes, RANGE)[0] == pytest.approx([0.5, 0, 0.5, 1.99])


@pytest.mark.parametrize(
    ("box", "loss"),
    [
        ((0, 0, 2, 2), 0.0),  # the same
        ((0, 0, 2, 1), 0.5),  # half of it: I/U = 1/2, C = U
        ((1, 1, 3, 3), 1 - 1 / 7 + 2 / 9),  # I = 1, U = 7, C = 9
        ((3, 0, 5, 2), 1 + 2 / 10),  # apart: U = 8, C = 10
        ((3, 3, 5, 5), 1 + 17 / 25),  # apart both ways: U = 8, C = 25
    ],
)
def test_giou_of_two_boxes(box: tuple[float, ...], loss: float) -> None:
    found = box_loss.giou_losses(np.array([box], float), np.array([[0, 0, 2, 2]], float))
    assert found == pytest.approx([loss])


def test_giou_gradient_agrees_with_differences() -> None:
    draw = np.random.RandomState(0)
    for _ in range(50):
        corner, size = draw.uniform(0, 3, (2, 2)), draw.uniform(0.5, 3, (2, 2))
        boxes = np.concatenate([corner, corner + size], axis=1)
        one, other = boxes[:1], boxes[1:]
        expected = differences(lambda b, to=other: box_loss.giou_losses(b, to)[0], one)
        assert box_loss.giou_gradients(one, other) == pytest.approx(expected, abs=1e-7)


def test_box_loss_of_one_positive() -> None:
    loss = box_loss.box_loss(one_positive(), RANGE)
    assert loss.l1 == pytest.approx((1 + 1 + 1 + 7) / 4)
    # I = 1, U = 4 + 16 - 1 = 19, C = 27; weight 0.5, over 2
    assert loss.giou == pytest.approx((1 - 1 / 19 + 8 / 27) * 0.5 / 2)
    # left and top 0, right 1.99 (2 is clipped), bottom 1.99 (8 is clipped): log 2, and log 4
    assert loss.dfl == pytest.approx((2 * log(2) + 2 * log(4)) / 4 * 0.5 / 2)


def test_box_loss_without_positives_is_zero() -> None:
    inputs = one_positive()._replace(assigned_labels=np.array([[2, 2]]))
    assert box_loss.box_loss(inputs, RANGE) == (0, 0, 0)
    assert not any(gradient.any() for gradient in box_loss.box_loss_gradients(inputs, RANGE))


@pytest.mark.parametrize(("name", "leaf"), [("l1", 1), ("giou", 1), ("dfl", 0)])
def test_box_loss_gradients_agree_with_differences(name: str, leaf: int) -> None:
    inputs = one_positive()
    inputs = inputs._replace(pred_bboxes=inputs.pred_bboxes + np.arange(1, 5) / 10)
    field = BoxLossInputs._fields[leaf]

    def loss(array: np.ndarray) -> float:
        value: float = getattr(box_loss.box_loss(inputs._replace(**{field: array}), RANGE), name)
        return value

    expected = differences(loss, inputs[leaf])
    found = getattr(box_loss.box_loss_gradients(inputs, RANGE), name)
    assert found == pytest.approx(expected, abs=1e-8)
