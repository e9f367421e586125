"""The published cases: the committed file is sound, and a bad entry is told what it lacks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from properties.cases.regressions import BadEntry, Regression, read
from properties.oracle.selecting import boolean_index, masked_select, nonzero

PUBLISHED = read()


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
    told = {"call": "cross_entropy", "mask": None, "x": [28], "classes": 17, "right": "refused"}
    return entry(**(told | changes))


def written(folder: Path, *entries: Any) -> Path:
    file = folder / "regressions.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return file


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_what_is_published_as_right_is_what_the_oracle_gives(published: Regression) -> None:
    if published.call == "cross_entropy":
        assert published.classes is not None
        assert not 0 <= published.x[0] < published.classes
        return
    arrays = published.arrays
    x, right = arrays["x"], arrays["right"]
    if published.permutation:
        x = x.transpose(published.permutation)
    if published.call == "nonzero":
        due = nonzero(x if published.row is None else x[published.row])
    else:
        select = masked_select if published.call == "masked_select" else boolean_index
        due = select(x, arrays["mask"])
    assert (due.dtype, due.tolist()) == (right.dtype, right.tolist())


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_the_code_of_a_case_makes_its_arrays_again(published: Regression) -> None:
    from properties.oracle import arrays

    scope: dict[str, Any] = {"np": np, "ones_at": arrays.ones_at}
    exec(published.code(), scope)
    for name, array in published.arrays.items():
        assert scope[name].dtype == array.dtype
        np.testing.assert_array_equal(scope[name], array)


def test_the_threads_of_facts_are_there() -> None:
    numbers = {int(case.thread.rsplit("/", 1)[1]) for case in PUBLISHED}
    paddle = {38929, 43001, 43420, 44031, 44721, 45007, 45464, 53603, 72958}
    assert numbers >= paddle | {6723, 8963, 12, 41473}


def test_sound_entries_are_read(tmp_path: Path) -> None:
    row = {"x": {"shape": [2, 3], "ones": [[1, 2]]}, "row": 1, "mask": None, "right": [[2]]}
    file = written(
        tmp_path, entry(), refusal(name="paddle-2"), entry(name="n", call="nonzero", **row)
    )
    assert [case.name for case in read(file)] == ["paddle-1", "paddle-2", "n"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (3, "not an object; write"),
        (entry(speed=1), "'speed' is not known; write one of name, thread"),
        (entry(right=None), "'right' is missing; write it"),
        (entry(where=""), "'where' is no text; write some"),
        (entry(call="sort"), "call 'sort' is not known; write one of masked_select, boolean index"),
        (entry(dtype="float8"), "dtype 'float8' is not known; write one of float32"),
        (entry(name="Paddle#1"), "the name has other signs than a-z, 0-9, -"),
        (entry(thread="see issue 1"), "the thread is no GitHub issue; write its address"),
        (entry(mask=None), "masked_select needs 'mask'"),
        (entry(call="nonzero", right=[[1], [2]]), "nonzero has no 'mask'"),
        (entry(classes=17), "masked_select has no 'classes'"),
        (entry(x=[[1, 2], [3]]), "an array is not rectangular, or not of numbers"),
        (entry(x=["a", "b", "c"]), "an array is not rectangular, or not of numbers"),
        (entry(mask=[0, 1, 1]), "an array is not rectangular, or not of true and false"),
        (entry(mask=[True, True]), "the mask does not fit x"),
        (entry(right=[8]), "right: the mask chooses 2 elements"),
        (entry(right=[[8, 9]]), "right: write a flat list"),
        (entry(right="refused"), "right is 'refused' for cross_entropy alone"),
        (refusal(right=[1]), "right is 'refused' for cross_entropy alone"),
        (entry(call="nonzero", mask=None, right=[1, 2]), "right: write a list of places"),
        (entry(permutation=[1]), "permutation: name each axis of x once"),
        (entry(row=3), "row: x has no such row"),
    ],
)
def test_a_bad_entry_is_named_with_what_to_write(tmp_path: Path, bad: Any, words: str) -> None:
    name = bad["name"] if isinstance(bad, dict) else "no name"
    told = f"regressions.json, entry 2 ({name}): {words}"
    with pytest.raises(BadEntry, match=re.escape(told)):
        read(written(tmp_path, entry(name="sound"), bad))


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadEntry, match="the name is taken; give another"):
        read(written(tmp_path, entry(), entry()))


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "regressions.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(BadEntry, match="is not a list"):
        read(file)
