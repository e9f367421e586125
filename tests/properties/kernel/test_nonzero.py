"""`paddle.nonzero` names the elements that are not zero, in C order, and nothing else happens.

Denormals are not put to it: releases before 2.4 take them for zero, as they set the CPU to do.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.strategies import (
    FLOATS,
    OFFERED_BY_SOME,
    OFFERED_EVERYWHERE,
    ROWS,
    Selection,
    selections,
    shapes_around,
    views,
    zero_size_shapes,
)
from properties.questions import nonzero

OFFERED = (*OFFERED_EVERYWHERE, "bool")
KERNEL_BOUNDARIES = (4, 1024, 262144)


@given(selection=selections(dtypes=OFFERED, fills=["count"]))
def test_indices_are_exact(selection: Selection) -> None:
    verify(Case(nonzero.indices, selection))


@pytest.mark.parametrize("dtype", OFFERED_BY_SOME)
@given(data=st.data())
def test_indices_of_a_dtype_that_some_releases_offer(dtype: str, data: st.DataObject) -> None:
    selection = data.draw(selections(dtypes=[dtype], fills=["count"]))
    verify(Case(nonzero.indices, selection))


@given(selection=selections(dtypes=["int32", "int64"], fills=["special"]))
def test_an_integer_is_not_zero_whichever_of_its_bits_is_set(selection: Selection) -> None:
    verify(Case(nonzero.indices, selection))


@given(selection=selections(dtypes=FLOATS))
def test_nan_is_not_zero_and_a_signed_zero_is(selection: Selection) -> None:
    verify(Case(nonzero.indices_of_nan, selection))


@pytest.mark.parametrize("size", KERNEL_BOUNDARIES)
@given(data=st.data())
def test_indices_are_exact_around_a_kernel_boundary(size: int, data: st.DataObject) -> None:
    selection = data.draw(selections(shapes_around(size), OFFERED, ["count"]))
    verify(Case(nonzero.indices_once, selection))


@given(selection=selections(dtypes=OFFERED, fills=["count"], patterns=["all"]))
def test_where_nothing_is_zero_every_element_is_named(selection: Selection) -> None:
    verify(Case(nonzero.indices, selection))


@given(selection=selections(dtypes=OFFERED, fills=["count"], patterns=["none"]))
def test_where_all_is_zero_no_element_is_named(selection: Selection) -> None:
    verify(Case(nonzero.indices, selection))


@given(selection=selections(zero_size_shapes(), OFFERED))
def test_a_zero_size_tensor_has_no_indices(selection: Selection) -> None:
    verify(Case(nonzero.indices, selection))


@given(data=st.data())
def test_indices_of_a_view_are_those_of_its_logical_order(data: st.DataObject) -> None:
    selection = data.draw(selections(fills=["count"]))
    question = nonzero.indices_of_views
    verify(Case(question, selection, data.draw(views(selection.shape))))


@given(selection=selections(ROWS, OFFERED, ["count"]))
def test_indices_of_a_row_are_exact_whatever_its_width(selection: Selection) -> None:
    verify(Case(nonzero.indices_of_rows, selection))


@given(selection=selections(dtypes=OFFERED))
def test_the_inputs_are_left_unchanged(selection: Selection) -> None:
    verify(Case(nonzero.inputs_of_nonzero, selection))
