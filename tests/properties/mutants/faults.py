"""How a mutant is declared, and what mutants are made of.

A mutant is one function under `@mutant("paddle.masked_select")`; its docstring says where the fault
comes from and what it does. An adaptor says what the fault is a function of: the call (the
default), the values that are due, their gradient, and so on.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

import numpy as np
import paddle

from properties.oracle.selecting import masked_select as right
from properties.questions.memory import contents

Tensor = Any  # paddle carries no types
Function = Callable[..., Any]
Fault = Callable[..., Any]
Factory = Callable[[Function], Function]  # from the true function to the faulty one
Adaptor = Callable[[Fault, Function], Function]
SELECT = "paddle.masked_select"


def with_call(fault: Fault, true: Function) -> Function:
    """The fault is called in place of the true function: `fault(true, *arguments)`."""
    return partial(fault, true)


def with_state(fault: Fault, true: Function) -> Function:
    """The fault remembers earlier calls: `fault(true)` gives the faulty function."""
    faulty: Function = fault(true)
    return faulty


def mutant(target: str, adaptor: Adaptor = with_call) -> Callable[[Fault], Fault]:
    """Declare that a fault stands in place of `target`, a function by its dotted name.

    The declaration is the fault's attribute `factories`. A fault may stand in several places: then
    it has a decorator for each.
    """

    def declare(fault: Fault) -> Fault:
        vars(fault).setdefault("factories", {})[target] = partial(adaptor, fault)
        return fault

    return declare


# Adaptors for `masked_select`. A graph that is being built holds no values: there the true function
# answers.


def with_values(fault: Fault, true: Function) -> Function:
    """The selection is `fault(x, mask, selected)`; `selected` is the right one.

    x and the mask are whole arrays, broadcast to one shape; the bytes of the mask may be other than
    0 and 1. The gradient is the true one's, as long as the selection is of the right shape.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)  # refuses what the release refuses
        if not paddle.in_dynamic_mode():
            return selected
        wide, chosen = map(np.array, np.broadcast_arrays(contents(x), contents(mask)))
        due = right(wide, truth(chosen))
        found = np.ascontiguousarray(fault(wide, chosen, due.copy()))
        if (found.shape, found.tobytes()) == (due.shape, due.tobytes()):
            return selected
        if found.shape != due.shape:
            return paddle.to_tensor(found)
        selected.set_value(found)
        return selected

    return masked_select


# Adaptors for the functions that share its kernel.


def with_indices(fault: Fault, true: Function) -> Function:
    """The indices [N, rank] of `nonzero` are `fault(x, indices)`; as a tuple alike."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        indices = fault(x.numpy(), true(x).numpy())
        if not as_tuple:
            return paddle.to_tensor(indices)
        shapes = [[-1, *axis.shape[1:]] for axis in true(x, as_tuple=True)]
        return tuple(paddle.to_tensor(a.reshape(shape)) for a, shape in zip(indices.T, shapes))

    return nonzero


def with_mask(fault: Fault, true: Function) -> Function:
    """Where an index is a boolean tensor, `fault(true, x, mask)` reads and
    `fault(true, x, mask, value)` writes.
    """

    def method(x: Tensor, item: Any, *value: Any) -> Any:
        by_mask = isinstance(x, type(item)) and item.dtype == paddle.bool
        return fault(true, x, item, *value) if by_mask else true(x, item, *value)

    return method


# What several mutants do.


def stale(output: Tensor, memory: np.ndarray | None = None) -> Tensor:
    """What a kernel gives that never writes its output: what the memory held (#44181 of Paddle).

    `memory` holds numbers, or raw bytes as uint8, which are repeated to the size of the output;
    None: whatever the allocator hands out. No gradient leads back from it.
    """
    if memory is None:
        return paddle.empty_like(output)
    return paddle.to_tensor(stale_array(output.numpy(), memory))


def stale_array(output: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """The same of an array."""
    if memory.dtype == np.uint8:
        return np.resize(memory, output.nbytes).view(output.dtype).reshape(output.shape)
    held: np.ndarray = np.resize(memory, output.shape).astype(output.dtype)
    return held


def hold(tensor: Tensor, array: np.ndarray) -> Tensor:
    """Let the tensor hold `array` from now on, behind the back of its gradient; return it."""
    if array.size:
        tensor.set_value(np.array(array, order="C"))
    return tensor


def truth(mask: np.ndarray) -> np.ndarray:
    """The mask with bytes 0 and 1: NumPy counts on these."""
    chosen: np.ndarray = np.not_equal(mask.view(np.uint8), 0) if mask.dtype == bool else mask
    return chosen
