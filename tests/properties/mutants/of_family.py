"""Mutants of the kernel's family: `nonzero`, boolean indices, `where` and `masked_fill`.

Shapes and dtypes are right, but where the docstring says otherwise, and so is the gradient, but
where the mutant is one of the gradient: `hold` changes what a tensor holds, and leaves the graph
behind it as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from properties.mutants.faults import (
    Function,
    Tensor,
    hold,
    hold_zeros,
    mutant,
    stale,
    with_indices,
    with_mask,
    with_mask_alone,
    with_sides,
)

NONZERO = "paddle.nonzero"
READ = "paddle.Tensor.__getitem__"
WRITE = "paddle.Tensor.__setitem__"
WHERE = "paddle.where"
FILL = "paddle.masked_fill"


@mutant(NONZERO, with_indices)
def nonzero_gives_zeros(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Every index is 0: `[[0], [0]]`, as PaddlePaddle/Paddle#43420 and #44031 show."""
    return np.zeros_like(indices)


@mutant(NONZERO)
def nonzero_unwritten(true: Function, x: Tensor, *how: Any, **named: Any) -> Any:
    """The indices are what the memory held: a kernel that never ran (PaddlePaddle/Paddle#44181)."""
    given = true(x, *how, **named)
    return tuple(map(stale, given)) if isinstance(given, tuple) else stale(given)


@mutant(NONZERO, with_indices)
def nonzero_ends_after_one_grid(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """No row is written from element 262,144 on: a grid that does not stride (select_impl.cu.h)."""
    written = np.count_nonzero(x.reshape(-1)[:262144])
    return np.concatenate([indices[:written], np.zeros_like(indices[written:])])


@mutant(NONZERO, with_indices)
def nonzero_misses_the_first_of_a_block(x: np.ndarray, indices: np.ndarray) -> Any:
    """The elements 1,024, 2,048, … are missed: an offset between blocks that is one too great."""
    at = positions(x, indices)
    return indices[(at == 0) | (at % 1024 != 0)]


@mutant(NONZERO, with_indices)
def nonzero_misses_the_tail_of_a_vector(x: np.ndarray, indices: np.ndarray) -> Any:
    """The last one to three elements are missed where a size is no multiple of 4.

    The kernel loads 4 elements at once; what is left has a path of its own.
    """
    return indices[positions(x, indices) < x.size // 4 * 4]


def positions(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Where the elements of these indices [N, rank] lie in x, in C order: [N]."""
    strides = np.cumprod((1, *x.shape[:0:-1]))[::-1]
    flat: np.ndarray = (indices * strides).sum(axis=1)
    return flat


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


@mutant(NONZERO)
def nonzero_writes_its_input(true: Function, x: Tensor, *how: Any, **named: Any) -> Any:
    """Afterwards the input is 0: scratch space that lies over it."""
    given = true(x, *how, **named)
    hold_zeros(x)
    return given


# x[mask]


@mutant(READ, with_mask)
def index_gives_zeros(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """`[0, 0]` for `[8, 9]`, as PaddlePaddle/Paddle#43001 and #44721 show."""
    return hold_zeros(true(x, mask))


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


@mutant(READ, with_mask)
def index_reverses_the_gradient(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """The gradient goes back last to first: a kernel that counts from the other end."""
    given = true(x, mask)
    if not given.stop_gradient:
        given.register_hook(lambda upstream: paddle.flip(upstream, [0]))
    return given


@mutant(READ, with_mask)
def index_writes_its_mask(true: Function, x: Tensor, mask: Tensor) -> Tensor:
    """Afterwards the mask is False: scratch space that lies over it."""
    given = true(x, mask)
    hold_zeros(mask)
    return given


# x[mask] = value


@mutant(WRITE, with_mask)
def assignment_one_place_too_far(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """Every element is written one place behind its own: an offset that begins at 1."""
    true(x, paddle.to_tensor(np.roll(mask.numpy(), 1)), value)


@mutant(WRITE, with_mask)
def assignment_where_false(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """A single value is written where the mask is False: the two branches are swapped."""
    single = not isinstance(value, paddle.Tensor) or value.shape == [1]
    true(x, paddle.logical_not(mask) if single else mask, value)


@mutant(WRITE, with_mask)
def assignment_by_arithmetic(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """x becomes `x + (value - x)`, as in 2.2 to 2.5: NaN stays, and digits are lost."""
    before = x.numpy()
    true(x, mask, value)
    with np.errstate(all="ignore"):
        hold(x, before + (x.numpy() - before))


@mutant(WRITE, with_mask)
def assignment_cuts_the_gradient(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """No gradient reaches the value: the graph holds x alone."""
    true(x, mask, detach(value))


@mutant(WRITE, with_mask)
def assignment_writes_its_value(true: Function, x: Tensor, mask: Tensor, value: Any) -> None:
    """Afterwards the value is 0: it was moved, not copied."""
    true(x, mask, value)
    if isinstance(value, paddle.Tensor):
        hold_zeros(value)


def detach(value: Any) -> Any:
    """A tensor without its graph; anything else as it is."""
    return value.detach() if isinstance(value, paddle.Tensor) else value


# paddle.where


@mutant(WHERE, with_mask_alone)
def where_gives_zeros(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of a mask alone, every index is 0: it is asked of `nonzero` (PaddlePaddle/Paddle#44031)."""
    return tuple(map(paddle.zeros_like, given))


@mutant(WHERE, with_mask_alone)
def where_of_nothing_gives_an_index(given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of a mask alone that is False, each axis has the index 0: a block writes its first row."""
    if given[0].shape[0]:
        return given
    return tuple(paddle.zeros([1, *axis.shape[1:]], axis.dtype) for axis in given)


@mutant(WHERE, with_sides)
def where_swaps_sides(true: Function, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition is False: the two branches are swapped."""
    return true(condition, y, x)


@mutant(WHERE, with_sides)
def where_by_arithmetic(true: Function, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """`x * condition + y * (1 - condition)`, as 2.2 does to broadcast: NaN spreads from the side
    that was not chosen.
    """
    given = true(condition, x, y)
    if given.numpy().dtype.kind != "f":
        return given
    share = condition.numpy().astype(given.numpy().dtype)
    with np.errstate(all="ignore"):
        return hold(given, x.numpy() * share + y.numpy() * (1 - share))


@mutant(WHERE, with_sides)
def where_sends_the_gradient_to_the_other_side(
    true: Function, condition: Tensor, x: Tensor, y: Tensor
) -> Tensor:
    """The values are right, and each side is given the gradient of the other."""
    right = true(condition, x, y).numpy()
    return hold(true(condition, y, x), right)


@mutant(WHERE, with_sides)
def where_writes_its_input(true: Function, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Afterwards x holds the answer: it is written over the first side."""
    given = true(condition, x, y)
    if given.shape == x.shape:
        hold(x, given.numpy())
    return given


# paddle.masked_fill


@mutant(FILL)
def fill_where_false(true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any) -> Tensor:
    """The value is written where the mask is False: the two branches are swapped."""
    return true(x, paddle.logical_not(mask), value)


@mutant(FILL)
def fill_by_arithmetic(true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any) -> Tensor:
    """Zeros are added to what is not filled, as 2.6 does to broadcast: -0.0 loses its sign."""
    given = true(x, mask, value)
    array = given.numpy()
    return hold(given, array + 0) if array.dtype.kind == "f" else given


@mutant(FILL)
def fill_refuses_nothing(true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any) -> Tensor:
    """Where there is nothing to fill it is an error, as a launch grid of 0 is to CUDA."""
    if not mask.numpy().any():
        raise RuntimeError("invalid configuration argument")
    return true(x, mask, value)


@mutant(FILL)
def fill_sends_the_gradient_to_what_was_filled(
    true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any
) -> Tensor:
    """The values are right, and the gradient reaches x where it was overwritten."""
    right = true(x, mask, value).numpy()
    return hold(true(x, paddle.logical_not(mask), value), right)


@mutant(FILL)
def fill_cuts_the_gradient(true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any) -> Tensor:
    """No gradient reaches the value: the CPU kernel of 3.1 counts the mask in its place."""
    return true(x, mask, detach(value))


@mutant(FILL)
def fill_writes_its_input(true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any) -> Tensor:
    """Afterwards x is filled too: the answer shares its memory."""
    given = true(x, mask, value)
    if given.shape == x.shape:
        hold(x, given.numpy())
    return given


@mutant("paddle.masked_fill_")
def fill_in_place_fills_a_copy(
    true: Function, x: Tensor, mask: Tensor, value: Any, *_: Any
) -> Tensor:
    """What comes back is filled, and x itself is not."""
    return true(x.clone(), mask, value)
