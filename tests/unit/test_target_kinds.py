"""The kinds of wrong targets: each float beyond a range is of one, and each kind can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties.cases.target_kinds import KINDS, kind_of, targets

RANGES = st.sampled_from([(0, 17), (-2, 8)])

over_dtypes = pytest.mark.parametrize("dtype", KINDS)


@pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, dtype) for dtype, kinds in KINDS.items() for kind in kinds]
)
@given(data=st.data())
def test_a_kind_is_drawn_as_floats_of_its_dtype(kind: str, dtype: str, data: st.DataObject) -> None:
    reg_range = data.draw(RANGES)
    target = data.draw(targets(kind, dtype, reg_range))
    assert kind_of(target, reg_range) == kind
    np.testing.assert_equal(float(np.array(target, dtype)), target)


@example(16.0, (0, 17))
@example(-5e-324, (0, 17))
@given(st.floats(), RANGES)
def test_a_float_is_of_no_kind_just_where_both_labels_are_bins(
    target: float, reg_range: tuple[int, int]
) -> None:
    low, high = reg_range
    assert (kind_of(target, reg_range) is None) == (low <= target < high - 1)


@over_dtypes
@given(data=st.data())
def test_a_dtype_has_every_kind_that_its_floats_can_be_of(dtype: str, data: st.DataObject) -> None:
    width = 8 * np.dtype(dtype).itemsize
    target = data.draw(st.floats(width=width))  # type: ignore[arg-type]  # 16, 32 or 64
    assert kind_of(target, data.draw(RANGES)) in (None, *KINDS[dtype])
