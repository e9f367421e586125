"""there_and_back: x int8 [12] filled count"""

from __future__ import annotations

from typing import Any
import numpy as np
import paddle


paddle.set_device('cpu')


ADDED_UP = ('float32', 'float64', 'int32', 'int64', 'complex64', 'complex128')


def there_and_back(x: np.ndarray) -> Answers:
    """x as a tensor, and read back; then twice x, by one addition, where that is offered."""
    sent = paddle.to_tensor(x)
    yield f"{x.dtype} sent to Paddle and read back", contents(sent), x, None
    if str(x.dtype) in ADDED_UP:
        yield f"{x.dtype} added to itself", contents(sent + sent), x + x, None


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


def contents(made: Tensor) -> np.ndarray:
    """What the tensor holds, in its own shape: 2.5 makes a 1-D array of a 0-D tensor."""
    array: np.ndarray = made.numpy()
    return array.reshape(tuple(made.shape))


x = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], dtype=np.int8).reshape((12,))
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in there_and_back(x=x):
        check(what, actual, expected, tolerance)
print("as expected")
