"""The masking test of data-apis/array-api-tests on NumPy, timed, also with a mutant put in.

    python -m properties.programs.array_api_masking CHECKOUT SEED CHANGE

It needs no Paddle, but the checkout's submodule and what its requirements.txt names. The last line
is JSON: `calls` that were verified, `examples` and `seconds` of CPU until it ended or first failed,
and whether it `failed`. A change is one of `mutants/changes.py`, of what a mask selects, or none.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import numpy as np
import pytest
from hypothesis.errors import HypothesisException

from properties.mutants.changes import CHANGES, Change

EXAMPLES = 100  # the checkout has a tenth for tests that look at one element after the other
TEST = "array_api_tests/test_array_object.py::test_getitem_masking"
change: Change = lambda rows, places: rows  # noqa: E731  # the program sets it


class Array(np.ndarray):
    """NumPy's array, whose selection by a mask is changed."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if not (isinstance(key, np.ndarray) and key.dtype == bool and key.ndim and len(found)):
            return found
        rows = change(np.array(found), lambda: np.flatnonzero(key)[: len(found)])
        return np.asarray(rows).view(Array)


def faulty_numpy() -> ModuleType:
    """NumPy, whose functions give such arrays."""
    made = ModuleType("faulty_numpy")
    vars(made).update({n: wrap(getattr(np, n)) for n in dir(np) if not n.startswith("_")})
    vars(made)["__array_api_version__"] = getattr(np, "__array_api_version__", "2023.12")
    return made


def wrap(held: Any) -> Any:
    """A function that gives arrays of this module; anything else as it is."""
    if isinstance(held, (type, ModuleType)) or not callable(held):
        return held

    def call(*given: Any, **named: Any) -> Any:
        found = held(*given, **named)
        return found.view(Array) if type(found) is np.ndarray else found

    return call


@dataclass
class Seen:
    """What came of the test."""

    calls: int = 0
    examples: int = 0
    seconds: float = 0.0
    failed: bool = False


class Watch:
    """A pytest plugin that counts the test's examples."""

    def __init__(self) -> None:
        self.seen, self.began = Seen(), 0.0

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: Any) -> Generator[None, Any, None]:
        handle = item.obj.hypothesis
        handle.inner_test = self.count(handle.inner_test)
        self.began = time.process_time()
        yield
        self.seen.seconds = self.seen.seconds or time.process_time() - self.began

    def count(self, inner: Callable[..., None]) -> Callable[..., None]:
        def example(*given: Any, **named: Any) -> None:
            self.seen.examples += not self.seen.failed
            try:
                inner(*given, **named)
            except HypothesisException:  # an assumption that does not hold
                raise
            except Exception:
                self.seen.seconds = self.seen.seconds or time.process_time() - self.began
                self.seen.failed = True
                raise
            self.seen.calls += not self.seen.failed

        return example


def run(checkout: Path, seed: int) -> Seen:
    """Run the test. Raises RuntimeError where it cannot be."""
    os.chdir(checkout)
    watch = Watch()
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "--disable-deadline",
        f"--max-examples={10 * EXAMPLES}",
        f"--hypothesis-seed={seed}",
    ]
    status = pytest.main([*options, TEST], plugins=[watch])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not watch.seen.examples:
        raise RuntimeError(f"{TEST} could not be run: {status!r}")
    return watch.seen


if __name__ == "__main__":
    checkout, seed, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.environ["ARRAY_API_TESTS_MODULE"] = "numpy"
    if name:
        change = CHANGES[name]
        sys.modules["faulty_numpy"] = faulty_numpy()
        sys.modules["properties.programs.array_api_masking"] = sys.modules["__main__"]
        os.environ["ARRAY_API_TESTS_MODULE"] = "exec('import faulty_numpy as xp')"
    print(json.dumps(asdict(run(checkout, seed))))
