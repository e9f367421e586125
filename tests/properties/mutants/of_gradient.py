"""Mutants of `masked_select`'s gradient: values are right, what comes back to x is not.

The gradient kernel scatters what comes from above to the selected positions of a gradient that is 0
elsewhere, and adds up what a broadcast element was copied to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from properties.mutants.faults import SELECT, Function, Tensor, mutant, with_gradient


@mutant(SELECT, with_gradient)
def gradient_unwritten_where_nothing_is_selected(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Where nothing was selected the gradient is what the memory held: it was never zeroed."""
    held = paddle.empty(list(due.shape), str(due.dtype).replace("uint16", "bfloat16")).numpy()
    return np.where(mask, due, held.reshape(due.shape)) if mask.shape == due.shape else due


@mutant(SELECT, with_gradient)
def gradient_truncated(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """The second half of the gradient is 0: a loop that ends at the wrong count."""
    due.reshape(-1)[(due.size + 1) // 2 :] = 0
    return due


@mutant(SELECT, with_gradient)
def gradient_lost_for_the_last(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """The last element's gradient is 0: an end that is taken as excluded twice."""
    due.reshape(-1)[-1:] = 0
    return due


@mutant(SELECT, with_gradient)
def gradient_misplaced(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """The gradient stands one element late: an inclusive prefix sum read as an exclusive one."""
    return np.roll(due, 1)


@mutant(SELECT, with_gradient)
def gradient_narrowed(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """The gradient passes through a type of half its width."""
    narrower = {"float64": "float32", "float32": "float16"}
    with np.errstate(all="ignore"):
        return due.astype(narrower.get(str(due.dtype), due.dtype)).astype(due.dtype)


@mutant(SELECT, with_gradient)
def gradient_of_everything(mask: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Where nothing at all was selected the gradient is 1: an empty case that fills."""
    return due if mask.any() else np.ones_like(due)


@mutant(SELECT)
def gradient_not_added_up(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """An element that was broadcast gets the gradient of its first copy, not the sum of all.

    Releases that do not broadcast are given this faulty broadcasting.
    """
    if list(x.shape) == list(mask.shape) or not paddle.in_dynamic_mode():
        return true(x, mask, name)
    common = list(np.broadcast(np.empty(x.shape), np.empty(mask.shape)).shape)
    wide = paddle.expand(x, common)
    if not x.stop_gradient:
        wide.register_hook(lambda due: paddle.to_tensor(first_copies(due.numpy(), x.shape)))
    chosen = paddle.to_tensor(np.array(np.broadcast_to(mask.numpy(), common)))
    return true(wide, chosen, name)


def first_copies(due: np.ndarray, shape: list[int]) -> np.ndarray:
    """The gradient of an expanded tensor, 0 but for each element's first copy."""
    padded = [1] * (due.ndim - len(shape)) + list(shape)
    first = tuple(slice(0, side) for side in padded)
    kept = np.zeros_like(due)
    kept[first] = due[first]
    return kept
