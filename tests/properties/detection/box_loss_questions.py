"""How PP-YOLOE's box loss is asked in Paddle's operators, and what wrong targets come to."""

from __future__ import annotations

from functools import partial
from math import floor
from typing import Callable

import numpy as np
import paddle

from properties.oracle.arrays import change_at
from properties.oracle.box_loss import (
    IGNORED,
    BoxLoss,
    BoxLossInputs,
    DflInputs,
    RegRange,
    box_loss,
    box_loss_gradients,
    clip_end,
    positives,
    side_losses,
)
from properties.oracle.tolerances import (
    box_loss_gradient_tolerance,
    box_loss_tolerance,
    side_tolerance,
    target_error,
    unit,
)
from properties.protocol.evidence import Answers, Refusal
from properties.questions.memory import Tensor

U = unit(np.dtype(np.float32))  # of the head, whose losses are float32


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
    targets, error = select(distances.clip(low, clip_end(reg_range))), target_error(true.dfl, U)
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
    tolerances = box_loss_tolerance(inputs, reg_range, U)
    for name, loss, due, tolerance in zip(
        BoxLoss._fields, losses, box_loss(inputs, reg_range), tolerances
    ):
        yield f"the {name} loss", loss, due, tolerance


def gradient_matches(
    name: str, leaf: Tensor, inputs: BoxLossInputs, reg_range: RegRange
) -> Answers:
    """The gradient that the loss of this name left in `leaf`, beside what is due."""
    tolerances = box_loss_gradient_tolerance(inputs, reg_range, U)
    due = getattr(box_loss_gradients(inputs, reg_range), name)
    yield f"the {name} loss's gradient", leaf.grad.numpy(), due, getattr(tolerances, name)


def wrong_target(
    inputs: DflInputs, place: int, target: float, label_dtype: str = "int64"
) -> Answers:
    """The DFL of positives, one of whose targets is wrong, by labels of this dtype."""
    sides = partial(paddle_side_losses, low=inputs.reg_range[0], label_dtype=label_dtype)
    return notice_target(lambda z, t: sides(z, t).mean(-1, keepdim=True), inputs, place, target)


def notice_target(
    dfl: Callable[[Tensor, Tensor], Tensor], inputs: DflInputs, place: int, target: float
) -> Answers:
    """`dfl` [N, 1] of targets in range is right. One is changed: an error is due.

    A loss that is not finite is as good as an error: a user notices. The head has its weights in
    float32, whatever the targets are.
    """
    z = paddle.to_tensor(inputs.logits)
    yield ("targets in range", dfl(z, paddle.to_tensor(inputs.targets)).numpy(), *means_due(inputs))
    wrong = change_at(inputs.targets, place, target)

    def finite_losses() -> np.ndarray:
        return np.asarray_chkfinite(dfl(z, paddle.to_tensor(wrong)).numpy())

    yield (
        f"the DFL of a target {target!r}, beyond {inputs.reg_range}",
        finite_losses,
        Refusal(),
        None,
    )


def means_due(inputs: DflInputs) -> tuple[np.ndarray, np.ndarray]:
    """The mean DFL of each positive's four sides, [N, 1], and how far the head's may be off."""
    u = max(unit(inputs.logits.dtype), U)
    sides = side_losses(inputs.logits, inputs.targets, inputs.reg_range)
    tolerance = side_tolerance(inputs, u, target_error(inputs, u)) + 4 * u * sides
    return sides.mean(axis=-1, keepdims=True), tolerance.mean(axis=-1, keepdims=True)


def stale_targets(reg_range: RegRange, stale: float) -> Answers:
    """The DFL of targets that are all `stale`, beyond the range: the error that users report."""
    low, high = reg_range
    logits, targets = paddle.zeros([1, 4, high - low]), paddle.full([1, 4], stale)
    words = reported_words(reported_label(reg_range, stale))
    what = f"the DFL of targets {stale!r}"
    yield what, lambda: paddle_side_losses(logits, targets, low), Refusal(words), None


def reported_label(reg_range: RegRange, stale: float) -> int:
    """The label that the error is to name: the lower one, unless that is a bin or ignored."""
    low, high = reg_range
    below = floor(stale) - low
    return below + 1 if below in (IGNORED, high - low - 1) else below


def reported_words(label: int, release: str = paddle.__version__) -> str:
    """A pattern of the error that users of this release report, naming the label."""
    if release in ("2.2.0", "2.2.1"):
        bound = "lower" if label < 0 else "upper"
        return rf"ValueError: Target\(.*\[{label}\]\)+ is out of class_dimension's {bound} bound"
    if release == "2.2.2":
        return rf"ValueError: label should not out of bound, but got.*\[{label}\]"
    if release.startswith("2.3."):
        return rf"ValueError: Target {label} is out of {'lower' if label < 0 else 'upper'} bound\."
    due = ">= 0" if label < 0 else "less than the shape of axis dimension"
    what = rf"label value should {due} when label value\({label}\)"
    return rf"IndexError: \(OutOfRange\) {what} not equal to ignore_index\({IGNORED}\)"
