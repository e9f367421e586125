"""Cases and their scripts, run against a stand-in for Paddle that NumPy answers for."""

from __future__ import annotations

import ast
import builtins
import importlib
import itertools
import pickle
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Callable

import numpy as np
import pytest
from properties.cases.regressions import read_regressions
from properties.cases.strategies import Selection
from properties.oracle.arrays import ArrayView
from properties.oracle.box_loss import BoxLoss
from properties.oracle.loss_arrays import dfl_inputs, head_inputs
from properties.protocol.evidence import Violation, ledger, start

Select = Callable[[np.ndarray, np.ndarray], np.ndarray]
SMALL = Selection((2, 3), "float32", "special", "alternating", 1)
LARGE = Selection((1025,), "bfloat16", "bits", "half", 7)
VIEW = ArrayView((1, 0), (slice(0, 3, 2), slice(0, 2, 1)))
SEEN = Selection((2, 3), "float32", options={"seen": VIEW})
DFL = {"reg_range": (0, 17), "dtype": "float32", "pattern": "inside", "count": 2, "spread": 4.0}
HEAD: dict[str, Any] = {
    "reg_range": (0, 17),
    "classes": 2,
    "batch": 1,
    "anchors": 5,
    "assigned": "some",
}
QUESTIONS = (  # by module: those that have options are asked below
    ("questions.masked_selection", "all_forms gradient gradient_of_sum inputs_of_selecting"),
    ("questions.masked_selection", "after_overwriting static_program to_static misfits"),
    ("questions.nonzero", "indices indices_of_nan indices_of_rows indices_by_where"),
    ("questions.nonzero", "inputs_of_nonzero"),
    ("questions.boolean_index", "reading reading_alike reading_gradient inputs_of_reading"),
    ("questions.boolean_index", "assigning_a_number assigning_elements assigning_over_nan"),
    ("questions.boolean_index", "assigning_an_element assigning_gradient inputs_of_assigning"),
    ("questions.boolean_index", "assigning_gradient_of_one"),
    ("questions.where_and_fill", "choosing choosing_gradient inputs_of_choosing filling"),
    ("questions.where_and_fill", "filling_with_an_element filling_in_place filling_gradient"),
    ("questions.where_and_fill", "filling_gradient_by_value inputs_of_filling"),
    ("questions.on_gpu", "on_the_cpu_and_here again_and_again on_two_streams"),
    ("questions.on_gpu", "of_unaligned_parts memory_handed_out_again"),
)
OF_SELECTIONS = [(module, name) for module, names in QUESTIONS for name in names.split()]
OF_VIEWS = (
    ("questions.masked_selection", "of_views"),
    ("questions.nonzero", "indices_of_views"),
    ("questions.boolean_index", "reading_of_views"),
    ("questions.where_and_fill", "choosing_from_views"),
    ("questions.where_and_fill", "filling_of_views"),
)
OF_CONTEXTS = (
    "plainly under_no_grad under_auto_cast in_another_thread with_another_default_dtype",
    "in_a_static_graph with_create_graph over_two_backward_passes of_two_results of_one_tensor",
    "by_a_comparison of_results",
)
OF_DFL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dfl_values", {}),
    ("dfl_gradients", {}),
    ("dfl_of_many", {}),
    ("dfl_bin_shares", {}),
    ("entropies_of_many", {}),
    ("ignored_labels", {}),
    ("wrong_label", {"place": 1, "label": -1}),
)
OF_THE_HEAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("head_losses", {}),
    ("head_gradients", {}),
    ("head_without_positives", {}),
    ("head_on_stale_targets", {"stale": 28.5}),
)
OF_TRAININGS = ("finite_steps", "falling_loss")


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
    paddle.__version__ = "2.6.2"
    paddle.to_tensor = lambda array, stop_gradient=True: StandInTensor(array, select)
    paddle.masked_select = StandInTensor.masked_select
    paddle.nonzero = paddle.full = paddle.set_device = lambda *_: None
    paddle.get_device = lambda: "cpu"
    return paddle


def right(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if mask.dtype != bool:
        raise TypeError("mask must be bool")
    selected: np.ndarray = x[mask]
    return selected


def stale(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.full(int(mask.sum()), 77, x.dtype)


class Properties:
    """Modules of the properties, imported as if Paddle were there."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module("cases.case"), name)

    def module(self, name: str) -> Any:
        return importlib.import_module(f"properties.{name}")

    def selecting(self, selection: Selection, question: str = "all_forms") -> Any:
        """A case of `masked_select`."""
        return self.Case(getattr(self.module("questions.masked_selection"), question), selection)


@pytest.fixture
def properties(monkeypatch: pytest.MonkeyPatch) -> Iterator[Properties]:
    """The properties with Paddle's stand-in; what they import is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setitem(sys.modules, "paddle", stand_in(right))
    yield Properties()
    for name in set(sys.modules) - before:
        if name.startswith("properties."):
            del sys.modules[name]


def run(script: str, select: Select, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script, where Paddle selects as `select` does."""
    monkeypatch.setitem(sys.modules, "paddle", stand_in(select))
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


def missing_names(script: str) -> set[str]:
    """The names that a script uses and has not, but for those that only annotations use."""
    nodes = list(ast.walk(ast.parse(script)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    made |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    made |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    aliases = {"Answer", "Answers", "Model", "RegRange", "Tensor"}
    return used - made - set(dir(builtins)) - aliases


@pytest.mark.parametrize("selection", [SMALL, LARGE, SEEN], ids=str)
def test_a_script_passes_where_the_release_is_right(
    properties: Properties, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(properties.selecting(selection).script(), right, monkeypatch)


@pytest.mark.parametrize("selection", [SMALL, LARGE], ids=str)
def test_a_script_fails_where_the_release_is_wrong(
    properties: Properties, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = properties.selecting(selection).script()
    with pytest.raises(AssertionError, match="by the function"):
        run(script, stale, monkeypatch)


def test_a_script_says_what_was_due_and_what_came(
    properties: Properties, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = properties.selecting(Selection((2,), "int32")).script()
    contrast = "expected array([1, 2], dtype=int32), got array([77, 77], dtype=int32)"
    with pytest.raises(AssertionError, match=re.escape(contrast)):
        run(script, stale, monkeypatch)


def test_a_script_finds_a_fault_that_comes_and_goes(
    properties: Properties, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = itertools.count(1)
    script = properties.selecting(SMALL).script()
    with pytest.raises(AssertionError, match="by the function"):
        run(script, lambda *both: (stale if next(calls) == 19 else right)(*both), monkeypatch)


def test_a_small_case_is_spelled_out(properties: Properties) -> None:
    script = properties.selecting(SMALL).script()
    assert "def values" not in script
    assert "np.array([True, False, True, False, True, False], dtype=np.bool_)" in script


def test_a_script_of_a_refusal_fails_where_the_release_answers(
    properties: Properties, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = Selection((2,), "int32", options={"mask_dtype": "int64"})
    script = properties.selecting(selection, "misfits").script()
    run(script, right, monkeypatch)
    with pytest.raises(AssertionError, match="expected an error"):
        run(script, stale, monkeypatch)


def test_a_script_of_a_published_case_tells_right_from_wrong(
    properties: Properties, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {case.name: case for case in read_regressions()}["paddle-45464-three-by-four"]
    asked = properties.module("kernel.test_regressions").published_call
    script = properties.Case(asked, told).script()
    run(script, right, monkeypatch)
    with pytest.raises(AssertionError, match="masked_select"):
        run(script, stale, monkeypatch)


@pytest.mark.parametrize(("module", "question"), OF_SELECTIONS)
@pytest.mark.parametrize("selection", [SMALL, LARGE], ids=["small", "large"])
def test_a_script_lacks_nothing_that_it_uses(
    properties: Properties, module: str, question: str, selection: Selection
) -> None:
    asked = getattr(properties.module(module), question)
    assert not missing_names(properties.Case(asked, selection).script())


@pytest.mark.parametrize(("module", "question"), OF_VIEWS)
def test_a_script_of_views_lacks_nothing(
    properties: Properties, module: str, question: str
) -> None:
    asked = getattr(properties.module(module), question)
    assert not missing_names(properties.Case(asked, SEEN).script())


@pytest.mark.parametrize("question", " ".join(OF_CONTEXTS).split())
def test_a_script_of_a_context_lacks_nothing(properties: Properties, question: str) -> None:
    asked = getattr(properties.module("questions.contexts"), question)
    inputs = Selection((2,), "float32", options={"operator": "x[mask]", "sign": "=="})
    assert not missing_names(properties.Case(asked, inputs).script())


@pytest.mark.parametrize(("question", "options"), OF_DFL)
def test_a_script_of_dfl_lacks_nothing(
    properties: Properties, question: str, options: dict[str, Any]
) -> None:
    asked = getattr(properties.module("detection.dfl_questions"), question)
    inputs = properties.module("cases.loss_cases").Recipe(dfl_inputs, {**DFL, "seed": 0}, options)
    assert not missing_names(properties.Case(asked, inputs).script())


def test_a_script_of_a_wrong_target_lacks_nothing(properties: Properties) -> None:
    asked = properties.module("detection.box_loss_questions").wrong_target
    options = {"place": 1, "target": float("nan"), "label_dtype": "int32"}
    inputs = properties.module("cases.loss_cases").Recipe(dfl_inputs, {**DFL, "seed": 0}, options)
    assert not missing_names(properties.Case(asked, inputs).script())


@pytest.mark.parametrize(("question", "options"), OF_THE_HEAD)
def test_a_script_of_the_head_does_without_paddledetection(
    properties: Properties, question: str, options: dict[str, Any]
) -> None:
    asked = getattr(properties.module("detection.real_head"), question)
    options = {"reg_range": (0, 17), **options}
    inputs = properties.module("cases.loss_cases").Recipe(head_inputs, {**HEAD, "seed": 0}, options)
    script = properties.Case(asked, inputs).script()
    assert not missing_names(script)
    assert "ppdet" not in script


@pytest.mark.parametrize("question", OF_TRAININGS)
def test_a_script_of_a_training_lacks_nothing(properties: Properties, question: str) -> None:
    asked = getattr(properties.module("detection.small_ppyoloe"), question)
    words = {"assigner": "TAL", "seed": 0, "label_dtype": "int64", "count": 2}
    assert not missing_names(properties.Case(asked, properties.Options(words)).script())


def test_a_script_of_a_step_makes_its_positives_again(properties: Properties) -> None:
    loss_cases = properties.module("cases.loss_cases")
    inputs = head_inputs(**HEAD, seed=0)
    step = loss_cases.StepInputs("a training", 3, inputs, BoxLoss(1.0, 2.0, 3.0), {})
    scope = dict(vars(loss_cases))
    exec(step.code(), scope)
    chosen = inputs.assigned_labels != HEAD["classes"]
    for name, due, made in zip(inputs._fields, inputs, scope["inputs"]):
        assert (made.dtype, made.shape) == (due.dtype, due.shape), name
        rows = due.ndim == 3
        np.testing.assert_array_equal(made[chosen] if rows else made, due[chosen] if rows else due)


def test_a_case_outlives_the_process_that_asked(properties: Properties) -> None:
    asked = properties.module("detection.dfl_questions").wrong_label
    options = {"place": 1, "label": -1}
    inputs = properties.module("cases.loss_cases").Recipe(dfl_inputs, {**DFL, "seed": 0}, options)
    for case in (properties.selecting(SEEN), properties.Case(asked, inputs)):
        again = pickle.loads(pickle.dumps(case))
        assert (again, str(again), again.script()) == (case, str(case), case.script())
        assert "\n" not in str(case)


def answering(*answers: tuple[str, Any, Any, Any]) -> Callable[[], Iterator[Any]]:
    """A question that has these answers."""

    def question() -> Iterator[Any]:
        yield from answers

    return question


def refuse() -> None:
    raise ValueError("no such label")


def test_each_answer_is_verified_by_its_own_measure(properties: Properties) -> None:
    bits, refusal = np.array([-0.0]), properties.Refusal("ValueError: no such")
    right = (
        ("bytes", bits, bits.copy(), None),
        ("numbers", bits + 0.25, bits, 0.25),
        ("refusal", refuse, refusal, None),
    )
    start("a property")
    properties.verify(properties.Case(answering(*right), properties.Options({})))
    assert (ledger.calls, ledger.examples) == (3, 1)
    for answer in right:
        properties.check(*answer)


@pytest.mark.parametrize("wrong", ["bytes", "dtype", "numbers", "answered", "other words"])
def test_a_wrong_answer_is_a_violation_in_a_script_too(properties: Properties, wrong: str) -> None:
    zero, refusal = np.array([0.0]), properties.Refusal("ValueError: out of")
    answer = {
        "bytes": ("what", zero + 1, zero, None),
        "dtype": ("what", zero.astype("float32"), zero, None),
        "numbers": ("what", zero + 0.5, zero, 0.25),
        "answered": ("what", lambda: 7, refusal, None),
        "other words": ("what", refuse, refusal, None),
    }[wrong]
    start("a property")
    ledger.mildest = "error"
    with pytest.raises(Violation, match="what"):
        properties.verify(properties.Case(answering(answer), properties.Options({})))
    with pytest.raises(AssertionError, match="what"):
        properties.check(*answer)
