"""How PP-YOLOE's box loss is asked for: its formulas in Paddle's operators, beside what is due.

A question takes arrays and yields `(what, actual, expected, tolerance)`, one verified call after
the other. `loss_cases` runs it, and copies its source into the script that reproduces a violation,
so what ran and what is handed on are the same lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle

from properties.oracle.box_loss import (
    BoxLoss,
    BoxLossInputs,
    bin_shares,
    box_loss,
    box_loss_gradients,
    dfl_gradient,
    dfl_loss,
    log_softmax,
    positives,
    side_losses,
)
from properties.oracle.tolerances import (
    box_loss_gradient_tolerance,
    box_loss_tolerance,
    dfl_gradient_tolerance,
    dfl_tolerance,
    side_tolerance,
    target_error,
)

Tensor = Any  # paddle carries no types
Answers = Iterator[tuple[str, Any, Any, Any]]


def paddle_side_losses(logits: Tensor, targets: Tensor, low: int) -> Tensor:
    """The DFL of each side [N, 4]: two cross entropies, of the bins below and above the target."""
    return side_losses_by(logits, targets, low, "int64")


def side_losses_by(logits: Tensor, targets: Tensor, low: int, label_dtype: str) -> Tensor:
    """The same with labels of this dtype; the head's are int64."""
    below = targets.floor()
    bin_below = below.astype(label_dtype) - low
    weight_above = targets - below
    entropy_below = paddle.nn.functional.cross_entropy(logits, bin_below, reduction="none")
    entropy_above = paddle.nn.functional.cross_entropy(logits, bin_below + 1, reduction="none")
    return entropy_below * (1 - weight_above) + entropy_above * weight_above


def paddle_dfl(logits: Tensor, targets: Tensor, weights: Tensor, low: int, total: Tensor) -> Tensor:
    """The weighted DFL of N positives over the sum of scores: a tensor, as the head has it.

    Before 2.4, a float64 tensor over a Python float is rounded to float32.
    """
    means = paddle_side_losses(logits, targets, low).mean(-1)
    return (means * weights).sum() / total


def paddle_giou_losses(boxes: Tensor, truth: Tensor) -> Tensor:
    """1 - GIoU of each pair of boxes, [N, 1]."""
    x1, y1, x2, y2 = paddle.split(boxes, 4, -1)
    a1, b1, a2, b2 = paddle.split(truth, 4, -1)
    width = (paddle.minimum(x2, a2) - paddle.maximum(x1, a1)).clip(0)
    height = (paddle.minimum(y2, b2) - paddle.maximum(y1, b1)).clip(0)
    inner = width * height
    union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - inner
    across = paddle.maximum(x2, a2) - paddle.minimum(x1, a1)
    down = paddle.maximum(y2, b2) - paddle.minimum(y1, b1)
    outer = across * down
    return 1 - (inner / union - (outer - union) / outer)


def scalar(array: np.ndarray) -> Tensor:
    """A tensor of one number, of the shape that the release gives to a sum."""
    return paddle.to_tensor(array.reshape(1)).sum()


def number(tensor: Tensor) -> float:
    """A loss, which is of shape [1] before release 2.5 and [] since."""
    return float(tensor.numpy().reshape([-1])[0])


def scores_sum(weights: np.ndarray) -> np.ndarray:
    """The sum of the scores, at least 1 as in the head, of their dtype."""
    return np.asarray(max(weights.sum(), 1), weights.dtype)


def cross_entropies(logits: Tensor, labels: np.ndarray) -> np.ndarray:
    """One for each label [N, 4], from logits [N, 4, C]."""
    entropies: np.ndarray = paddle.nn.functional.cross_entropy(
        logits, paddle.to_tensor(labels), reduction="none"
    ).numpy()
    return entropies.reshape(labels.shape)


# The questions about DFL alone.


def dfl_values(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """Each side's loss, and the weighted sum."""
    eps, total = float(np.finfo(logits.dtype).eps), scores_sum(weights)
    z, t, w = (paddle.to_tensor(array) for array in (logits, targets, weights))
    sides = paddle_side_losses(z, t, reg_range[0])
    true = side_losses(logits, targets, reg_range)
    yield "each side's DFL", sides.numpy(), true, side_tolerance(logits, eps)
    loss = number(paddle_dfl(z, t, w, reg_range[0], scalar(total)))
    expected = dfl_loss(logits, targets, weights, reg_range, float(total))
    yield "DFL", loss, expected, dfl_tolerance(logits, weights, float(total), eps)


def dfl_gradients(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """The gradient by the logits, and its sums over a side's bins, which are 0."""
    eps, total = float(np.finfo(logits.dtype).eps), scores_sum(weights)
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    t, w = paddle.to_tensor(targets), paddle.to_tensor(weights)
    paddle_dfl(leaf, t, w, reg_range[0], scalar(total)).backward()
    gradient = leaf.grad.numpy()
    tolerance = dfl_gradient_tolerance(logits, weights, float(total), eps)
    expected = dfl_gradient(logits, targets, weights, reg_range, float(total))
    yield "the gradient of DFL", gradient, expected, tolerance
    sums = gradient.astype(np.float64).sum(axis=-1)
    yield "its sum over a side", sums, np.zeros(sums.shape), tolerance[..., 0]


def dfl_bin_shares(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """What each bin weighs, read off the gradient of the sides' plain sum; and the sums, 1."""
    eps = float(np.finfo(logits.dtype).eps)
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    paddle_side_losses(leaf, paddle.to_tensor(targets), reg_range[0]).sum().backward()
    shares = np.exp(log_softmax(logits)) - leaf.grad.numpy()
    tolerance = float(dfl_gradient_tolerance(logits, np.ones(1), 0.25, eps)[0, 0, 0])
    yield "the bins' shares", shares, bin_shares(targets, reg_range), tolerance
    yield "a side's shares in all", shares.sum(axis=-1), np.ones(targets.shape), tolerance


def ignored_labels(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """Cross entropies and their gradient, where each positive's first label is the ignored one.

    Ignored is what Paddle documents for -100: no loss, no gradient.
    """
    eps, true = float(np.finfo(logits.dtype).eps), log_softmax(logits)
    labels = np.floor(targets).astype(np.int64) - reg_range[0]
    ones = np.arange(logits.shape[-1]) == labels[..., None]
    ones[:, 0], labels[:, 0] = False, -100
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    entropies = paddle.nn.functional.cross_entropy(leaf, paddle.to_tensor(labels), reduction="none")
    entropies.sum().backward()
    due = np.where(ones, -true, 0).sum(axis=-1)
    found = entropies.numpy().reshape(labels.shape)
    yield "cross entropies", found, due, side_tolerance(logits, eps)
    by_logits = np.where(ones.any(axis=-1, keepdims=True), np.exp(true) - ones, 0)
    tolerance = float(dfl_gradient_tolerance(logits, np.ones(1), 0.25, eps)[0, 0, 0])
    yield "their gradient", leaf.grad.numpy(), by_logits, tolerance


# The questions about the head's box loss.


def box_loss_steps(inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    """The head's steps, one after the other: what it selects, its losses, and their gradients."""
    low, high = reg_range
    eps, true = float(np.finfo(np.float32).eps), positives(inputs, reg_range)
    dist, boxes = (
        paddle.to_tensor(array, stop_gradient=False)
        for array in (inputs.pred_dist, inputs.pred_bboxes)
    )
    points, labels, truth, scores = (paddle.to_tensor(array) for array in inputs[2:6])
    total = scalar(inputs.assigned_scores_sum)
    mask = labels != inputs.assigned_scores.shape[-1]
    yield "the number of positives", number(mask.sum()), len(true.boxes), 0.0
    if not len(true.boxes):
        (dist.sum() * 0.0).backward()
        yield from gradient_matches("dfl", dist, inputs, reg_range)
        return
    four = mask.unsqueeze(-1).tile([1, 1, 4])
    every = mask.unsqueeze(-1).tile([1, 1, inputs.pred_dist.shape[-1]])

    selected = paddle.masked_select(boxes, four).reshape([-1, 4])
    yield "the positives' predicted boxes", selected.numpy(), true.boxes, 0.0
    assigned = paddle.masked_select(truth, four).reshape([-1, 4])
    yield "the positives' assigned boxes", assigned.numpy(), true.truth, 0.0
    weights = paddle.masked_select(scores.sum(-1), mask).unsqueeze(-1)
    yield "the positives' scores", weights.numpy()[:, 0], true.weights, 0.0
    logits = paddle.masked_select(dist, every).reshape([-1, 4, high - low])
    yield "the positives' distributions", logits.numpy(), true.logits, 0.0
    upper_left, lower_right = paddle.split(truth, 2, -1)
    distances = paddle.concat([points - upper_left, lower_right - points], -1)
    targets = paddle.masked_select(distances.clip(low, high - 1 - 0.01), four).reshape([-1, 4])
    yield "the positives' distances", targets.numpy(), true.targets, target_error(reg_range, eps)

    losses = BoxLoss(
        l1=paddle.nn.functional.l1_loss(selected, assigned),
        giou=(paddle_giou_losses(selected, assigned) * weights).sum() / total,
        dfl=(paddle_side_losses(logits, targets, low).mean(-1, keepdim=True) * weights).sum()
        / total,
    )
    yield from losses_match(losses, inputs, reg_range)
    for name, leaf in (("l1", boxes), ("giou", boxes), ("dfl", dist)):
        leaf.clear_gradient()
        getattr(losses, name).backward(retain_graph=True)
        yield from gradient_matches(name, leaf, inputs, reg_range)


def losses_match(losses: BoxLoss, inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    """Each loss beside what is due."""
    tolerances = box_loss_tolerance(inputs, reg_range, float(np.finfo(np.float32).eps))
    for name, loss, due, tolerance in zip(
        BoxLoss._fields, losses, box_loss(inputs, reg_range), tolerances
    ):
        yield f"the {name} loss", number(loss), due, tolerance


def gradient_matches(
    name: str, leaf: Tensor, inputs: BoxLossInputs, reg_range: tuple[int, int]
) -> Answers:
    """The gradient that the loss of this name left in `leaf`, beside what is due."""
    tolerances = box_loss_gradient_tolerance(inputs, reg_range, float(np.finfo(np.float32).eps))
    due = getattr(box_loss_gradients(inputs, reg_range), name)
    yield f"the {name} loss's gradient", leaf.grad.numpy(), due, getattr(tolerances, name)
