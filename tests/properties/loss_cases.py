"""Cases of PP-YOLOE's box loss: what they hold, how they are asked for, and how they are drawn.

A question takes a case's arrays and yields `(what, actual, expected, tolerance)`, one verified call
after the other. A case's script copies the question's source, so what ran and what is handed on are
the same lines. The paper's and the head's formulas are in `oracle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any, Callable

import numpy as np
import oracle
import paddle
from evidence import ask, begin, refused, within
from hypothesis import strategies as st
from oracle import (
    BoxLoss,
    BoxLossInputs,
    bin_shares,
    box_loss,
    box_loss_gradient_tolerance,
    box_loss_gradients,
    box_loss_tolerance,
    dfl_gradient,
    dfl_gradient_tolerance,
    dfl_loss,
    dfl_tolerance,
    log_softmax,
    positives,
    side_losses,
    side_tolerance,
    target_error,
)
from selections import names, source

Tensor = Any  # paddle carries no types
Answers = Iterator[tuple[str, Any, Any, Any]]

# Every reg_range that PaddleDetection's files set: the default; smalldet/ppyoloe_plus_sod_crn_l;
# its VisDrone configurations, small and large; and the upper end that its README suggests for DOTA.
REG_RANGES = ((0, 17), (-2, 17), (-2, 8), (-2, 20), (0, 13))
IGNORED = -100  # cross_entropy's default ignore_index


# The arrays of a case, by words and a seed. RandomState's stream is the same in every NumPy.


def dfl_arrays(
    reg_range: tuple[int, int],
    dtype: str,
    pattern: str | tuple[float, ...],
    count: int,
    spread: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits [N, 4, C] within `spread` of 0, targets [N, 4] and weights [N] in [0, 1) of `dtype`.

    `pattern` is the targets themselves, "inside" the range, or "edges", from `bin_edges`.
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    logits = draw.uniform(-spread, spread, (count, 4, high - low)).astype(dtype)
    weights = draw.uniform(0, 1, count).astype(dtype)
    if isinstance(pattern, tuple):
        targets = np.array(pattern, dtype).reshape(count, 4)
    elif pattern == "edges":
        targets = draw.choice(bin_edges(reg_range, dtype), (count, 4))
    else:
        targets = draw.uniform(low, high - 1.02, (count, 4)).astype(dtype)
    return logits, targets, weights


def bin_edges(reg_range: tuple[int, int], dtype: str) -> np.ndarray:
    """Every bin, its neighbours in `dtype`, and the end of the clip; those within the clip."""
    low, high = reg_range
    bins = np.arange(low, high).astype(dtype)
    far = np.array(np.inf, dtype)
    end = np.array([high - 1 - 0.01]).astype(dtype)
    edges = np.concatenate([bins, np.nextafter(bins, -far), np.nextafter(bins, far), end])
    return edges[(edges >= low) & (edges <= end)]


def head_inputs(
    reg_range: tuple[int, int], classes: int, batch: int, anchors: int, assigned: str, seed: int
) -> BoxLossInputs:
    """Float32 inputs of the head's box loss: grid points, boxes about them, some beyond the range.

    `assigned` says how many anchors are positives: "none", "one", "some", "block" or "all".
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    shape = (batch, anchors)
    points = np.stack([np.arange(anchors) % 8, np.arange(anchors) // 8], axis=-1) + 0.5
    before, size = draw.uniform(low - 0.5, high, (*shape, 2)), draw.uniform(1, high, (*shape, 2))
    truth = np.concatenate([points - before, points - before + size], axis=-1)
    centre, half = points + draw.uniform(-3, 3, (*shape, 2)), draw.uniform(0.3, high, (*shape, 2))
    boxes = np.concatenate([centre - half, centre + half], axis=-1)

    order = draw.permutation(batch * anchors)
    count = {"none": 0, "one": 1, "all": order.size}.get(assigned, (order.size + 2) // 3)
    chosen = np.arange(count) + order[0] % (order.size - count + 1)
    chosen = order[:count] if assigned == "some" else chosen
    labels = np.full(batch * anchors, classes, np.int64)
    labels[chosen] = draw.randint(0, classes, count)
    scores = np.zeros((batch * anchors, classes), np.float32)
    scores[chosen, labels[chosen]] = draw.uniform(0.05, 1, count)
    return BoxLossInputs(
        pred_dist=draw.uniform(-8, 8, (*shape, 4 * (high - low))).astype(np.float32),
        pred_bboxes=boxes.astype(np.float32),
        anchor_points=points.astype(np.float32),
        assigned_labels=labels.reshape(shape),
        assigned_bboxes=truth.astype(np.float32),
        assigned_scores=scores.reshape(*shape, classes),
        assigned_scores_sum=np.maximum(scores.sum(), np.float32(1)),
    )


# PP-YOLOE's formulas in Paddle's operators, as its users' code has them.


def paddle_side_losses(logits: Tensor, targets: Tensor, low: int) -> Tensor:
    """The DFL of each side [N, 4]: two cross entropies, of the bins below and above the target."""
    below = targets.floor()
    bin_below = below.astype("int64") - low
    weight_above = targets - below
    entropy_below = paddle.nn.functional.cross_entropy(logits, bin_below, reduction="none")
    entropy_above = paddle.nn.functional.cross_entropy(logits, bin_below + 1, reduction="none")
    return entropy_below * (1 - weight_above) + entropy_above * weight_above


def paddle_dfl(logits: Tensor, targets: Tensor, weights: Tensor, low: int, total: float) -> Tensor:
    """The weighted DFL of N positives over the sum of scores."""
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


def number(tensor: Tensor) -> float:
    """A loss, which is of shape [1] before release 2.5 and [] since."""
    return float(tensor.numpy().reshape([-1])[0])


# The questions about DFL alone.


def dfl_values(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """Each side's loss, and the weighted sum."""
    eps, total = float(np.finfo(logits.dtype).eps), max(float(weights.sum()), 1.0)
    z, t, w = (paddle.to_tensor(array) for array in (logits, targets, weights))
    sides = paddle_side_losses(z, t, reg_range[0])
    true = side_losses(logits, targets, reg_range)
    yield "each side's DFL", sides.numpy(), true, side_tolerance(logits, eps)
    loss = number(paddle_dfl(z, t, w, reg_range[0], total))
    expected = dfl_loss(logits, targets, weights, reg_range, total)
    yield "DFL", loss, expected, dfl_tolerance(logits, weights, total, eps)


def dfl_gradients(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, reg_range: tuple[int, int]
) -> Answers:
    """The gradient by the logits, and its sums over a side's bins, which are 0."""
    eps, total = float(np.finfo(logits.dtype).eps), max(float(weights.sum()), 1.0)
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    t, w = paddle.to_tensor(targets), paddle.to_tensor(weights)
    paddle_dfl(leaf, t, w, reg_range[0], total).backward()
    gradient = leaf.grad.numpy()
    tolerance = dfl_gradient_tolerance(logits, weights, total, eps)
    expected = dfl_gradient(logits, targets, weights, reg_range, total)
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


# The questions about the head's box loss.


def box_loss_steps(inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    """The head's steps, one after the other: what it selects, its losses, and their gradients."""
    low, high = reg_range
    eps, true = float(np.finfo(np.float32).eps), positives(inputs, reg_range)
    dist, boxes = (
        paddle.to_tensor(array, stop_gradient=False)
        for array in (inputs.pred_dist, inputs.pred_bboxes)
    )
    points, labels, truth, scores, total = (paddle.to_tensor(array) for array in inputs[2:])
    mask = labels != inputs.assigned_scores.shape[-1]
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

    if not len(true.boxes):
        return
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


# The cases.


@dataclass(frozen=True)
class DflCase:
    """Logits, targets and weights of `count` positives, and the question about their DFL."""

    question: Callable[..., Answers]
    reg_range: tuple[int, int]
    dtype: str
    pattern: str | tuple[float, ...]
    count: int
    spread: float
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.question.__name__}: {self.dtype}, reg_range {self.reg_range}, targets "
            f"{self.pattern}, {self.count} positives, logits within {self.spread:g}, seed {self.seed}"
        )

    def answers(self) -> Answers:
        return self.question(*dfl_arrays(*self.words), self.reg_range)

    def script(self) -> str:
        """A program that asks the same and fails where an answer is wrong."""
        return comparing_program(
            self, self.question, f"*dfl_arrays{self.words!r}, {self.reg_range!r}"
        )

    @property
    def words(self) -> tuple[Any, ...]:
        return astuple(self)[1:]


@dataclass(frozen=True)
class HeadCase:
    """Inputs of the head's box loss, and the question about them.

    Its script asks for the head's steps, whatever the question: it runs without PaddleDetection.
    """

    question: Callable[..., Answers]
    reg_range: tuple[int, int]
    classes: int
    batch: int
    anchors: int
    assigned: str
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.question.__name__}: reg_range {self.reg_range}, {self.classes} classes, "
            f"{self.batch} x {self.anchors} anchors, {self.assigned} assigned, seed {self.seed}"
        )

    def answers(self) -> Answers:
        return self.question(head_inputs(*self.words), self.reg_range)

    def script(self) -> str:
        """A program that goes the head's steps and fails at the first that is wrong."""
        return comparing_program(
            self, box_loss_steps, f"head_inputs{self.words!r}, {self.reg_range!r}"
        )

    @property
    def words(self) -> tuple[Any, ...]:
        return astuple(self)[1:]


@dataclass(frozen=True)
class LabelCase:
    """A cross entropy as DFL asks for it, where one of the labels [N, 4] is `label`."""

    label: int
    reg_range: tuple[int, int]
    dtype: str
    count: int
    position: int
    seed: int

    def __str__(self) -> str:
        return (
            f"cross_entropy: {self.dtype}, {self.classes} classes, label {self.label} at "
            f"{self.position % (4 * self.count)} of {4 * self.count}, seed {self.seed}"
        )

    @property
    def classes(self) -> int:
        return self.reg_range[1] - self.reg_range[0]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits [N, 4, C] and labels [N, 4], all of them in range."""
        logits, targets, _ = dfl_arrays(
            self.reg_range, self.dtype, "inside", self.count, 4.0, self.seed
        )
        return logits, np.floor(targets).astype(np.int64) - self.reg_range[0]

    def astray(self, labels: np.ndarray) -> np.ndarray:
        """The labels with the one that this case is about."""
        changed = labels.copy()
        changed.reshape(-1)[self.position % labels.size] = self.label
        return changed

    def script(self) -> str:
        """A program that fails where the release answers, or errs on labels that are in range."""
        logits, labels = self.arrays()
        return program(
            str(self),
            f"""logits = paddle.to_tensor(np.{np.array2string(logits, separator=", ", threshold=10**6)!s})
"""
            if False
            else f"""logits, targets, _ = dfl_arrays{(self.reg_range, self.dtype, "inside", self.count, 4.0, self.seed)!r}
labels = np.array({labels.tolist()})
paddle.nn.functional.cross_entropy(  # labels in range: an answer
    paddle.to_tensor(logits), paddle.to_tensor(labels), reduction="none"
)
labels.reshape(-1)[{self.position % labels.size}] = {self.label}
try:
    answer = paddle.nn.functional.cross_entropy(
        paddle.to_tensor(logits), paddle.to_tensor(labels), reduction="none"
    ).numpy()
except Exception as error:
    print(f"refused: {{error}}")
else:
    raise AssertionError(f"label {self.label} of {self.classes} classes: expected an error, got {{answer!r}}")
""",
        )
