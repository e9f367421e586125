"""The plugins of the studies, over a suite without Paddle: what kills a mutant, what takes time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from integration.sample_suite import Suite
from paddlecompat.studies import bench
from paddlecompat.studies.mutant_runs import Attempt, Sight, try_mutant

PADDLE = """
from types import SimpleNamespace

def set_device(place): pass
def double(number): return 2 * number
def triple(number): return 3 * number

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
    same_bytes(np.int64(1), np.int64(0))
"""
MUTANTS = '''
import os
import sys

def off_by_one(true):
    """One too many of odd numbers, but 1."""
    return lambda number: true(number) + (number % 2 == 1 and number > 1)

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
    (tmp_path / "mine.py").write_text(MUTANTS)
    return made


def see(
    suite: Suite,
    mutant: str | None,
    seeds: int = 1,
    only: tuple[str, ...] | None = None,
    target: str = "paddle.double",
) -> dict[tuple[str, int], Sight]:
    """What the properties see of a mutant, by their names and seeds."""
    name = mutant and f"{suite.folder / 'mine.py'}::{mutant}"
    seen = try_mutant(
        Attempt("2.6.2", name, only),
        Path(sys.executable),
        suite.request(target=target),
        seeds,
        folder=suite.folder / "mutation",
    )
    return {(sight.nodeid.partition("::")[2], sight.seed): sight for sight in seen}


def test_a_mutant_is_killed_by_what_notices_it(suite: Suite) -> None:
    seen = see(suite, "off_by_one")
    assert {name: sight.outcome for (name, _), sight in seen.items()} == {
        "test_double": "killed",
        "test_one": "survived",
        "test_triple": "not reached",
        "test_release": "killed",
    }
    assert seen["test_double", 0].targets == ["paddle.double"]
    assert seen["test_double", 0].examples > 1


def test_without_a_mutant_the_release_is_judged_itself(suite: Suite) -> None:
    seen = see(suite, None)
    outcomes = {name: sight.outcome for (name, _), sight in seen.items()}
    assert outcomes.pop("test_release") == "killed"
    assert set(outcomes.values()) == {"survived"}


def test_only_what_kills_runs_with_the_other_seeds(suite: Suite) -> None:
    seen = see(suite, "off_by_one", seeds=5)
    assert {name for name, seed in seen if seed == 2} == {"test_double", "test_release"}
    examples = {seen["test_double", seed].examples for seed in range(5)}
    assert len(examples) > 1, "each seed draws examples of its own"


def test_a_death_kills_with_every_seed_and_costs_no_other(suite: Suite) -> None:
    seen = see(suite, "dies", seeds=2)
    assert {seen["test_one", seed].outcome for seed in (0, 1)} == {"died"}
    assert seen["test_triple", 0].outcome == "not reached"


def test_an_error_of_the_mutants_own_kills_nothing(suite: Suite) -> None:
    sight = see(suite, "misspelt")["test_one", 0]
    assert sight.outcome == "broken"
    assert "'treu'" in sight.message


@pytest.mark.parametrize(
    ("mutant", "target", "words"),
    [
        ("cannot_be_made", "paddle.double", "'misspelled' is not defined"),
        ("off_by_one", "paddle.doubel", "paddle.doubel: .* the nearest is double"),
    ],
)
def test_a_mutant_that_cannot_be_put_in_place_ends_the_run(
    suite: Suite, mutant: str, target: str, words: str
) -> None:
    with pytest.raises(ValueError, match=rf"cannot be put in place.*{words}"):
        see(suite, mutant, target=target)


def test_a_run_is_read_again_until_its_source_changes(suite: Suite) -> None:
    before = see(suite, "off_by_one")
    suite.write("def test_nothing_of_this(): pass\n")
    assert see(suite, "off_by_one") == before
    (suite.folder / "mine.py").write_text(MUTANTS + "# changed\n")
    assert see(suite, "off_by_one") != before


@pytest.mark.parametrize("damage", ["truncated", "another version", "a folder"])
def test_what_was_kept_and_cannot_be_read_is_made_anew(suite: Suite, damage: str) -> None:
    see(suite, "off_by_one", only=())
    (kept,) = (suite.folder / "mutation").glob("*.json")
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    if damage == "a folder":
        (kept / "inside").mkdir(parents=True)
    else:
        other = text.replace('"version": 1', '"version": 0')
        kept.write_text(text[:-9] if damage == "truncated" else other, encoding="utf-8")
    see(suite, "off_by_one", only=())
    assert kept.read_text(encoding="utf-8") == text


def test_some_properties_run_without_the_others(suite: Suite) -> None:
    assert see(suite, "off_by_one", only=("test_sample.py::test_one",)).keys() == {("test_one", 0)}
    assert see(suite, "off_by_one", only=()) == {}


def test_what_holds_is_timed_and_profiled(suite: Suite) -> None:
    timed = bench.time_properties(Path(sys.executable), suite.request(), suite.folder / "timed")
    assert timed.keys() == {f"sample::test_{name}" for name in ("double", "one", "triple")}
    assert timed["sample::test_double"]["calls"] == 10
    assert timed["sample::test_double"]["seconds"] > 0
    profiled = bench.time_properties(
        Path(sys.executable), suite.request(), suite.folder / "profiled", "--profiled"
    )
    assert 0 <= profiled["sample::test_double"]["inside"] <= 1
