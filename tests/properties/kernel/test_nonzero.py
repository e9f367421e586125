"""`paddle.nonzero` names the elements that are not zero, in C order, and nothing else happens."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from properties.cases.case import holds, holds_for_each
from properties.cases.strategies import (
    FLOATS,
    LARGE,
    OFFERED_BY_SOME,
    OFFERED_EVERYWHERE,
    ROWS,
    large_selections,
    selections,
    shapes_around,
    view_selections,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_INDICES_WITHOUT_AXES
from properties.questions import nonzero as asked

OFFERED = (*OFFERED_EVERYWHERE, "bool")

test_indices_are_exact = holds(asked.indices, selections(dtypes=OFFERED, fills=["count"]))
test_indices_of_a_dtype_that_some_releases_offer = holds_for_each(
    asked.indices,
    product(OFFERED_BY_SOME),
    lambda dtype: selections(dtypes=[dtype], fills=["count"]),
)
test_an_integer_is_not_zero_whichever_of_its_bits_is_set = holds(
    asked.indices, selections(dtypes=["int32", "int64"], fills=["special"])
)
test_nan_is_not_zero_and_a_signed_zero_is = holds(asked.indices_of_nan, selections(dtypes=FLOATS))
test_denormals_are_not_zero = holds(asked.indices_of_denormals, selections(dtypes=FLOATS))
test_indices_are_exact_around_a_kernel_boundary = holds_for_each(
    asked.indices_once,
    product([4, 1024]),
    lambda size: selections(shapes_around(size), OFFERED, ["count"]),
)
test_indices_are_exact_at_real_sizes = holds_for_each(
    asked.indices_of_many, product(LARGE), large_selections, most=4
)
test_where_nothing_is_zero_every_element_is_named = holds(
    asked.indices, selections(dtypes=OFFERED, fills=["count"], patterns=["all"]), most=40
)
test_where_all_is_zero_no_element_is_named = holds(
    asked.indices, selections(dtypes=OFFERED, fills=["count"], patterns=["none"]), most=40
)
test_a_tensor_without_axes_has_indices_of_no_axis = holds(
    asked.indices_without_axes,
    selections(st.just(()), OFFERED, ["count"]),
    NO_INDICES_WITHOUT_AXES,
)
test_a_zero_size_tensor_has_no_indices = holds(
    asked.indices, selections(zero_size_shapes(), OFFERED)
)
test_indices_of_a_view_are_those_of_its_logical_order = holds(
    asked.indices_of_views, view_selections(fills=["count"])
)
test_indices_of_a_row_are_exact_whatever_its_width = holds(
    asked.indices_of_rows, selections(ROWS, OFFERED, ["count"])
)
test_the_inputs_are_left_unchanged = holds(asked.inputs_of_nonzero, selections(dtypes=OFFERED))
