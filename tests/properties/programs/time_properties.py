"""How fast the properties are: verified calls per CPU second, and the share of time inside Paddle.

    python tests/properties/bench.py --out bench.jsonl
    python tests/properties/bench.py --out bench.jsonl --profiled

Writes a line of JSON for each property that holds: what it verified, and the seconds that it took
by the process's CPU clock; or the share of them inside Paddle, as cProfile has it, whose own cost
falls on Python's functions, so that this is a lower bound.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import re
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from properties.programs import in_process

INSIDE = re.compile(r"[/\\]paddle[/\\]|paddle\.|eager|VarBase|core_avx|pybind11")


class Stopwatch:
    """A pytest plugin: what each property's call took, and what it came to."""

    def __init__(self, profiled: bool) -> None:
        self.profiled = profiled
        self.results: dict[str, dict[str, Any]] = {}
        self.measured: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, None]:
        profile = cProfile.Profile() if self.profiled else None
        context: AbstractContextManager[object] = profile or nullcontext()
        started = time.process_time()
        with context:
            yield
        seconds = time.process_time() - started
        self.measured = {"inside": share_inside(profile)} if profile else {"seconds": seconds}

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found: Any = dict(report.user_properties).get("property")
        if found and found["outcome"] == "holds":
            counted = {key: found[key] for key in ("calls", "examples")}
            self.results[report.nodeid] = {**counted, **self.measured}


def share_inside(profile: cProfile.Profile) -> float:
    """The part of the time that was spent in Paddle's files and its compiled functions."""
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    entries = vars(pstats.Stats(profile))["stats"]
    spent = [(f"{file} {name}", entry[2]) for (file, _, name), entry in entries.items()]
    inside = sum(seconds for where, seconds in spent if INSIDE.search(where))
    return inside / max(sum(seconds for _, seconds in spent), 1e-9)


def main() -> None:
    asked = parsed()
    watch = Stopwatch(asked.profiled)
    in_process.run(watch, asked.profile, 0, asked.keyword)
    lines = (json.dumps({"property": name, **found}) for name, found in watch.results.items())
    asked.out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--profiled", action="store_true", help="the share inside Paddle")
    parser.add_argument("-k", dest="keyword")
    return parser.parse_args()


if __name__ == "__main__":
    main()
