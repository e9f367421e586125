"""static_program: x float32 [1] filled count, mask none, seed 0"""

from __future__ import annotations

from typing import Any
import numpy as np
import paddle


paddle.set_device('cpu')


POISON = -7.25e+77


def static_program(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By a program built for any sizes, run for the mask and for its reverse.

    Releases that fetch None for an empty result give an array of dtype object here.
    """
    masks = [mask, reverse(mask)]
    poison(x.nbytes)
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


def check(what: str, actual: Any, expected: Any, tolerance: Any) -> None:
    """Raise AssertionError where an answer is wrong; without a tolerance, every byte counts."""
    if callable(actual):  # an error is due
        expected.check(what, actual)
        return
    contrast = f"{what}: expected {expected!r}, got {actual!r}"
    if tolerance is not None:
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        assert actual.shape == expected.shape, contrast
        assert (np.abs(actual - expected) <= tolerance).all(), contrast
        return
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), contrast
    if actual.size <= 64:  # NaN payloads print alike
        contrast += f"; its bytes {actual.tobytes().hex()}, not {expected.tobytes().hex()}"
    assert actual.tobytes() == expected.tobytes(), contrast


def poison(nbytes: int) -> None:
    """Fill memory of `nbytes` on the current place with a pattern, and give it back.

    An output that a kernel never writes holds what its memory held before, which may be the answer
    to an earlier call (PaddlePaddle/Paddle#44181). After this it holds the pattern. Two pieces are
    filled because the allocator may hand the first to a kernel's scratch space. They are of the
    output's own size: a GPU's allocator hands out the smallest free piece that is large enough.
    """
    held = [paddle.full([max(1, -(-nbytes // 8))], POISON, "float64") for _ in range(2)]
    del held


def reverse(array: np.ndarray) -> np.ndarray:
    """A copy with the elements in reverse order, in the same shape."""
    return array.reshape(-1)[::-1].reshape(array.shape).copy()


def masked_select(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The elements of `x` at which the bool `mask` is True: 1-D, of x's dtype, in C order.

    `x` and `mask` broadcast to one shape first. Raises ValueError where they cannot.
    """
    whole, chosen = np.broadcast_arrays(x, mask)
    return np.asarray(whole[chosen])


x, mask = (
    np.array([1.0], dtype=np.float32).reshape((1,)),
    np.array([False], dtype=np.bool_).reshape((1,)),
)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in static_program(x=x, mask=mask):
        check(what, actual, expected, tolerance)
print("as expected")
