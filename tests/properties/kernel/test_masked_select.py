"""`paddle.masked_select` copies the elements that the mask chooses, and nothing else happens."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from properties.cases.case import holds, holds_for_each
from properties.cases.strategies import (
    FLOATS,
    LARGE,
    broadcast_selections,
    large_selections,
    ppyoloe_selections,
    selections,
    shapes,
    shapes_around,
    unfitting_selections,
    view_selections,
    zero_size_shapes,
)
from properties.protocol.release_errors import NO_BROADCAST
from properties.questions import masked_selection as asked

FLOATING = ("float16", "bfloat16", *FLOATS)
COMPLEX = ("complex64", "complex128")
INTEGERS = ("int8", "uint8", "int16", "int32", "int64")
DTYPES = (*FLOATING, *INTEGERS, "bool", *COMPLEX)

test_selection_is_bit_exact = holds_for_each(
    asked.all_forms, product(DTYPES), lambda dtype: selections(dtypes=[dtype])
)
test_nan_payloads_infinities_and_signed_zeros_keep_their_bits = holds_for_each(
    asked.all_forms,
    product([*FLOATING, *COMPLEX]),
    lambda dtype: selections(dtypes=[dtype], fills=["special"]),
)
test_selection_is_bit_exact_around_a_kernel_boundary = holds_for_each(
    asked.all_forms,
    product([4, 1024]),
    lambda size: selections(shapes_around(size)),
)
test_selection_is_bit_exact_at_real_sizes = holds_for_each(
    asked.once, product(LARGE), large_selections, most=4
)
test_what_ppyoloe_selects_is_bit_exact = holds(
    asked.once, ppyoloe_selections(dtypes=["float32", "int64"]), most=4
)
test_a_zero_dimensional_tensor_gives_one_element_or_none = holds(
    asked.all_forms, selections(st.just(()))
)
test_a_zero_size_tensor_gives_an_empty_selection = holds(
    asked.all_forms, selections(zero_size_shapes())
)
test_an_all_true_mask_copies = holds(asked.all_forms, selections(patterns=["all"]))
test_an_all_false_mask_gives_an_empty_selection = holds(
    asked.all_forms, selections(patterns=["none"])
)
test_the_gradient_goes_back_to_the_selected_elements_alone = holds_for_each(
    asked.gradient, product(FLOATING), lambda dtype: selections(dtypes=[dtype])
)
test_the_gradient_is_exact_at_real_sizes = holds_for_each(
    asked.gradient_once, product(LARGE), lambda size: large_selections(size, FLOATS), most=4
)
test_the_gradient_of_what_ppyoloe_selects_is_exact = holds(
    asked.gradient_once, ppyoloe_selections(), most=4
)
test_the_gradient_is_zero_where_nothing_is_selected = holds(
    asked.gradient, selections(dtypes=FLOATS, patterns=["none"])
)
test_the_gradient_of_the_sum_is_one_where_selected = holds(
    asked.gradient_of_sum, selections(dtypes=FLOATS, patterns=["all", "first", "last"])
)
test_the_gradient_of_the_sum_over_nothing_is_zero = holds(
    asked.gradient_of_sum, selections(dtypes=FLOATS, patterns=["none"])
)
test_the_gradient_of_a_weighted_sum_over_nothing_is_zero = holds(
    asked.gradient_of_weighted_sum, selections(dtypes=FLOATS, patterns=["none"]), most=20
)
test_the_inputs_are_left_unchanged = holds(asked.inputs_of_selecting, selections(dtypes=FLOATS))
test_the_selection_is_a_copy = holds(asked.after_overwriting, selections())
test_every_byte_of_a_mask_but_zero_is_true = holds(
    asked.by_bytes, selections(byte=st.integers(1, 255))
)
test_a_view_is_selected_in_its_logical_order = holds(asked.of_views, view_selections())
test_x_and_mask_broadcast_as_in_numpy = holds(asked.all_forms, broadcast_selections(), NO_BROADCAST)
test_the_gradient_of_a_broadcast_selection_adds_up = holds(
    asked.gradient, broadcast_selections(FLOATS), NO_BROADCAST
)
test_shapes_that_do_not_fit_are_refused = holds(asked.misfits, unfitting_selections(), most=40)


test_a_mask_that_is_not_boolean_is_refused = holds_for_each(
    asked.misfits,
    product(["uint8", "int32", "int64", "float32", "float64"]),
    lambda dtype: selections(mask_dtype=st.just(dtype)),
    most=20,
)
test_a_static_graph_selects_bit_exact = holds(
    asked.static_program,
    selections(shapes(max_side=5)).filter(lambda case: case.mask.any()),
    most=40,
)
test_a_static_graph_gives_an_empty_selection_for_an_all_false_mask = holds(
    asked.static_program, selections(shapes(max_side=5), patterns=["none"]), most=40
)
test_a_function_compiled_by_to_static_selects_bit_exact = holds(
    asked.to_static, selections(shapes(max_side=5)), most=20
)
