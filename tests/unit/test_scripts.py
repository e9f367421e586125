"""Scripts of evidence, run against a stand-in for Paddle that NumPy answers for."""

from __future__ import annotations

import ast
import builtins
import importlib
import itertools
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, Callable

import numpy as np
import pytest
from properties.cases.regressions import read
from properties.cases.selections import Selection

Select = Callable[[np.ndarray, np.ndarray], np.ndarray]
SMALL = Selection((2, 3), "float32", "special", "alternating", 1)
LARGE = Selection((1025,), "bfloat16", "bits", "half", 7)
LOADED = ("memory", "questions", "family_questions", "cases")


class StandInTensor:
    """A tensor as the scripts use it."""

    def __init__(self, array: np.ndarray, select: Select) -> None:
        self.array, self.select, self.shape = array, select, list(array.shape)

    def numpy(self) -> np.ndarray:
        return self.array

    def masked_select(self, mask: StandInTensor) -> StandInTensor:
        return StandInTensor(self.select(self.array, mask.array), self.select)


def stand_in(select: Select) -> Any:
    """A module with the few names of Paddle that a script needs, and `select` at its heart."""
    paddle: Any = ModuleType("paddle")
    paddle.to_tensor = lambda array, stop_gradient=True: StandInTensor(array, select)
    paddle.masked_select = StandInTensor.masked_select
    paddle.full = paddle.set_device = lambda *_: None
    paddle.get_device = lambda: "cpu"
    return paddle


def right(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if mask.dtype != bool:
        raise TypeError("mask must be bool")
    selected: np.ndarray = x[mask]
    return selected


def stale(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.full(int(mask.sum()), 77, x.dtype)


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`cases` and `questions`, imported as if Paddle were there, and forgotten afterwards."""
    monkeypatch.setitem(sys.modules, "paddle", stand_in(right))
    for name in LOADED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    cases, questions, family = map(
        importlib.import_module, ("cases", "questions", "family_questions")
    )
    forms = {name: vars(cases)[name] for name in ("Question", "Refusal", "Replay")}
    yield SimpleNamespace(**{**vars(questions), **vars(family)}, **forms)
    for name in LOADED:
        sys.modules.pop(name, None)


def run(script: str, select: Select, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script, where Paddle selects as `select` does."""
    monkeypatch.setitem(sys.modules, "paddle", stand_in(select))
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("selection", [SMALL, LARGE], ids=str)
def test_a_script_passes_where_the_release_is_right(
    cases: Any, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(cases.Question(cases.all_forms, selection).script(), right, monkeypatch)


@pytest.mark.parametrize("selection", [SMALL, LARGE], ids=str)
def test_a_script_fails_where_the_release_is_wrong(
    cases: Any, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = cases.Question(cases.all_forms, selection).script()
    with pytest.raises(AssertionError, match="by the function"):
        run(script, stale, monkeypatch)


def test_a_script_says_what_was_due_and_what_came(
    cases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = cases.Question(cases.all_forms, Selection((2,), "int32")).script()
    contrast = "expected array([1, 2], dtype=int32), got array([77, 77], dtype=int32)"
    with pytest.raises(AssertionError, match=re.escape(contrast)):
        run(script, stale, monkeypatch)


def test_a_script_finds_a_fault_that_comes_and_goes(
    cases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = itertools.count(1)
    script = cases.Question(cases.all_forms, SMALL).script()
    with pytest.raises(AssertionError, match="by the function"):
        run(script, lambda *both: (stale if next(calls) == 19 else right)(*both), monkeypatch)


def test_a_small_case_is_spelled_out(cases: Any) -> None:
    script = cases.Question(cases.all_forms, SMALL).script()
    assert "def values" not in script
    assert "np.array([True, False, True, False, True, False], dtype=np.bool_)" in script


def test_a_script_of_a_refusal_fails_where_the_release_answers(
    cases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = cases.Refusal(Selection((2,), "int32", mask_dtype="int64")).script()
    run(script, right, monkeypatch)
    with pytest.raises(AssertionError, match="expected an error"):
        run(script, stale, monkeypatch)


@pytest.mark.parametrize(
    "question",
    [
        *(
            "all_forms",
            "gradient",
            "gradient_of_sum",
            "inputs_after",
            "static_program",
            "to_static",
        ),
        *("indices", "reading", "assigning_elements", "choosing", "filling", "filling_in_place"),
    ],
)
@pytest.mark.parametrize("selection", [SMALL, LARGE], ids=str)
def test_a_script_lacks_nothing_that_it_uses(
    cases: Any, question: str, selection: Selection
) -> None:
    tree = ast.parse(cases.Question(getattr(cases, question), selection).script())
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    annotations = {"Answers", "Any", "Sequence", "Tensor"}  # never evaluated
    assert used - made - set(dir(builtins)) - annotations == {"np", "paddle"}


def test_a_script_of_a_published_case_tells_right_from_wrong(
    cases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = {case.name: case for case in read()}["paddle-45464-three-by-four"]
    script = cases.Replay(published).script()
    run(script, right, monkeypatch)
    with pytest.raises(AssertionError, match=r"paddle\.masked_select"):
        run(script, stale, monkeypatch)
