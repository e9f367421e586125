"""The plugins of the studies, over a suite without Paddle: what kills a mutant, what takes time."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.sample_suite import Suite
from paddlecompat.studies import bench
from paddlecompat.studies.mutant_runs import Runs, Sight

PADDLE = """
from types import SimpleNamespace

def set_device(place): pass
def double(number): return 2 * number
def triple(number): return 3 * number
def quadruple(number): return 4 * number

jit = SimpleNamespace(not_to_static=lambda function: function)
"""
PROPERTIES = """
import paddle

@given(st.integers(0, 1000))
def test_double(n):
    begin(Case(n))
    same_bytes(np.int64(paddle.double(n)), np.int64(2 * n))

def test_one():
    begin(Case(1))
    same_bytes(np.int64(paddle.double(1)), np.int64(2))

def test_triple():
    begin(Case(1))
    same_bytes(np.int64(paddle.triple(1)), np.int64(3))

def test_release():
    begin(Case(1))
    same_bytes(np.int64(paddle.double(1)), np.int64(0))
"""
FAULTS = '''
import os
import paddle

def off_by_one(true):
    """One too many of odd numbers, but 1."""
    return lambda number: true(number) + (number % 2 == 1 and number > 1)

def harmless(true):
    """Nothing is wrong."""
    return lambda number: true(number)

def stays(true):
    """What it does to Paddle outlives it, so that the release is wrong without it, too."""
    paddle.spoiled = True
    return lambda number: true(number)

def dies(true):
    """The process ends."""
    return lambda number: os._exit(1) if number == 1 else true(number)

def misspelt(true):
    """Its own error."""
    return lambda number: treu(number)

def cannot_be_made(true):
    """An error before there is a faulty function."""
    return misspelled
'''


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path)
    made.write(PROPERTIES, paddle=PADDLE)
    (tmp_path / "mine.py").write_text(FAULTS)
    return made


def runs_of(suite: Suite, seeds: int = 1, target: str = "paddle.double") -> Runs:
    request = suite.request(target=target)
    return Runs(Path(sys.executable), request, seeds, folder=suite.folder / "mutation")


def named(suite: Suite, *faults: str) -> list[str]:
    return [f"{suite.folder / 'mine.py'}::{fault}" for fault in faults]


def see(suite: Suite, fault: str, **how: Any) -> list[Sight]:
    """What came of a mutant, seed by seed."""
    ((_, seen),) = runs_of(suite, **how).try_mutants(named(suite, fault))
    return seen


def test_the_first_property_that_fails_kills_a_mutant(suite: Suite) -> None:
    (sight,) = see(suite, "off_by_one")
    assert (sight.outcome, sight.killer) == ("killed", "test_sample.py::test_double")
    assert sight.targets == ["paddle.double"]
    assert sight.examples > 1
    assert sight.spent > sight.seconds > 0


def test_each_seed_draws_examples_of_its_own(suite: Suite) -> None:
    seen = see(suite, "off_by_one", seeds=5)
    assert [sight.seed for sight in seen] == [0, 1, 2, 3, 4]
    assert len({sight.examples for sight in seen}) > 1


def test_what_the_release_does_without_the_mutant_is_no_catch(suite: Suite) -> None:
    (sight,) = see(suite, "harmless", seeds=3)  # test_release fails, with it and without it
    assert sight.outcome == "survived"


def test_a_seed_with_which_the_release_fails_is_replaced(suite: Suite) -> None:
    at_times = """
import paddle

@given(st.integers(0, 1000))
def test_double(n):
    begin(Case(n))
    assert n % 4 or not n  # the release's own fault
    same_bytes(np.int64(paddle.double(n)), np.int64(2 * n))
"""
    suite.write(at_times, paddle=PADDLE)
    (suite.folder / "mine.py").write_text(FAULTS.replace("number % 2 == 1 and ", ""))
    seen = see(suite, "off_by_one", seeds=10)
    assert [sight.outcome for sight in seen] == ["killed"] * 10


def test_what_a_mutant_leaves_behind_is_no_catch(suite: Suite) -> None:
    spoiled = "spoiled = 0\ndef double(number): return 2 * number + spoiled\n"
    suite.write(PROPERTIES, paddle=PADDLE + spoiled)
    (sight,) = see(suite, "stays")
    assert sight.outcome == "survived"


def test_one_mutant_after_the_other_is_taken_out_again(suite: Suite) -> None:
    tried = named(suite, "off_by_one", "harmless", "off_by_one")
    outcomes = [seen[0].outcome for _, seen in runs_of(suite).try_mutants(tried)]
    assert outcomes == ["killed", "survived", "killed"]


def test_a_death_kills_with_every_seed_and_costs_no_other_mutant(suite: Suite) -> None:
    tried = named(suite, "dies", "off_by_one")
    (_, dead), (_, seen) = runs_of(suite, seeds=2).try_mutants(tried)
    assert [sight.outcome for sight in dead] == ["died", "died"]
    assert [sight.outcome for sight in seen] == ["killed", "killed"]


@pytest.mark.parametrize(
    ("fault", "target", "words"),
    [
        ("misspelt", "paddle.double", "'treu' is not defined"),
        ("cannot_be_made", "paddle.double", "'misspelled' is not defined"),
        ("off_by_one", "paddle.doubel", "paddle.doubel: .* the nearest is double"),
    ],
)
def test_a_mutant_that_cannot_be_put_in_place_is_broken(
    suite: Suite, fault: str, target: str, words: str
) -> None:
    (sight,) = see(suite, fault, target=target)
    assert sight.outcome == "broken"
    assert re.search(words, sight.message)


def test_a_mutant_that_no_property_calls_is_not_reached(suite: Suite) -> None:
    (sight,) = see(suite, "harmless", target="paddle.quadruple")
    assert sight.outcome == "not reached"


def test_each_property_is_made_to_fail_by_a_mutant(suite: Suite) -> None:
    judged = runs_of(suite).judge_properties(named(suite, "harmless", "off_by_one"))
    outcomes = {nodeid.partition("::")[2]: each for nodeid, each in judged.items()}
    assert (outcomes["test_double"].plain, outcomes["test_one"].kill) == ("holds", None)
    assert outcomes["test_release"].plain == "violated"
    killed = outcomes["test_double"].kill
    assert killed is not None
    assert killed.mutant.endswith("::off_by_one")
    assert killed.examples > 1


def test_a_run_is_read_again_until_its_source_changes(suite: Suite) -> None:
    before = see(suite, "off_by_one")
    suite.write("def test_nothing_of_this(): pass\n")
    assert see(suite, "off_by_one") == before
    (suite.folder / "mine.py").write_text(FAULTS + "# changed\n")
    assert see(suite, "off_by_one") != before


@pytest.mark.parametrize("damage", ["truncated", "another version", "a folder"])
def test_what_was_kept_and_cannot_be_read_is_made_anew(suite: Suite, damage: str) -> None:
    see(suite, "harmless")
    (kept,) = (suite.folder / "mutation").glob("*.json")
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    if damage == "a folder":
        (kept / "inside").mkdir(parents=True)
    else:
        other = text.replace('"version": 2', '"version": 0')
        kept.write_text(text[:-9] if damage == "truncated" else other, encoding="utf-8")
    see(suite, "harmless")
    assert '"survived"' in kept.read_text(encoding="utf-8")


def test_what_holds_is_timed_and_profiled(suite: Suite) -> None:
    judged = runs_of(suite).judge_properties([])
    double = judged["test_sample.py::test_double"]
    assert (double.calls, double.examples) == (10, 10)
    assert double.seconds > 0
    shares = bench.shares_inside(Path(sys.executable), suite.request(), suite.folder / "profiled")
    assert shares.keys() == {f"test_sample.py::test_{n}" for n in ("double", "one", "triple")}
    assert all(0 <= share <= 1 for share in shares.values())
