"""Mutants of the memory that `masked_select` reads and writes."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import paddle

from properties.mutants.faults import (
    SELECT,
    Function,
    Tensor,
    hold,
    mutant,
    stale,
    stale_array,
    with_state,
    with_values,
)

# Output that was never written (the root cause in PaddlePaddle/Paddle#44181).


@mutant(SELECT)
def zeros(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Shape and dtype are right, every element is 0: a kernel that never ran, on fresh memory.

    As PaddlePaddle/Paddle#44031 and #44721 show `[0, 0]` where `[8, 9]` was due.
    """
    return paddle.zeros_like(true(x, mask, name))


@mutant(SELECT)
def unwritten(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Shape and dtype are right, the elements are what the memory held: a kernel that never ran.

    The launch grid was overwritten with 0 (PaddlePaddle/Paddle#44181).
    """
    return stale(true(x, mask, name))


@mutant(SELECT, with_state)
def unwritten_when_asked_again(true: Function) -> Function:
    """Asked again, a question's output is not written and holds the first answer, which was right.

    PaddlePaddle/Paddle#44181 where the launch grid survives now and then, on an allocator that
    hands out the same memory again, as the GPU's does. It is seen only where that memory is
    overwritten in between, here by `paddle.full`.
    """
    asked: set[bytes] = set()
    filled: list[Tensor] = []
    true_full = paddle.full

    def full(shape: object, value: object, *args: object, **kwargs: object) -> Tensor:
        filled.append(value)
        return true_full(shape, value, *args, **kwargs)

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        question = x.tobytes() + mask.tobytes()
        again, overwritten = question in asked, list(filled)
        asked.add(question)
        filled.clear()
        if again and overwritten:
            return stale_array(selected, np.full(1, overwritten[-1], np.float64).view(np.uint8))
        return selected

    paddle.full = full
    return with_values(values, true)


@mutant(SELECT, with_state)
def right_when_asked_before(true: Function) -> Function:
    """The first answer to a question is an earlier question's; asked again, it is right.

    PaddlePaddle/Paddle#44181 as it looks to a test that repeats its calls on the same data.
    """
    asked: set[bytes] = set()
    held: dict[tuple[object, ...], np.ndarray] = {}

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        question, memory = x.tobytes() + mask.tobytes(), (selected.dtype, selected.size)
        earlier = held.get(memory, np.zeros_like(selected))
        known = question in asked
        asked.add(question)
        held[memory] = selected
        return selected if known else earlier

    return with_values(values, true)


# Views: memory that is not read from its start, or not in its order.


@mutant(SELECT, with_state)
def offset_of_a_view_ignored(true: Function) -> Function:
    """A slice is read from the start of what it was sliced from.

    PaddlePaddle/Paddle#72958: a row of a tensor, whose first element is not the memory's first.
    """
    parents = remember_results_of("__getitem__")

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return true(first_elements(parent_in(parents, x), x), mask, name)

    return masked_select


@mutant(SELECT, with_state)
def strides_ignored(true: Function) -> Function:
    """A permuted tensor is read in the order of its memory: pytorch/pytorch#41473."""
    slices, permuted = remember_results_of("__getitem__"), remember_results_of("transpose")

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        parent = parent_in(slices, x)
        return true(first_elements(parent_in(permuted, parent), x), mask, name)

    return masked_select


def remember_results_of(method: str) -> deque[tuple[Tensor, Tensor]]:
    """The last results of a tensor's method, each with the tensor that it was called on."""
    recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=8)
    true = getattr(paddle.Tensor, method)

    def remembered(self: Tensor, *args: object, **kwargs: object) -> Tensor:
        made = true(self, *args, **kwargs)
        recent.append((made, self))
        return made

    setattr(paddle.Tensor, method, remembered)
    return recent


def parent_in(recent: deque[tuple[Tensor, Tensor]], made: Tensor) -> Tensor:
    """What `made` was made from; itself, where that is not known."""
    return next((parent for result, parent in recent if result is made), made)


def first_elements(memory: Tensor, like: Tensor) -> Tensor:
    """The first elements of `memory`, in the shape of `like`."""
    if memory is like:
        return like
    flat = memory.numpy().reshape(-1)[: int(np.prod(like.shape))]
    return paddle.to_tensor(flat.reshape(like.shape), stop_gradient=like.stop_gradient)


# The inputs.


@mutant(SELECT)
def x_changed(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """x loses its first element to 0 once it was read: an output that shares its memory."""
    selected = true(x, mask, name)
    overwrite_first(x)
    return selected


@mutant(SELECT)
def mask_changed(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """The mask's first element becomes False: a prefix sum that is taken in place."""
    selected = true(x, mask, name)
    overwrite_first(mask)
    return selected


def overwrite_first(tensor: Tensor) -> None:
    """Set a tensor's first element to 0, whatever its dtype, behind the back of its gradient."""
    if paddle.in_dynamic_mode():
        changed = tensor.numpy().copy()
        changed.reshape(-1)[:1] = 0
        hold(tensor, changed)


@mutant(SELECT)
def output_shares_memory(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """An all-True mask gives x's own memory: a shortcut that does not copy."""
    selected = true(x, mask, name)
    if not paddle.in_dynamic_mode() or selected.shape[0] != x.size or not selected.shape[0]:
        return selected
    return paddle.reshape(x, [-1])  # a view: it copies nothing
