"""filling: x float32 [0] filled count, mask all, seed 0"""

from __future__ import annotations

from typing import Any, Callable
import numpy as np
import paddle


paddle.set_device('cpu')


POISON = -7.25e+77


def filling(x: np.ndarray, mask: np.ndarray, number: int = 77) -> Answers:
    """By a number, as a function and as a method, and by a 0-D tensor; where the mask is False."""
    fill = offered_function("masked_fill")
    source, value = tensor(x), tensor(np.array(number, x.dtype))
    for wanted in (mask, ~mask):
        due, chosen = masked_fill(x, wanted, number), tensor(wanted)
        yield fresh("paddle.masked_fill", due, fill, source, chosen, number)
        yield fresh("Tensor.masked_fill", due, source.masked_fill, chosen, number)
        yield fresh("masked_fill by a 0-D tensor", due, fill, source, chosen, value)


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


def offered_function(name: str) -> Any:
    """The function of Paddle by that name. Raises NotImplementedError where there is none."""
    if not hasattr(paddle, name):
        raise NotImplementedError(f"paddle has no {name}")
    return getattr(paddle, name)


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


def masked_fill(x: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
    """`value` where the bool `mask` is True, else `x`, of x's dtype; x and mask broadcast first."""
    return where(mask, np.asarray(value, x.dtype), x)


def fresh(
    what: str, due: np.ndarray, call: Callable[..., Tensor], *given: Any, **options: Any
) -> Answer:
    """The answer of a call, after memory of its output's size was poisoned."""
    poison(due.nbytes)
    return what, contents(call(*given, **options)), due, None


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


def where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`x` where the bool `condition` is True, else `y`; the three broadcast to one shape first."""
    return np.where(condition, x, y)


def same_data(made: Tensor, array: np.ndarray, maker: str) -> None:
    """Raise AssertionError, which blames `maker`, unless the tensor holds the array's bytes."""
    held, shape = made.numpy(), tuple(made.shape)
    same = (held.dtype, shape, held.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert same, f"{maker} changed the data, before any call: {array!r} became {held!r}"


x, mask = (
    np.array([], dtype=np.float32).reshape((0,)),
    np.array([], dtype=np.bool_).reshape((0,)),
)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in filling(x=x, mask=mask):
        check(what, actual, expected, tolerance)
print("as expected")
