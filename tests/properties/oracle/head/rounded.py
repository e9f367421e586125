"""Numbers as float32 arithmetic has them: what is due, and how far a release may be from it.

This is running error analysis (N. J. Higham, "Accuracy and Stability of Numerical Algorithms",
section 3.3): each operation adds the bound of its own rounding to what its operands bring along,
so that no tolerance is derived by hand. An error of a few EPS is seen where nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Callable

import numpy as np

EPS = float(np.finfo(np.float32).eps)  # twice what one rounding errs: the rest is of second order
TINY = float(np.finfo(np.float32).tiny)  # what a kernel may take for 0
ULPS = 4  # EPS by which a release's exp, log and pow err
LIKELY = 10  # see `adding`
MOST_EXACT = (
    2**16
)  # elements of arrays whose exact ones are looked for; it costs as much as the rest


@dataclass(frozen=True, eq=False)
class Rounded:
    """float64 arrays of one shape: the values, and absolute bounds of the release's error."""

    value: np.ndarray
    error: np.ndarray

    def __add__(self, other: Any) -> Rounded:
        b = rounded(other)
        return rounding(self.value + b.value, self.error + b.error)

    def __sub__(self, other: Any) -> Rounded:
        return self + -rounded(other)

    def __rsub__(self, other: Any) -> Rounded:
        return rounded(other) - self

    def __neg__(self) -> Rounded:
        return Rounded(-self.value, self.error)

    def __mul__(self, other: Any) -> Rounded:
        b = rounded(other)
        error = self.error * (abs(b.value) + b.error)
        error = error + abs(self.value) * b.error if b.error.any() else error
        return rounding(self.value * b.value, error)

    def __truediv__(self, other: Any) -> Rounded:
        """Infinite is the bound where the divisor may be 0."""
        b = rounded(other)
        with np.errstate(divide="ignore", invalid="ignore"):
            value, left = self.value / b.value, abs(b.value) - b.error
            error = np.where(left > 0, (self.error + abs(value) * b.error) / left, np.inf)
        return rounding(value, error)

    def __pow__(self, exponent: float) -> Rounded:
        """Of numbers that are not negative."""
        value = self.value**exponent
        return rounding(value, (self.value + self.error) ** exponent - value, ULPS)

    def __abs__(self) -> Rounded:
        return Rounded(abs(self.value), self.error)

    def __getitem__(self, index: Any) -> Rounded:
        return self.moved(lambda array: array[index])

    def moved(self, move: Callable[[np.ndarray], np.ndarray]) -> Rounded:
        """The same numbers elsewhere: reshaped, transposed, chosen."""
        return Rounded(move(self.value), move(self.error))

    def exp(self) -> Rounded:
        value = np.exp(self.value)
        return rounding(value, value * np.expm1(self.error), ULPS)

    def log(self) -> Rounded:
        """Of positive numbers."""
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(self.error, self.error / (self.value - self.error), 0.0)
        return rounding(np.log(self.value), np.where(error < 0, np.inf, error), ULPS)

    def sqrt(self) -> Rounded:
        value = np.sqrt(self.value)
        return rounding(value, value - np.sqrt(np.maximum(self.value - self.error, 0)))

    def clip(self, low: Any = None, high: Any = None) -> Rounded:
        value = self.value.clip(low, high)
        above = (self.value + self.error).clip(low, high) - value
        return Rounded(value, np.maximum(above, value - (self.value - self.error).clip(low, high)))

    def sum(self, axis: Any, keepdims: bool = False) -> Rounded:
        total = self.value.sum(axis, keepdims=keepdims)
        terms = self.value.size // max(total.size, 1)
        added = adding(terms) * abs(self.value).sum(axis, keepdims=keepdims)
        return Rounded(total, self.error.sum(axis, keepdims=keepdims) + added)

    def mean(self, axis: Any, keepdims: bool = False) -> Rounded:
        total = self.sum(axis, keepdims)
        return total / float(self.value.size // max(total.value.size, 1))


def rounded(number: Any) -> Rounded:
    """A number that the release is given, or what it is due already."""
    if isinstance(number, Rounded):
        return number
    value = np.asarray(number, np.float64)
    return Rounded(value, np.zeros(value.shape))


def rounding(value: np.ndarray, error: np.ndarray, ulps: int = 1) -> Rounded:
    """What comes out of an operation: the error that it was handed, and that of its own.

    What float32 holds exactly it gives exactly (IEEE 754), of operands that are exact.
    """
    own = abs(value) * (ulps * EPS) + ulps * TINY
    if ulps == 1 and value.size <= MOST_EXACT:
        with np.errstate(over="ignore"):
            own = np.where(np.equal(error, 0) & (value.astype(np.float32) == value), 0, own)
    own += error
    return Rounded(value, own)


def adding(terms: int) -> float:
    """How far a sum may be off, over the sum of the terms' magnitudes: in whatever order, n EPS.

    Of many terms it is LIKELY * sqrt(n) * EPS: roundings go both ways, and more occurs once in
    10**20 sums (Higham and Mary, "A New Approach to Probabilistic Rounding Error Analysis", 2019).
    """
    return EPS * min(float(terms), LIKELY * sqrt(terms))


def dot(how: str, one: Any, other: Any, eps: float = EPS) -> Rounded:
    """A sum of products, as `numpy.einsum` writes it. `eps` is that of the products' factors."""
    a, b = rounded(one), rounded(other)
    value = np.einsum(how, a.value, b.value, optimize=True)
    given, _, left = how.partition("->")
    sides = dict(zip(given.replace(",", ""), a.value.shape + b.value.shape))
    terms = int(np.prod([length for axis, length in sides.items() if axis not in left]))
    size = np.einsum(how, abs(a.value), abs(b.value), optimize=True)
    error = (adding(terms) + eps) * size
    if a.error.any() or b.error.any():
        most = abs(a.value) + a.error, abs(b.value) + b.error
        error += np.einsum(how, *most, optimize=True) - size
    return Rounded(value, error + TINY)


def maximum(one: Any, other: Any) -> Rounded:
    """The greater of each pair."""
    a, b = rounded(one), rounded(other)
    error = np.maximum(*np.broadcast_arrays(a.error, b.error))
    return Rounded(np.maximum(a.value, b.value), error)


def minimum(one: Any, other: Any) -> Rounded:
    """The less of each pair."""
    return -maximum(-rounded(one), -rounded(other))


def sigmoid(z: Any) -> Rounded:
    """1 / (1 + exp(-z))."""
    return rounded(1.0) / ((-rounded(z)).exp() + 1.0)


def softmax(z: Any) -> Rounded:
    """Over the last axis; the greatest is taken off first."""
    logits = rounded(z)
    shares: Rounded = (logits - logits.value.max(axis=-1, keepdims=True)).exp()
    return shares / shares.sum(-1, keepdims=True)
