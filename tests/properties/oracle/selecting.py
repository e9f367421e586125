"""What is right, by NumPy alone and in float64 where there is arithmetic. It never calls Paddle."""

from __future__ import annotations

from typing import Any

import numpy as np


def masked_select(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The elements of `x` at which the bool `mask` is True: 1-D, of x's dtype, in C order.

    `x` and `mask` broadcast to one shape first. Raises ValueError where they cannot.
    """
    whole, chosen = np.broadcast_arrays(x, mask)
    return np.asarray(whole[chosen])


def masked_select_gradient(
    shape: tuple[int, ...], mask: np.ndarray, upstream: np.ndarray
) -> np.ndarray:
    """The gradient of `(masked_select(x, mask) * upstream).sum()` by an `x` of `shape`.

    `upstream` is 1-D, an element for each one selected, of x's dtype. Where x was broadcast, one of
    its elements stands in several places: their gradients are added, in float64.
    """
    common = np.broadcast(np.empty(shape), mask).shape
    scattered = np.zeros(common, upstream.dtype)
    scattered[np.broadcast_to(mask, common)] = upstream
    if shape == common:
        return scattered
    added = np.zeros(shape)
    places = np.arange(added.size).reshape(shape)
    np.add.at(added.reshape(-1), np.broadcast_to(places, common), scattered)
    return added.astype(upstream.dtype)


def nonzero(x: np.ndarray) -> np.ndarray:
    """Where `x` is not zero: int64 [N, rank], a row for each element, in C order.

    NaN is not zero; -0.0 is.
    """
    return np.argwhere(x).astype(np.int64)


def boolean_index(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x[mask]`: [N, *rest], for a bool `mask` over x's leading axes and `rest` the sides left."""
    return np.asarray(x[mask])


def boolean_index_gradient(
    shape: tuple[int, ...], mask: np.ndarray, upstream: np.ndarray
) -> np.ndarray:
    """The gradient of `(x[mask] * upstream).sum()` by an `x` of `shape`, of upstream's dtype."""
    return assignment(np.zeros(shape, upstream.dtype), mask, upstream)


def assignment(x: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
    """What `x` holds after `x[mask] = value`; x itself stays as it is."""
    after = x.copy()
    after[mask] = value
    return after


def where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`x` where the bool `condition` is True, else `y`; the three broadcast to one shape first."""
    return np.where(condition, x, y)


def zero_outside(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x` where the bool `mask` is True, else 0; the two broadcast first."""
    return where(mask, x, np.zeros((), x.dtype))


def masked_fill(x: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
    """`value` where the bool `mask` is True, else `x`, of x's dtype; x and mask broadcast first."""
    return where(mask, np.asarray(value, x.dtype), x)
