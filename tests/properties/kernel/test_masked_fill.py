"""`paddle.masked_fill` writes a value where the mask is True; all the rest keeps its bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.strategies import (
    FLOATS,
    OFFERED_BY_SOME,
    Selection,
    broadcast_selections,
    selections,
    shapes,
    shapes_around,
    views,
    zero_size_shapes,
)
from properties.questions import where_and_fill

KERNEL_BOUNDARIES = (4, 1024)


@given(selection=selections(fills=["count"]))
def test_filling_is_bit_exact(selection: Selection) -> None:
    verify(Case(where_and_fill.filling, selection))


@pytest.mark.parametrize("dtype", OFFERED_BY_SOME)
@given(data=st.data())
def test_filling_in_a_dtype_that_some_releases_offer(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(selections(dtypes=[dtype]))
    verify(Case(where_and_fill.filling_with_an_element, selection))


@given(selection=selections(dtypes=FLOATS, fills=["special"]))
def test_nan_payloads_infinities_and_signed_zeros_keep_their_bits(selection: Selection) -> None:
    verify(Case(where_and_fill.filling_with_an_element, selection))


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_filling_is_bit_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(selections(shapes_around(size), fills=["count"]))
    verify(Case(where_and_fill.filling, selection))


@given(selection=selections(fills=["count"], patterns=["all", "none"]))
def test_a_mask_of_one_value_fills_everything_or_nothing(selection: Selection) -> None:
    verify(Case(where_and_fill.filling, selection))


@given(selection=selections(st.just(()), fills=["count"]))
def test_a_zero_dimensional_tensor_is_filled(selection: Selection) -> None:
    verify(Case(where_and_fill.filling, selection))


@given(selection=selections(zero_size_shapes()))
def test_a_zero_size_tensor_stays_empty(selection: Selection) -> None:
    verify(Case(where_and_fill.filling, selection))


@given(selection=selections(fills=["count"]))
def test_filling_in_place_changes_the_tensor_itself(selection: Selection) -> None:
    verify(Case(where_and_fill.filling_in_place, selection))


@given(selection=broadcast_selections())
def test_x_and_mask_broadcast_as_in_numpy(selection: Selection) -> None:
    verify(Case(where_and_fill.filling, selection))


@given(data=st.data())
def test_a_view_is_filled_in_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(selections(fills=["count"]))
    question = where_and_fill.filling_of_views
    verify(Case(question, selection, data.draw(views(selection.shape))))


@given(selection=selections(dtypes=FLOATS, fills=["count"]))
def test_the_gradient_goes_back_to_what_was_not_filled(selection: Selection) -> None:
    verify(Case(where_and_fill.filling_gradient, selection))


@given(selection=selections(shapes(max_side=3), FLOATS, ["count"]))
def test_the_gradient_by_the_value_is_summed_where_it_was_filled_in(selection: Selection) -> None:
    verify(Case(where_and_fill.filling_gradient_by_value, selection))


@given(selection=selections(dtypes=FLOATS))
def test_the_inputs_are_left_unchanged(selection: Selection) -> None:
    verify(Case(where_and_fill.inputs_of_filling, selection))
