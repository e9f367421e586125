"""`paddle.where` chooses between two tensors by a mask, or names where the mask is True."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from properties.cases.case import holds, holds_for_each
from properties.cases.strategies import (
    FLOATS,
    LARGE,
    broadcast_selections,
    large_selections,
    selections,
    shapes_around,
    view_selections,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_MASK_ALONE, NO_NUMBER
from properties.questions import nonzero
from properties.questions import where_and_fill as asked

OFFERED_BY_SOME = ("float16", "bfloat16", "bool", "complex64")
KERNEL_BOUNDARIES = (4, 1024)
# No other dtype than the one holds all of them: int64 and float64 need their 64 bits.
NUMBERS = {
    "float32": (0.1, -1 / 3, 2.0**100),
    "float64": (0.1, -1 / 3, 1e300),
    "int32": (77, -5, 2**31 - 1),
    "int64": (2**53 + 1, 77, -(2**63)),
}

test_a_mask_alone_gives_the_indices_of_each_axis = holds(
    nonzero.indices_by_where, selections(), NO_MASK_ALONE
)
test_indices_are_exact_around_a_kernel_boundary = holds_for_each(
    nonzero.indices_by_where,
    product(KERNEL_BOUNDARIES),
    lambda size: selections(shapes_around(size)),
    NO_MASK_ALONE,
)
test_an_all_false_mask_alone_gives_no_index = holds(
    nonzero.indices_by_where, selections(patterns=["none"]), NO_MASK_ALONE
)
test_the_choice_is_bit_exact = holds(asked.choosing, selections())
test_the_choice_in_a_dtype_that_some_releases_offer = holds_for_each(
    asked.choosing,
    product(OFFERED_BY_SOME),
    lambda dtype: selections(dtypes=[dtype], fills=["bits", "special"]),
)
test_nan_payloads_infinities_and_signed_zeros_keep_their_bits = holds(
    asked.choosing, selections(dtypes=FLOATS, fills=["special"])
)
test_the_choice_is_bit_exact_around_a_kernel_boundary = holds_for_each(
    asked.choosing, product(KERNEL_BOUNDARIES), lambda size: selections(shapes_around(size))
)
test_the_choice_is_bit_exact_at_real_sizes = holds_for_each(
    asked.choosing_once, product(LARGE), large_selections, most=4
)
test_a_number_is_chosen_in_the_dtype_of_the_tensor = holds_for_each(
    asked.choosing_a_number,
    product(NUMBERS),
    lambda dtype: selections(
        dtypes=[dtype], fills=["count"], number=st.sampled_from(NUMBERS[dtype])
    ),
    NO_NUMBER,
    most=20,
)
test_an_integer_is_chosen_beside_floats = holds_for_each(
    asked.choosing_a_number,
    product(FLOATS),
    lambda dtype: selections(dtypes=[dtype], fills=["count"], number=st.sampled_from([77, -5])),
    NO_NUMBER,
    most=20,
)
test_a_mask_of_one_value_copies_one_side = holds(
    asked.choosing, selections(patterns=["all", "none"])
)
test_a_tensor_without_axes_or_without_elements_is_chosen_from = holds(
    asked.choosing, selections(st.just(()) | zero_size_shapes())
)
test_the_mask_and_the_sides_broadcast_as_in_numpy = holds(asked.choosing, broadcast_selections())
test_what_broadcasts_keeps_its_bits = holds(
    asked.choosing, broadcast_selections(FLOATS, ["special"])
)
test_a_view_is_chosen_from_in_its_logical_order = holds(
    asked.choosing_from_views, view_selections()
)
test_the_gradient_goes_to_the_side_that_was_chosen = holds(
    asked.choosing_gradient, selections(dtypes=FLOATS, fills=["count"])
)
test_the_inputs_are_left_unchanged = holds(asked.inputs_of_choosing, selections(dtypes=FLOATS))
