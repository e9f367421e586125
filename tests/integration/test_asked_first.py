"""The round trip is asked first, and where it fails nothing else is: for real, in a small suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.sample_suite import Suite
from paddlecompat.cells.suite import Ran
from paddlecompat.records import store
from paddlecompat.records.judging import Status

HOLDS = "def test_numbers():\n    verify()\n"
FAILS = "def test_numbers():\n    same_bytes(np.int64(1), np.int64(2))\n"
REFUSES = """
def refuse():
    raise NotImplementedError("no such dtype")
def test_numbers():
    ask(refuse)
"""
DIES = "def test_numbers():\n    verify(7)\n    os._exit(3)\n"
DIES_ONCE = """
def test_numbers():
    if not os.path.exists(__file__ + ".died"):
        open(__file__ + ".died", "w").close()
        os._exit(3)
    verify()
"""
TWO = """
def test_one():
    open(__file__ + ".ran", "w").close()
    verify()
def test_two():
    verify()
"""


@pytest.fixture
def properties(tmp_path: Path) -> Iterator[Suite]:
    made = Suite(tmp_path)
    yield made
    made.close()


def ran(properties: Suite, round_trip: str, **asked: Any) -> Ran:
    """What came of two properties beside this round trip."""
    properties.write(TWO, round_trip=round_trip)
    return properties.ran(properties.request(**asked))


def outcomes(found: Ran) -> dict[str, str]:
    return {result.name: result.outcome for result in found.results}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_round_trip_that_fails_ends_the_run(properties: Suite, workers: int) -> None:
    found = ran(properties, FAILS, workers=workers)
    assert outcomes(found) == {"test_numbers": "violated"}
    assert (found.conditions.properties, found.conditions.not_asked) == (3, 2)
    assert list(properties.tests.glob("*.ran")) == []


def test_a_round_trip_that_dies_ends_the_run(properties: Suite) -> None:
    found = ran(properties, DIES)
    assert outcomes(found) == {"test_numbers": "crashed"}
    assert found.conditions.not_asked == 2


@pytest.mark.parametrize(("round_trip", "outcome"), [(HOLDS, "holds"), (REFUSES, "unsupported")])
def test_a_round_trip_that_does_not_fail_lets_all_be_asked(
    properties: Suite, round_trip: str, outcome: str
) -> None:
    found = ran(properties, round_trip)
    assert outcomes(found) == {"test_numbers": outcome, "test_one": "holds", "test_two": "holds"}
    assert found.conditions.not_asked == 0


def test_all_of_the_round_trip_is_asked_where_some_fails(properties: Suite) -> None:
    found = ran(properties, FAILS + HOLDS.replace("numbers", "others"))
    assert outcomes(found) == {"test_numbers": "violated", "test_others": "holds"}


def test_what_is_selected_beside_the_round_trip_is_asked(properties: Suite) -> None:
    assert outcomes(ran(properties, FAILS, keyword="one")) == {"test_one": "holds"}


def test_a_round_trip_that_fails_leaves_a_record(properties: Suite) -> None:
    properties.write(TWO, round_trip=FAILS)
    assert properties.fill(None).returncode == Status.WORSE
    record = store.read(properties.records()[0])
    assert record.conditions is not None
    assert (record.verdict, record.conditions.not_asked) == ("unsound", 2)


def test_a_round_trip_that_fails_once_leaves_no_record(properties: Suite) -> None:
    properties.write(TWO, round_trip=DIES_ONCE)
    ended = properties.fill(None)
    assert ended.returncode == Status.MACHINE_FAILED
    assert "the round trip failed once, and not alone; nothing was recorded" in ended.stderr
    assert properties.records() == []
