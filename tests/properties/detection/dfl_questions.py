"""How the DFL by itself and its cross entropies are asked, with their gradients."""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle

from properties.detection.box_loss_questions import (
    cross_entropies,
    number,
    paddle_dfl,
    paddle_side_losses,
    scalar,
)
from properties.oracle.arrays import change_at
from properties.oracle.box_loss import (
    IGNORED,
    DflInputs,
    bin_shares,
    dfl_gradient,
    dfl_loss,
    log_softmax,
    side_losses,
)
from properties.oracle.tolerances import (
    dfl_gradient_tolerance,
    dfl_tolerance,
    gradient_errors,
    label_entropies,
    side_tolerance,
    unit,
)
from properties.protocol.evidence import Answers, Refusal


def scores_sum(weights: np.ndarray) -> np.ndarray:
    """The sum of the scores, at least 1 as in the head, of their dtype."""
    return np.asarray(max(weights.sum(), 1), weights.dtype)


def dfl_values(inputs: DflInputs) -> Answers:
    """Each side's loss, and the weighted sum."""
    logits, targets, weights, reg_range = inputs
    u, total = unit(logits.dtype), scores_sum(weights)
    z, t, w = (paddle.to_tensor(array) for array in (logits, targets, weights))
    sides = paddle_side_losses(z, t, reg_range[0])
    due = side_losses(logits, targets, reg_range)
    yield "each side's DFL", sides.numpy(), due, side_tolerance(inputs, u)
    loss = number(paddle_dfl(z, t, w, reg_range[0], scalar(total)))
    tolerance = dfl_tolerance(inputs, float(total), u)
    yield "DFL", loss, dfl_loss(inputs, float(total)), tolerance


def dfl_gradients(inputs: DflInputs) -> Answers:
    """The gradient by the logits, and its sums over a side's bins, which are 0."""
    total = scores_sum(inputs.weights)
    leaf = paddle.to_tensor(inputs.logits, stop_gradient=False)
    t, w = paddle.to_tensor(inputs.targets), paddle.to_tensor(inputs.weights)
    paddle_dfl(leaf, t, w, inputs.reg_range[0], scalar(total)).backward()
    gradient = leaf.grad.numpy()
    tolerance = dfl_gradient_tolerance(inputs, float(total), unit(inputs.logits.dtype))
    yield "the gradient of DFL", gradient, dfl_gradient(inputs, float(total)), tolerance
    sums = gradient.astype(np.float64).sum(axis=-1)
    yield "its sum over a side", sums, np.zeros(sums.shape), tolerance.sum(axis=-1)


def dfl_of_many(inputs: DflInputs) -> Answers:
    """As `dfl_values` and `dfl_gradients`."""
    yield from dfl_values(inputs)
    yield from dfl_gradients(inputs)


def entropies_of_many(inputs: DflInputs) -> Answers:
    """Cross entropies and their gradient."""
    yield from entropies(inputs)
    yield from entropy_gradients(inputs)


def dfl_bin_shares(inputs: DflInputs) -> Answers:
    """The bins' shares, computed from the gradient of the sides' plain sum; and their sums, 1."""
    logits, targets, _, reg_range = inputs
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    paddle_side_losses(leaf, paddle.to_tensor(targets), reg_range[0]).sum().backward()
    shares = np.exp(log_softmax(logits)) - leaf.grad.numpy()
    plain = inputs._replace(weights=np.ones(len(targets)))
    tolerance = dfl_gradient_tolerance(plain, 0.25, unit(logits.dtype))
    yield "the bins' shares", shares, bin_shares(targets, reg_range), tolerance
    in_all = shares.sum(axis=-1), np.ones(targets.shape), tolerance.sum(axis=-1)
    yield ("a side's shares in all", *in_all)


def ignored_labels(inputs: DflInputs) -> Answers:
    """Cross entropies and their gradient, where each positive's first label is the ignored one.

    As Paddle documents for -100, it has no loss and no gradient: a target that is 100 below the
    first bin trains like none at all, and nobody is told.
    """
    labels = labels_below(inputs)
    due, tolerance = label_entropies(inputs.logits, labels)
    due[:, 0], tolerance[:, 0], labels[:, 0] = 0, 0, IGNORED
    yield "cross entropies", entropies_of(inputs, labels), due, tolerance
    yield from entropy_gradients(inputs, labels)


def entropies_of(inputs: DflInputs, labels: np.ndarray) -> np.ndarray:
    """The release's cross entropies of labels [N, 4]."""
    found = cross_entropies(paddle.to_tensor(inputs.logits), paddle.to_tensor(labels)).numpy()
    return np.asarray(found.reshape(labels.shape))


def entropies(inputs: DflInputs) -> Answers:
    """The cross entropies of the bins below the targets."""
    labels = labels_below(inputs)
    yield ("cross entropies", entropies_of(inputs, labels), *label_entropies(inputs.logits, labels))


def entropy_gradients(inputs: DflInputs, labels: np.ndarray | None = None) -> Answers:
    """The gradient of their plain sum, or of that of these labels' [N, 4]: 0 for ignored ones."""
    labels = labels_below(inputs) if labels is None else labels
    leaf = paddle.to_tensor(inputs.logits, stop_gradient=False)
    cross_entropies(leaf, paddle.to_tensor(labels)).sum().backward()
    ones = np.arange(inputs.logits.shape[-1]) == labels[..., None]
    counts = (labels != IGNORED)[..., None]
    due = (np.exp(log_softmax(inputs.logits)) - ones) * counts
    tolerance = gradient_errors(inputs.logits, ones, unit(inputs.logits.dtype)) * counts
    yield "their gradient", leaf.grad.numpy(), due, tolerance


def entropies_of_nothing(dtype: str, classes: int, sides: int, reduction: str) -> Answers:
    """Of no logits, [0, sides, classes]: no cross entropies, of sum 0 and, as 0 / 0, of mean NaN.

    The gradient is as empty as the logits.
    """
    leaf = paddle.to_tensor(np.zeros((0, sides, classes), dtype), stop_gradient=False)
    labels = paddle.to_tensor(np.zeros((0, sides), np.int64))
    losses = paddle.nn.functional.cross_entropy(leaf, labels, reduction=reduction)
    due = {"none": np.zeros((0, sides)), "sum": np.zeros(()), "mean": np.array(np.nan)}[reduction]
    yield "values", losses.numpy().reshape(due.shape), due, 0.0
    losses.sum().backward()
    yield "their gradient", leaf.grad.numpy(), np.zeros((0, sides, classes), dtype), None


def labels_below(inputs: DflInputs) -> np.ndarray:
    """The labels of the bins below the targets: int64 [N, 4]."""
    labels: np.ndarray = np.floor(inputs.targets).astype(np.int64) - inputs.reg_range[0]
    return labels


def wrong_label(inputs: DflInputs, place: int, label: int) -> Answers:
    """Cross entropies of labels in range are right. One label is changed: an error is due."""
    labels = labels_below(inputs)
    right = label_entropies(inputs.logits, labels)
    yield ("labels in range", entropies_of(inputs, labels), *right)
    wrong = partial(entropies_of, inputs, change_at(labels, place, label))
    yield f"label {label} of {inputs.logits.shape[-1]} classes", wrong, Refusal(), None
