"""Numbers of every dtype get to Paddle and back unchanged, and through one addition.

This is asked first: where it fails, nothing else that is asked means anything, and the run ends.
NumPy 2 beside a release that was built against NumPy 1 is such a case (PaddlePaddle/Paddle#67795).
"""

from __future__ import annotations

import pytest

from properties.cases.case import Case, verify
from properties.questions.round_trip import Numbers, there_and_back

FLOATS = ("float32", "float64", "float16", "complex64", "complex128")
DTYPES = (*FLOATS, "bool", "uint8", "int8", "int16", "int32", "int64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_come_back_as_they_were_sent(dtype: str) -> None:
    verify(Case(there_and_back, Numbers(dtype)))
