"""The published cases: the committed file can be read, and a bad entry is told what it lacks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from paddlecompat.fixtures.published import load_regressions


def entry(**changes: Any) -> dict[str, Any]:
    """A sound entry, with what the test changes; None takes a key away."""
    known = {
        "name": "paddle-1",
        "thread": "https://github.com/PaddlePaddle/Paddle/issues/1",
        "release": "2.3.0",
        "where": "GPU, Windows",
        "shown": "[0, 0]",
        "call": "masked_select",
        "dtype": "int64",
        "x": [0, 8, 9],
        "mask": [False, True, True],
        "right": [8, 9],
    }
    return {key: value for key, value in (known | changes).items() if value is not None}


def refusal(**changes: Any) -> dict[str, Any]:
    """A sound entry of a label that is no class."""
    known = {"call": "cross_entropy", "mask": None, "x": [28], "classes": 17, "right": "refused"}
    return entry(**(known | changes))


def write(folder: Path, *entries: Any) -> Path:
    file = folder / "regressions.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file


def test_the_threads_of_facts_are_there() -> None:
    numbers = {int(case.thread.rsplit("/", 1)[1]) for case in load_regressions()}
    paddle = {38929, 43001, 43420, 44031, 44721, 45007, 45464, 53603, 72958}
    assert numbers >= paddle | {6723, 8963, 12, 41473}


@pytest.mark.parametrize(
    "sound",
    [
        entry(),
        entry(call="boolean index", dtype="bool", x=[True, False, True], right=[False, True]),
        entry(x=[[0, 1], [8, 9]], mask=[False, True], right=[1, 9]),
        entry(x=[[0, 8], [1, 9], [2, 7]], permutation=[1, 0], right=[1, 2, 9, 7]),
        entry(x=[], mask=[], right=[]),
        entry(call="nonzero", mask=None, right=[[1], [2]]),
        entry(
            call="nonzero",
            mask=None,
            x={"shape": [2, 3], "ones": [[1, 2]]},
            row=1,
            right=[[2]],
        ),
        refusal(),
    ],
    ids=["select", "index", "broadcast", "permuted", "empty", "nonzero", "row", "refusal"],
)
def test_a_sound_entry_is_read(tmp_path: Path, sound: dict[str, Any]) -> None:
    (read,) = load_regressions(write(tmp_path, sound))
    assert read.call == sound["call"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (3, "Input should be an object"),
        (entry(speed=1), "speed: Extra inputs are not permitted"),
        (entry(right=None), "right: Field required"),
        (entry(where=""), "where: String should have at least 1 character"),
        (
            entry(call="sort"),
            "call: Input should be 'masked_select', 'boolean index', 'nonzero' or",
        ),
        (entry(dtype="float8"), "dtype: Input should be 'float32', 'float64', 'int32', 'int64' or"),
        (entry(name="Paddle#1"), "name: String should match pattern '^[a-z0-9-]+$'"),
        (entry(thread="issue 1"), "thread: 'issue 1' is no GitHub issue: write its address"),
        (entry(mask=None), "masked_select needs 'mask'"),
        (entry(call="nonzero", right=[[1], [2]]), "nonzero has no 'mask'"),
        (entry(classes=17), "masked_select has no 'classes'"),
        (refusal(classes=None), "cross_entropy needs 'classes'"),
        (entry(x=3), "x.list[any]: Input should be a valid array"),
        (entry(x=[[1, 2], [3]]), "x: write lists of one length, of numbers"),
        (entry(x=[[1, 2], 3]), "x: write lists of one length, of numbers"),
        (entry(x=["a", "b", "c"]), "x: write lists of one length, of numbers"),
        (entry(mask=[0, 1, 1]), "mask: write lists of one length, of true and false"),
        (entry(mask=[True, True]), "the mask does not fit x; write one of shape [3]"),
        (entry(mask=[[True, True, True]]), "the mask does not fit x; write one of shape [3]"),
        (entry(right=[8]), "right: the mask chooses 2 elements"),
        (entry(right=[[8, 9]]), "right: write a flat list"),
        (entry(right="refused"), "right is 'refused' for cross_entropy alone"),
        (refusal(right=[1]), "right is 'refused' for cross_entropy alone"),
        (entry(call="nonzero", mask=None, right=[1, 2]), "right: write a list of places, 1 number"),
        (entry(permutation=[1]), "permutation: name each axis of x once"),
        (entry(row=3), "row: x has no such row"),
        (
            entry(x={"shape": [3], "ones": [[3]]}),
            "x: [3] is no place in the shape [3]",
        ),
    ],
)
def test_a_bad_entry_is_named_with_what_to_write(tmp_path: Path, bad: Any, words: str) -> None:
    name = bad["name"] if isinstance(bad, dict) else "no name"
    path = write(tmp_path, entry(name="sound"), bad)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        load_regressions(path)
    assert str(caught.value).startswith(f"{path}: entry 2 ({name}): ")
    assert "\n" not in str(caught.value)


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, entry(), entry())
    with pytest.raises(ValueError, match=r"entry 2 \(paddle-1\): the name is taken; give another"):
        load_regressions(path)


@pytest.mark.parametrize("text", ["{}", "[", "3"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "regressions.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"regressions\.json: .*(valid array|Invalid JSON)"):
        load_regressions(file)
