"""The oracle of `nonzero`, boolean indices, `where` and `masked_fill` against plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from hypothesis import given
from properties.cases.strategies import (
    Selection,
    broadcast_selections,
    leading_selections,
    selections,
)
from properties.oracle import selecting


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The places of an array of that shape, in C order."""
    return itertools.product(*(range(side) for side in shape))


@given(selections(dtypes=["int64"]))
def test_nonzero_lists_the_places_in_c_order(selection: Selection) -> None:
    x = selection.x * selection.mask
    due = [list(at) for at in places(x.shape) if x[at] != 0]
    found = selecting.nonzero(x)
    assert found.tolist() == due
    assert found.shape == (len(due), x.ndim)
    assert found.dtype == np.int64


def test_nan_is_not_zero_and_a_signed_zero_is() -> None:
    assert selecting.nonzero(np.array([np.nan, -0.0, 5e-324])).tolist() == [[0], [2]]


@given(leading_selections(["int64"]))
def test_a_boolean_index_is_a_loop_over_the_places_of_the_mask(selection: Selection) -> None:
    x, mask = selection.x, selection.mask
    due = [x[at].tolist() for at in places(mask.shape) if mask[at]]
    assert selecting.boolean_index(x, mask).tolist() == due


@given(leading_selections(["int64"]))
def test_the_gradient_of_a_boolean_index_is_its_adjoint(selection: Selection) -> None:
    x, mask = selection.x % 9, selection.mask
    read = selecting.boolean_index(x, mask)
    gradient = selecting.boolean_index_gradient(x.shape, mask, read + 1)
    assert (gradient * x).sum() == ((read + 1) * read).sum()
    assert not selecting.boolean_index(gradient, ~mask).any()


@given(selections(dtypes=["int64"]))
def test_assigning_writes_one_element_after_the_other(selection: Selection) -> None:
    x, mask = selection.x, selection.mask
    before, elements = x.copy(), np.arange(np.count_nonzero(mask))
    after = selecting.assignment(x, mask, elements)
    left = iter(elements)
    assert (
        after.tolist()
        == np.reshape(
            [next(left) if mask[at] else x[at] for at in places(x.shape)], x.shape
        ).tolist()
    )
    assert x.tolist() == before.tolist()


@given(broadcast_selections(["int64"]))
def test_where_and_masked_fill_choose_place_by_place(selection: Selection) -> None:
    x, mask = np.broadcast_arrays(selection.x, selection.mask)
    chosen = selecting.where(selection.mask, selection.x, -selection.x)
    filled = selecting.masked_fill(selection.x, selection.mask, 77)
    for at in places(x.shape):
        assert chosen[at] == (x[at] if mask[at] else -x[at])
        assert filled[at] == (77 if mask[at] else x[at])
    assert filled.dtype == selection.x.dtype
