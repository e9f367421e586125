"""PP-YOLOE's distribution focal loss, in Paddle's operators, is what its paper says.

Where a label is no bin, the release raises an error. PP-YOLOE's targets come out of
`masked_select`: without the error, a model would be trained on garbage, silently.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import verify
from properties.cases.loss_cases import MOST_BINS, REPORTED, dfl_cases, label_cases, over_ranges
from properties.detection.dfl_questions import (
    dfl_bin_shares,
    dfl_gradients,
    dfl_values,
    ignored_labels,
    wrong_label,
)
from properties.oracle.box_loss import IGNORED, RegRange
from properties.protocol.release_errors import NO_HALF_ON_CPU

DTYPES = ("float16", "float32", "float64")
INT32, INT64 = 2**31, 2**63

over_dtypes = pytest.mark.parametrize("dtype", DTYPES)


@over_ranges
@over_dtypes
@given(data=st.data())
def test_value_matches(dtype: str, reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(dfl_cases(dfl_values, dtype, reg_range, "inside", "edges")), NO_HALF_ON_CPU)


@over_ranges
@over_dtypes
@given(data=st.data())
def test_gradient_matches(dtype: str, reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(dfl_cases(dfl_gradients, dtype, reg_range, "inside", "edges")), NO_HALF_ON_CPU)


@over_ranges
@over_dtypes
@given(data=st.data())
def test_targets_at_bin_edges_are_shared_between_the_right_bins(
    dtype: str, reg_range: RegRange, data: st.DataObject
) -> None:
    verify(data.draw(dfl_cases(dfl_bin_shares, dtype, reg_range, "edges")), NO_HALF_ON_CPU)


@pytest.mark.parametrize("label", REPORTED)
@given(data=st.data())
def test_reported_label_out_of_range_is_refused(label: int, data: st.DataObject) -> None:
    verify(data.draw(label_cases(wrong_label, st.just(label))))


@over_ranges
@given(data=st.data())
def test_label_one_past_the_last_bin_is_refused(reg_range: RegRange, data: st.DataObject) -> None:
    verify(data.draw(label_cases(wrong_label, st.just(reg_range[1] - reg_range[0]), reg_range)))


@given(data=st.data())
def test_any_32_bit_label_out_of_range_is_refused(data: st.DataObject) -> None:
    below = st.integers(-INT32, -1).filter(lambda label: label != IGNORED)
    verify(data.draw(label_cases(wrong_label, below | st.integers(MOST_BINS, INT32 - 1))))


@given(data=st.data())
def test_any_64_bit_label_out_of_range_is_refused(data: st.DataObject) -> None:
    """Stale memory holds any number; the floor of NaN, as a label, is the least int64."""
    wide = st.integers(-INT64, -INT32 - 1) | st.integers(INT32, INT64 - 1)
    bins_and_4_gib = st.integers(0, 7).map(lambda label: label + 2**32)
    verify(data.draw(label_cases(wrong_label, st.just(-INT64) | bins_and_4_gib | wide)))


@over_ranges
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
def test_ignored_label_has_no_loss_and_no_gradient(
    dtype: str, reg_range: RegRange, data: st.DataObject
) -> None:
    verify(data.draw(dfl_cases(ignored_labels, dtype, reg_range, "inside")))
