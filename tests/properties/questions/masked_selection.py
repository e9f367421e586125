"""How `paddle.masked_select` is asked: every property's own calls, beside what is due.

A question takes arrays and yields `(what, actual, expected)`, one verified call after the other.
`cases.Question` runs it, and copies its source into the script that reproduces a violation, so
what ran and what is handed on are the same lines. `paddle.masked_select` is looked up when called:
a defect put in later is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import paddle

from properties.oracle.selecting import masked_select, masked_select_gradient
from properties.questions.memory import poison

Tensor = Any  # paddle carries no types
Answers = Iterator[tuple[str, np.ndarray, np.ndarray]]


def tensor(array: np.ndarray, stop_gradient: bool = True) -> Tensor:
    """`array` as a tensor on the current place; uint16 becomes bfloat16.

    Raises NotImplementedError where the release has no 0-D tensor, AssertionError where the tensor
    does not hold the array's bytes: then `paddle.to_tensor` is to blame.
    """
    made = paddle.to_tensor(array, stop_gradient=stop_gradient)
    if array.ndim == 0 and list(made.shape) == [1]:
        raise NotImplementedError("paddle.to_tensor gives shape [1] for a 0-D array")
    same_data(made, array, "paddle.to_tensor")
    return made


def same_data(made: Tensor, array: np.ndarray, maker: str) -> None:
    """Raise AssertionError, which blames `maker`, unless the tensor holds the array's bytes.

    The shape is the tensor's own: 2.5 makes a 1-D array of a 0-D tensor, by default.
    """
    held, shape = made.numpy(), tuple(made.shape)
    same = (held.dtype, shape, held.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert same, f"{maker} changed the data, before any selection: {array!r} became {held!r}"


def view(array: Tensor, permutation: tuple[int, ...], index: tuple[slice, ...]) -> Tensor:
    """A permuted, then sliced view of a tensor, or of an array: both are asked alike."""
    return array.transpose(list(permutation))[index]


def select(x: object, mask: object) -> object:
    """A function for `paddle.jit.to_static`. 2.2 evaluates its annotations: built-ins alone."""
    return paddle.masked_select(x, mask)


def all_forms(x: np.ndarray, mask: np.ndarray) -> Answers:
    """As a function and as a method, of x as it is and laid out flat, kept and left out."""
    yield from of_tensor("x", tensor(x), x, mask)
    if x.shape == mask.shape and x.ndim > 1 and x.size < 1024:  # a large one costs too much time
        flat, flat_mask = x.reshape(-1), mask.reshape(-1)
        yield from of_tensor("x laid out flat", tensor(flat), flat, flat_mask)


def of_tensor(name: str, source: Tensor, x: np.ndarray, mask: np.ndarray) -> Answers:
    """From a tensor that holds x: what the mask keeps, and what it leaves out."""
    rest = np.logical_not(mask, out=np.empty(mask.shape, bool))  # an array also of no dimension
    for which, wanted in (("kept", mask), ("left out", rest)):
        due, chosen = masked_select(x, wanted), tensor(wanted)
        for form in ("function", "method"):
            poison(due.nbytes)
            answer = selected_as(form, source, chosen)
            yield f"what is {which} of {name}, by the {form}", answer.numpy(), due


def selected_as(form: str, x: Tensor, mask: Tensor) -> Tensor:
    """The selection by one of its two forms."""
    return paddle.masked_select(x, mask) if form == "function" else x.masked_select(mask)


def gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient, for an upstream gradient whose elements differ: the selected ones, reversed."""
    for which, wanted in (("kept", mask), ("left out", ~mask)):
        upstream = masked_select(x, wanted)[::-1].copy()
        due = masked_select_gradient(x.shape, wanted, upstream)
        chosen, above = tensor(wanted), tensor(upstream)
        for form in ("function", "method"):
            leaf = tensor(x, stop_gradient=False)
            selected = selected_as(form, leaf, chosen)
            poison(x.nbytes)
            selected.backward(above)
            assert leaf.grad is not None, "no gradient reached x"
            yield f"gradient of what is {which}, by the {form}", leaf.grad.numpy(), due


def gradient_of_sum(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient of the plain sum, the way a loss takes it: 1 where selected, else 0."""
    for form in ("function", "method"):
        leaf, chosen = tensor(x, stop_gradient=False), tensor(mask)
        poison(x.nbytes)
        selected_as(form, leaf, chosen).sum().backward()
        assert leaf.grad is not None, "no gradient reached x"
        yield f"gradient of the {form}'s sum", leaf.grad.numpy(), mask.astype(x.dtype)


def inputs_after(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The inputs themselves, after the call and its gradient."""
    source, chosen = tensor(x, stop_gradient=False), tensor(mask)
    selected = paddle.masked_select(source, chosen)
    selected.backward(paddle.ones_like(selected))
    yield "x after the call", source.numpy(), x
    yield "mask after the call", chosen.numpy(), mask


def after_overwriting(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The selection once x was overwritten, and x once the selection was: each has its memory."""
    source = tensor(x)
    kept = paddle.masked_select(source, tensor(mask))
    source.set_value(np.zeros_like(x))
    yield "the selection, x overwritten", kept.numpy(), masked_select(x, mask)
    source = tensor(x)
    kept = paddle.masked_select(source, tensor(mask))
    if kept.shape[0]:
        kept.set_value(np.zeros_like(masked_select(x, mask)))
    yield "x, the selection overwritten", source.numpy(), x


def by_bytes(x: np.ndarray, mask: np.ndarray, byte: int) -> Answers:
    """By a mask whose true elements are stored as `byte`: in C and in NumPy, all but 0 is true."""
    source = tensor(x)
    for which, wanted in (("kept", mask), ("left out", ~mask)):
        stored = np.multiply(wanted, byte, dtype=np.uint8).view(np.bool_)
        due, chosen = masked_select(x, wanted), tensor(stored)
        for form in ("function", "method"):
            poison(due.nbytes)
            answer = selected_as(form, source, chosen)
            yield f"what is {which} by bytes {byte}, by the {form}", answer.numpy(), due


def of_views(
    x: np.ndarray, mask: np.ndarray, permutation: tuple[int, ...], index: tuple[slice, ...]
) -> Answers:
    """From a view of x, with the mask stored as the view reads, and with the same view of it."""
    seen, wanted = (np.ascontiguousarray(view(a, permutation, index)) for a in (x, mask))
    source, chosen = (view(tensor(a), permutation, index) for a in (x, mask))
    same_data(source, seen, "the view of x")
    same_data(chosen, wanted, "the view of the mask")
    yield from of_tensor("a view of x", source, seen, wanted)
    kept = masked_select(seen, wanted)
    for form in ("function", "method"):
        poison(kept.nbytes)
        answer = selected_as(form, source, chosen)
        yield f"views of x and mask, by the {form}", answer.numpy(), kept


def static_program(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a program built for any sizes, run for the mask and for its reverse."""
    masks = [mask, np.flip(mask).copy()]
    for wanted, found in zip(masks, run_program(x, masks)):
        yield "static graph", found, masked_select(x, wanted)


def run_program(x: np.ndarray, masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What one static program selects with each of the masks. Dynamic mode is on again after it.

    Releases that fetch None for an empty result give an array of dtype object here.
    """
    poison(x.nbytes)
    paddle.enable_static()
    try:
        program = paddle.static.Program()
        with paddle.static.program_guard(program):
            source = paddle.static.data("x", [None] * x.ndim, str(x.dtype))
            chosen = paddle.static.data("mask", [None] * x.ndim, "bool")
            selected = paddle.masked_select(source, chosen)
        executor = paddle.static.Executor()
        feeds = [{"x": x, "mask": mask} for mask in masks]
        return [np.asarray(executor.run(program, feed, [selected])[0]) for feed in feeds]
    finally:
        paddle.disable_static()


def to_static(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a compiled function, called for the mask and for its complement."""
    compiled = paddle.jit.to_static(select)
    for wanted in (mask, ~mask):
        source, chosen = tensor(x), tensor(wanted)
        kept = masked_select(x, wanted)
        for call in ("first", "second"):
            poison(kept.nbytes)
            yield f"paddle.jit.to_static, {call} call", compiled(source, chosen).numpy(), kept
