"""What a person may ask of a cell; what makes no sense is refused, with the flag and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paddlecompat.cells.option_set import Options, check, workers_at
from paddlecompat.fixtures.forms import Kind

RECORD = Path("fresh-2.6.1.json")
REFUSED: dict[str, tuple[dict[str, Any], Kind, str]] = {
    "a target without a mutant": ({"target": "paddle.nope"}, "cpu", "--target paddle.nope: is for"),
    "a target of a known mutant": ({"mutant": "zeros", "target": "a.b"}, "cpu", "--target a.b: is"),
    "an unknown stand-in": ({"stand_in": "none"}, "gpu", "--stand-in none: not one of sound"),
    "a build on the CPU": ({"build": "2.3.2"}, "cpu", "--build is for GPU cells"),
    "a limit on the GPU": ({"memory_limit": 1.0}, "gpu", "--memory-limit is for CPU cells"),
    "no worker": ({"workers": 0}, "cpu", "--workers 0: at least one has to run"),
    "a CPython for a pinned cell": ({"cpython": "3.8"}, "cpu", "--python is for fresh cells"),
    "a record for a pinned cell": ({"from_record": RECORD}, "gpu", "--from-record is for fresh"),
    "a CPython and a record": ({"cpython": "3.8", "from_record": RECORD}, "fresh", "--python: the"),
    "no version of CPython": ({"cpython": "python3"}, "fresh", "--python python3: write it as 3.8"),
    "a wheel for a fresh cell": ({"wheel": Path("a.whl")}, "fresh", "--wheel is not for fresh"),
    "a seed of the ci profile": ({"profile": "ci", "seed": 1}, "cpu", "--seed has no effect"),
}


@pytest.mark.parametrize(("asked", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], kind: Kind, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(Options(**asked), kind)


def test_a_seed_is_drawn_where_none_is_asked_for() -> None:
    assert check(Options(), "cpu").seed is not None


@pytest.mark.parametrize(
    ("asked", "partial"),
    [
        ({}, ""),
        ({"keyword": "mask", "timeout": 1.0}, "-k --timeout"),
        ({"seed": 7, "workers": 1}, ""),
    ],
)
def test_what_makes_a_run_partial_is_named(asked: dict[str, Any], partial: str) -> None:
    assert Options(**asked).partial == partial


def test_one_worker_runs_on_a_gpu() -> None:
    assert workers_at("gpu", Options()) == 1


def test_as_many_workers_run_as_are_asked_for() -> None:
    assert workers_at("cpu", Options(workers=3)) == 3
