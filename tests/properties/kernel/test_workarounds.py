"""The ways around Paddle's bugs give what is right: in the releases that have the bugs, too."""

from __future__ import annotations

from hypothesis import strategies as st

from properties.cases.case import holds
from properties.cases.loss_cases import REPORTED, confident_dfl, wrong_labels
from properties.cases.strategies import (
    FLOATS,
    broadcast_selections,
    mixed_selections,
    selections,
    shapes,
    zero_size_shapes,
)
from properties.questions import workarounds as asked

FEW = shapes(max_side=3)  # elements, whose sum is exact in whatever order
# Those that threads report, and those that releases from 2.4 on take for a class.
NO_CLASS = st.sampled_from((*REPORTED, -(2**63))) | st.integers(2**32, 2**32 + 7)

test_one_value_is_written_by_where = holds(
    asked.writing_one, mixed_selections(dtypes=FLOATS, fills=["special", "bits"])
)
test_a_number_is_filled_in_by_where = holds(
    asked.filling, selections(shapes() | zero_size_shapes(), fills=["count", "special"])
)
test_one_value_that_is_written_by_where_has_its_gradient = holds(
    asked.gradient_of_writing_one, mixed_selections(FEW, FLOATS, ["count"])
)
test_many_values_are_written_by_scatter = holds(asked.writing_many, mixed_selections())
test_many_values_that_are_written_by_scatter_have_their_gradient = holds(
    asked.gradient_of_writing_many, mixed_selections(dtypes=FLOATS, fills=["count"])
)
test_what_is_expanded_before_where_keeps_its_bits = holds(
    asked.choosing, broadcast_selections(FLOATS, ["special"])
)
test_masked_select_reads_whatever_the_mask_chooses = holds(
    asked.reading, selections(shapes() | zero_size_shapes())
)
test_the_sum_by_where_may_be_of_nothing = holds(asked.summing, selections(FEW, FLOATS, ["count"]))
test_labels_that_are_checked_do_not_train_wrongly = holds(
    asked.checking_labels, wrong_labels(NO_CLASS)
)
test_the_loss_of_a_confident_wrong_prediction_by_logsumexp_matches = holds(
    asked.computing_entropies, confident_dfl("float32") | confident_dfl("float64")
)
test_what_is_fetched_may_be_empty = holds(asked.fetching, mixed_selections(shapes(max_side=5)))
