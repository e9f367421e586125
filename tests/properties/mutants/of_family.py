"""Defects of the kernel's family: `nonzero`, boolean indices, `where` and `masked_fill`.

Shapes and dtypes are right, but where the docstring says otherwise, and so is the gradient, but
where the defect is one of the gradient: `Tensor.set_value` changes what a tensor holds, and leaves
the graph behind it as it is.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import paddle

Tensor = Any  # paddle carries no types
Function = Callable[..., Any]
Fault = Callable[[np.ndarray], np.ndarray]


def holding(made: Tensor, array: np.ndarray) -> Tensor:
    """The tensor, holding `array` from now on."""
    if array.size:
        made.set_value(np.array(array, order="C"))
    return made


def is_mask(item: object) -> bool:
    """Whether an index is a boolean tensor."""
    return isinstance(item, paddle.Tensor) and item.dtype == paddle.bool


def indices_changed(
    true: Function, fault: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Function:
    """A `nonzero` whose indices [N, rank] become `fault(x, indices)`; as a tuple alike."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        indices = fault(x.numpy(), true(x).numpy())
        if not as_tuple:
            return paddle.to_tensor(indices)
        flat = true(x, as_tuple=True)[0].ndim == 1
        axes = (indices[:, axis] for axis in range(indices.shape[1]))
        return tuple(paddle.to_tensor(axis if flat else axis[:, None]) for axis in axes)

    return nonzero


def positions(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Where the elements of these indices [N, rank] lie in x, in C order: [N]."""
    strides = np.cumprod((1, *x.shape[:0:-1]))[::-1]
    flat: np.ndarray = (indices * strides).sum(axis=1)
    return flat


# paddle.nonzero


def nonzero_gives_zeros(true: Function) -> Function:
    """Every index is 0: `[[0], [0]]`, as PaddlePaddle/Paddle#43420 and #44031 show."""
    return indices_changed(true, lambda x, indices: np.zeros_like(indices))


def nonzero_unwritten(true: Function) -> Function:
    """The indices are what the memory held: a kernel that never ran (PaddlePaddle/Paddle#44181)."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        given = true(x, as_tuple)
        return tuple(map(paddle.empty_like, given)) if as_tuple else paddle.empty_like(given)

    return nonzero


def nonzero_ends_after_one_grid(true: Function) -> Function:
    """No row is written from element 262,144 on: a grid that does not stride (select_impl.cu.h)."""

    def fault(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        written = np.count_nonzero(x.reshape(-1)[:262144])
        return np.concatenate([indices[:written], np.zeros_like(indices[written:])])

    return indices_changed(true, fault)


def nonzero_misses_the_first_of_a_block(true: Function) -> Function:
    """The elements 1,024, 2,048, … are missed: an offset between blocks that is one too great."""

    def fault(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        at = positions(x, indices)
        found: np.ndarray = indices[(at == 0) | (at % 1024 != 0)]
        return found

    return indices_changed(true, fault)


def nonzero_misses_the_tail_of_a_vector(true: Function) -> Function:
    """The last one to three elements are missed where a size is no multiple of 4.

    The kernel loads 4 elements at once; what is left has a path of its own.
    """

    def fault(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        found: np.ndarray = indices[positions(x, indices) < x.size // 4 * 4]
        return found

    return indices_changed(true, fault)


def nonzero_swaps_axes(true: Function) -> Function:
    """The axes come last to first: a flat offset that is taken apart from the wrong end."""
    return indices_changed(true, lambda x, indices: indices[:, ::-1])


def nonzero_reads_half_of_an_integer(true: Function) -> Function:
    """Only the low bits of an integer are looked at: its cast to half of its width."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        array = x.numpy()
        if array.dtype.kind == "i":
            x = paddle.to_tensor(array & ((1 << 4 * array.itemsize) - 1))
        return true(x, as_tuple)

    return nonzero


def nonzero_takes_nan_for_zero(true: Function) -> Function:
    """NaN counts as zero: a kernel that asks `x < 0 || x > 0`."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        array = x.numpy()
        held = np.nan_to_num(array) if array.dtype.kind == "f" else array
        return true(paddle.to_tensor(held), as_tuple)

    return nonzero


def nonzero_of_nothing_gives_a_row(true: Function) -> Function:
    """Where all is zero there is one row of zeros: at least one block writes its first row."""

    def fault(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        return indices if len(indices) else np.zeros((1, indices.shape[1]), indices.dtype)

    return indices_changed(true, fault)


def nonzero_writes_its_input(true: Function) -> Function:
    """Afterwards the input is 0: scratch space that lies over it."""

    def nonzero(x: Tensor, as_tuple: bool = False, **options: Any) -> Any:
        given = true(x, as_tuple)
        holding(x, np.zeros_like(x.numpy()))
        return given

    return nonzero


# x[mask]


def read(true: Function, fault: Callable[[Tensor, Tensor], Tensor]) -> Function:
    """A `__getitem__` that answers `fault(x, mask)` where the index is a boolean tensor."""

    def __getitem__(x: Tensor, item: Any) -> Tensor:  # noqa: N807  # the method's own name
        return fault(x, item) if is_mask(item) else true(x, item)

    return __getitem__


def index_gives_zeros(true: Function) -> Function:
    """`[0, 0]` for `[8, 9]`, as PaddlePaddle/Paddle#43001 and #44721 show."""

    def fault(x: Tensor, mask: Tensor) -> Tensor:
        given = true(x, mask)
        return holding(given, np.zeros_like(given.numpy()))

    return read(true, fault)


def index_of_nothing_keeps_the_sides(true: Function) -> Function:
    """Nothing of x [a, b] has shape [0, b], as in 2.3 and 2.4, also for a mask [a, b]."""

    def fault(x: Tensor, mask: Tensor) -> Tensor:
        given = true(x, mask)
        return given if given.shape[0] else paddle.empty([0, *x.shape[1:], 1], x.dtype)

    return read(true, fault)


def index_refuses_a_mask_of_one(true: Function) -> Function:
    """A mask of one element is an error, as in 2.2, which takes it for a slice."""

    def fault(x: Tensor, mask: Tensor) -> Tensor:
        if mask.numpy().size == 1:
            raise ValueError("The dtype of Tensor in list must be int32 or int64")
        return true(x, mask)

    return read(true, fault)


def index_reverses_the_gradient(true: Function) -> Function:
    """The gradient goes back last to first: a kernel that counts from the other end."""

    def fault(x: Tensor, mask: Tensor) -> Tensor:
        given = true(x, mask)
        if not given.stop_gradient:
            given.register_hook(lambda upstream: paddle.flip(upstream, [0]))
        return given

    return read(true, fault)


def index_writes_its_mask(true: Function) -> Function:
    """Afterwards the mask is False: scratch space that lies over it."""

    def fault(x: Tensor, mask: Tensor) -> Tensor:
        given = true(x, mask)
        holding(mask, np.zeros_like(mask.numpy()))
        return given

    return read(true, fault)


# x[mask] = value


def written(true: Function, fault: Callable[[Tensor, Tensor, Any], None]) -> Function:
    """A `__setitem__` that does `fault(x, mask, value)` where the index is a boolean tensor."""

    def __setitem__(x: Tensor, item: Any, value: Any) -> Any:  # noqa: N807  # the method's own name
        return fault(x, item, value) if is_mask(item) else true(x, item, value)

    return __setitem__


def assignment_one_place_too_far(true: Function) -> Function:
    """Every element is written one place behind its own: an offset that begins at 1."""

    def fault(x: Tensor, mask: Tensor, value: Any) -> None:
        true(x, paddle.to_tensor(np.roll(mask.numpy(), 1)), value)

    return written(true, fault)


def assignment_where_false(true: Function) -> Function:
    """A single value is written where the mask is False: the two branches are swapped."""

    def fault(x: Tensor, mask: Tensor, value: Any) -> None:
        single = not isinstance(value, paddle.Tensor) or value.shape == [1]
        true(x, paddle.logical_not(mask) if single else mask, value)

    return written(true, fault)


def assignment_by_arithmetic(true: Function) -> Function:
    """x becomes `x + (value - x)`, as in 2.2 to 2.5: NaN stays, and digits are lost."""

    def fault(x: Tensor, mask: Tensor, value: Any) -> None:
        before = x.numpy()
        true(x, mask, value)
        with np.errstate(all="ignore"):
            holding(x, before + (x.numpy() - before))

    return written(true, fault)


def assignment_cuts_the_gradient(true: Function) -> Function:
    """No gradient reaches the value: the graph holds x alone."""

    def fault(x: Tensor, mask: Tensor, value: Any) -> None:
        true(x, mask, value.detach() if isinstance(value, paddle.Tensor) else value)

    return written(true, fault)


def assignment_writes_its_value(true: Function) -> Function:
    """Afterwards the value is 0: it was moved, not copied."""

    def fault(x: Tensor, mask: Tensor, value: Any) -> None:
        true(x, mask, value)
        if isinstance(value, paddle.Tensor):
            holding(value, np.zeros_like(value.numpy()))

    return written(true, fault)


# paddle.where


def where_gives_zeros(true: Function) -> Function:
    """Of a mask alone, every index is 0: it is asked of `nonzero` (PaddlePaddle/Paddle#44031)."""

    def where(condition: Tensor, *sides: Any, **named: Any) -> Any:
        given = true(condition, *sides, **named)
        return tuple(map(paddle.zeros_like, given)) if isinstance(given, tuple) else given

    return where


def where_of_nothing_gives_an_index(true: Function) -> Function:
    """Of a mask alone that is False, each axis has the index 0: a block writes its first row."""

    def where(condition: Tensor, *sides: Any, **named: Any) -> Any:
        given = true(condition, *sides, **named)
        if isinstance(given, tuple) and not given[0].shape[0]:
            return tuple(paddle.zeros([1, *axis.shape[1:]], axis.dtype) for axis in given)
        return given

    return where


def choosing(true: Function, fault: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Function:
    """A `where` that answers `fault(condition, x, y)` where it is to choose between tensors."""

    def where(condition: Tensor, x: Any = None, y: Any = None, **named: Any) -> Any:
        if not (isinstance(x, paddle.Tensor) and isinstance(y, paddle.Tensor)):
            return true(condition, x, y) if x is not None else true(condition)
        return fault(condition, x, y)

    return where


def where_swaps_sides(true: Function) -> Function:
    """x where the condition is False: the two branches are swapped."""
    return choosing(true, lambda condition, x, y: true(condition, y, x))


def where_by_arithmetic(true: Function) -> Function:
    """`x * condition + y * (1 - condition)`, as 2.2 does to broadcast: NaN spreads from the side
    that was not chosen.
    """

    def fault(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        given = true(condition, x, y)
        if given.numpy().dtype.kind != "f":
            return given
        share = condition.numpy().astype(given.numpy().dtype)
        with np.errstate(all="ignore"):
            return holding(given, x.numpy() * share + y.numpy() * (1 - share))

    return choosing(true, fault)


def where_sends_the_gradient_to_the_other_side(true: Function) -> Function:
    """The values are right, and each side is given the gradient of the other."""

    def fault(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        right = true(condition, x, y).numpy()
        return holding(true(condition, y, x), right)

    return choosing(true, fault)


def where_writes_its_input(true: Function) -> Function:
    """Afterwards x holds the answer: it is written over the first side."""

    def fault(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        given = true(condition, x, y)
        if given.shape == x.shape:
            holding(x, given.numpy())
        return given

    return choosing(true, fault)


# paddle.masked_fill


def fill_where_false(true: Function) -> Function:
    """The value is written where the mask is False: the two branches are swapped."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        return true(x, paddle.logical_not(mask), value)

    return masked_fill


def fill_by_arithmetic(true: Function) -> Function:
    """Zeros are added to what is not filled, as 2.6 does to broadcast: -0.0 loses its sign."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        given = true(x, mask, value)
        array = given.numpy()
        return holding(given, array + 0) if array.dtype.kind == "f" else given

    return masked_fill


def fill_refuses_nothing(true: Function) -> Function:
    """Where there is nothing to fill it is an error, as a launch grid of 0 is to CUDA."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        if not mask.numpy().any():
            raise RuntimeError("invalid configuration argument")
        return true(x, mask, value)

    return masked_fill


def fill_sends_the_gradient_to_what_was_filled(true: Function) -> Function:
    """The values are right, and the gradient reaches x where it was overwritten."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        right = true(x, mask, value).numpy()
        return holding(true(x, paddle.logical_not(mask), value), right)

    return masked_fill


def fill_cuts_the_gradient(true: Function) -> Function:
    """No gradient reaches the value: the CPU kernel of 3.1 counts the mask in its place."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        return true(x, mask, value.detach() if isinstance(value, paddle.Tensor) else value)

    return masked_fill


def fill_writes_its_input(true: Function) -> Function:
    """Afterwards x is filled too: the answer shares its memory."""

    def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        given = true(x, mask, value)
        if given.shape == x.shape:
            holding(x, given.numpy())
        return given

    return masked_fill


def fill_in_place_fills_a_copy(true: Function) -> Function:
    """What comes back is filled, and x itself is not."""

    def masked_fill_(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
        return true(x.clone(), mask, value)

    return masked_fill_


DEFECTS: dict[str, tuple[Callable[[Function], Function], ...]] = {
    "paddle.nonzero": (
        nonzero_gives_zeros,
        nonzero_unwritten,
        nonzero_ends_after_one_grid,
        nonzero_misses_the_first_of_a_block,
        nonzero_misses_the_tail_of_a_vector,
        nonzero_swaps_axes,
        nonzero_reads_half_of_an_integer,
        nonzero_takes_nan_for_zero,
        nonzero_of_nothing_gives_a_row,
        nonzero_writes_its_input,
    ),
    "paddle.Tensor.__getitem__": (
        index_gives_zeros,
        index_of_nothing_keeps_the_sides,
        index_refuses_a_mask_of_one,
        index_reverses_the_gradient,
        index_writes_its_mask,
    ),
    "paddle.Tensor.__setitem__": (
        assignment_one_place_too_far,
        assignment_where_false,
        assignment_by_arithmetic,
        assignment_cuts_the_gradient,
        assignment_writes_its_value,
    ),
    "paddle.where": (
        where_gives_zeros,
        where_of_nothing_gives_an_index,
        where_swaps_sides,
        where_by_arithmetic,
        where_sends_the_gradient_to_the_other_side,
        where_writes_its_input,
    ),
    "paddle.masked_fill": (
        fill_where_false,
        fill_by_arithmetic,
        fill_refuses_nothing,
        fill_sends_the_gradient_to_what_was_filled,
        fill_cuts_the_gradient,
        fill_writes_its_input,
    ),
    "paddle.masked_fill_": (fill_in_place_fills_a_copy,),
}
