"""How `paddle.nonzero` is asked, and `paddle.where` of a mask alone, which is the same."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

import numpy as np
import paddle

from properties.oracle.arrays import ArrayView, denormals, reverse
from properties.oracle.selecting import nonzero, where, zero_outside
from properties.protocol.evidence import Answer, Answers
from properties.questions.memory import Tensor, both_views, fresh, inputs_after, poison, tensor


def indices(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By the mask, and by the mask reversed."""
    for wanted in (mask, reverse(mask)):
        yield from indices_once(x, wanted)


def indices_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of x where the mask is True, else 0: as a function, as a method, by axis; and of the mask."""
    array = zero_outside(x, mask)
    due, source = nonzero(array), tensor(array)
    yield fresh("paddle.nonzero", due, paddle.nonzero, source)
    yield fresh("Tensor.nonzero", due, source.nonzero)
    yield fresh_axes("nonzero as a tuple", due, paddle.nonzero, source, as_tuple=True)
    yield fresh("nonzero of the mask", nonzero(mask), paddle.nonzero, tensor(mask))


def indices_of_many(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of x where the mask is True, else 0, by the function alone: many elements cost much time."""
    array = zero_outside(x, mask)
    yield fresh("paddle.nonzero", nonzero(array), paddle.nonzero, tensor(array))


def indices_without_axes(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of a tensor without axes: [1, 0] where it is not zero, else [0, 0]."""
    array = zero_outside(x, mask)
    yield fresh("paddle.nonzero", nonzero(array), paddle.nonzero, tensor(array))
    yield fresh("Tensor.nonzero", nonzero(array), tensor(array).nonzero)


def indices_of_denormals(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of denormals where the mask is True, else 0: what x holds does not matter."""
    for wanted in (mask, reverse(mask)):
        array = zero_outside(denormals(x.shape, x.dtype), wanted)
        due, source = nonzero(array), tensor(array)
        yield fresh("nonzero of denormals", due, paddle.nonzero, source)
        yield fresh_axes("as a tuple", due, paddle.nonzero, source, as_tuple=True)


def indices_of_nan(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of NaN where the mask is True, else -0.0: what x holds does not matter."""
    for wanted in (mask, reverse(mask)):
        array = where(wanted, np.array(np.nan, x.dtype), np.array(-0.0, x.dtype))
        due, source = nonzero(array), tensor(array)
        yield fresh("nonzero of NaN and -0.0", due, paddle.nonzero, source)
        yield fresh_axes("as a tuple", due, paddle.nonzero, source, as_tuple=True)


def fresh_axes(
    what: str, due: np.ndarray, call: Callable[..., Any], *given: Tensor, **options: bool
) -> Answer:
    """As `fresh`, for a call that gives a tensor of indices for each axis: they are put together.

    Each axis is [N, 1] in what releases before 3.1 document and [N] in later ones
    (PaddlePaddle/Paddle#72003), so that side by side they are [N, rank, 1] or [N, rank].
    """
    poison(due.nbytes, *given)
    axes = np.stack([axis.numpy() for axis in call(*given, **options)], axis=1)
    return what, axes, due[:, :, None] if axes.ndim == 3 else due, None


def indices_of_views(x: np.ndarray, mask: np.ndarray, seen: ArrayView) -> Answers:
    """Of a view of x, which is 0 where the mask is False, and of the same view of the mask."""
    views = both_views(zero_outside(x, mask), mask, seen)
    for name, source, array in zip(("x", "the mask"), views[:2], views[2:]):
        yield fresh(f"nonzero of the view of {name}", nonzero(array), paddle.nonzero, source)


def indices_of_rows(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of every row: on the GPU, rows of an odd width do not start where a vector load may."""
    array = zero_outside(x, mask)
    source = tensor(array)
    for number, row in enumerate(array):
        yield fresh(f"nonzero of row {number}", nonzero(row), paddle.nonzero, source[number])


def inputs_of_nonzero(x: np.ndarray, mask: np.ndarray) -> Answers:
    yield from inputs_after(paddle.nonzero, gradient=False, x=x)
    yield from inputs_after(partial(paddle.nonzero, as_tuple=True), gradient=False, mask=mask)


def indices_by_where(x: np.ndarray, mask: np.ndarray) -> Answers:
    """`paddle.where` of the mask alone, and of the mask reversed, by turns."""
    for wanted in (mask, reverse(mask)) * 2:
        yield fresh_axes("paddle.where(mask)", nonzero(wanted), paddle.where, tensor(wanted))
