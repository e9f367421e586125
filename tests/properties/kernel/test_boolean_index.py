"""`x[mask]` copies what the mask chooses; `x[mask] = value` writes there, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.strategies import (
    FLOATS,
    OFFERED_BY_SOME,
    Selection,
    leading_selections,
    mixed_selections,
    selections,
    shapes,
    shapes_around,
    views,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_INTEGER_ASSIGNMENT
from properties.questions import boolean_index
from properties.questions.memory import view

INTEGERS = ("int32", "int64")
KERNEL_BOUNDARIES = (4, 1024)
MANY = shapes().filter(lambda shape: max(shape) > 1)
ONE = shapes(max_side=1)
TWO_ROWS = st.tuples(st.just(2), st.integers(2, 40))


@given(selection=mixed_selections())
def test_reading_is_bit_exact(selection: Selection) -> None:
    verify(Case(boolean_index.reading, selection))


@pytest.mark.parametrize("dtype", OFFERED_BY_SOME)
@given(data=st.data())
def test_reading_of_a_dtype_that_some_releases_offer(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(mixed_selections(dtypes=[dtype], fills=["bits", "special"]))
    verify(Case(boolean_index.reading, selection))


@given(selection=leading_selections())
def test_reading_by_a_mask_of_leading_axes_is_bit_exact(selection: Selection) -> None:
    verify(Case(boolean_index.reading, selection))


@given(selection=mixed_selections(dtypes=FLOATS, fills=["special"]))
def test_reading_keeps_nan_payloads_infinities_and_signed_zeros(selection: Selection) -> None:
    verify(Case(boolean_index.reading, selection))


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_reading_is_bit_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(mixed_selections(shapes_around(size)))
    verify(Case(boolean_index.reading, selection))


@given(selection=selections(MANY, patterns=["all"]))
def test_reading_by_an_all_true_mask_copies(selection: Selection) -> None:
    verify(Case(boolean_index.reading_alike, selection))


@given(selection=selections(MANY, patterns=["none"]))
def test_reading_by_an_all_false_mask_gives_nothing(selection: Selection) -> None:
    verify(Case(boolean_index.reading_alike, selection))


@given(selection=selections(ONE, patterns=["all"]))
def test_reading_by_a_mask_of_one_element_gives_that_element(selection: Selection) -> None:
    verify(Case(boolean_index.reading_alike, selection))


@given(selection=selections(zero_size_shapes()))
def test_reading_a_zero_size_tensor_gives_nothing(selection: Selection) -> None:
    verify(Case(boolean_index.reading_alike, selection))


@given(data=st.data())
def test_a_view_is_read_in_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(mixed_selections())
    seen = data.draw(views(selection.shape))
    mask = view(selection.mask, **seen)
    assume(mask.size > 1 and mask.any())
    verify(Case(boolean_index.reading_of_views, selection, seen))


@given(
    selection=mixed_selections(dtypes=FLOATS, fills=["count"])
    | leading_selections(FLOATS, ["count"])
)
def test_the_gradient_goes_back_to_what_was_read_alone(selection: Selection) -> None:
    verify(Case(boolean_index.reading_gradient, selection))


@given(selection=mixed_selections(dtypes=FLOATS))
def test_reading_leaves_the_inputs_unchanged(selection: Selection) -> None:
    verify(Case(boolean_index.inputs_of_reading, selection))


@given(selection=mixed_selections(dtypes=FLOATS, fills=["count"]))
def test_a_number_is_written_where_the_mask_is_true_alone(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_a_number, selection))


@given(selection=mixed_selections(dtypes=FLOATS, fills=["count"]))
def test_elements_are_written_where_the_mask_is_true_alone(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_elements, selection))


@given(selection=selections(TWO_ROWS, FLOATS, ["count"], ["alternating"]))
def test_as_many_elements_as_a_row_has_are_written_one_by_one(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_elements, selection))


@given(selection=mixed_selections(dtypes=INTEGERS))
def test_integers_are_written_where_the_mask_is_true_alone(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_elements, selection), NO_INTEGER_ASSIGNMENT)


@given(selection=leading_selections(FLOATS, ["count"]))
def test_a_mask_of_leading_axes_is_written_through(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_elements, selection))


@given(selection=mixed_selections(dtypes=FLOATS, fills=["count"]))
def test_nan_infinities_and_great_numbers_are_overwritten(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_over_nan, selection))


@given(selection=mixed_selections(dtypes=FLOATS, fills=["special", "bits"]))
def test_an_assignment_keeps_the_bits_of_what_is_written_and_of_the_rest(
    selection: Selection,
) -> None:
    verify(Case(boolean_index.assigning_an_element, selection))


@given(selection=selections(MANY, FLOATS, ["count"], ["all", "none"]))
def test_a_number_is_written_everywhere_or_nowhere(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_a_number, selection))


@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
def test_the_gradient_of_an_assignment_is_that_of_what_was_written(
    dtype: str, data: st.DataObject
) -> None:
    selection = data.draw(mixed_selections(dtypes=[dtype], fills=["count"]))
    assume(selection.mask.sum() > 1)
    verify(Case(boolean_index.assigning_gradient, selection))


@given(selection=mixed_selections(shapes(max_side=3), FLOATS, ["count"]))
def test_the_gradient_of_one_element_written_to_many_places_adds_up(selection: Selection) -> None:
    verify(Case(boolean_index.assigning_gradient_of_one, selection))


@given(selection=mixed_selections(dtypes=FLOATS))
def test_assigning_leaves_the_mask_and_the_value_unchanged(selection: Selection) -> None:
    verify(Case(boolean_index.inputs_of_assigning, selection))
