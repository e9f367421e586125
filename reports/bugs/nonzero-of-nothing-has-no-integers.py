"""indices: x float32 [0] filled count, mask all, seed 0"""

from __future__ import annotations

from typing import Any, Callable
import numpy as np
import paddle


paddle.set_device('cpu')


POISON = -7.25e+77


def indices(x: np.ndarray, mask: np.ndarray) -> Answers:
    """By the mask, and by the mask reversed."""
    for wanted in (mask, reverse(mask)):
        yield from indices_once(x, wanted)


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


def reverse(array: np.ndarray) -> np.ndarray:
    """A copy with the elements in reverse order, in the same shape."""
    return array.reshape(-1)[::-1].reshape(array.shape).copy()


def indices_once(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of x where the mask is True, else 0: as a function, as a method, by axis; and of the mask."""
    array = zero_outside(x, mask)
    due, source = nonzero(array), tensor(array)
    yield fresh("paddle.nonzero", due, paddle.nonzero, source)
    yield fresh("Tensor.nonzero", due, source.nonzero)
    yield fresh_axes("nonzero as a tuple", due, paddle.nonzero, source, as_tuple=True)
    yield fresh("nonzero of the mask", nonzero(mask), paddle.nonzero, tensor(mask))


def zero_outside(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x` where the bool `mask` is True, else 0; the two broadcast first."""
    return where(mask, x, np.zeros((), x.dtype))


def nonzero(x: np.ndarray) -> np.ndarray:
    """Where `x` is not zero: int64 [N, rank], a row for each element, in C order.

    NaN is not zero; -0.0 is.
    """
    return np.argwhere(x).astype(np.int64)


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


def fresh(
    what: str, due: np.ndarray, call: Callable[..., Tensor], *given: Any, **options: Any
) -> Answer:
    """The answer of a call, after memory of its output's size was poisoned."""
    poison(due.nbytes)
    return what, contents(call(*given, **options)), due, None


def fresh_axes(
    what: str, due: np.ndarray, call: Callable[..., Any], *given: Tensor, **options: bool
) -> Answer:
    """As `fresh`, for a call that gives a tensor of indices for each axis: they are put together.

    Each axis is [N, 1] in what releases before 3.1 document and [N] in later ones
    (PaddlePaddle/Paddle#72003), so that side by side they are [N, rank, 1] or [N, rank].
    """
    poison(due.nbytes)
    axes = np.stack([axis.numpy() for axis in call(*given, **options)], axis=1)
    return what, axes, due[:, :, None] if axes.ndim == 3 else due, None


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


def where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`x` where the bool `condition` is True, else `y`; the three broadcast to one shape first."""
    return np.where(condition, x, y)


x, mask = (
    np.array([], dtype=np.float32).reshape((0,)),
    np.array([], dtype=np.bool_).reshape((0,)),
)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in indices(x=x, mask=mask):
        check(what, actual, expected, tolerance)
print("as expected")
