"""gradient_of_sum: x float32 [1] filled count, mask none, seed 0"""

from __future__ import annotations

from typing import Any
import numpy as np
import paddle


paddle.set_device('cpu')


FORMS = ('function', 'method')
POISON = -7.25e+77


def gradient_of_sum(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The gradient of the plain sum, as in a loss: 1 where selected, else 0."""
    for form in FORMS:
        leaf, chosen = tensor(x, stop_gradient=False), tensor(mask)
        total = selected_as(form, leaf, chosen).sum()
        yield from gradients(f"the {form}'s sum", total, None, x=(leaf, mask.astype(x.dtype)))


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


def gradients(
    what: str, output: Tensor, upstream: Tensor | None, **leaves: tuple[Tensor, np.ndarray]
) -> Answers:
    """The gradient of `output` by each leaf, after memory of its size was poisoned.

    `leaves` are tensors, each with the gradient that is due, by name. Raises AssertionError where
    a leaf has no gradient.
    """
    for _, due in leaves.values():
        poison(due.nbytes)
    output.backward(upstream)
    for name, (leaf, due) in leaves.items():
        assert leaf.grad is not None, f"no gradient reached {name}"
        yield f"gradient of {what} by {name}", contents(leaf.grad), due, None


def selected_as(form: str, x: Tensor, mask: Tensor) -> Tensor:
    """The selection by one of its two forms."""
    return paddle.masked_select(x, mask) if form == "function" else x.masked_select(mask)


def poison(nbytes: int) -> None:
    """Fill memory of `nbytes` on the current place with a pattern, and give it back.

    An output that a kernel never writes holds what its memory held before, which may be the answer
    to an earlier call (PaddlePaddle/Paddle#44181). After this it holds the pattern. Two pieces are
    filled because the allocator may hand the first to a kernel's scratch space. They are of the
    output's own size: a GPU's allocator hands out the smallest free piece that is large enough.
    """
    held = [paddle.full([max(1, -(-nbytes // 8))], POISON, "float64") for _ in range(2)]
    del held


def contents(made: Tensor) -> np.ndarray:
    """What the tensor holds, in its own shape: 2.5 makes a 1-D array of a 0-D tensor."""
    array: np.ndarray = made.numpy()
    return array.reshape(tuple(made.shape))


def same_data(made: Tensor, array: np.ndarray, maker: str) -> None:
    """Raise AssertionError, which blames `maker`, unless the tensor holds the array's bytes."""
    held, shape = made.numpy(), tuple(made.shape)
    same = (held.dtype, shape, held.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert same, f"{maker} changed the data, before any call: {array!r} became {held!r}"


x, mask = (
    np.array([1.0], dtype=np.float32).reshape((1,)),
    np.array([False], dtype=np.bool_).reshape((1,)),
)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in gradient_of_sum(x=x, mask=mask):
        check(what, actual, expected, tolerance)
print("as expected")
