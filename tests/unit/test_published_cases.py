"""The published cases: what the committed file gives as right is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from properties.cases.regressions import Regression, read_regressions
from properties.oracle.selecting import boolean_index, masked_select, nonzero

PUBLISHED = read_regressions()


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_what_is_published_as_right_is_what_the_oracle_gives(published: Regression) -> None:
    if published.call == "cross_entropy":
        assert published.classes is not None
        assert not 0 <= published.x[0] < published.classes
        return
    arrays = published.arguments
    x, right = arrays["x"], arrays["right"]
    if published.permutation:
        x = x.transpose(published.permutation)
    if published.call == "nonzero":
        due = nonzero(x if published.row is None else x[published.row])
    else:
        select = masked_select if published.call == "masked_select" else boolean_index
        due = select(x, arrays["mask"])
    assert (due.dtype, due.tolist()) == (right.dtype, right.tolist())


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_the_code_of_a_case_makes_its_arrays_again(published: Regression) -> None:
    from properties.oracle import arrays

    scope: dict[str, Any] = {"np": np, "ones_at": arrays.ones_at}
    exec(published.code(), scope)
    for name, array in published.arguments.items():
        assert scope[name].dtype == array.dtype
        np.testing.assert_array_equal(scope[name], array)


def test_the_threads_of_facts_are_there() -> None:
    numbers = {int(case.thread.rsplit("/", 1)[1]) for case in PUBLISHED}
    paddle = {38929, 43001, 43420, 44031, 44721, 45007, 45464, 53603, 72958}
    assert numbers >= paddle | {6723, 8963, 12, 41473}
