"""PP-YOLOE's distribution focal loss, in Paddle's operators, is what its paper says.

Where a label is no bin, the release raises an error. PP-YOLOE's targets come out of
`masked_select`: without the error, a model would be trained on garbage, silently.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import strategies as st

from properties.cases.case import Case, Options, holds, holds_for_each, verify
from properties.cases.loss_cases import (
    BATCH,
    MANY,
    MOST_BINS,
    REPORTED,
    any_dfl,
    confident_dfl,
    recipe_of_dfl,
    wrong_labels,
)
from properties.detection import dfl_questions as asked
from properties.oracle.box_loss import IGNORED
from properties.protocol.release_errors import NO_HALF_ON_CPU

DTYPES = list(product(("float16", "float32", "float64")))
WIDE_DTYPES = DTYPES[1:]
INT32, INT64 = 2**31, 2**63
BELOW = st.integers(-INT32, -1).filter(lambda label: label != IGNORED)
# Stale memory holds any number; the floor of NaN, as a label, is the least int64.
WIDE = st.integers(-INT64, -INT32 - 1) | st.integers(INT32, INT64 - 1)
BINS_AND_4_GIB = st.integers(0, 7).map(lambda label: label + 2**32)


def inside_and_edges(dtype: str) -> st.SearchStrategy[Any]:
    """Targets everywhere in the range, and at the edges of bins."""
    return any_dfl(dtype, "inside", "edges")


test_value_matches = holds_for_each(asked.dfl_values, DTYPES, inside_and_edges, NO_HALF_ON_CPU)
test_gradient_matches = holds_for_each(
    asked.dfl_gradients, DTYPES, inside_and_edges, NO_HALF_ON_CPU
)
test_targets_at_bin_edges_are_shared_between_the_right_bins = holds_for_each(
    asked.dfl_bin_shares, DTYPES, lambda dtype: any_dfl(dtype, "edges"), NO_HALF_ON_CPU
)


def test_the_loss_of_as_many_positives_as_a_batch_has_matches() -> None:
    verify(Case(asked.dfl_of_many, recipe_of_dfl((0, 17), "float32", "inside", BATCH, 16.0, 0)))


@pytest.mark.parametrize("positives", MANY)
def test_cross_entropies_of_many_rows_match(positives: int) -> None:
    inputs = recipe_of_dfl((0, 2), "float32", "inside", positives, 16.0, 0)
    verify(Case(asked.entropies_of_many, inputs))


test_the_loss_of_a_confident_wrong_prediction_matches = holds_for_each(
    asked.entropies, DTYPES, confident_dfl, NO_HALF_ON_CPU
)
test_the_gradient_of_a_confident_wrong_prediction_matches = holds_for_each(
    asked.entropy_gradients, DTYPES, confident_dfl, NO_HALF_ON_CPU
)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_cross_entropy_of_no_rows_is_none(reduction: str) -> None:
    for dtype, classes, sides in product(("float32", "float64"), (2, 17), (1, 4)):
        words = {"dtype": dtype, "classes": classes, "sides": sides, "reduction": reduction}
        verify(Case(asked.entropies_of_nothing, Options(words)))


test_ignored_label_has_no_loss_and_no_gradient = holds_for_each(
    asked.ignored_labels, WIDE_DTYPES, lambda dtype: any_dfl(dtype, "inside")
)
test_reported_label_out_of_range_is_refused = holds(
    asked.wrong_label, wrong_labels(st.sampled_from(REPORTED))
)
test_label_one_past_the_last_bin_is_refused = holds(asked.wrong_label, wrong_labels())
test_any_32_bit_label_out_of_range_is_refused = holds(
    asked.wrong_label, wrong_labels(BELOW | st.integers(MOST_BINS, INT32 - 1))
)
test_any_64_bit_label_out_of_range_is_refused = holds(
    asked.wrong_label, wrong_labels(st.just(-INT64) | BINS_AND_4_GIB | WIDE)
)
