"""The published cases: what the committed file gives as right is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from properties.cases.regressions import PublishedCase, array_of, read_regressions
from properties.oracle.selecting import boolean_index, masked_select, nonzero

PUBLISHED = read_regressions()


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_what_is_published_as_right_is_what_the_oracle_gives(published: PublishedCase) -> None:
    if published.options["call"] == "cross_entropy":
        (label,) = published.arrays["x"].tolist()
        assert not 0 <= label < published.options["classes"]
        return
    arrays = published.arrays
    x, right = arrays["x"], arrays["right"]
    x = x.transpose(published.options.get("permutation", range(x.ndim)))
    if published.options["call"] == "nonzero":
        due = nonzero(x[published.options["row"]] if "row" in published.options else x)
    else:
        select = masked_select if published.options["call"] == "masked_select" else boolean_index
        due = select(x, arrays["mask"])
    assert (due.dtype, due.tolist()) == (right.dtype, right.tolist())


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_the_code_of_a_case_makes_its_arrays_again(published: PublishedCase) -> None:
    scope: dict[str, Any] = {"array_of": array_of}
    exec(published.code(), scope)
    for name, array in published.arrays.items():
        assert scope[name].dtype == array.dtype
        np.testing.assert_array_equal(scope[name], array)


def test_the_threads_of_facts_are_there() -> None:
    numbers = {int(case.thread.rsplit("/", 1)[1]) for case in PUBLISHED}
    paddle = {38929, 43001, 43420, 44031, 44721, 45007, 45464, 53603, 72958}
    assert numbers >= paddle | {6723, 8963, 12, 41473}
