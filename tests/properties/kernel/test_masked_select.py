"""`paddle.masked_select` copies the elements that the mask chooses, and nothing else happens."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.strategies import (
    FLOATS,
    Selection,
    broadcast_selections,
    selections,
    shapes,
    shapes_around,
    unfitting_selections,
    views,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_BROADCAST
from properties.questions import masked_selection

FLOATING = ("float16", "bfloat16", *FLOATS)
COMPLEX = ("complex64", "complex128")
INTEGERS = ("int8", "uint8", "int16", "int32", "int64")
DTYPES = (*FLOATING, *INTEGERS, "bool", *COMPLEX)
KERNEL_BOUNDARIES = (4, 1024, 262144, 523264, 524288)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_selection_is_bit_exact(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(selections(dtypes=[dtype]))
    verify(Case(masked_selection.all_forms, selection))


@pytest.mark.parametrize("dtype", [*FLOATING, *COMPLEX])
@given(data=st.data())
def test_nan_payloads_infinities_and_signed_zeros_keep_their_bits(
    dtype: str, data: st.DataObject
) -> None:
    selection = data.draw(selections(dtypes=[dtype], fills=["special"]))
    verify(Case(masked_selection.all_forms, selection))


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_selection_is_bit_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(selections(shapes_around(size)))
    verify(Case(masked_selection.all_forms, selection))


@given(selection=selections(st.just(())))
def test_a_zero_dimensional_tensor_gives_one_element_or_none(selection: Selection) -> None:
    verify(Case(masked_selection.all_forms, selection))


@given(selection=selections(zero_size_shapes()))
def test_a_zero_size_tensor_gives_an_empty_selection(selection: Selection) -> None:
    verify(Case(masked_selection.all_forms, selection))


@given(selection=selections(patterns=["all"]))
def test_an_all_true_mask_copies(selection: Selection) -> None:
    verify(Case(masked_selection.all_forms, selection))


@given(selection=selections(patterns=["none"]))
def test_an_all_false_mask_gives_an_empty_selection(selection: Selection) -> None:
    verify(Case(masked_selection.all_forms, selection))


@pytest.mark.parametrize("dtype", FLOATING)
@given(data=st.data())
def test_the_gradient_goes_back_to_the_selected_elements_alone(
    dtype: str, data: st.DataObject
) -> None:
    verify(Case(masked_selection.gradient, data.draw(selections(dtypes=[dtype]))))


@given(selection=selections(dtypes=FLOATS, patterns=["none"]))
def test_the_gradient_is_zero_where_nothing_is_selected(selection: Selection) -> None:
    verify(Case(masked_selection.gradient, selection))


@given(selection=selections(dtypes=FLOATS, patterns=["all", "first", "last"]))
def test_the_gradient_of_the_sum_is_one_where_selected(selection: Selection) -> None:
    verify(Case(masked_selection.gradient_of_sum, selection))


@given(selection=selections(dtypes=FLOATS, patterns=["none"]))
def test_the_gradient_of_the_sum_over_nothing_is_zero(selection: Selection) -> None:
    verify(Case(masked_selection.gradient_of_sum, selection))


@given(selection=selections(dtypes=FLOATS))
def test_the_inputs_are_left_unchanged(selection: Selection) -> None:
    verify(Case(masked_selection.inputs_of_selecting, selection))


@given(selection=selections())
def test_the_selection_is_a_copy(selection: Selection) -> None:
    verify(Case(masked_selection.after_overwriting, selection))


@given(selection=selections(), byte=st.integers(1, 255))
def test_every_byte_of_a_mask_but_zero_is_true(selection: Selection, byte: int) -> None:
    verify(Case(masked_selection.by_bytes, selection, {"byte": byte}))


@given(data=st.data())
def test_a_view_is_selected_in_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(selections())
    verify(Case(masked_selection.of_views, selection, data.draw(views(selection.shape))))


@given(selection=broadcast_selections())
def test_x_and_mask_broadcast_as_in_numpy(selection: Selection) -> None:
    verify(Case(masked_selection.all_forms, selection), NO_BROADCAST)


@given(selection=broadcast_selections(FLOATS))
def test_the_gradient_of_a_broadcast_selection_adds_up(selection: Selection) -> None:
    verify(Case(masked_selection.gradient, selection), NO_BROADCAST)


@given(selection=unfitting_selections())
def test_shapes_that_do_not_fit_are_refused(selection: Selection) -> None:
    verify(Case(masked_selection.unfitting, selection))


@pytest.mark.parametrize("mask_dtype", ["uint8", "int32", "int64", "float32", "float64"])
@given(selection=selections())
def test_a_mask_that_is_not_boolean_is_refused(mask_dtype: str, selection: Selection) -> None:
    unfit = dataclasses.replace(selection, mask_dtype=mask_dtype)
    verify(Case(masked_selection.unfitting, unfit))


@given(selection=selections(shapes(max_side=5)).filter(lambda case: case.mask.any()))
def test_a_static_graph_selects_bit_exact(selection: Selection) -> None:
    verify(Case(masked_selection.static_program, selection))


@given(selection=selections(shapes(max_side=5), patterns=["none"]))
def test_a_static_graph_gives_an_empty_selection_for_an_all_false_mask(
    selection: Selection,
) -> None:
    verify(Case(masked_selection.static_program, selection))


@given(selection=selections(shapes(max_side=5)))
def test_a_function_compiled_by_to_static_selects_bit_exact(selection: Selection) -> None:
    verify(Case(masked_selection.to_static, selection))
