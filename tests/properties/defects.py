"""Faults put in on purpose, to see that the properties find them.

A defect is a factory: it is given the true `masked_select` and returns a faulty one. Its docstring
says where the fault comes from. `install` puts one in, by name.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable

import paddle

Tensor = Any  # paddle carries no types
Function = Callable[..., Tensor]


def zeros(true: Function) -> Function:
    """Shape and dtype are right, every element is 0: a kernel that never ran, on fresh memory.

    As PaddlePaddle/Paddle#44031 and #44721 show `[0, 0]` where `[8, 9]` was due.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.zeros_like(true(x, mask, name))

    return masked_select


def unwritten(true: Function) -> Function:
    """Shape and dtype are right, the elements are what the memory held: a kernel that never ran.

    The launch grid was overwritten with 0 (root cause in PaddlePaddle/Paddle#44181).
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.empty_like(true(x, mask, name))

    return masked_select


def wrong_once_in_many(true: Function) -> Function:
    """Every 20th call with more than one element selected gives the first of them last.

    A race between blocks of a kernel looks like this: right, until it is not.
    """
    calls = itertools.count(1)

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)
        if selected.shape[0] > 1 and next(calls) % 20 == 0:
            return paddle.concat([selected[1:], selected[:1]])
        return selected

    return masked_select


DEFECTS: dict[str, Callable[[Function], Function]] = {
    defect.__name__: defect for defect in (zeros, unwritten, wrong_once_in_many)
}


def install(name: str) -> None:
    """Put a defect in for the rest of the process. Raises KeyError for a name it has not."""
    faulty = paddle.jit.not_to_static(DEFECTS[name](paddle.masked_select))
    paddle.masked_select = paddle.tensor.search.masked_select = faulty
    paddle.Tensor.masked_select = faulty
