"""`x[mask]` copies what the mask chooses; `x[mask] = value` writes there, and nowhere else."""

from __future__ import annotations

from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from properties.cases.case import Case, holds, holds_for_each, verify
from properties.cases.strategies import (
    FLOATS,
    LARGE,
    OFFERED_BY_SOME,
    Selection,
    large_selections,
    leading_selections,
    mixed_selections,
    ppyoloe_selections,
    selections,
    shapes,
    shapes_around,
    view_selections,
    zero_size_shapes,
)
from properties.oracle.arrays import view
from properties.protocol.release_errors import NO_INTEGER_ASSIGNMENT
from properties.questions import boolean_index as index

MANY = shapes().filter(lambda shape: max(shape) > 1)
TWO_ROWS = st.tuples(st.just(2), st.integers(2, 40))


def several_are_written(dtype: str) -> st.SearchStrategy[Selection]:
    """Selections of more than one element: one alone is a case of its own."""
    drawn = mixed_selections(MANY, [dtype], ["count"])
    return drawn.filter(lambda selection: bool(selection.mask.sum() > 1))


test_reading_is_bit_exact = holds(index.reading, mixed_selections())
test_reading_of_a_dtype_that_some_releases_offer = holds_for_each(
    index.reading,
    product(OFFERED_BY_SOME),
    lambda dtype: mixed_selections(dtypes=[dtype], fills=["bits", "special"]),
)
test_reading_by_a_mask_of_leading_axes_is_bit_exact = holds(index.reading, leading_selections())
test_reading_keeps_nan_payloads_infinities_and_signed_zeros = holds(
    index.reading, mixed_selections(dtypes=FLOATS, fills=["special"])
)
test_reading_is_bit_exact_around_a_kernel_boundary = holds_for_each(
    index.reading, product([4, 1024]), lambda size: mixed_selections(shapes_around(size))
)
test_reading_is_bit_exact_at_real_sizes = holds_for_each(
    index.reading_once, product(LARGE), large_selections, most=4
)
test_reading_whole_anchors_of_ppyoloe_is_bit_exact = holds(
    index.reading_once,
    ppyoloe_selections([(8, 8400, 68), (8, 8400, 80)], mask_shape=(8, 8400)),
    most=2,
)
test_reading_by_an_all_true_mask_copies = holds(
    index.reading_alike, selections(MANY, patterns=["all"])
)
test_reading_by_an_all_false_mask_gives_nothing = holds(
    index.reading_alike, selections(MANY, patterns=["none"])
)
test_reading_by_a_mask_of_one_element_gives_that_element = holds(
    index.reading_alike, selections(shapes(max_side=1), patterns=["all"])
)
test_reading_a_zero_size_tensor_gives_nothing = holds(
    index.reading_alike, selections(zero_size_shapes())
)


@given(data=st.data())
def test_a_view_is_read_in_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(view_selections(mixed_selections))
    mask = view(selection.mask, selection.options["seen"])
    assume(mask.size > 1 and mask.any())
    verify(Case(index.reading_of_views, selection))


test_the_gradient_goes_back_to_what_was_read_alone = holds(
    index.reading_gradient,
    mixed_selections(dtypes=FLOATS, fills=["count"]) | leading_selections(FLOATS, ["count"]),
)
test_the_gradient_of_a_weighted_sum_over_nothing_read_is_zero = holds(
    index.reading_gradient_of_weighted_sum, selections(MANY, FLOATS, ["count"], ["none"]), most=20
)
test_reading_leaves_the_inputs_unchanged = holds(
    index.inputs_of_reading, mixed_selections(dtypes=FLOATS)
)
test_a_number_is_written_where_the_mask_is_true_alone = holds(
    index.assigning_a_number, mixed_selections(dtypes=FLOATS, fills=["count"])
)
test_a_number_is_written_at_real_sizes = holds_for_each(
    index.assigning_once, product(LARGE), lambda size: large_selections(size, FLOATS), most=4
)
test_elements_are_written_where_the_mask_is_true_alone = holds(
    index.assigning_elements, mixed_selections(dtypes=FLOATS, fills=["count"])
)
test_as_many_elements_as_a_row_has_are_written_one_by_one = holds(
    index.assigning_elements, selections(TWO_ROWS, FLOATS, ["count"], ["alternating"])
)
test_integers_are_written_where_the_mask_is_true_alone = holds(
    index.assigning_elements, mixed_selections(dtypes=["int32", "int64"]), NO_INTEGER_ASSIGNMENT
)
test_a_mask_of_leading_axes_is_written_through = holds(
    index.assigning_elements, leading_selections(FLOATS, ["count"])
)
test_nan_infinities_and_great_numbers_are_overwritten = holds(
    index.assigning_over_nan, mixed_selections(dtypes=FLOATS, fills=["count"])
)
test_an_assignment_keeps_the_bits_of_what_is_written_and_of_the_rest = holds(
    index.assigning_an_element, mixed_selections(dtypes=FLOATS, fills=["special", "bits"])
)
test_a_number_is_written_everywhere_or_nowhere = holds(
    index.assigning_a_number, selections(MANY, FLOATS, ["count"], ["all", "none"])
)
test_the_gradient_of_an_assignment_is_that_of_what_was_written = holds_for_each(
    index.assigning_gradient, product(FLOATS), several_are_written
)
test_the_gradient_of_one_element_written_to_many_places_adds_up = holds(
    index.assigning_gradient_of_one, mixed_selections(shapes(max_side=3), FLOATS, ["count"])
)
test_assigning_leaves_the_mask_and_the_value_unchanged = holds(
    index.inputs_of_assigning, mixed_selections(dtypes=FLOATS)
)
