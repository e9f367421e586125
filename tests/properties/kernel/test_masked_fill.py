"""`paddle.masked_fill` writes a value where the mask is True; all the rest keeps its bits."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from properties.cases.case import holds, holds_for_each
from properties.cases.strategies import (
    FLOATS,
    OFFERED_BY_SOME,
    broadcast_selections,
    selections,
    shapes,
    shapes_around,
    view_selections,
    zero_size_shapes,
)
from properties.questions import where_and_fill as asked

test_filling_is_bit_exact = holds(asked.filling, selections(fills=["count"]))
test_filling_in_a_dtype_that_some_releases_offer = holds_for_each(
    asked.filling_with_an_element,
    product(OFFERED_BY_SOME),
    lambda dtype: selections(dtypes=[dtype]),
)
test_nan_payloads_infinities_and_signed_zeros_keep_their_bits = holds(
    asked.filling_with_an_element, selections(dtypes=FLOATS, fills=["special"])
)
test_filling_is_bit_exact_around_a_kernel_boundary = holds_for_each(
    asked.filling, product([4, 1024]), lambda size: selections(shapes_around(size), fills=["count"])
)
test_a_mask_of_one_value_fills_everything_or_nothing = holds(
    asked.filling, selections(fills=["count"], patterns=["all", "none"])
)
test_a_zero_dimensional_tensor_is_filled = holds(
    asked.filling, selections(st.just(()), fills=["count"])
)
test_a_zero_size_tensor_stays_empty = holds(asked.filling, selections(zero_size_shapes()))
test_filling_in_place_changes_the_tensor_itself = holds(
    asked.filling_in_place, selections(fills=["count"])
)
test_x_and_mask_broadcast_as_in_numpy = holds(asked.filling, broadcast_selections())
test_a_view_is_filled_in_its_logical_order = holds(
    asked.filling_of_views, view_selections(fills=["count"])
)
test_the_gradient_goes_back_to_what_was_not_filled = holds(
    asked.filling_gradient, selections(dtypes=FLOATS, fills=["count"])
)
test_the_gradient_by_the_value_is_summed_where_it_was_filled_in = holds(
    asked.filling_gradient_by_value, selections(shapes(max_side=3), FLOATS, ["count"])
)
test_the_inputs_are_left_unchanged = holds(asked.inputs_of_filling, selections(dtypes=FLOATS))
