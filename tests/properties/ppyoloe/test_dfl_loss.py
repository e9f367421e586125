"""PP-YOLOE's distribution focal loss, in Paddle's operators, is what its paper says.

Where a label is no bin, the release raises an error. PP-YOLOE's targets come out of
`masked_select`: without the error, a model would be trained on garbage, silently.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import strategies as st

from properties.cases.case import holds, holds_for_each
from properties.cases.loss_cases import MOST_BINS, REG_RANGES, REPORTED, any_dfl, wrong_labels
from properties.detection import box_loss_questions as asked
from properties.oracle.box_loss import IGNORED, RegRange
from properties.protocol.release_errors import NO_HALF_ON_CPU

CASES = list(product(("float16", "float32", "float64"), REG_RANGES))
INT32, INT64 = 2**31, 2**63
BELOW = st.integers(-INT32, -1).filter(lambda label: label != IGNORED)
# Stale memory holds any number; the floor of NaN, as a label, is the least int64.
WIDE = st.integers(-INT64, -INT32 - 1) | st.integers(INT32, INT64 - 1)
BINS_AND_4_GIB = st.integers(0, 7).map(lambda label: label + 2**32)


def inside_and_edges(dtype: str, reg_range: RegRange) -> st.SearchStrategy[Any]:
    """Targets everywhere in the range, and at the edges of bins."""
    return any_dfl(dtype, reg_range, "inside", "edges")


test_value_matches = holds_for_each(asked.dfl_values, CASES, inside_and_edges, NO_HALF_ON_CPU)
test_gradient_matches = holds_for_each(asked.dfl_gradients, CASES, inside_and_edges, NO_HALF_ON_CPU)
test_targets_at_bin_edges_are_shared_between_the_right_bins = holds_for_each(
    asked.dfl_bin_shares, CASES, lambda *case: any_dfl(*case, "edges"), NO_HALF_ON_CPU
)
test_ignored_label_has_no_loss_and_no_gradient = holds_for_each(
    asked.ignored_labels,
    product(("float32", "float64"), REG_RANGES),
    lambda *case: any_dfl(*case, "inside"),
)
test_reported_label_out_of_range_is_refused = holds_for_each(
    asked.wrong_label, product(REPORTED), lambda label: wrong_labels(st.just(label))
)
test_label_one_past_the_last_bin_is_refused = holds_for_each(
    asked.wrong_label,
    product(REG_RANGES),
    lambda reg_range: wrong_labels(st.just(reg_range[1] - reg_range[0]), [reg_range]),
)
test_any_32_bit_label_out_of_range_is_refused = holds(
    asked.wrong_label, wrong_labels(BELOW | st.integers(MOST_BINS, INT32 - 1))
)
test_any_64_bit_label_out_of_range_is_refused = holds(
    asked.wrong_label, wrong_labels(st.just(-INT64) | BINS_AND_4_GIB | WIDE)
)
