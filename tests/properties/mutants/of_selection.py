"""Mutants of `masked_select` and its family that are more than a change of one answer.

The CUDA kernel of 2.3.0 (PaddlePaddle/Paddle#40517) covers 4 elements a thread and 1,024 a block,
at most 256 blocks in a grid before it strides, and sums the blocks' counts 512 at a time. What is
generated (`generated.py`) has an edge at each of these; here are the plan's own mistakes.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import paddle

from properties.mutants import reach
from properties.mutants.faults import (
    SELECT,
    Function,
    Tensor,
    hold,
    mutant,
    stale_array,
    truth,
    with_indices,
    with_mask,
    with_state,
    with_values,
)
from properties.questions.memory import contents

BLOCK = 1024  # elements
CHUNK = 512 * BLOCK
CALLS = itertools.count(1)
NONZERO = "paddle.nonzero"
READ = "paddle.Tensor.__getitem__"
WRITE = "paddle.Tensor.__setitem__"
WHERE = "paddle.where"


# What masked_select selects.


@mutant(SELECT)
def zeros(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Shape and dtype are right, every element is 0: a kernel that never ran, on fresh memory.

    As PaddlePaddle/Paddle#44031 and #44721 show `[0, 0]` where `[8, 9]` was due.
    """
    return paddle.zeros_like(true(x, mask, name))


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
def wrong_once_in_many(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Every 20th call with more than one element selected gives the first of them last.

    A race between blocks of a kernel looks like this: right, until it is not.
    """
    return np.roll(selected, -1 if selected.size > 1 and next(CALLS) % 20 == 0 else 0)


@mutant(SELECT, with_values)
def all_false_gives_one(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """An all-False mask selects the first element: an output of at least one element."""
    return selected if selected.size else x.reshape(-1)[:1]


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


# Its gradient.


@mutant(SELECT)
def gradient_of_everything(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """Where nothing at all was selected the gradient is 1: an empty case that fills."""
    if x.stop_gradient or not paddle.in_dynamic_mode() or contents(mask).any():
        return true(x, mask, name)
    copied = paddle.assign(x)  # no other gradient of x is concerned
    copied.register_hook(paddle.ones_like)
    return true(copied, mask, name)


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


# The memory that it reads and writes.


@mutant(SELECT, with_state)
def unwritten_when_asked_again(true: Function) -> Function:
    """Asked again, a question's output is not written and holds the first answer, which was right.

    PaddlePaddle/Paddle#44181 where the launch grid survives now and then, on an allocator that
    hands out the same memory again, as the GPU's does. It is seen only where that memory is
    overwritten in between, here by `paddle.full`.
    """
    asked: set[bytes] = set()
    filled: list[Tensor] = []
    true_full = paddle.full

    def full(shape: object, value: object, *args: object, **kwargs: object) -> Tensor:
        filled.append(value)
        return true_full(shape, value, *args, **kwargs)

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        question = x.tobytes() + mask.tobytes()
        again, overwritten = question in asked, list(filled)
        asked.add(question)
        filled.clear()
        if again and overwritten:
            return stale_array(selected, np.full(1, overwritten[-1], np.float64).view(np.uint8))
        return selected

    reach.put(paddle, "full", full)
    return with_values(values, true)


@mutant(SELECT)
def output_shares_memory(true: Function, x: Tensor, mask: Tensor, name: Any = None) -> Tensor:
    """An all-True mask gives x's own memory: a shortcut that does not copy."""
    selected = true(x, mask, name)
    if not paddle.in_dynamic_mode() or selected.shape[0] != x.size or not selected.shape[0]:
        return selected
    return paddle.reshape(x, [-1])  # a view: it copies nothing


# The functions that share its kernel, and those that stand beside them.


@mutant(NONZERO, with_indices)
def nonzero_swaps_axes(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The axes come last to first: a flat offset that is taken apart from the wrong end."""
    return indices[:, ::-1]


@mutant(NONZERO)
def nonzero_reads_half_of_an_integer(true: Function, x: Tensor, *how: Any, **named: Any) -> Any:
    """Only the low bits of an integer are looked at: its cast to half of its width."""
    array = x.numpy()
    if array.dtype.kind == "i":
        x = paddle.to_tensor(array & ((1 << 4 * array.itemsize) - 1))
    return true(x, *how, **named)


@mutant(NONZERO)
def nonzero_takes_nan_for_zero(true: Function, x: Tensor, *how: Any, **named: Any) -> Any:
    """NaN counts as zero: a kernel that asks `x < 0 || x > 0`."""
    array = x.numpy()
    held = np.nan_to_num(array) if array.dtype.kind == "f" else array
    return true(paddle.to_tensor(held), *how, **named)


@mutant(NONZERO, with_indices)
def nonzero_of_nothing_gives_a_row(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Where all is zero there is one row of zeros: at least one block writes its first row."""
    return indices if len(indices) else np.zeros((1, indices.shape[1]), indices.dtype)


@mutant(READ, with_mask)
def index_of_nothing_keeps_the_sides(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """Nothing of x [a, b] has shape [0, b], as in 2.3 and 2.4, also for a mask [a, b]."""
    given = true(x, mask)
    return given if given.shape[0] else paddle.empty([0, *x.shape[1:], 1], x.dtype)


@mutant(READ, with_mask)
def index_refuses_a_mask_of_one(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """A mask of one element is an error, as in 2.2, which takes it for a slice."""
    if mask.numpy().size == 1:
        raise ValueError("The dtype of Tensor in list must be int32 or int64")
    return true(x, mask)


@mutant(WRITE, with_mask)
def assignment_writes_its_value(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """Afterwards the value is 0: it was moved, not copied."""
    true(x, mask, value)
    if isinstance(value, paddle.Tensor):
        hold(value, np.zeros_like(value.numpy()))


@mutant("paddle.masked_fill_")
def fill_in_place_fills_a_copy(
    true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any
) -> Tensor:
    """What comes back is filled, and x itself is not."""
    return true(x.clone(), mask, value)


@mutant(NONZERO)
def nonzero_takes_denormals_for_zero(true: Function, x: Tensor, *how: Any, **named: Any) -> Any:
    """Denormals count as zero, as where a CPU is set to treat them so: 2.2 and 2.3."""
    array = x.numpy()
    if array.dtype.kind == "f":
        tiny = np.abs(array) < np.finfo(array.dtype).tiny
        x = paddle.to_tensor(np.where(tiny, array.dtype.type(0), array).reshape(array.shape))
    return true(x, *how, **named)


@mutant(WHERE)
def where_rounds_a_number_to_float32(true: Function, *given: Any, **named: Any) -> Any:
    """A number beside a tensor passes through float32, whatever the tensor's dtype is."""
    narrow = [float(np.float32(side)) if isinstance(side, float) else side for side in given]
    return true(*narrow, **named)
