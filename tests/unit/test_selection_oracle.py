"""The oracle of `masked_select` against plain Python, and the arrays that cases are made of."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.cases.strategies import (
    Selection,
    broadcast_selections,
    selections,
    unfitting_selections,
)
from properties.oracle.arrays import FILLS, PATTERNS, corners, literal, mask_of, values
from properties.oracle.selecting import masked_select, masked_select_gradient

DTYPES = ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int64", "bool"]
DTYPES += ["complex64", "complex128"]


def test_the_example_of_paddles_own_documentation_is_selected() -> None:
    x = np.arange(1.0, 13.0).reshape(3, 4)
    mask = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
    assert masked_select(x, mask).tolist() == [1.0, 5.0, 6.0, 9.0]


@given(selections(dtypes=["int64"]))
def test_selection_is_a_loop_over_the_elements_in_c_order(selection: Selection) -> None:
    positions = itertools.product(*(range(side) for side in selection.shape))
    x, mask = selection.x, selection.mask
    assert masked_select(x, mask).tolist() == [x[at] for at in positions if mask[at]]


@given(broadcast_selections(dtypes=["int64"]))
def test_a_broadcast_selection_is_that_of_the_repeated_arrays(selection: Selection) -> None:
    x, mask = selection.x, selection.mask
    repeated = x + np.zeros(mask.shape, x.dtype), mask | np.zeros(x.shape, bool)
    assert masked_select(x, mask).tolist() == masked_select(*repeated).tolist()


@given(unfitting_selections())
def test_shapes_that_do_not_broadcast_raise(selection: Selection) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        masked_select(selection.x, selection.mask)


@given(broadcast_selections(dtypes=["float64"]), st.integers(0, 99))
def test_the_gradient_is_the_adjoint_of_the_selection(selection: Selection, seed: int) -> None:
    x, mask = selection.x, selection.mask
    upstream = np.random.RandomState(seed).randint(-9, 9, masked_select(x, mask).shape)
    gradient = masked_select_gradient(x.shape, mask, upstream.astype(np.float64))
    assert (gradient * x).sum() == (upstream * masked_select(x, mask)).sum()


def test_the_gradient_lies_where_the_elements_came_from() -> None:
    mask = np.array([[True, False], [True, True]])
    gradient = masked_select_gradient((2, 2), mask, np.array([7.0, 8.0, 9.0]))
    assert gradient.tolist() == [[7.0, 0.0], [8.0, 9.0]]


def test_the_gradient_of_a_repeated_element_adds_up() -> None:
    mask = np.array([[True, True], [False, True]])
    gradient = masked_select_gradient((2,), mask, np.array([1.0, 10.0, 100.0]))
    assert gradient.tolist() == [1.0, 110.0]


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_a_literal_makes_the_same_bytes_again(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(selections(dtypes=[dtype], fills=FILLS))
    array = selection.x
    again = eval(literal(array), {"np": np})
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes()


def test_a_literal_keeps_the_sign_of_a_complex_zero() -> None:
    array = np.array([complex(0.0, -2.0), complex(-0.0, 2.0)])
    assert eval(literal(array), {"np": np}).tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fill", FILLS)
def test_values_have_the_shape_and_dtype_asked_for(dtype: str, fill: str) -> None:
    arrays = [values(shape, dtype, fill, 0) for shape in [(2, 0, 3), ()]]
    assert [array.shape for array in arrays] == [(2, 0, 3), ()]
    assert {array.dtype.name for array in arrays} == {"uint16" if dtype == "bfloat16" else dtype}


@pytest.mark.parametrize(("dtype", "exact"), [("float16", 2048), ("bfloat16", 256), ("uint8", 256)])
def test_count_tells_as_many_elements_apart_as_the_dtype_counts(dtype: str, exact: int) -> None:
    assert len(np.unique(values((exact,), dtype, "count", 0))) == exact


def test_the_corners_of_a_float_hold_what_arithmetic_would_lose() -> None:
    table = np.array(corners("float32", 32), dtype=np.uint32).view(np.float32)
    assert np.isnan(table).sum() == 6
    assert np.isinf(table).sum() == 2
    assert (np.signbit(table) & (table == 0)).sum() == 1
    assert ((table != 0) & (np.abs(table) < np.finfo(np.float32).tiny)).sum() == 4


def test_the_streams_behind_seeds_stay_as_they_are() -> None:
    assert values((2,), "int32", "bits", 1).tolist() == [1791095845, -12091157]
    assert mask_of((8,), "half", 1).tolist() == [1, 0, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_mask_pattern_fits_every_shape(pattern: str) -> None:
    shapes: list[tuple[int, ...]] = [(), (0, 2), (1,), (3, 5), (2048,)]
    masks = [mask_of(shape, pattern, 0) for shape in shapes]
    assert [mask.shape for mask in masks] == shapes
    assert {mask.dtype.name for mask in masks} == {"bool"}


def test_block_edges_are_the_elements_beside_a_kernel_block() -> None:
    assert np.flatnonzero(mask_of((2048,), "block edges", 0)).tolist() == [
        *(0, 1),
        *(1022, 1023, 1024, 1025),
        *(2046, 2047),
    ]
