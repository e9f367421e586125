"""assigning_elements: x int32 [3] filled count, mask first, seed 0"""

from __future__ import annotations

from typing import Any, Callable
import numpy as np
import paddle


paddle.set_device('cpu')


POISON = -7.25e+77


def assigning_elements(x: np.ndarray, mask: np.ndarray) -> Answers:
    """x after `x[mask] = tensor`, an element for each one that is chosen; and for ~mask."""
    for wanted in (mask, ~mask, reverse(mask), ~reverse(mask)):
        elements = boolean_index(reverse(x), wanted)
        due, value = assignment(x, wanted, elements), tensor(elements)
        yield fresh("x[mask] = tensor", due, set_masked, tensor(x), tensor(wanted), value)


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


def boolean_index(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x[mask]`: [N, *rest], for a bool `mask` over x's leading axes and `rest` the sides left."""
    return np.asarray(x[mask])


def assignment(x: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
    """What `x` holds after `x[mask] = value`; x itself stays as it is."""
    after = x.copy()
    after[mask] = value
    return after


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


def set_masked(target: Tensor, chosen: Tensor, value: Any) -> Tensor:
    """The target, after `target[chosen] = value`."""
    target[chosen] = value
    return target


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
    np.array([1, 2, 3], dtype=np.int32).reshape((3,)),
    np.array([True, False, False], dtype=np.bool_).reshape((3,)),
)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in assigning_elements(x=x, mask=mask):
        check(what, actual, expected, tolerance)
print("as expected")
