"""A pytest plugin: how fast the properties are, and what share of their time is spent in Paddle.

    pytest tests/properties -p properties.programs.time_properties --profiled

Each report carries `("timed", {...})`: the `seconds` of the property by the process's CPU clock or,
with --profiled, the share of them `inside` Paddle. cProfile's own cost makes it a lower bound.
"""

from __future__ import annotations

import cProfile
import pstats
import re
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

INSIDE = re.compile(r"[/\\]paddle[/\\]|paddle\.|eager|VarBase|core_avx|pybind11")
TIMED: pytest.StashKey[dict[str, float]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench", "how fast the properties are")
    group.addoption("--profiled", action="store_true", help="the share of time inside Paddle")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    profile = cProfile.Profile() if item.config.getoption("--profiled") else None
    context: AbstractContextManager[object] = profile or nullcontext()
    started = time.process_time()
    with context:
        yield
    seconds = time.process_time() - started
    item.stash[TIMED] = {"inside": share_inside(profile)} if profile else {"seconds": seconds}


def share_inside(profile: cProfile.Profile) -> float:
    """The part of the time that was spent in Paddle's files and its compiled functions."""
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    entries = vars(pstats.Stats(profile))["stats"]
    spent = [(f"{file} {name}", entry[2]) for (file, _, name), entry in entries.items()]
    inside = sum(seconds for where, seconds in spent if INSIDE.search(where))
    return inside / max(sum(seconds for _, seconds in spent), 1e-9)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    report: pytest.TestReport = (yield).get_result()
    if report.when == "call":
        report.user_properties.append(("timed", item.stash[TIMED]))
