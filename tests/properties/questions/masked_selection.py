"""How `paddle.masked_select` is asked: by each of its forms, in every mode of Paddle."""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle

from properties.oracle.arrays import ArrayView, reverse
from properties.oracle.selecting import masked_select, masked_select_gradient
from properties.protocol.evidence import Answers, Refusal
from properties.questions.memory import (
    Tensor,
    both_views,
    fresh,
    gradients,
    inputs_after,
    poison,
    tensor,
)

FORMS = ("function", "method")


def select(x: object, mask: object) -> object:
    """A function for `paddle.jit.to_static`. 2.2 evaluates its annotations: built-ins alone."""
    return paddle.masked_select(x, mask)


def selected_as(form: str, x: Tensor, mask: Tensor) -> Tensor:
    """The selection by one of its two forms."""
    return paddle.masked_select(x, mask) if form == "function" else x.masked_select(mask)


def answers_of_forms(what: str, due: np.ndarray, source: Tensor, chosen: Tensor) -> Answers:
    """The selection as a function and as a method."""
    for form in FORMS:
        yield fresh(f"{what}, by the {form}", due, selected_as, form, source, chosen)


def mask_and_rest(mask: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The mask and its complement, each with a word for what it selects."""
    rest = np.logical_not(mask, out=np.empty(mask.shape, bool))  # an array also of no dimension
    return [("kept", mask), ("left out", rest)]


def all_forms(x: np.ndarray, mask: np.ndarray) -> Answers:
    """As a function and as a method; of x and of x laid out flat; kept and left out."""
    yield from of_tensor("x", tensor(x), x, mask)
    if x.shape == mask.shape and x.ndim > 1 and x.size < 1024:  # a large one costs too much time
        flat, flat_mask = x.reshape(-1), mask.reshape(-1)
        yield from of_tensor("x laid out flat", tensor(flat), flat, flat_mask)


def of_tensor(name: str, source: Tensor, x: np.ndarray, mask: np.ndarray) -> Answers:
    """From a tensor that holds x: what the mask keeps, and what it leaves out."""
    for which, wanted in mask_and_rest(mask):
        due, chosen = masked_select(x, wanted), tensor(wanted)
        yield from answers_of_forms(f"what is {which} of {name}", due, source, chosen)


def once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask keeps, by the function alone: for tensors that cost much time."""
    due = masked_select(x, mask)
    yield fresh("paddle.masked_select", due, paddle.masked_select, tensor(x), tensor(mask))


def gradient_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient by x of what the mask keeps, by the function alone."""
    upstream, leaf = masked_select(x, mask)[::-1].copy(), tensor(x, stop_gradient=False)
    due, selected = (
        masked_select_gradient(x.shape, mask, upstream),
        selected_as("function", leaf, tensor(mask)),
    )
    yield from gradients("masked_select", selected, tensor(upstream), x=(leaf, due))


def gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient, for an upstream gradient whose elements differ: the selected ones, reversed."""
    for which, wanted in mask_and_rest(mask):
        upstream = masked_select(x, wanted)[::-1].copy()
        due = masked_select_gradient(x.shape, wanted, upstream)
        chosen, above = tensor(wanted), tensor(upstream)
        for form in FORMS:
            leaf, what = tensor(x, stop_gradient=False), f"what is {which}, by the {form},"
            yield from gradients(what, selected_as(form, leaf, chosen), above, x=(leaf, due))


def gradient_of_sum(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient of the plain sum, as in a loss: 1 where selected, else 0."""
    for form in FORMS:
        leaf, chosen = tensor(x, stop_gradient=False), tensor(mask)
        total = selected_as(form, leaf, chosen).sum()
        yield from gradients(f"the {form}'s sum", total, None, x=(leaf, mask.astype(x.dtype)))


def gradient_of_weighted_sum(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient of the sum of what is selected times a weight each, as in a weighted loss."""
    weights = reverse(masked_select(x, mask))
    for form in FORMS:
        leaf = tensor(x, stop_gradient=False)
        total = (selected_as(form, leaf, tensor(mask)) * tensor(weights)).sum()
        due = masked_select_gradient(x.shape, mask, weights)
        yield from gradients(f"the {form}'s weighted sum", total, None, x=(leaf, due))


def inputs_of_selecting(x: np.ndarray, mask: np.ndarray) -> Answers:
    return inputs_after(paddle.masked_select, x=x, mask=mask)


def after_overwriting(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The selection after x was overwritten, and the reverse: they share no memory."""
    due, source, other = masked_select(x, mask), tensor(x), tensor(x)
    kept = paddle.masked_select(source, tensor(mask))
    source.set_value(np.zeros_like(x))
    yield "the selection, x overwritten", kept.numpy(), due, None
    kept = paddle.masked_select(other, tensor(mask))
    if kept.shape[0]:
        kept.set_value(np.zeros_like(due))
    yield "x, the selection overwritten", other.numpy(), x, None


def by_bytes(x: np.ndarray, mask: np.ndarray, byte: int) -> Answers:
    """By a mask whose true elements are stored as `byte`: every byte but 0 is true."""
    source = tensor(x)
    for which, wanted in mask_and_rest(mask):
        stored = np.multiply(wanted, byte, dtype=np.uint8).view(np.bool_)
        what = f"what is {which} by bytes {byte}"
        yield from answers_of_forms(what, masked_select(x, wanted), source, tensor(stored))


def of_views(x: np.ndarray, mask: np.ndarray, seen: ArrayView) -> Answers:
    """From a view of x, with the mask stored as the view reads, and with the same view of it."""
    source, chosen, array, wanted = both_views(x, mask, seen)
    yield from of_tensor("a view of x", source, array, wanted)
    yield from answers_of_forms("views of x and mask", masked_select(array, wanted), source, chosen)


def static_program(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a program built for any sizes, run for the mask and for its reverse.

    Releases that fetch None for an empty result give an array of dtype object here.
    """
    masks = [mask, reverse(mask)]
    poison(x.nbytes, x)
    paddle.enable_static()
    try:
        program = paddle.static.Program()
        with paddle.static.program_guard(program):
            source = paddle.static.data("x", [None] * x.ndim, str(x.dtype))
            chosen = paddle.static.data("mask", [None] * x.ndim, "bool")
            selected = paddle.masked_select(source, chosen)
        executor = paddle.static.Executor()
        feeds = [{"x": x, "mask": wanted} for wanted in masks]
        found = [np.asarray(executor.run(program, feed, [selected])[0]) for feed in feeds]
    finally:
        paddle.disable_static()
    for wanted, selected in zip(masks, found):
        yield "static graph", selected, masked_select(x, wanted), None


def to_static(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a compiled function, called for the mask and for its complement."""
    compiled = paddle.jit.to_static(select)
    for _, wanted in mask_and_rest(mask):
        due, source, chosen = masked_select(x, wanted), tensor(x), tensor(wanted)
        for call in ("first", "second"):
            yield fresh(f"paddle.jit.to_static, {call} call", due, compiled, source, chosen)


def misfits(x: np.ndarray, mask: np.ndarray, mask_dtype: str = "bool") -> Answers:
    """A mask that does not fit x, or is not boolean: by either form it is due an error.

    The selection is read from the device, which may raise its error late.
    """
    source, chosen = tensor(x), tensor(mask.astype(mask_dtype))
    for form in FORMS:
        what = f"a selection that makes no sense, by the {form}"
        yield what, partial(fresh, what, x, selected_as, form, source, chosen), Refusal(), None
