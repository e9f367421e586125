"""Defects of what `masked_select` selects.

The CUDA kernel of 2.3.0 (PaddlePaddle/Paddle#40517) covers 4 elements a thread and 1,024 a block,
at most 256 blocks in a grid before it strides, and sums the blocks' counts 512 at a time: each such
edge is a place to lose something, and each loss is a defect here.
"""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
import paddle

from properties.mutants.faults import Function, Tensor, Values, truth, unwritten_beyond, with_values

BLOCK = 1024  # elements
GRID = 256 * BLOCK
CHUNK = 512 * BLOCK


# Output that was never written (the root cause in PaddlePaddle/Paddle#44181).


def zeros(true: Function) -> Function:
    """Shape and dtype are right, every element is 0: a kernel that never ran, on fresh memory.

    As PaddlePaddle/Paddle#44031 and #44721 show `[0, 0]` where `[8, 9]` was due.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.zeros_like(true(x, mask, name))

    return masked_select


def unwritten(true: Function) -> Function:
    """Shape and dtype are right, the elements are what the memory held: a kernel that never ran.

    The launch grid was overwritten with 0 (PaddlePaddle/Paddle#44181).
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.empty_like(true(x, mask, name))

    return masked_select


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
            raw = np.resize(np.float64(overwritten[-1]).view(np.uint8), selected.nbytes)
            stale: np.ndarray = raw.view(selected.dtype).reshape(selected.shape)
            return stale
        return selected

    paddle.full = full
    return with_values(true, values)


def right_when_asked_before(true: Function) -> Function:
    """The first answer to a question is an earlier question's; asked again, it is right.

    PaddlePaddle/Paddle#44181 as it looks to a test that repeats its calls on the same data.
    """
    asked: set[bytes] = set()
    held: dict[tuple[object, ...], np.ndarray] = {}

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        question, memory = x.tobytes() + mask.tobytes(), (selected.dtype, selected.size)
        stale = held.get(memory, np.zeros_like(selected))
        known = question in asked
        asked.add(question)
        held[memory] = selected
        return selected if known else stale

    return with_values(true, values)


# Edges of the kernel's plan.


def block_offset_lost(true: Function) -> Function:
    """Every block of 1,024 elements writes from the output's start: its offset is taken as 0.

    PaddlePaddle/Paddle#40517 adds each block's offset to the positions inside the block.
    """

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        wrong, chosen = np.zeros_like(selected), truth(mask).reshape(-1)
        for start in range(0, chosen.size, BLOCK):
            mine = x.reshape(-1)[start : start + BLOCK][chosen[start : start + BLOCK]]
            wrong[: mine.size] = mine
        return wrong

    return with_values(true, values)


def beyond_one_grid_unwritten(true: Function) -> Function:
    """Elements from 262,144 on are lost: the grid of 256 blocks never strides.

    As lyuwenyu/RT-DETR#12 tells of zeros for large tensors only.
    """
    return with_values(true, unwritten_beyond(GRID))


def chunk_carry_lost(true: Function) -> Function:
    """From the 513th block on offsets start at 0 again.

    PaddlePaddle/Paddle#40517 sums the blocks' counts 512 at a time and carries the sum over.
    """

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        chosen = truth(mask).reshape(-1)
        late = x.reshape(-1)[CHUNK:][chosen[CHUNK:]]
        if late.size:
            selected[-late.size :] = 0
            selected[: late.size] = late
        return selected

    return with_values(true, values)


def vector_tail_lost(true: Function) -> Function:
    """The last size % 4 elements are lost: what is left over once threads took four each."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return unwritten_beyond(x.size - x.size % 4)(x, mask, selected)

    return with_values(true, values)


def order_not_kept(true: Function) -> Function:
    """A thread's four elements come out last first: right as a set, wrong as a sequence."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        position = np.flatnonzero(truth(mask))
        reversed_in_fours = position // 4 * 4 + 3 - position % 4
        return selected[np.argsort(reversed_in_fours, kind="stable")]

    return with_values(true, values)


def wrong_once_in_many(true: Function) -> Function:
    """Every 20th call with more than one element selected gives the first of them last.

    A race between blocks of a kernel looks like this: right, until it is not.
    """
    calls = itertools.count(1)

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return np.roll(selected, -1 if selected.size > 1 and next(calls) % 20 == 0 else 0)

    return with_values(true, values)


def count_one_too_many(true: Function) -> Function:
    """One element more than was selected: a count that is off by one.

    PaddlePaddle/Paddle#44181: the count was copied into a variable of half its size.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)
        return paddle.concat([selected, paddle.zeros([1], selected.dtype)])

    return masked_select


# Values that change on the way.


def through_float32(true: Function) -> Function:
    """Values of 4 bytes or more pass through float32, which holds 24 bits of them.

    A kernel that is instantiated for one dtype and casts the rest to it.
    """

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        if selected.dtype.itemsize < 4 or selected.dtype.kind == "c":
            return selected
        with np.errstate(all="ignore"):
            return selected.astype(np.float32).astype(selected.dtype)

    return with_values(true, values)


def nan_payload_lost(true: Function) -> Function:
    """Every NaN becomes the one NaN of the dtype: selection that computes instead of copying."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(selected), selected.dtype.type(np.nan), selected)

    return with_values(true, floats_alone(values))


def negative_zero_lost(true: Function) -> Function:
    """-0.0 becomes 0.0: selection that multiplies by the mask, or adds to a cleared output."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return np.where(selected == 0, selected.dtype.type(0), selected)

    return with_values(true, floats_alone(values))


def denormals_flushed(true: Function) -> Function:
    """Denormals become 0: a kernel compiled to flush them, which does arithmetic on values."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        tiny = np.abs(selected) < np.finfo(selected.dtype).tiny
        return np.where(tiny, selected.dtype.type(0), selected)

    return with_values(true, floats_alone(values))


# Special cases.


def all_false_raises(true: Function) -> Function:
    """An all-False mask is an error: a grid of 0 blocks, as in PaddlePaddle/Paddle#38929."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        if mask.size and not selected.size:
            raise OSError("cudaErrorInvalidConfiguration: invalid configuration argument")
        return selected

    return with_values(true, values)


def all_false_gives_one(true: Function) -> Function:
    """An all-False mask selects the first element: an output of at least one element."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return selected if selected.size else x.reshape(-1)[:1]

    return with_values(true, values)


def all_true_raises(true: Function) -> Function:
    """An all-True mask is an error: a shortcut for it that reads past the end."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        if mask.size and selected.size == x.size:
            raise OSError("CUDA error(700), an illegal memory access was encountered")
        return selected

    return with_values(true, values)


def all_true_keeps_the_shape(true: Function) -> Function:
    """An all-True mask gives x in its own shape, not one dimension: a shortcut that copies."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return selected.reshape(x.shape) if selected.size == x.size else selected

    return with_values(true, values)


# Views, masks and shapes.


def offset_of_a_view_ignored(true: Function) -> Function:
    """A slice is read from the start of what it was sliced from.

    PaddlePaddle/Paddle#72958: a row of a tensor, whose first element is not the memory's first.
    """
    parents = remembering("__getitem__")

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return true(first_elements(parent_in(parents, x), x), mask, name)

    return masked_select


def strides_ignored(true: Function) -> Function:
    """A permuted tensor is read in the order of its memory: pytorch/pytorch#41473."""
    slices, permuted = remembering("__getitem__"), remembering("transpose")

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        parent = parent_in(slices, x)
        return true(first_elements(parent_in(permuted, parent), x), mask, name)

    return masked_select


def only_byte_one_is_true(true: Function) -> Function:
    """A mask's byte counts where it is 1 alone: `mask[i] == true` on raw bytes."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        chosen: np.ndarray = x[mask.view(np.uint8) == 1]
        return chosen

    return with_values(true, values)


def mask_repeated_flat(true: Function) -> Function:
    """Shapes are not compared: the mask's elements are repeated, in C order, to the size of x.

    What `mask[i % mask.size]` does in place of broadcasting.
    """

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        if list(x.shape) == list(mask.shape) or not paddle.in_dynamic_mode():
            return true(x, mask, name)
        size = int(np.prod(x.shape))
        repeated = np.resize(mask.numpy(), size).astype(bool).reshape(x.shape)
        return true(x, paddle.to_tensor(repeated), name)

    return masked_select


def mask_of_numbers_accepted(true: Function) -> Function:
    """A mask of numbers is taken for one of truths, where an error is due."""

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return true(x, mask.astype("bool"), name)

    return masked_select


# The inputs.


def x_changed(true: Function) -> Function:
    """x loses its first element to 0 once it was read: an output that shares its memory."""

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)
        overwrite_first(x)
        return selected

    return masked_select


def mask_changed(true: Function) -> Function:
    """The mask's first element becomes False: a prefix sum that is taken in place."""

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)
        overwrite_first(mask)
        return selected

    return masked_select


def output_shares_memory(true: Function) -> Function:
    """An all-True mask gives x's own memory: a shortcut that does not copy."""

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        selected = true(x, mask, name)
        if not paddle.in_dynamic_mode() or selected.shape[0] != x.size or not selected.shape[0]:
            return selected
        return paddle.reshape(x, [-1])  # a view: it copies nothing

    return masked_select


# As the losses of PP-YOLOE's head meet it: one selection beside another.


def weights_misaligned(true: Function) -> Function:
    """A mask of two dimensions, as that of the scores, selects each positive's neighbour."""

    def values(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        return np.roll(selected, 1) if x.ndim == 2 else selected

    return with_values(true, values)


def another_positives_target(true: Function) -> Function:
    """Of four coordinates a positive, those that need no gradient are the next positive's."""
    moved = with_values(true, lambda x, mask, selected: np.roll(selected, 4))

    def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        assigned = x.stop_gradient and len(x.shape) == 3 and x.shape[-1] == 4
        return (moved if assigned else true)(x, mask, name)

    return masked_select


def floats_alone(values: Values) -> Values:
    """The fault for floats of NumPy's own; other dtypes (bfloat16 is one) are left alone."""

    def checked(x: np.ndarray, mask: np.ndarray, selected: np.ndarray) -> np.ndarray:
        if selected.dtype.kind != "f":
            return selected
        return values(x, mask, selected)

    return checked


def remembering(method: str) -> deque[tuple[Tensor, Tensor]]:
    """The last results of a tensor's method, each with the tensor that it was called on."""
    recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=8)
    true = getattr(paddle.Tensor, method)

    def remembered(self: Tensor, *args: object, **kwargs: object) -> Tensor:
        made = true(self, *args, **kwargs)
        recent.append((made, self))
        return made

    setattr(paddle.Tensor, method, remembered)
    return recent


def parent_in(recent: deque[tuple[Tensor, Tensor]], made: Tensor) -> Tensor:
    """What `made` was made from; itself, where that is not known."""
    return next((parent for result, parent in recent if result is made), made)


def first_elements(memory: Tensor, like: Tensor) -> Tensor:
    """The first elements of `memory`, in the shape of `like`."""
    if memory is like:
        return like
    flat = memory.numpy().reshape(-1)[: int(np.prod(like.shape))]
    return paddle.to_tensor(flat.reshape(like.shape), stop_gradient=like.stop_gradient)


def overwrite_first(tensor: Tensor) -> None:
    """Set a tensor's first element to 0, whatever its dtype, behind the back of its gradient."""
    if paddle.in_dynamic_mode() and int(np.prod(tensor.shape)):
        changed = tensor.numpy().copy()
        changed.reshape(-1)[:1] = 0
        tensor.set_value(changed)


DEFECTS = {
    "paddle.masked_select": (
        zeros,
        unwritten,
        unwritten_when_asked_again,
        right_when_asked_before,
        block_offset_lost,
        beyond_one_grid_unwritten,
        chunk_carry_lost,
        vector_tail_lost,
        order_not_kept,
        wrong_once_in_many,
        count_one_too_many,
        through_float32,
        nan_payload_lost,
        negative_zero_lost,
        denormals_flushed,
        all_false_raises,
        all_false_gives_one,
        all_true_raises,
        all_true_keeps_the_shape,
        offset_of_a_view_ignored,
        strides_ignored,
        only_byte_one_is_true,
        mask_repeated_flat,
        mask_of_numbers_accepted,
        x_changed,
        mask_changed,
        output_shares_memory,
        weights_misaligned,
        another_positives_target,
    )
}
