"""Put the properties to Paddle with a defect in place, over several seeds, and say what caught it.

    python tests/properties/sensitivity.py --defect zeros --seeds 10 --out caught.jsonl

Writes one line of JSON a property and seed: `caught`, `missed`, `unsupported`, `not reached` (the
first examples never call the faulty function, so there is nothing to catch) or `broken` (an error
of the defect's own, which anything would catch); and the examples and
seconds until the first that fails, or all of them. `--defect none` is the release as it is: what it
"catches" is no merit of the property. With the first seed every property runs; with the others,
those that caught the defect after the fewest examples.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import json
import time
from collections.abc import Collection, Generator
from pathlib import Path
from typing import Any, Callable, TextIO

import pytest
from hypothesis import Phase, settings

from properties.mutants import catalogue
from properties.programs import in_process
from properties.protocol.evidence import ledger

OUTCOMES = {"holds": "missed", "violated": "caught", "crashed": "caught"}
UNREACHED = 3  # examples without a call of the faulty function, after which a property is left
QUICKEST = 20  # properties that run with every seed


class Watch:
    """A pytest plugin: times each property to its first failing example, and keeps its result."""

    def __init__(
        self, out: TextIO, seed: int, only: Collection[str], without: Collection[str], judged: bool
    ) -> None:
        self.out, self.seed, self.judged = out, seed, judged
        self.only, self.without = only, without
        self.caught: dict[str, int] = {}
        self.started, self.left = 0.0, False
        self.failed_after: tuple[int, float] | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """No shrinking: the first failing example is what is timed."""
        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("caught", settings(), phases=phases)
        settings.load_profile("caught")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [
            item
            for item in items
            if item.nodeid not in self.without and (not self.only or item.nodeid in self.only)
        ]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, None]:
        catalogue.reach.calls, catalogue.reach.broken = 0, ""
        self.started, self.failed_after, self.left = time.perf_counter(), None, False
        write(self.out, {"seed": self.seed, "property": item.nodeid})
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is None:
            yield
            return
        inner = handle.inner_test
        handle.inner_test = self.watched(inner)
        try:
            yield
        finally:
            handle.inner_test = inner

    def watched(self, inner: Callable[..., None]) -> Callable[..., None]:
        """The property's body, one example, with the first failure's moment taken down."""

        @functools.wraps(inner)
        def example(*args: Any, **kwargs: Any) -> None:
            if self.judged and not catalogue.reach.calls and ledger.examples >= UNREACHED:
                self.left = True
                pytest.skip("the faulty function is not called")
            try:
                inner(*args, **kwargs)
            except Exception:
                if self.failed_after is None:
                    self.failed_after = (ledger.examples, time.perf_counter() - self.started)
                raise

        return example

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found: Any = dict(report.user_properties).get("property")
        if found is None:
            return
        outcome = OUTCOMES.get(found["outcome"], found["outcome"])
        fails = outcome == "caught"  # without a call: by what an earlier property computed
        if self.left or (self.judged and not catalogue.reach.calls and not fails):
            outcome = "not reached"
        if catalogue.reach.broken:
            outcome, found["message"] = "broken", catalogue.reach.broken
        whole = (found["examples"], time.perf_counter() - self.started)
        examples, seconds = self.failed_after or whole
        if outcome == "caught":
            self.caught[report.nodeid] = examples
        line = {"seed": self.seed, "property": report.nodeid, "outcome": outcome}
        measured = {"examples": examples, "seconds": round(seconds, 4)}
        write(self.out, {**line, **measured, "message": found.get("message", "")[:200]})


def write(out: TextIO, line: dict[str, Any]) -> None:
    """Written at once: should the process die, the last line names the property that it died in."""
    out.write(json.dumps(line) + "\n")
    out.flush()


def main() -> None:
    asked = parsed()
    with asked.out.open("w", encoding="utf-8") as out:
        if asked.defect != "none":
            about = inspect.cleandoc(catalogue.defect_of(asked.defect, asked.target).about)
            targets = catalogue.install(asked.defect, asked.target)
            write(out, {"targets": targets, "about": about})
        if asked.unpoisoned:
            catalogue.put_in_place("properties.questions.memory.poison", no_poison)
        quickest: list[str] = []
        for seed in range(asked.seeds):
            watch = Watch(out, seed, quickest or asked.only, asked.without, asked.defect != "none")
            options = [f"--place={asked.place}", f"--timeout={asked.timeout}"]
            in_process.run(watch, asked.profile, seed, asked.keyword, *options)
            quickest = quickest or sorted(watch.caught, key=watch.caught.__getitem__)[:QUICKEST]
        write(out, {"ended": True})


def no_poison(true: Callable[..., None]) -> Callable[..., None]:
    """Memory as earlier calls left it."""
    return lambda *args: None


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--defect", required=True, help="a name, FILE::NAME, or none")
    parser.add_argument("--target", help="what a defect from a file stands in for")
    parser.add_argument("--seeds", type=int, default=10, help="0 to this less 1")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--place", default="cpu")
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument("--only", type=json.loads, default=[], help="these properties, as JSON")
    parser.add_argument("--unpoisoned", action="store_true", help="fill no memory before a call")
    parser.add_argument("--without", action="append", default=[], help="a property to leave out")
    parser.add_argument("-k", dest="keyword")
    return parser.parse_args()


if __name__ == "__main__":
    main()
