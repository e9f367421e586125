"""What selections' defects are made of: a fault of the values, a fault of the gradient, in NumPy.

A graph that is being built holds no values: there the true function answers.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import paddle

from properties.oracle.selecting import masked_select as right

Tensor = Any  # paddle carries no types
Function = Callable[..., Tensor]
Values = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Gradient = Callable[[np.ndarray, np.ndarray], np.ndarray]


def with_values(true: Function, values: Values) -> Function:
    """A `masked_select` that gives `values(x, mask, selected)`.

    x and the mask are whole, broadcast to one shape, the mask's bytes those that came, be they
    other than 0 and 1; `selected` is the right answer. The gradient is the true one's, as long as
    the answer is of the right shape.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)  # refuses what the release refuses
        if not paddle.in_dynamic_mode():
            return selected
        wide, chosen = (
            np.array(array) for array in np.broadcast_arrays(array_of(x), array_of(mask))
        )
        due = right(wide, truth(chosen))
        found = np.ascontiguousarray(values(wide, chosen, due.copy()))
        if (found.shape, found.tobytes()) == (due.shape, due.tobytes()):
            return selected
        if found.shape != due.shape:
            return paddle.to_tensor(found)
        selected.set_value(found)
        return selected

    return masked_select


def with_gradient(true: Function, gradient: Gradient) -> Function:
    """A `masked_select` whose gradient by x is `gradient(mask, due)`, where `due` is the right one.

    It selects from a copy of x, so that no other gradient of x is concerned.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        if x.stop_gradient or not paddle.in_dynamic_mode():
            return true(x, mask, name)
        chosen, copied = truth(array_of(mask)), paddle.assign(x)
        copied.register_hook(lambda due: paddle.to_tensor(gradient(chosen, array_of(due).copy())))
        return true(copied, mask, name)

    return masked_select


def array_of(tensor: Tensor) -> np.ndarray:
    """The tensor's array, of its own shape: 2.5 makes a 1-D array of a 0-D tensor."""
    array: np.ndarray = tensor.numpy().reshape(tensor.shape)
    return array


def truth(mask: np.ndarray) -> np.ndarray:
    """The mask with bytes 0 and 1: NumPy counts on these."""
    chosen: np.ndarray = np.not_equal(mask.view(np.uint8), 0) if mask.dtype == bool else mask
    return chosen


def unwritten_beyond(limit: int) -> Values:
    """Values from a kernel that does nothing for the elements from position `limit` on."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        written = int(truth(mask).reshape(-1)[:limit].sum())
        selected[written:] = 0
        return selected

    return values
