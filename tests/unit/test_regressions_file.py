"""The form of a published case: what is misspelt or left out is named by entry and field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paddlecompat.fixtures.forms import read_as
from paddlecompat.fixtures.published import Regression, RegressionsFile
from paddlecompat.folders import FIXTURES

COMMITTED = read_as(RegressionsFile, FIXTURES / "regressions.json").root


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
    (read,) = read_as(RegressionsFile, write(tmp_path, sound)).root
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
        (entry(thread="issue 1"), "thread: String should match pattern '^https://github\\.com/"),
        (entry(x=3), "x.list[any]: Input should be a valid array"),
        (entry(row=-1), "row: Input should be greater than or equal to 0"),
        (entry(right="raised"), "right"),
        (entry(x={"shape": [3], "ones": [[-1]]}), "x"),
    ],
)
def test_a_bad_entry_is_named_with_what_to_write(tmp_path: Path, bad: Any, words: str) -> None:
    path = write(tmp_path, entry(name="sound"), bad)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_as(RegressionsFile, path)
    assert str(caught.value).startswith(f"{path}: 1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{}", "[", "3"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "regressions.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"regressions\.json: .*(valid array|Invalid JSON)"):
        read_as(RegressionsFile, file)


def test_each_committed_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in COMMITTED]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", COMMITTED, ids=[case.name for case in COMMITTED])
def test_a_call_is_given_what_it_takes_and_no_more(case: Regression) -> None:
    refused, masked = case.call == "cross_entropy", case.call in ("masked_select", "boolean index")
    assert (case.classes is not None, case.right == "refused") == (refused, refused)
    assert (case.mask is not None) == masked
    assert not isinstance(case.mask, list) or np.array(case.mask).dtype == bool
