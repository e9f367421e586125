"""A pytest plugin: what share of the properties' time is spent in Paddle.

    pytest tests/properties -p properties.programs.time_properties

Each report carries `("inside", share)`. cProfile's own cost makes it a lower bound.
"""

from __future__ import annotations

import cProfile
import pstats
import re
from collections.abc import Generator
from typing import Any

import pytest

INSIDE = re.compile(r"[/\\]paddle[/\\]|paddle\.|eager|VarBase|core_avx|pybind11")
INSIDE_PADDLE: pytest.StashKey[float] = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    profile = cProfile.Profile()
    with profile:
        yield
    item.stash[INSIDE_PADDLE] = share_inside(profile)


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
        report.user_properties.append(("inside", item.stash[INSIDE_PADDLE]))
