"""Mutants of what `masked_select` selects.

The CUDA kernel of 2.3.0 (PaddlePaddle/Paddle#40517) covers 4 elements a thread and 1,024 a block,
at most 256 blocks in a grid before it strides, and sums the blocks' counts 512 at a time. Each such
edge is a place to lose something, and each loss is a mutant here.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import paddle

from properties.mutants.faults import (
    SELECT,
    Function,
    Tensor,
    mutant,
    truth,
    with_float_values,
    with_values,
)

BLOCK = 1024  # elements
GRID = 256 * BLOCK
CHUNK = 512 * BLOCK
CALLS = itertools.count(1)


# Edges of the kernel's plan.


@mutant(SELECT, with_values)
def block_offset_lost(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Every block of 1,024 elements writes from the output's start: its offset is taken as 0.

    PaddlePaddle/Paddle#40517 adds each block's offset to the positions inside the block.
    """
    wrong, chosen = np.zeros_like(selected), truth(mask).reshape(-1)
    for start in range(0, chosen.size, BLOCK):
        mine = x.reshape(-1)[start : start + BLOCK][chosen[start : start + BLOCK]]
        wrong[: mine.size] = mine
    return wrong


@mutant(SELECT, with_values)
def beyond_one_grid_unwritten(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Elements from 262,144 on are lost: the grid of 256 blocks never strides.

    As lyuwenyu/RT-DETR#12 tells of zeros for large tensors only.
    """
    return without_the_last(GRID, mask, selected)


@mutant(SELECT, with_values)
def chunk_carry_lost(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """From the 513th block on offsets start at 0 again.

    PaddlePaddle/Paddle#40517 sums the blocks' counts 512 at a time and carries the sum over.
    """
    chosen = truth(mask).reshape(-1)
    late = x.reshape(-1)[CHUNK:][chosen[CHUNK:]]
    if late.size:
        selected[-late.size :] = 0
        selected[: late.size] = late
    return selected


@mutant(SELECT, with_values)
def vector_tail_lost(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """The last size % 4 elements are lost: what is left over once threads took four each."""
    return without_the_last(x.size - x.size % 4, mask, selected)


def without_the_last(limit: int, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """What was selected, from a kernel that does nothing for the elements from `limit` on."""
    selected[int(truth(mask).reshape(-1)[:limit].sum()) :] = 0
    return selected


@mutant(SELECT, with_values)
def order_not_kept(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """A thread's four elements come out last first: right as a set, wrong as a sequence."""
    position = np.flatnonzero(truth(mask))
    reversed_in_fours = position // 4 * 4 + 3 - position % 4
    return selected[np.argsort(reversed_in_fours, kind="stable")]


@mutant(SELECT, with_values)
def wrong_once_in_many(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Every 20th call with more than one element selected gives the first of them last.

    A race between blocks of a kernel looks like this: right, until it is not.
    """
    return np.roll(selected, -1 if selected.size > 1 and next(CALLS) % 20 == 0 else 0)


@mutant(SELECT)
def count_one_too_many(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """One element more than was selected: a count that is off by one.

    PaddlePaddle/Paddle#44181: the count was copied into a variable of half its size.
    """
    selected = true(x, mask, name)
    return paddle.concat([selected, paddle.zeros([1], selected.dtype)])


# Values that change on the way.


@mutant(SELECT, with_values)
def through_float32(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Values of 4 bytes or more pass through float32, which holds 24 bits of them.

    A kernel that is instantiated for one dtype and casts the rest to it.
    """
    if selected.dtype.itemsize < 4 or selected.dtype.kind == "c":
        return selected
    with np.errstate(all="ignore"):
        return selected.astype(np.float32).astype(selected.dtype)


@mutant(SELECT, with_float_values)
def nan_payload_lost(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Every NaN becomes the one NaN of the dtype: selection that computes instead of copying."""
    return np.where(np.isnan(selected), selected.dtype.type(np.nan), selected)


@mutant(SELECT, with_float_values)
def negative_zero_lost(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """-0.0 becomes 0.0: selection that multiplies by the mask, or adds to a cleared output."""
    return np.where(selected == 0, selected.dtype.type(0), selected)


@mutant(SELECT, with_float_values)
def denormals_flushed(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Denormals become 0: a kernel compiled to flush them, which does arithmetic on values."""
    tiny = np.abs(selected) < np.finfo(selected.dtype).tiny
    return np.where(tiny, selected.dtype.type(0), selected)


# Special cases.


@mutant(SELECT, with_values)
def all_false_raises(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """An all-False mask is an error: a grid of 0 blocks, as in PaddlePaddle/Paddle#38929."""
    if mask.size and not selected.size:
        raise OSError("cudaErrorInvalidConfiguration: invalid configuration argument")
    return selected


@mutant(SELECT, with_values)
def all_false_gives_one(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """An all-False mask selects the first element: an output of at least one element."""
    return selected if selected.size else x.reshape(-1)[:1]


@mutant(SELECT, with_values)
def all_true_raises(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """An all-True mask is an error: a shortcut for it that reads past the end."""
    if mask.size and selected.size == x.size:
        raise OSError("CUDA error(700), an illegal memory access was encountered")
    return selected


@mutant(SELECT, with_values)
def all_true_keeps_the_shape(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """An all-True mask gives x in its own shape, not one dimension: a shortcut that copies."""
    return selected.reshape(x.shape) if selected.size == x.size else selected


# Masks and shapes.


@mutant(SELECT, with_values)
def only_byte_one_is_true(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> Any:
    """A mask's byte counts where it is 1 alone: `mask[i] == true` on raw bytes."""
    return x[mask.view(np.uint8) == 1]


@mutant(SELECT)
def mask_repeated_flat(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Shapes are not compared: the mask's elements are repeated, in C order, to the size of x.

    What `mask[i % mask.size]` does in place of broadcasting.
    """
    if list(x.shape) == list(mask.shape) or not paddle.in_dynamic_mode():
        return true(x, mask, name)
    size = int(np.prod(x.shape))
    repeated = np.resize(mask.numpy(), size).astype(bool).reshape(x.shape)
    return true(x, paddle.to_tensor(repeated), name)


@mutant(SELECT)
def mask_of_numbers_accepted(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """A mask of numbers is taken for one of truths, where an error is due."""
    return true(x, mask.astype("bool"), name)


# As the losses of PP-YOLOE's head meet it: one selection beside another.


@mutant(SELECT, with_values)
def weights_misaligned(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """A mask of two dimensions, as that of the scores, selects each positive's neighbour."""
    return np.roll(selected, 1) if x.ndim == 2 else selected


@mutant(SELECT)
def another_positives_target(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Of four coordinates a positive, those that need no gradient are the next positive's."""
    if not (x.stop_gradient and len(x.shape) == 3 and x.shape[-1] == 4):
        return true(x, mask, name)
    return with_values(lambda x, mask, selected: np.roll(selected, 4), true)(x, mask, name)
