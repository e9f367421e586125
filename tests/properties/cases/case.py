"""The case: a question, what it is asked about, and how its answers are verified."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Callable, Protocol

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.strategies import examples
from properties.protocol.evidence import Answers, Refusal, ask, begin, refused, same_bytes, within
from properties.protocol.scripts import form_in_script, program

Question = Callable[..., Answers]


class Inputs(Protocol):
    """What a question is asked about. Its `str` is one line, without the options."""

    @property
    def arrays(self) -> dict[str, Any]:
        """What `code` makes, by the names under which questions take it."""

    @property
    def options(self) -> dict[str, Any]:
        """What a script spells out, by name."""

    def code(self) -> str:
        """Lines that make the arrays again, with the same bytes."""


@dataclass(frozen=True)
class Options:
    """Inputs without an array."""

    options: dict[str, Any]
    arrays: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return ""

    def code(self) -> str:
        return ""


@dataclass(frozen=True)
class Case:
    """A question about inputs: what evidence.py keeps, and scripts are made of.

    The question gets those of the arrays and of the options that it takes.
    """

    question: Question
    inputs: Inputs

    def __str__(self) -> str:
        options = [f"{name} {value}" for name, value in self.inputs.options.items()]
        return f"{self.question.__name__}: {', '.join(filter(None, [str(self.inputs), *options]))}"

    def answers(self) -> Answers:
        """Ask, one verified call after the other."""
        given = {**self.inputs.arrays, **self.inputs.options}
        return self.question(**arguments_of(self.question, given))

    def script(self) -> str:
        """A program that asks the same, often, and fails at the first answer that is wrong."""
        question = form_in_script(self.question)
        arrays = arguments_of(question, self.inputs.arrays)
        options = arguments_of(question, self.inputs.options)
        given = [f"{name}={name}" for name in arrays]
        given += [f"{name}={code_of(value)}" for name, value in options.items()]
        body = f"""{self.inputs.code() if arrays else ""}
for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in {question.__name__}({", ".join(given)}):
        check(what, actual, expected, tolerance)
print("as expected")
"""
        scope = vars(sys.modules[type(self.inputs).__module__])
        scope = {**scope, question.__name__: question, "check": check}
        return program(str(self), body.lstrip(), scope)


def arguments_of(question: Question, given: dict[str, Any]) -> dict[str, Any]:
    """What the question takes of all that is given."""
    parameters = signature(question).parameters
    return {name: value for name, value in given.items() if name in parameters}


def code_of(option: Any) -> str:
    """An expression for an option."""
    return f'float("{option}")' if isinstance(option, float) else repr(option)


def verify(case: Case, not_offered: Sequence[str] = ()) -> None:
    """Ask, and compare answer by answer. Raises Violation at the first that is wrong.

    `not_offered` are patterns of errors that say "not offered" to this case alone.
    """
    begin(case)
    answers = ask(case.answers, not_offered=not_offered)
    while (answer := ask(next, answers, None, not_offered=not_offered)) is not None:
        what, actual, expected, tolerance = answer
        if isinstance(expected, Refusal):
            refused(actual, what, expected.words)
        elif tolerance is None:
            same_bytes(actual, expected, what)
        else:
            within(actual, expected, tolerance, what)


def holds(
    question: Question,
    inputs: st.SearchStrategy[Any],
    not_offered: Sequence[str] = (),
    most: int | None = None,
) -> Callable[..., None]:
    """A property: the question is answered rightly, whatever inputs are drawn."""

    @examples(most)
    @given(inputs=inputs)
    def verify_inputs(inputs: Inputs) -> None:
        verify(Case(question, inputs), not_offered)

    return verify_inputs


def holds_for_each(
    question: Question,
    values: Iterable[tuple[Any, ...]],
    inputs: Callable[..., st.SearchStrategy[Any]],
    not_offered: Sequence[str] = (),
    most: int | None = None,
) -> Callable[..., None]:
    """A property for each of the values, and so for the inputs that are drawn for them."""
    named = [pytest.param(each, id="-".join(map(str, each))) for each in values]

    @examples(most, len(named))
    @given(data=st.data())
    def verify_inputs(values: tuple[Any, ...], data: st.DataObject) -> None:
        verify(Case(question, data.draw(inputs(*values))), not_offered)

    verify_each: Callable[..., None] = pytest.mark.parametrize("values", named)(verify_inputs)
    return verify_each


def check(what: str, actual: Any, expected: Any, tolerance: Any) -> None:
    """Raise AssertionError where an answer is wrong; without a tolerance, every byte counts."""
    if callable(actual):  # an error is due
        expected.check(what, actual)
        return
    contrast = f"{what}: expected {expected!r}, got {actual!r}"
    if tolerance is not None:
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        assert actual.shape == expected.shape, contrast
        assert (np.abs(actual - expected) <= tolerance).all(), contrast
        return
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), contrast
    if actual.size <= 64:  # NaN payloads print alike
        contrast += f"; its bytes {actual.tobytes().hex()}, not {expected.tobytes().hex()}"
    assert actual.tobytes() == expected.tobytes(), contrast
