"""How `paddle.where` of three arguments is asked, and `paddle.masked_fill`.

The number that is filled in, 77, is one that every dtype holds.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import paddle

from properties.oracle.arrays import ArrayView, reverse
from properties.oracle.selecting import masked_fill, where, zero_outside
from properties.protocol.evidence import Answers
from properties.questions.memory import both_views, contents, fresh, gradients, inputs_after, tensor


def choosing(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Between x and its elements reversed: as a function, both ways round, and as a method."""
    other = reverse(x)
    one, two = tensor(x), tensor(other)
    for wanted in (mask, reverse(mask)):
        condition = tensor(wanted)
        due, swapped = where(wanted, x, other), where(wanted, other, x)
        yield fresh("paddle.where(mask, x, y)", due, paddle.where, condition, one, two)
        yield fresh("paddle.where(mask, y, x)", swapped, paddle.where, condition, two, one)
        yield fresh("mask.where(x, y)", due, condition.where, one, two)


def choosing_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Between x and its elements reversed, by the function alone: for tensors that cost much."""
    other = reverse(x)
    given = [tensor(array) for array in (mask, x, other)]
    yield fresh("paddle.where(mask, x, y)", where(mask, x, other), paddle.where, *given)


def choosing_a_number(x: np.ndarray, mask: np.ndarray, number: float) -> Answers:
    """Between x and a number of Python, both ways round: due is the number in x's own dtype."""
    condition, source, held = tensor(mask), tensor(x), np.array(number, x.dtype)
    due, swapped = where(mask, x, held), where(mask, held, x)
    yield fresh("paddle.where(mask, x, number)", due, paddle.where, condition, source, number)
    yield fresh("paddle.where(mask, number, x)", swapped, paddle.where, condition, number, source)


def choosing_from_views(x: np.ndarray, mask: np.ndarray, seen: ArrayView) -> Answers:
    """Between a view of x and what it holds reversed, with the mask stored and as a view."""
    source, condition, array, wanted = both_views(x, mask, seen)
    other = reverse(array)
    due, swapped = where(wanted, array, other), where(wanted, other, array)
    yield fresh("where of views", due, paddle.where, condition, source, tensor(other))
    yield fresh("where of a view", swapped, paddle.where, tensor(wanted), tensor(other), source)


def choosing_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient by either side, for an upstream gradient whose elements differ."""
    upstream = reverse(x)
    for wanted in (mask, reverse(mask)):
        one, two = tensor(x, stop_gradient=False), tensor(upstream, stop_gradient=False)
        chosen = paddle.where(tensor(wanted), one, two)
        due, rest = zero_outside(upstream, wanted), zero_outside(upstream, ~wanted)
        yield from gradients("where", chosen, tensor(upstream), x=(one, due), y=(two, rest))


def inputs_of_choosing(x: np.ndarray, mask: np.ndarray) -> Answers:
    return inputs_after(paddle.where, mask=mask, x=x, y=reverse(x))


def offered_function(name: str) -> Any:
    """The function of Paddle by that name. Raises NotImplementedError where there is none."""
    if not hasattr(paddle, name):
        raise NotImplementedError(f"paddle has no {name}")
    return getattr(paddle, name)


def filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """By a number, as a function and as a method, and by a 0-D tensor; where the mask is False."""
    fill = offered_function("masked_fill")
    source, value = tensor(x), tensor(np.array(number, x.dtype))
    for wanted in (mask, ~mask):
        due, chosen = masked_fill(x, wanted, number), tensor(wanted)
        yield fresh("paddle.masked_fill", due, fill, source, chosen, number)
        yield fresh("Tensor.masked_fill", due, source.masked_fill, chosen, number)
        yield fresh("masked_fill by a 0-D tensor", due, fill, source, chosen, value)


def filling_with_an_element(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a 0-D tensor that holds the last element of x, whatever its bits; also where not mask."""
    fill = offered_function("masked_fill")
    element = x.reshape(-1)[-1:].reshape(()).copy()
    source, value = tensor(x), tensor(element)
    for wanted in (mask, ~mask, reverse(mask), ~reverse(mask)):
        due = masked_fill(x, wanted, element)
        yield fresh("masked_fill by an element", due, fill, source, tensor(wanted), value)


def filling_in_place(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """`masked_fill_`, as a function and as a method: what x holds, and what comes back."""
    fill = offered_function("masked_fill_")
    due, chosen = masked_fill(x, mask, number), tensor(mask)
    one, other = tensor(x), tensor(x)
    yield fresh("paddle.masked_fill_", due, fill, one, chosen, number)
    yield "x after paddle.masked_fill_", contents(one), due, None
    yield fresh("Tensor.masked_fill_", due, other.masked_fill_, chosen, number)
    yield "x after Tensor.masked_fill_", contents(other), due, None


def filling_of_views(x: np.ndarray, mask: np.ndarray, seen: ArrayView, number: int = 77) -> Answers:
    """Of a view of x, with the mask stored as the view reads, and with the same view of it."""
    fill = offered_function("masked_fill")
    source, chosen, array, wanted = both_views(x, mask, seen)
    due = masked_fill(array, wanted, number)
    yield fresh("masked_fill of a view", due, fill, source, tensor(wanted), number)
    yield fresh("masked_fill of views", due, fill, source, chosen, number)


def filling_gradient(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradient by x: none where x was filled, and the upstream gradient elsewhere."""
    fill = offered_function("masked_fill")
    upstream = reverse(x)
    for wanted in (mask, ~mask):
        leaf, due = tensor(x, stop_gradient=False), zero_outside(upstream, ~wanted)
        filled = fill(leaf, tensor(wanted), number)
        yield from gradients("masked_fill", filled, tensor(upstream), x=(leaf, due))


def filling_gradient_by_value(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradient by the value, a 0-D tensor: the sum of the upstream gradient where x was filled.

    x counts from 1 and has few elements, so that the sum is exact in whatever order.
    """
    fill = offered_function("masked_fill")
    due = np.array(x[mask].sum(), x.dtype)
    for form, alone in (("alone", True), ("beside that by x", False)):
        value = tensor(np.array(number, x.dtype), stop_gradient=False)
        filled = fill(tensor(x, stop_gradient=alone), tensor(mask), value)
        yield from gradients(f"masked_fill {form}", filled, tensor(x), value=(value, due))


def inputs_of_filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    fill = partial(offered_function("masked_fill"), value=number)
    return inputs_after(fill, x=x, mask=mask)
