"""A pytest plugin: which properties kill a mutant, with which seeds, after how many examples.

    pytest tests/properties -p properties.programs.run_mutants --mutant zeros --seeds [0,1]

Each report carries `("mutation", {...})` of a property with one seed. The outcome is `killed`,
`survived`, `unsupported`, `not reached` (its first examples never call the faulty function) or
`broken` (an error of the mutant's own, which anything would notice). The examples and seconds are
those until the first that fails, or of all. Without a mutant, `killed` is the release as it is.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Callable
from unittest import mock

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from properties.mutants import reach
from properties.protocol.evidence import ledger

OUTCOMES = {"holds": "survived", "violated": "killed", "crashed": "killed"}
UNREACHED = 3  # examples without a call of the faulty function, after which a property is left
POISON = "properties.questions.masked_selection.poison"


@dataclass
class Run:
    """The property that runs, with one seed."""

    seed: int = 0
    started: float = 0.0
    left: bool = False  # as one that does not call the faulty function
    failed_after: tuple[int, float] | None = None  # examples, seconds


run = Run()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutation", "which properties kill a mutant")
    group.addoption("--seeds", type=json.loads, default=[0], help="a list, as JSON")
    group.addoption("--unpoisoned", action="store_true", help="fill no memory before a call")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """No shrinking: the first failing example is what is timed."""
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", settings(), phases=phases)
    settings.load_profile("mutation")


@pytest.fixture(scope="session", autouse=True)
def memory(request: pytest.FixtureRequest, place: str) -> None:
    """Leave memory as earlier calls left it, where that was asked for."""
    if request.config.getoption("--unpoisoned"):
        from properties.mutants import replacement

        replacement.put_in_place(POISON, lambda true: lambda *args: None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Function, nextitem: pytest.Item | None) -> bool:
    """Run the property once with each seed."""
    global run  # one process runs one property at a time
    *others, last = item.config.getoption("--seeds")
    for seed in (*others, last):
        run = Run(seed)
        if hasattr(item.obj, "hypothesis"):
            hypothesis.seed(seed)(item.obj)
        # Between two seeds the fixtures of the property's module stay set up.
        following: Any = nextitem if seed == last else item.parent
        runtestprotocol(item, nextitem=following)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, Any, None]:
    reach.calls, reach.broken = 0, ""
    run.started = time.perf_counter()
    handle = getattr(item.obj, "hypothesis", None)
    examples = mock.patch.object(handle, "inner_test", watch(handle.inner_test)) if handle else None
    with examples or nullcontext():
        yield


def watch(inner: Callable[..., None]) -> Callable[..., None]:
    """The property's body, one example: the first failure is timed, an unreached mutant is left."""

    @functools.wraps(inner)
    def example(*args: Any, **kwargs: Any) -> None:
        if reach.mutant and not reach.calls and ledger.examples >= UNREACHED:
            run.left = True
            pytest.skip("the faulty function is not called")
        try:
            inner(*args, **kwargs)
        except Exception:
            run.failed_after = run.failed_after or (ledger.examples, seconds())
            raise

    return example


def seconds() -> float:
    return round(time.perf_counter() - run.started, 4)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, Any, None]:
    """Beside what the property came to, put what that says of the mutant."""
    report: pytest.TestReport = (yield).get_result()
    found: Any = dict(report.user_properties).get("property")
    if found is None:
        return
    outcome, message = OUTCOMES.get(found["outcome"], found["outcome"]), found.get("message", "")
    # One that fails without a call has noticed it by what an earlier property computed.
    if run.left or (reach.mutant and not reach.calls and outcome != "killed"):
        outcome = "not reached"
    if reach.broken:
        outcome, message = "broken", reach.broken
    examples, spent = run.failed_after or (found["examples"], seconds())
    seen = {"seed": run.seed, "outcome": outcome, "examples": examples, "seconds": spent}
    seen.update(message=message[:200], targets=reach.targets)
    report.user_properties.append(("mutation", seen))
