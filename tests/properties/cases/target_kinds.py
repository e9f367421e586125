"""The kinds of wrong DFL targets, and how each kind is drawn.

A target is wrong where one of its two labels, floor(target) - low and the next one, is no bin. Each
is of exactly one kind: a release may treat them differently, as the ignored label, or those of more
than 32 or 64 bits. A target of high - 1 is wrong, too: its upper label is no bin, although its
weight is 0, and the head clips its targets below that.
"""

from __future__ import annotations

from math import floor, isinf, isnan

import numpy as np
from hypothesis import strategies as st

from properties.oracle.box_loss import IGNORED

INT32, INT64 = 2.0**31, 2.0**63
JUST_BELOW = "just below the first bin"
IGNORES = "beside the ignored label"
BELOW = "below the first bin"
PAST = "past the last bin"
ABOVE = "above the range"
BEYOND_32 = "beyond 32 bits"
BEYOND_32_ON_A_BIN = "beyond 32 bits on a bin"
BEYOND_64 = "beyond 64 bits"
INFINITE = "infinite"
NAN = "NaN"
SMALL = (JUST_BELOW, IGNORES, BELOW, PAST, ABOVE)
GROUPS = {  # of kinds that a release treats alike: a property each
    "near the range": SMALL,
    "beyond 32 bits": (BEYOND_32, BEYOND_32_ON_A_BIN, BEYOND_64),
    "not finite": (INFINITE, NAN),
}
ALL = tuple(kind for kinds in GROUPS.values() for kind in kinds)
KINDS = {"float16": (*SMALL, INFINITE, NAN), "float32": ALL, "float64": ALL}


def kind_of(target: float, reg_range: tuple[int, int]) -> str | None:
    """The kind of a target; None where both its labels are bins."""
    low, high = reg_range
    if isnan(target) or isinf(target):
        return NAN if isnan(target) else INFINITE
    if abs(target) >= INT64:
        return BEYOND_64
    label = floor(target) - low
    if abs(target) >= INT32:
        return BEYOND_32_ON_A_BIN if label % 2**32 < high - low - 1 else BEYOND_32
    if label in (IGNORED, IGNORED - 1):
        return IGNORES
    if label < 0:
        return JUST_BELOW if label == -1 else BELOW
    if label >= high - low - 1:
        return PAST if label == high - low - 1 else ABOVE
    return None


def targets(kind: str, dtype: str, reg_range: tuple[int, int]) -> st.SearchStrategy[float]:
    """Floats of `dtype` that are of this kind. They shrink to the simplest of them, mostly to whole
    numbers near 0.
    """
    low, high = reg_range
    width = 8 * np.dtype(dtype).itemsize
    greatest = float(np.finfo(dtype).max)

    def between(least: float, end: float) -> st.SearchStrategy[float]:
        """Floats from `least` to `end`, without `end` unless it is the greatest of all.

        Without denormals: a process that flushes them takes one below 0 for 0, which is in range.
        """
        return st.floats(
            max(least, -greatest),
            min(end, greatest),
            width=width,  # type: ignore[arg-type]  # 16, 32 or 64
            exclude_max=end <= greatest,
            allow_subnormal=False,
        )

    def both_ways(least: float, end: float) -> st.SearchStrategy[float]:
        return between(least, end) | between(least, end).map(lambda target: -target)

    def on_a_bin(inside: float, wraps: int) -> float:
        return float(np.array(inside + wraps * 2.0**32).astype(dtype))

    wraps = st.integers(1, 2**31 - 1)
    # Beyond this, a float of the dtype is a multiple of 2**32.
    end_32 = min(2.0 ** (np.finfo(dtype).nmant + 32), INT64)
    drawn = {
        JUST_BELOW: between(low - 1, low),
        IGNORES: between(low + IGNORED - 1, low + IGNORED + 1),
        BELOW: between(-INT32, low - 1),
        PAST: between(high - 1, high),
        ABOVE: between(high, INT32),
        BEYOND_32: both_ways(INT32, end_32),
        BEYOND_32_ON_A_BIN: st.builds(
            on_a_bin, between(low, high - 1), wraps | wraps.map(lambda times: -times)
        ),
        BEYOND_64: both_ways(INT64, np.inf),
        INFINITE: st.sampled_from((np.inf, -np.inf)),
        NAN: st.just(np.nan),
    }
    return drawn[kind].filter(lambda target: kind_of(target, reg_range) == kind)
