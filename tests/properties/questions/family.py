"""How the rest of the kernel's family is asked: `nonzero`, boolean indices, `where`, `masked_fill`.

Questions of the form that questions.py explains. What is asked for may be younger than a release:
where it has no such function, NotImplementedError says so. The number that is written, 77, is one
that every dtype holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle

from properties.oracle.selecting import (
    assigned,
    boolean_index,
    boolean_index_gradient,
    masked_fill,
    nonzero,
    where,
)
from properties.questions.masked_selection import Answers, Tensor, same_data, tensor, view
from properties.questions.memory import poison


def offered(name: str) -> Any:
    """The function of Paddle by that name. Raises NotImplementedError where there is none."""
    if not hasattr(paddle, name):
        raise NotImplementedError(f"paddle has no {name}")
    return getattr(paddle, name)


def held(made: Tensor) -> np.ndarray:
    """What the tensor holds, in its own shape: 2.5 makes a 1-D array of a 0-D tensor."""
    array: np.ndarray = made.numpy()
    return array.reshape(tuple(made.shape))


def zeroed(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x` where the mask is True, else 0."""
    return where(mask, x, np.zeros((), x.dtype))


def flipped(x: np.ndarray) -> np.ndarray:
    """Another array of x's shape and dtype: its elements, the last first."""
    return x.reshape(-1)[::-1].reshape(x.shape).copy()


# nonzero, and where of one argument


def indices(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By the mask, and by the mask reversed."""
    for wanted in (mask, flipped(mask)):
        yield from indices_once(x, wanted)


def indices_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of x where the mask is True, else 0: as a function, as a method, by axis; and of the mask."""
    array = zeroed(x, mask)
    due, masked = nonzero(array), nonzero(mask)
    source, chosen = tensor(array), tensor(mask)
    poison(due.nbytes)
    yield "paddle.nonzero", paddle.nonzero(source).numpy(), due
    poison(due.nbytes)
    yield "Tensor.nonzero", source.nonzero().numpy(), due
    poison(due.nbytes)
    yield ("nonzero as a tuple", *side_by_side(paddle.nonzero(source, as_tuple=True), due))
    poison(masked.nbytes)
    yield "nonzero of the mask", paddle.nonzero(chosen).numpy(), masked


def indices_of_nan(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of NaN where the mask is True, else -0.0: what x holds does not matter."""
    for wanted in (mask, flipped(mask)):
        array = where(wanted, np.array(np.nan, x.dtype), np.array(-0.0, x.dtype))
        due, source = nonzero(array), tensor(array)
        poison(due.nbytes)
        yield "nonzero of NaN and -0.0", paddle.nonzero(source).numpy(), due
        poison(due.nbytes)
        yield ("as a tuple", *side_by_side(paddle.nonzero(source, as_tuple=True), due))


def side_by_side(axes: Sequence[Tensor], due: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The indices of every axis, side by side, and the `due` [N, rank] in the same layout.

    Each axis is [N, 1] in what releases before 3.1 document and [N] in later ones
    (PaddlePaddle/Paddle#72003), so that side by side they are [N, rank, 1] or [N, rank].
    """
    given = np.stack([axis.numpy() for axis in axes], axis=1)
    return given, due[:, :, None] if given.ndim == 3 else due


def indices_of_views(
    x: np.ndarray, mask: np.ndarray, permutation: tuple[int, ...], index: tuple[slice, ...]
) -> Answers:
    """Of a view of x, which is 0 where the mask is False, and of the same view of the mask."""
    for name, array in (("x", zeroed(x, mask)), ("the mask", mask)):
        seen = np.ascontiguousarray(view(array, permutation, index))
        source = view(tensor(array), permutation, index)
        same_data(source, seen, f"the view of {name}")
        due = nonzero(seen)
        poison(due.nbytes)
        yield f"nonzero of the view of {name}", paddle.nonzero(source).numpy(), due


def indices_of_rows(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of every row: on the GPU, rows of an odd width do not start where a vector load may."""
    array = zeroed(x, mask)
    source = tensor(array)
    for number, row in enumerate(array):
        due = nonzero(row)
        poison(due.nbytes)
        yield f"nonzero of row {number}", paddle.nonzero(source[number]).numpy(), due


def input_of_nonzero(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The input itself, after the calls."""
    source, chosen = tensor(x), tensor(mask)
    paddle.nonzero(source)
    paddle.nonzero(chosen, as_tuple=True)
    yield "x after the call", source.numpy(), x
    yield "mask after the call", chosen.numpy(), mask


def indices_by_where(x: np.ndarray, mask: np.ndarray) -> Answers:
    """`paddle.where` of the mask alone, and of the mask reversed, by turns."""
    for wanted in (mask, flipped(mask)) * 2:
        due, condition = nonzero(wanted), tensor(wanted)
        poison(due.nbytes)
        yield ("paddle.where(mask)", *side_by_side(paddle.where(condition), due))


# boolean indices: x[mask], and x[mask] = value


def reading(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask chooses, and what it leaves out; and by the mask reversed."""
    source = tensor(x)
    for wanted in (mask, ~mask, flipped(mask), ~flipped(mask)):
        due, chosen = boolean_index(x, wanted), tensor(wanted)
        poison(due.nbytes)
        yield "x[mask]", source[chosen].numpy(), due


def reading_alike(x: np.ndarray, mask: np.ndarray) -> Answers:
    """What the mask chooses, four times: some faults come and go."""
    due = boolean_index(x, mask)
    source, chosen = tensor(x), tensor(mask)
    for _ in range(4):
        poison(due.nbytes)
        yield "x[mask]", source[chosen].numpy(), due


def reading_of_views(
    x: np.ndarray, mask: np.ndarray, permutation: tuple[int, ...], index: tuple[slice, ...]
) -> Answers:
    """From a view of x, with the mask stored as the view reads, and with the same view of it."""
    seen, wanted = (np.ascontiguousarray(view(a, permutation, index)) for a in (x, mask))
    due = boolean_index(seen, wanted)
    source, chosen = (view(tensor(a), permutation, index) for a in (x, mask))
    same_data(source, seen, "the view of x")
    same_data(chosen, wanted, "the view of the mask")
    poison(due.nbytes)
    yield "view of x[mask]", source[tensor(wanted)].numpy(), due
    poison(due.nbytes)
    yield "view of x[view of mask]", source[chosen].numpy(), due


def reading_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient, for an upstream gradient whose elements differ."""
    for wanted in (mask, ~mask, flipped(mask)):
        upstream = flipped(boolean_index(x, wanted))
        leaf, above = tensor(x, stop_gradient=False), tensor(upstream)
        chosen = leaf[tensor(wanted)]
        poison(x.nbytes)
        chosen.backward(above)
        assert leaf.grad is not None, "no gradient reached x"
        due = boolean_index_gradient(x.shape, wanted, upstream)
        yield "gradient of x[mask]", leaf.grad.numpy(), due


def inputs_of_reading(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The inputs themselves, after the call and its gradient."""
    source, chosen = tensor(x, stop_gradient=False), tensor(mask)
    read = source[chosen]
    read.backward(paddle.ones_like(read))
    yield "x after the call", source.numpy(), x
    yield "mask after the call", chosen.numpy(), mask


def assigning_a_number(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """x after `x[mask] = number`, after the same with a tensor of one element, and for ~mask."""
    one = np.array([number], x.dtype)
    for wanted in (mask, ~mask, flipped(mask)):
        due, chosen = assigned(x, wanted, number), tensor(wanted)
        for value in (number, tensor(one)):
            target = tensor(x)
            poison(x.nbytes)
            target[chosen] = value
            yield f"x[mask] = {number}", target.numpy(), due


def assigning_elements(x: np.ndarray, mask: np.ndarray) -> Answers:
    """x after `x[mask] = tensor`, an element for each one that is chosen; and for ~mask."""
    for wanted in (mask, ~mask, flipped(mask), ~flipped(mask)):
        elements = boolean_index(flipped(x), wanted)
        target, chosen, value = tensor(x), tensor(wanted), tensor(elements)
        poison(x.nbytes)
        target[chosen] = value
        yield "x[mask] = tensor", target.numpy(), assigned(x, wanted, elements)


def assigning_over_nan(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """x after `x[mask] = number`, where x held NaN, infinities and great numbers there."""
    held = np.resize(np.array([np.nan, np.inf, -np.inf, 1e30], x.dtype), np.count_nonzero(mask))
    due, chosen = assigned(x, mask, number), tensor(mask)
    one = tensor(np.array([number], x.dtype))
    for name, value in (("a number", number), ("a tensor", one)):
        target = tensor(assigned(x, mask, held))
        poison(x.nbytes)
        target[chosen] = value
        yield f"{name} over NaN and infinities", target.numpy(), due


def assigning_an_element(x: np.ndarray, mask: np.ndarray) -> Answers:
    """x after `x[mask] = tensor` of one element, the last of x, whatever its bits."""
    element = x.reshape(-1)[-1:].copy()
    target, chosen, value = tensor(x), tensor(mask), tensor(element)
    poison(x.nbytes)
    target[chosen] = value
    yield "x[mask] = tensor of one element", target.numpy(), assigned(x, mask, element)


def assigning_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradients of `x[mask] = tensor`: none for what was overwritten, all for the tensor."""
    elements, upstream = boolean_index(x, mask), flipped(x)
    leaf, value = tensor(x, stop_gradient=False), tensor(elements, stop_gradient=False)
    target = leaf.clone()
    target[tensor(mask)] = value
    poison(x.nbytes)
    target.backward(tensor(upstream))
    assert leaf.grad is not None, "no gradient reached x"
    assert value.grad is not None, "no gradient reached the value"
    yield "gradient by x", leaf.grad.numpy(), zeroed(upstream, ~mask)
    yield "gradient by the value", value.grad.numpy(), boolean_index(upstream, mask)


def assigning_gradient_of_one(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradients of `x[mask] = tensor` of one element: its own is the sum of all that comes in.

    x counts from 1 and has few elements, so that the sum is exact in whatever order.
    """
    leaf = tensor(x, stop_gradient=False)
    value = tensor(np.array([number], x.dtype), stop_gradient=False)
    target = leaf.clone()
    target[tensor(mask)] = value
    poison(x.nbytes)
    target.backward(tensor(x))
    assert leaf.grad is not None, "no gradient reached x"
    assert value.grad is not None, "no gradient reached the value"
    yield "gradient by x", leaf.grad.numpy(), zeroed(x, ~mask)
    yield "gradient by the value", value.grad.numpy(), np.array([x[mask].sum()], x.dtype)


def inputs_of_assigning(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The mask and the value, after the assignment."""
    one = np.array([number], x.dtype)
    target, chosen, value = tensor(x), tensor(mask), tensor(one)
    target[chosen] = value
    yield "mask after the assignment", chosen.numpy(), mask
    yield "value after the assignment", value.numpy(), one


# where of three arguments


def choosing(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Between x and its elements reversed: as a function, both ways round, and as a method."""
    other = flipped(x)
    one, two = tensor(x), tensor(other)
    for wanted in (mask, flipped(mask)):
        condition = tensor(wanted)
        due, swapped = where(wanted, x, other), where(wanted, other, x)
        poison(due.nbytes)
        yield "paddle.where(mask, x, y)", held(paddle.where(condition, one, two)), due
        poison(due.nbytes)
        yield "paddle.where(mask, y, x)", held(paddle.where(condition, two, one)), swapped
        poison(due.nbytes)
        yield "mask.where(x, y)", held(condition.where(one, two)), due


def choosing_from_views(
    x: np.ndarray, mask: np.ndarray, permutation: tuple[int, ...], index: tuple[slice, ...]
) -> Answers:
    """Between a view of x and what it holds reversed, with the mask stored and as a view."""
    seen, wanted = (np.ascontiguousarray(view(a, permutation, index)) for a in (x, mask))
    other = flipped(seen)
    due = where(wanted, seen, other)
    source, condition = (view(tensor(a), permutation, index) for a in (x, mask))
    same_data(source, seen, "the view of x")
    same_data(condition, wanted, "the view of the mask")
    poison(due.nbytes)
    yield "where of views", paddle.where(condition, source, tensor(other)).numpy(), due
    poison(due.nbytes)
    due = where(wanted, other, seen)
    yield "where of a view", paddle.where(tensor(wanted), tensor(other), source).numpy(), due


def choosing_gradient(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient by either side, for an upstream gradient whose elements differ."""
    upstream = flipped(x)
    for wanted in (mask, flipped(mask)):
        one, two = tensor(x, stop_gradient=False), tensor(upstream, stop_gradient=False)
        chosen = paddle.where(tensor(wanted), one, two)
        poison(x.nbytes)
        chosen.backward(tensor(upstream))
        for name, leaf, passed in (("x", one, wanted), ("y", two, ~wanted)):
            assert leaf.grad is not None, f"no gradient reached {name}"
            yield f"gradient of where by {name}", leaf.grad.numpy(), zeroed(upstream, passed)


def inputs_of_choosing(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The inputs themselves, after the call and its gradient."""
    other = flipped(x)
    condition, one, two = tensor(mask), tensor(x, stop_gradient=False), tensor(other)
    chosen = paddle.where(condition, one, two)
    chosen.backward(paddle.ones_like(chosen))
    for name, held, due in (("x", one, x), ("y", two, other), ("mask", condition, mask)):
        yield f"{name} after the call", held.numpy(), due


# masked_fill


def filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """By a number, as a function and as a method, and by a 0-D tensor; where the mask is False."""
    fill = offered("masked_fill")
    source, value = tensor(x), tensor(np.array(number, x.dtype))
    for wanted in (mask, ~mask):
        due, chosen = masked_fill(x, wanted, number), tensor(wanted)
        poison(due.nbytes)
        yield "paddle.masked_fill", fill(source, chosen, number).numpy(), due
        poison(due.nbytes)
        yield "Tensor.masked_fill", source.masked_fill(chosen, number).numpy(), due
        poison(due.nbytes)
        yield "masked_fill by a 0-D tensor", fill(source, chosen, value).numpy(), due


def filling_with_an_element(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a 0-D tensor that holds the last element of x, whatever its bits; also where not mask."""
    fill = offered("masked_fill")
    element = x.reshape(-1)[-1:].reshape(()).copy()
    source, value = tensor(x), tensor(element)
    for wanted in (mask, ~mask, flipped(mask), ~flipped(mask)):
        due, chosen = masked_fill(x, wanted, element), tensor(wanted)
        poison(due.nbytes)
        yield "masked_fill by an element", fill(source, chosen, value).numpy(), due


def filling_in_place(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """`masked_fill_`, as a function and as a method: what x holds, and what comes back."""
    fill = offered("masked_fill_")
    due, chosen = masked_fill(x, mask, number), tensor(mask)
    one, other = tensor(x), tensor(x)
    poison(due.nbytes)
    yield "paddle.masked_fill_", fill(one, chosen, number).numpy(), due
    yield "x after paddle.masked_fill_", one.numpy(), due
    poison(due.nbytes)
    yield "Tensor.masked_fill_", other.masked_fill_(chosen, number).numpy(), due
    yield "x after Tensor.masked_fill_", other.numpy(), due


def filling_of_views(
    x: np.ndarray,
    mask: np.ndarray,
    permutation: tuple[int, ...],
    index: tuple[slice, ...],
    number: int = 77,
) -> Answers:
    """Of a view of x, with the mask stored as the view reads, and with the same view of it."""
    fill = offered("masked_fill")
    seen, wanted = (np.ascontiguousarray(view(a, permutation, index)) for a in (x, mask))
    due = masked_fill(seen, wanted, number)
    source, chosen = (view(tensor(a), permutation, index) for a in (x, mask))
    same_data(source, seen, "the view of x")
    same_data(chosen, wanted, "the view of the mask")
    poison(due.nbytes)
    yield "masked_fill of a view", fill(source, tensor(wanted), number).numpy(), due
    poison(due.nbytes)
    yield "masked_fill of views", fill(source, chosen, number).numpy(), due


def filling_gradient(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradient by x: none where x was filled, and the upstream gradient elsewhere."""
    fill = offered("masked_fill")
    upstream = flipped(x)
    for wanted in (mask, ~mask):
        leaf = tensor(x, stop_gradient=False)
        filled = fill(leaf, tensor(wanted), number)
        poison(x.nbytes)
        filled.backward(tensor(upstream))
        assert leaf.grad is not None, "no gradient reached x"
        yield "gradient of masked_fill by x", leaf.grad.numpy(), zeroed(upstream, ~wanted)


def filling_gradient_by_value(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The gradient by the value, a 0-D tensor: the sum of what comes in where x was filled.

    x counts from 1 and has few elements, so that the sum is exact in whatever order.
    """
    fill = offered("masked_fill")
    due = np.array(x[mask].sum(), x.dtype)
    for form, alone in (("alone", True), ("beside that by x", False)):
        value = tensor(np.array(number, x.dtype), stop_gradient=False)
        filled = fill(tensor(x, stop_gradient=alone), tensor(mask), value)
        poison(x.nbytes)
        filled.backward(tensor(x))
        assert value.grad is not None, "no gradient reached the value"
        yield f"gradient of masked_fill by the value, {form}", value.grad.numpy(), due


def inputs_of_filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """The inputs themselves, after the call and its gradient."""
    fill = offered("masked_fill")
    source, chosen = tensor(x, stop_gradient=False), tensor(mask)
    filled = fill(source, chosen, number)
    filled.backward(paddle.ones_like(filled))
    yield "x after the call", source.numpy(), x
    yield "mask after the call", chosen.numpy(), mask


# Published cases, each asked 20 times: the memory that a call is given may be right by chance.


def published_selection(
    x: np.ndarray, mask: np.ndarray, right: np.ndarray, permutation: tuple[int, ...] = ()
) -> Answers:
    """`masked_select` from x, or from x with its axes permuted."""
    source, chosen = tensor(x), tensor(mask)
    source = source.transpose(list(permutation)) if permutation else source
    for _ in range(20):
        poison(right.nbytes)
        yield "paddle.masked_select", paddle.masked_select(source, chosen).numpy(), right


def published_reading(x: np.ndarray, mask: np.ndarray, right: np.ndarray) -> Answers:
    """`x[mask]`."""
    source, chosen = tensor(x), tensor(mask)
    for _ in range(20):
        poison(right.nbytes)
        yield "x[mask]", source[chosen].numpy(), right


def published_indices(x: np.ndarray, right: np.ndarray, row: int | None = None) -> Answers:
    """`nonzero` of x, or of one of its rows."""
    source = tensor(x) if row is None else tensor(x)[row]
    for _ in range(20):
        poison(right.nbytes)
        yield "paddle.nonzero", paddle.nonzero(source).numpy(), right


def published_refusal(x: np.ndarray, right: np.ndarray, classes: int) -> Answers:
    """Whether `cross_entropy` refuses the label, with one of the two errors that threads show."""
    for _ in range(20):
        try:
            loss_of_label(x, classes)
            refused = False
        except (ValueError, IndexError):
            refused = True
        yield f"label {x.tolist()} of {classes} classes is refused", np.array(refused), right


def loss_of_label(x: np.ndarray, classes: int) -> np.ndarray:
    """What `cross_entropy` makes of the label, for logits that are 0."""
    logits, labels = paddle.zeros([x.size, classes]), tensor(x.reshape(-1, 1))
    poison(x.nbytes)
    losses: np.ndarray = paddle.nn.functional.cross_entropy(logits, labels).numpy()
    return losses
