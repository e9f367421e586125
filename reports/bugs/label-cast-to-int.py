"""wrong_label: dfl_inputs(reg_range=(0, 17), dtype='float32', pattern='inside', count=1, spread=4.0, seed=0), label -9223372036854775808, place 0"""

from __future__ import annotations

from functools import partial
from math import log
from typing import Any, Callable, NamedTuple
import numpy as np
import paddle
import re


paddle.set_device('cpu')


def dfl_inputs(
    reg_range: RegRange,
    dtype: str,
    pattern: str | tuple[float, ...],
    count: int,
    spread: float,
    seed: int,
) -> DflInputs:
    """Logits [N, 4, C] within `spread` of 0, targets [N, 4] and weights [N] in [0, 1) of `dtype`.

    `pattern` is the targets themselves, "inside" the range, or "edges", from `bin_edges`.
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    logits = draw.uniform(-spread, spread, (count, 4, high - low)).astype(dtype)
    weights = draw.uniform(0, 1, count).astype(dtype)
    if isinstance(pattern, tuple):
        targets = np.array(pattern, dtype).reshape(count, 4)
    elif pattern == "edges":
        targets = draw.choice(bin_edges(reg_range, dtype), (count, 4))
    else:
        targets = draw.uniform(low, high - 1.02, (count, 4)).astype(dtype)
    return DflInputs(logits, targets, weights, reg_range)


def wrong_label(inputs: DflInputs, place: int, label: int) -> Answers:
    """Cross entropies of labels in range are right. One label is changed: an error is due."""
    z, labels = paddle.to_tensor(inputs.logits), labels_below(inputs)

    def entropies(labels: np.ndarray) -> Any:
        return cross_entropies(z, paddle.to_tensor(labels)).numpy().reshape(labels.shape)

    due = -np.take_along_axis(log_softmax(inputs.logits), labels[..., None], -1)[..., 0]
    tolerance = side_tolerance(inputs.logits, eps_of(inputs.logits))
    yield "labels in range", entropies(labels), due, tolerance
    wrong = partial(entropies, change_at(labels, place, label))
    yield f"label {label} of {inputs.logits.shape[-1]} classes", wrong, Refusal(), None


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


class DflInputs(NamedTuple):
    """What the distribution focal loss of N positives and C bins is computed from."""

    logits: np.ndarray  # [N, 4, C]
    targets: np.ndarray  # [N, 4]
    weights: np.ndarray  # [N]
    reg_range: RegRange


def side_tolerance(logits: np.ndarray, eps: float, target_error: float = 0.0) -> float:
    """How far a side's DFL may be off, where no logit is beyond M: both cross entropies are at most
    E = 2 M + log C.

    The greatest logit is taken off (each difference is at most 2 M, so it errs by 2 M eps); exp
    turns that into a relative error, to which it and the division add a few (8); adding C terms
    that are positive adds C; the log turns it into an absolute one again. Then at most five
    roundings of numbers up to E: the log itself, the difference, the weight, the product, the sum.
    A target that is off by `target_error` moves the loss by the logits' difference times that.
    """
    classes, greatest = logits.shape[-1], greatest_logit(logits)
    entropy = 2 * greatest + log(classes)
    relative: float = 2 * greatest + 8 + classes + 5 * entropy
    return eps * relative + target_error * 2 * greatest


def labels_below(inputs: DflInputs) -> np.ndarray:
    """The labels of the bins below the targets: int64 [N, 4]."""
    labels: np.ndarray = np.floor(inputs.targets).astype(np.int64) - inputs.reg_range[0]
    return labels


def eps_of(logits: np.ndarray) -> float:
    """The spacing of the logits' floats at 1."""
    return float(np.finfo(logits.dtype).eps)


def change_at(array: np.ndarray, position: int, value: object) -> np.ndarray:
    """A copy with another value at that position, in C order."""
    changed = array.copy()
    changed.reshape(-1)[position] = value
    return changed


class Refusal(NamedTuple):
    """What is due where a call makes no sense: an error. The answer is then the call itself.

    `words` is a pattern that the beginning of the error's type and message, `IndexError: …`, has
    to match.
    """

    words: str = ""

    def check(self, what: str, call: Callable[[], object]) -> None:
        """Raise AssertionError, in a script, unless the call raises this error."""
        try:
            answer = call()
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            assert re.match(self.words, said), f"{what}: {said}"
            return
        raise AssertionError(f"{what}: expected an error, got {answer!r}")


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """float64, over the last axis; the greatest logit is taken off first, so nothing overflows."""
    z = np.asarray(logits, np.float64)
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """One for each label [N, 4], from logits [N, 4, C]."""
    return paddle.nn.functional.cross_entropy(logits, labels, reduction="none")


def greatest_logit(logits: np.ndarray) -> float:
    """How far the logits go from 0."""
    return float(np.abs(logits).max(initial=0.0))


def target_error(reg_range: RegRange, eps: float) -> float:
    """How far a distance may be off that is one difference, clipped to the range."""
    return eps * max(abs(end) for end in reg_range)


def bin_edges(reg_range: RegRange, dtype: str) -> np.ndarray:
    """Every bin, its neighbours in `dtype`, and the end of the clip; those within the clip."""
    low, high = reg_range
    bins = np.arange(low, high).astype(dtype)
    far = np.array(np.inf, dtype)
    end = np.array([clip_end(reg_range)]).astype(dtype)
    edges = np.concatenate([bins, np.nextafter(bins, -far), np.nextafter(bins, far), end])
    return edges[(edges >= low) & (edges <= end)]


def clip_end(reg_range: RegRange) -> float:
    """The greatest target that the head's clip leaves: a bin above it is always there."""
    return reg_range[1] - 1 - 0.01


inputs = dfl_inputs(reg_range=(0, 17), dtype='float32', pattern='inside', count=1, spread=4.0, seed=0)
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in wrong_label(inputs=inputs, label=-9223372036854775808, place=0):
        check(what, actual, expected, tolerance)
print("as expected")
