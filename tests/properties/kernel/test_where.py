"""`paddle.where` chooses between two tensors by a mask, or names where the mask is True."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.strategies import (
    FLOATS,
    Selection,
    broadcast_selections,
    selections,
    shapes_around,
    views,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_MASK_ALONE
from properties.questions import nonzero, where_and_fill

OFFERED_BY_SOME = ("float16", "bfloat16", "bool", "complex64")
KERNEL_BOUNDARIES = (4, 1024)


@given(selection=selections())
def test_a_mask_alone_gives_the_indices_of_each_axis(selection: Selection) -> None:
    verify(Case(nonzero.indices_by_where, selection), NO_MASK_ALONE)


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_indices_are_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(selections(shapes_around(size)))
    verify(Case(nonzero.indices_by_where, selection), NO_MASK_ALONE)


@given(selection=selections(patterns=["none"]))
def test_an_all_false_mask_alone_gives_no_index(selection: Selection) -> None:
    verify(Case(nonzero.indices_by_where, selection), NO_MASK_ALONE)


@given(selection=selections())
def test_the_choice_is_bit_exact(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@pytest.mark.parametrize("dtype", OFFERED_BY_SOME)
@given(data=st.data())
def test_the_choice_in_a_dtype_that_some_releases_offer(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(selections(dtypes=[dtype], fills=["bits", "special"]))
    verify(Case(where_and_fill.choosing, selection))


@given(selection=selections(dtypes=FLOATS, fills=["special"]))
def test_nan_payloads_infinities_and_signed_zeros_keep_their_bits(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_the_choice_is_bit_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(selections(shapes_around(size)))
    verify(Case(where_and_fill.choosing, selection))


@given(selection=selections(patterns=["all", "none"]))
def test_a_mask_of_one_value_copies_one_side(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@given(selection=selections(st.just(()) | zero_size_shapes()))
def test_a_tensor_without_axes_or_without_elements_is_chosen_from(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@given(selection=broadcast_selections())
def test_the_mask_and_the_sides_broadcast_as_in_numpy(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@given(selection=broadcast_selections(FLOATS, ["special"]))
def test_what_broadcasts_keeps_its_bits(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing, selection))


@given(data=st.data())
def test_a_view_is_chosen_from_in_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(selections())
    question = where_and_fill.choosing_from_views
    verify(Case(question, selection, data.draw(views(selection.shape))))


@given(selection=selections(dtypes=FLOATS, fills=["count"]))
def test_the_gradient_goes_to_the_side_that_was_chosen(selection: Selection) -> None:
    verify(Case(where_and_fill.choosing_gradient, selection))


@given(selection=selections(dtypes=FLOATS))
def test_the_inputs_are_left_unchanged(selection: Selection) -> None:
    verify(Case(where_and_fill.inputs_of_choosing, selection))
