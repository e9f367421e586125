"""How boolean indices are asked: `x[mask]`, and `x[mask] = value`.

The number that is written, 77, is one that every dtype holds.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from properties.oracle.arrays import ArrayView, reverse
from properties.oracle.selecting import (
    assignment,
    boolean_index,
    boolean_index_gradient,
    zero_outside,
)
from properties.protocol.evidence import Answers
from properties.questions.memory import Tensor, both_views, fresh, gradients, inputs_after, tensor


def get_masked(source: Tensor, chosen: Tensor) -> Tensor:
    return source[chosen]


def set_masked(target: Tensor, chosen: Tensor, value: Any) -> Tensor:
    """The target, after `target[chosen] = value`."""
    target[chosen] = value
    return target


def reading(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask chooses, and what it leaves out; and by the mask reversed."""
    source = tensor(x)
    for wanted in (mask, ~mask, reverse(mask), ~reverse(mask)):
        yield fresh("x[mask]", boolean_index(x, wanted), get_masked, source, tensor(wanted))


def reading_alike(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask chooses, four times: some faults come and go."""
    due, source, chosen = boolean_index(x, mask), tensor(x), tensor(mask)
    for _ in range(4):
        yield fresh("x[mask]", due, get_masked, source, chosen)


def reading_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask chooses, once: for tensors that cost much time."""
    yield fresh("x[mask]", boolean_index(x, mask), get_masked, tensor(x), tensor(mask))


def reading_of_views(x: np.ndarray, mask: np.ndarray, seen: ArrayView) -> Answers:
    """From a view of x, with the mask stored as the view reads, and with the same view of it."""
    source, chosen, array, wanted = both_views(x, mask, seen)
    due = boolean_index(array, wanted)
    yield fresh("view of x[mask]", due, get_masked, source, tensor(wanted))
    yield fresh("view of x[view of mask]", due, get_masked, source, chosen)


def reading_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient, for an upstream gradient whose elements differ."""
    for wanted in (mask, ~mask, reverse(mask)):
        upstream = reverse(boolean_index(x, wanted))
        leaf, above = tensor(x, stop_gradient=False), tensor(upstream)
        due = boolean_index_gradient(x.shape, wanted, upstream)
        yield from gradients("x[mask]", get_masked(leaf, tensor(wanted)), above, x=(leaf, due))


def reading_gradient_of_weighted_sum(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient of the sum of what is read times 3, as in a weighted loss."""
    leaf = tensor(x, stop_gradient=False)
    read = get_masked(leaf, tensor(mask))
    total = (read * tensor(np.full(tuple(read.shape), 3, x.dtype))).sum()
    due = mask.astype(x.dtype) * 3
    yield from gradients("the weighted sum of x[mask]", total, None, x=(leaf, due))


def inputs_of_reading(x: np.ndarray, mask: np.ndarray) -> Answers:
    return inputs_after(get_masked, x=x, mask=mask)


def assigning_a_number(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """x after `x[mask] = number`, after the same with a tensor of one element, and for ~mask."""
    one = np.array([number], x.dtype)
    for wanted in (mask, ~mask, reverse(mask)):
        due, chosen = assignment(x, wanted, number), tensor(wanted)
        for value in (number, tensor(one)):
            yield fresh(f"x[mask] = {number}", due, set_masked, tensor(x), chosen, value)


def assigning_once(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """x after `x[mask] = number`, once: for tensors that cost much time."""
    due = assignment(x, mask, number)
    yield fresh(f"x[mask] = {number}", due, set_masked, tensor(x), tensor(mask), number)


def assigning_elements(x: np.ndarray, mask: np.ndarray) -> Answers:
    """x after `x[mask] = tensor`, an element for each one that is chosen; and for ~mask."""
    for wanted in (mask, ~mask, reverse(mask), ~reverse(mask)):
        elements = boolean_index(reverse(x), wanted)
        due, value = assignment(x, wanted, elements), tensor(elements)
        yield fresh("x[mask] = tensor", due, set_masked, tensor(x), tensor(wanted), value)


def assigning_over_nan(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """x after `x[mask] = number`, where x held NaN, infinities and great numbers there."""
    held = np.resize(np.array([np.nan, np.inf, -np.inf, 1e30], x.dtype), np.count_nonzero(mask))
    due, before = assignment(x, mask, number), assignment(x, mask, held)
    chosen, one = tensor(mask), tensor(np.array([number], x.dtype))
    for name, value in (("a number", number), ("a tensor", one)):
        what = f"{name} over NaN and infinities"
        yield fresh(what, due, set_masked, tensor(before), chosen, value)


def assigning_an_element(x: np.ndarray, mask: np.ndarray) -> Answers:
    """x after `x[mask] = tensor` of one element, the last of x, whatever its bits."""
    element = x.reshape(-1)[-1:].copy()
    due, value = assignment(x, mask, element), tensor(element)
    yield fresh("x[mask] = tensor of one element", due, set_masked, tensor(x), tensor(mask), value)


def assigning_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradients of `x[mask] = tensor`: none for what was overwritten, all for the tensor."""
    upstream = reverse(x)
    due = boolean_index(upstream, mask)
    return gradients_of_assigning(x, mask, boolean_index(x, mask), upstream, due)


def assigning_gradient_of_one(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradients of `x[mask] = tensor` of one element, whose gradient is a sum.

    x counts from 1 and has few elements, so that the sum is exact in whatever order.
    """
    due = np.array([x[mask].sum()], x.dtype)
    return gradients_of_assigning(x, mask, np.array([number], x.dtype), x, due)


def gradients_of_assigning(
    x: np.ndarray, mask: np.ndarray, written: np.ndarray, upstream: np.ndarray, due: np.ndarray
) -> Answers:
    """The gradients of `x[mask] = written`, by x and by what was written; the latter's is `due`.

    Paddle does not write into a leaf that needs a gradient, so the target is a copy of x.
    """
    leaf, value = tensor(x, stop_gradient=False), tensor(written, stop_gradient=False)
    target = set_masked(leaf.clone(), tensor(mask), value)
    leaves = {"x": (leaf, zero_outside(upstream, ~mask)), "value": (value, due)}
    return gradients("x[mask] = tensor", target, tensor(upstream), **leaves)


def inputs_of_assigning(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The mask and the value, after the assignment."""
    one = np.array([number], x.dtype)
    return inputs_after(partial(set_masked, tensor(x)), gradient=False, mask=mask, value=one)
