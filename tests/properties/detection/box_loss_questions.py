"""How PP-YOLOE's box loss is asked: its formulas in Paddle's operators, and the head's steps."""

from __future__ import annotations

import numpy as np
import paddle

from properties.oracle.box_loss import (
    BoxLoss,
    BoxLossInputs,
    RegRange,
    box_loss,
    box_loss_gradients,
    positives,
)
from properties.oracle.tolerances import (
    box_loss_gradient_tolerance,
    box_loss_tolerance,
    target_error,
)
from properties.protocol.evidence import Answers
from properties.questions.memory import Tensor

EPS = float(np.finfo(np.float32).eps)  # of the head, whose losses are float32


def paddle_side_losses(
    logits: Tensor, targets: Tensor, low: int, label_dtype: str = "int64"
) -> Tensor:
    """The DFL of each side [N, 4]: two cross entropies, of the bins below and above the target.

    The head's labels are int64.
    """
    below = targets.floor()
    bin_below = below.astype(label_dtype) - low
    weight_above = targets - below
    entropy_below = cross_entropies(logits, bin_below)
    entropy_above = cross_entropies(logits, bin_below + 1)
    return entropy_below * (1 - weight_above) + entropy_above * weight_above


def paddle_dfl(logits: Tensor, targets: Tensor, weights: Tensor, low: int, total: Tensor) -> Tensor:
    """The weighted DFL of N positives over the sum of scores: a tensor, as the head has it.

    Before 2.4, a float64 tensor over a Python float is rounded to float32.
    """
    means = paddle_side_losses(logits, targets, low).mean(-1)
    return (means * weights).sum() / total


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """One for each label [N, 4], from logits [N, 4, C]."""
    return paddle.nn.functional.cross_entropy(logits, labels, reduction="none")


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


def head_tensors(inputs: BoxLossInputs) -> list[Tensor]:
    """What the head is given; it predicts the first two, and gradients reach them."""
    arrays = [paddle.to_tensor(array) for array in inputs[:-1]]
    arrays[0].stop_gradient = arrays[1].stop_gradient = False
    return [*arrays, scalar(inputs.assigned_scores_sum)]


def box_loss_steps(inputs: BoxLossInputs, reg_range: RegRange) -> Answers:
    """The head's steps, one after the other: what it selects, its losses, and their gradients."""
    low, high = reg_range
    true = positives(inputs, reg_range)
    dist, boxes, points, labels, truth, scores, total = head_tensors(inputs)
    mask = labels != inputs.assigned_scores.shape[-1]
    yield "the number of positives", number(mask.sum()), len(true.boxes), 0.0
    if not len(true.boxes):
        (dist.sum() * 0.0).backward()
        yield from gradient_matches("dfl", dist, inputs, reg_range)
        return

    def select(array: Tensor) -> Tensor:
        chosen = mask.unsqueeze(-1).tile([1, 1, array.shape[-1]])
        return paddle.masked_select(array, chosen).reshape([-1, array.shape[-1]])

    selected, assigned = select(boxes), select(truth)
    yield "the positives' predicted boxes", selected.numpy(), true.boxes, 0.0
    yield "the positives' assigned boxes", assigned.numpy(), true.truth, 0.0
    weights = paddle.masked_select(scores.sum(-1), mask)
    yield "the positives' scores", weights.numpy(), true.dfl.weights, 0.0
    logits = select(dist).reshape([-1, 4, high - low])
    yield "the positives' distributions", logits.numpy(), true.dfl.logits, 0.0
    upper_left, lower_right = paddle.split(truth, 2, -1)
    distances = paddle.concat([points - upper_left, lower_right - points], -1)
    targets, error = select(distances.clip(low, high - 1 - 0.01)), target_error(reg_range, EPS)
    yield "the positives' distances", targets.numpy(), true.dfl.targets, error

    giou = paddle_giou_losses(selected, assigned)[:, 0]
    losses = BoxLoss(
        l1=paddle.nn.functional.l1_loss(selected, assigned),
        giou=(giou * weights).sum() / total,
        dfl=paddle_dfl(logits, targets, weights, low, total),
    )
    yield from losses_match(BoxLoss._make(map(number, losses)), inputs, reg_range)
    for name, leaf in (("l1", boxes), ("giou", boxes), ("dfl", dist)):
        leaf.clear_gradient()
        getattr(losses, name).backward(retain_graph=True)
        yield from gradient_matches(name, leaf, inputs, reg_range)


def losses_match(losses: BoxLoss, inputs: BoxLossInputs, reg_range: RegRange) -> Answers:
    """Each loss, a number, beside what is due."""
    tolerances = box_loss_tolerance(inputs, reg_range, EPS)
    for name, loss, due, tolerance in zip(
        BoxLoss._fields, losses, box_loss(inputs, reg_range), tolerances
    ):
        yield f"the {name} loss", loss, due, tolerance


def gradient_matches(
    name: str, leaf: Tensor, inputs: BoxLossInputs, reg_range: RegRange
) -> Answers:
    """The gradient that the loss of this name left in `leaf`, beside what is due."""
    tolerances = box_loss_gradient_tolerance(inputs, reg_range, EPS)
    due = getattr(box_loss_gradients(inputs, reg_range), name)
    yield f"the {name} loss's gradient", leaf.grad.numpy(), due, getattr(tolerances, name)
