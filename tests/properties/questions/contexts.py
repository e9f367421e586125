"""How an operator is asked in a context: what surrounds the call, or what its inputs are.

Each context is a question. It takes the operator by name, and asks for its answer and, where there
is one, its gradient by x. What is written is 77, or False into a mask. x counts from 1 and has few
elements, so that what is doubled or added up is exact.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import paddle

from properties.oracle.arrays import reverse
from properties.oracle.selecting import (
    boolean_index,
    boolean_index_gradient,
    masked_fill,
    nonzero,
    zero_outside,
)
from properties.protocol.evidence import Answer, Answers
from properties.questions.memory import Tensor, contents, gradients, poison, tensor

SELECTING = ("masked_select", "x[mask]")
INDICES = ("nonzero", "where(mask)")
WRITING = ("x[mask] = v", "masked_fill", "where(mask, v, x)")


def result_of(operator: str, x: Tensor, mask: Tensor, value: int = 77) -> Tensor:
    """What the operator makes of a tensor and a mask.

    Raises NotImplementedError where Paddle has no such function.
    """
    if operator == "masked_select":
        return paddle.masked_select(x, mask)
    if operator == "x[mask]":
        return x[mask]
    if operator == "nonzero":
        return paddle.nonzero(mask)
    if operator == "where(mask)":
        return paddle.stack([axis.flatten() for axis in paddle.where(mask)], axis=1)
    if operator == "where(mask, v, x)":
        return paddle.where(mask, paddle.full_like(x, value), x)
    if operator == "masked_fill":
        if not hasattr(paddle, "masked_fill"):
            raise NotImplementedError("paddle has no masked_fill")
        return paddle.masked_fill(x, mask, value)
    written = x if x.stop_gradient else x.clone()  # Paddle refuses to write into such a leaf
    written[mask] = value
    return written


def due_of(operator: str, x: np.ndarray, mask: np.ndarray, value: int = 77) -> np.ndarray:
    """What NumPy makes of it."""
    if operator in INDICES:
        return nonzero(mask)
    return boolean_index(x, mask) if operator in SELECTING else masked_fill(x, mask, value)


def gradient_of(operator: str, mask: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    """The gradient by x, which has the mask's shape."""
    if operator in SELECTING:
        return boolean_index_gradient(mask.shape, mask, upstream)
    return zero_outside(upstream, ~mask)


def numbered(like: np.ndarray) -> np.ndarray:
    """A gradient from above whose elements differ: 1, 2, 3, …"""
    return np.arange(1, like.size + 1, dtype=like.dtype).reshape(like.shape)


def asked(
    operator: str,
    x: np.ndarray,
    mask: np.ndarray,
    leaf: Tensor,
    chosen: Tensor,
    doubled: bool = False,
) -> list[Answer]:
    """The operator's answer, and its gradient by the leaf; x is the leaf, or twice it."""
    due = due_of(operator, x, mask)
    source = leaf + leaf if doubled else leaf
    poison(due.nbytes, source)
    output = result_of(operator, source, chosen)
    found = [(operator, contents(output), due, None)]
    if operator not in INDICES:
        upstream = numbered(due)
        right = gradient_of(operator, mask, upstream) * (2 if doubled else 1)
        found += gradients(operator, output, tensor(upstream), x=(leaf, right.astype(x.dtype)))
    return found


def plainly(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """With nothing around it: what is of interest is x."""
    yield from asked(operator, x, mask, tensor(x, stop_gradient=False), tensor(mask))


def under_no_grad(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """Of an x that would take a gradient; what comes out takes none."""
    due, source, chosen = due_of(operator, x, mask), tensor(x, stop_gradient=False), tensor(mask)
    poison(due.nbytes, source)
    with paddle.no_grad():
        output = result_of(operator, source, chosen)
    yield operator, contents(output), due, None
    takes = np.array(not output.stop_gradient)
    yield "whether what comes out takes a gradient", takes, np.array(False), None


def under_auto_cast(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """Automatic mixed precision, level O1: copying keeps float32 as it is.

    Raises NotImplementedError, in the release's own words, where it has no effect: on the CPU.
    """
    source, chosen = tensor(x, stop_gradient=False), tensor(mask)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with paddle.amp.auto_cast():
            found = asked(operator, x, mask, source, chosen)
    for words in (str(warning.message) for warning in told):
        if "makes no effect" in words:
            raise NotImplementedError(words)
    yield from found


def in_another_thread(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """The call and its gradient, in a thread that did not make the tensors."""
    given = tensor(x, stop_gradient=False), tensor(mask)
    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(asked, operator, x, mask, *given).result()
    yield from found


def with_another_default_dtype(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """The default is the float dtype that x has not."""
    before = paddle.get_default_dtype()
    paddle.set_default_dtype("float32" if x.dtype == np.float64 else "float64")
    try:
        found = asked(operator, x, mask, tensor(x, stop_gradient=False), tensor(mask))
    finally:
        paddle.set_default_dtype(before)
    yield from found


def in_a_static_graph(x: np.ndarray, mask: np.ndarray, operator: str, axis: int = 0) -> Answers:
    """By a program that does not know the side of one axis, which is counted around."""
    due, shape = due_of(operator, x, mask), [*x.shape]
    shape[axis % x.ndim] = -1
    poison(due.nbytes, x)
    paddle.enable_static()
    try:
        program = paddle.static.Program()
        with paddle.static.program_guard(program):
            source = paddle.static.data("x", shape, str(x.dtype))
            chosen = paddle.static.data("mask", shape, "bool")
            output = result_of(operator, source, chosen)
        feed = {"x": x, "mask": mask}
        found = np.asarray(paddle.static.Executor().run(program, feed, [output])[0])
    finally:
        paddle.disable_static()
    yield operator, found, due, None


def with_create_graph(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """The gradient by x, which is linear in that from above, and its own gradient by the latter."""
    upstream, weights = numbered(due_of(operator, x, mask)), numbered(x)
    leaf, above = tensor(x, stop_gradient=False), tensor(upstream, stop_gradient=False)
    output = result_of(operator, leaf, tensor(mask))
    poison(x.nbytes, output)
    (first,) = paddle.grad([output], [leaf], [above], create_graph=True)
    poison(upstream.nbytes, first)
    (second,) = paddle.grad([first], [above], [tensor(weights)])
    due = gradient_of(operator, mask, upstream)
    yield f"gradient of {operator}", contents(first), due, None
    due = weights[mask] if operator in SELECTING else zero_outside(weights, ~mask)
    yield f"gradient of the gradient of {operator}", contents(second), due, None


def over_two_backward_passes(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """The gradient adds up: by the mask, then by the mask reversed."""
    leaf, due = tensor(x, stop_gradient=False), np.zeros_like(x)
    for wanted in (mask, reverse(mask)):
        upstream = numbered(due_of(operator, x, wanted))
        due += gradient_of(operator, wanted, upstream)
        output = result_of(operator, leaf, tensor(wanted))
        yield from gradients(f"{operator}, added up,", output, tensor(upstream), x=(leaf, due))


def of_two_results(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """One backward pass from two results of the same x: by the mask, and by the mask reversed."""
    leaf, due = tensor(x, stop_gradient=False), np.zeros_like(x)
    outputs, above = [], []
    for wanted in (mask, reverse(mask)):
        upstream = numbered(due_of(operator, x, wanted))
        due += gradient_of(operator, wanted, upstream)
        outputs.append(result_of(operator, leaf, tensor(wanted)))
        above.append(tensor(upstream))
    poison(due.nbytes, leaf)
    paddle.autograd.backward(outputs, above)
    yield f"gradient of {operator}, asked twice, by x", contents(leaf.grad), due, None


def of_one_tensor(mask: np.ndarray, operator: str) -> Answers:
    """x is the mask itself."""
    both, due = tensor(mask), due_of(operator, mask, mask, 0)
    poison(due.nbytes, both)
    output = result_of(operator, both, both, 0)
    yield f"{operator}, x and mask one tensor", contents(output), due, None


def by_a_comparison(x: np.ndarray, mask: np.ndarray, operator: str, sign: str) -> Answers:
    """By a mask that Paddle made from numbers: 3 where it is True, else 5."""
    numbers = tensor(np.where(mask, x.dtype.type(3), x.dtype.type(5)))
    chosen = {"==": numbers == 3, "!=": numbers != 5, "<": numbers < 4, "<=": numbers <= 3}[sign]
    yield from asked(operator, x, mask, tensor(x, stop_gradient=False), chosen)


def of_results(x: np.ndarray, mask: np.ndarray, operator: str) -> Answers:
    """x is a sum, whose gradient goes on, and the mask is cast, as in PP-YOLOE's head."""
    leaf, chosen = tensor(x, stop_gradient=False), tensor(mask.astype("int32")).astype("bool")
    yield from asked(operator, x + x, mask, leaf, chosen, doubled=True)
