"""Ways around Paddle's bugs: functions that anybody may copy, and how each is asked.

The functions need paddle and numpy alone. The bugs of `fixtures/bugs.toml` name the properties that
prove them, in every release that has such a bug.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle

from properties.oracle.arrays import change_at, reverse
from properties.oracle.box_loss import DflInputs
from properties.oracle.selecting import assignment, boolean_index, where, zero_outside
from properties.oracle.tolerances import label_entropies
from properties.protocol.evidence import Answers, Refusal
from properties.questions.memory import contents, fresh, gradients, tensor


def write_one(x: paddle.Tensor, mask: paddle.Tensor, value: paddle.Tensor) -> paddle.Tensor:
    """x with the value, a tensor of one element, where mask is True: instead of x[mask] = value."""
    return paddle.where(mask, value.expand(x.shape), x)


def fill(x: paddle.Tensor, mask: paddle.Tensor, number: float) -> paddle.Tensor:
    """x with the number where mask is True: instead of x[mask] = number and paddle.masked_fill."""
    return paddle.where(mask, paddle.full_like(x, number), x)


def write_many(x: paddle.Tensor, mask: paddle.Tensor, values: paddle.Tensor) -> paddle.Tensor:
    """x with the values, one for each True of the mask, in order: instead of x[mask] = values."""
    places = paddle.nonzero(mask.reshape([-1])).reshape([-1])
    return paddle.scatter(x.reshape([-1]), places, values).reshape(x.shape)


def choose(mask: paddle.Tensor, x: paddle.Tensor, y: paddle.Tensor) -> paddle.Tensor:
    """x where the mask is True, else y, of shapes that broadcast: instead of paddle.where."""
    shape = paddle.broadcast_shape(paddle.broadcast_shape(x.shape, y.shape), mask.shape)
    return paddle.where(mask.expand(shape), x.expand(shape), y.expand(shape))


def read(x: paddle.Tensor, mask: paddle.Tensor) -> paddle.Tensor:
    """The elements of x where the mask, of x's shape, is True: instead of x[mask]."""
    return paddle.masked_select(x, mask)


def sum_selected(x: paddle.Tensor, mask: paddle.Tensor) -> paddle.Tensor:
    """The sum of x where the mask is True, also where it is nowhere: 0, with a gradient of 0."""
    return paddle.where(mask, x, paddle.zeros_like(x)).sum()


def checked_cross_entropy(
    logits: paddle.Tensor, labels: paddle.Tensor, ignored: int = -100
) -> paddle.Tensor:
    """The cross entropy of each label. Raises ValueError where a label is no class."""
    is_class = paddle.logical_and(labels >= 0, labels < logits.shape[-1])
    if not bool(paddle.logical_or(is_class, labels == ignored).all()):
        raise ValueError("a label is neither a class nor the ignored one")
    return paddle.nn.functional.cross_entropy(
        logits, labels, ignore_index=ignored, reduction="none"
    )


def unclipped_cross_entropy(logits: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
    """The cross entropy of each label, however sure of another class the logits are."""
    ones = paddle.nn.functional.one_hot(labels, logits.shape[-1]).astype(logits.dtype)
    return paddle.logsumexp(logits, -1) - (logits * ones).sum(-1)


def fetch(
    executor: paddle.static.Executor,
    program: paddle.static.Program,
    wanted: paddle.static.Variable,
    dtype: str,
    **feed: np.ndarray,
) -> np.ndarray:
    """What a static program gives for `wanted`: an array, where the release fetches None, too."""
    found = executor.run(program, feed=feed, fetch_list=[wanted])[0]
    return np.empty([0], dtype) if found is None else found


def writing_one(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The last element of x, whatever its bits, over whatever x holds."""
    element = x.reshape(-1)[-1:].copy()
    for wanted in (mask, ~mask):
        due = assignment(x, wanted, element)
        yield fresh("write_one", due, write_one, tensor(x), tensor(wanted), tensor(element))


def filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """Over whatever x holds, if it holds anything."""
    for wanted in (mask, ~mask):
        due = assignment(x, wanted, number)
        yield fresh("fill", due, fill, tensor(x), tensor(wanted), number)


def gradient_of_writing_one(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradients by x and by the value, whose gradient is an exact sum: x has few elements."""
    leaf = tensor(x, stop_gradient=False)
    value = tensor(np.array([number], x.dtype), stop_gradient=False)
    leaves = {
        "x": (leaf, zero_outside(x, ~mask)),
        "value": (value, np.array([x[mask].sum()], x.dtype)),
    }
    written = write_one(leaf, tensor(mask), value)
    yield from gradients("write_one", written, tensor(x), **leaves)


def writing_many(x: np.ndarray, mask: np.ndarray) -> Answers:
    """An element for each one that is chosen; and for the mask reversed."""
    for wanted in (mask, reverse(mask)):
        elements = boolean_index(reverse(x), wanted)
        due, value = assignment(x, wanted, elements), tensor(elements)
        yield fresh("write_many", due, write_many, tensor(x), tensor(wanted), value)


def gradient_of_writing_many(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradients: none for what was overwritten, all for the values."""
    upstream, elements = reverse(x), boolean_index(x, mask)
    leaf, values = tensor(x, stop_gradient=False), tensor(elements, stop_gradient=False)
    due = boolean_index(upstream, mask)
    leaves = {"x": (leaf, zero_outside(upstream, ~mask)), "values": (values, due)}
    written = write_many(leaf, tensor(mask), values)
    yield from gradients("write_many", written, tensor(upstream), **leaves)


def choosing(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Between x and its elements reversed, both ways round; x and the mask broadcast."""
    other, condition = reverse(x), tensor(mask)
    for one, two in ((x, other), (other, x)):
        due = where(mask, one, two)
        yield fresh("choose", due, choose, condition, tensor(one), tensor(two))


def reading(x: np.ndarray, mask: np.ndarray) -> Answers:
    for wanted in (mask, ~mask):
        yield fresh("read", boolean_index(x, wanted), read, tensor(x), tensor(wanted))


def summing(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The sum, which is exact as x has few elements, and its gradient: 1 where selected, else 0."""
    leaf = tensor(x, stop_gradient=False)
    total = sum_selected(leaf, tensor(mask))
    yield "sum_selected", contents(total).reshape(-1), np.array([x[mask].sum()], x.dtype), None
    yield from gradients("sum_selected", total, None, x=(leaf, mask.astype(x.dtype)))


def checking_labels(inputs: DflInputs, place: int, label: int) -> Answers:
    """Cross entropies of labels in range are right. One label is changed: an error is due."""
    logits, targets, _, (low, _) = inputs
    labels = np.floor(targets).astype(np.int64) - low

    def entropies(labels: np.ndarray) -> np.ndarray:
        found = checked_cross_entropy(tensor(logits), tensor(labels))
        return contents(found).reshape(labels.shape)

    yield ("labels in range", entropies(labels), *label_entropies(logits, labels))
    wrong = partial(entropies, change_at(labels, place, label))
    yield f"label {label}", wrong, Refusal("ValueError: a label is neither"), None


def computing_entropies(inputs: DflInputs) -> Answers:
    """The cross entropies of the bins below the targets."""
    logits, targets, _, (low, _) = inputs
    labels = np.floor(targets).astype(np.int64) - low
    found = contents(unclipped_cross_entropy(tensor(logits), tensor(labels)))
    yield ("cross entropies", found, *label_entropies(logits, labels))


def fetching(x: np.ndarray, mask: np.ndarray) -> Answers:
    """A selection by a program that was built for any sizes, for the mask and for no element."""
    paddle.enable_static()
    try:
        program = paddle.static.Program()
        with paddle.static.program_guard(program):
            source = paddle.static.data("x", [None] * x.ndim, str(x.dtype))
            chosen = paddle.static.data("mask", [None] * x.ndim, "bool")
            selected = paddle.masked_select(source, chosen)
        executor = paddle.static.Executor()
        for wanted in (mask, np.zeros_like(mask)):
            found = fetch(executor, program, selected, str(x.dtype), x=x, mask=wanted)
            yield "fetch", np.asarray(found), boolean_index(x, wanted), None
    finally:
        paddle.disable_static()
