"""Reading and writing by a mask is right whatever surrounds the call, and whatever its inputs are.

A combination of context and operator that a release does not offer is left out of what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from properties.cases.case import Case, Question, verify
from properties.cases.strategies import FLOATS, Selection, Shape, mixed_selections, shapes
from properties.protocol.evidence import begin
from properties.protocol.release_errors import NO_CONTEXT, says_not_offered
from properties.questions import contexts as asked

EXAMPLES = 20  # of each context: to draw one costs more than to ask it


def shapes_of_rank(least: int, most: int) -> st.SearchStrategy[Shape]:
    return npst.array_shapes(min_dims=least, max_dims=most, min_side=1, max_side=2)


class Context(NamedTuple):
    """A question that has an operator, and what is drawn for it."""

    question: Question
    shape: st.SearchStrategy[Shape] = shapes(max_side=4)
    options: dict[str, st.SearchStrategy[object]] = {}
    differentiates: bool = False  # asks for the gradient alone
    probe: Shape = (1, 2)


CONTEXTS = {
    "no_grad": Context(asked.under_no_grad),
    "auto_cast": Context(asked.under_auto_cast),
    "another thread": Context(asked.in_another_thread),
    "another default dtype": Context(asked.with_another_default_dtype),
    "static graph": Context(asked.in_a_static_graph, options={"axis": st.integers(0, 4)}),
    "create_graph": Context(asked.with_create_graph, differentiates=True),
    "two backward passes": Context(asked.over_two_backward_passes, differentiates=True),
    "asked twice": Context(asked.of_two_results, differentiates=True),
    "one tensor": Context(asked.of_one_tensor),
    "compared": Context(
        asked.by_a_comparison, options={"sign": st.sampled_from(["==", "!=", "<", "<="])}
    ),
    "results": Context(asked.of_results),
    "rank 6": Context(asked.plainly, shapes_of_rank(6, 6), probe=(1, 1, 1, 1, 1, 2)),
    "rank 7 to 9": Context(asked.plainly, shapes_of_rank(7, 9), probe=(1, 1, 1, 1, 1, 1, 1, 1, 2)),
}


@cache
def is_offered(context: str, operator: str) -> bool:
    """Whether the release offers the operator in this context: it says so where it does not."""
    question, options = CONTEXTS[context].question, {"operator": operator, "sign": "=="}
    probe = Selection(CONTEXTS[context].probe, "float32", pattern="first", options=options)
    case = Case(question, probe)
    begin(case)
    try:
        list(case.answers())
    except Exception as error:
        return says_not_offered(error, NO_CONTEXT) is None
    return True


def draw_in(context: str, operators: Sequence[str], data: st.DataObject) -> Selection:
    """A selection that chooses something and leaves something out, with an operator beside it."""
    asking = CONTEXTS[context]
    if asking.differentiates:
        operators = [operator for operator in operators if operator not in asked.INDICES]
    offered = [operator for operator in operators if is_offered(context, operator)]
    options = {"operator": st.sampled_from(offered or operators), **asking.options}
    selection = data.draw(mixed_selections(asking.shape, FLOATS, ["count"]))
    return replace(selection, options=data.draw(st.fixed_dictionaries(options)))


@pytest.mark.parametrize("context", CONTEXTS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_reading_is_right_in_each_context(context: str, data: st.DataObject) -> None:
    drawn = draw_in(context, asked.SELECTING + asked.INDICES, data)
    verify(Case(CONTEXTS[context].question, drawn), NO_CONTEXT)


@pytest.mark.parametrize("context", CONTEXTS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_writing_is_right_in_each_context(context: str, data: st.DataObject) -> None:
    drawn = draw_in(context, asked.WRITING, data)
    verify(Case(CONTEXTS[context].question, drawn), NO_CONTEXT)
