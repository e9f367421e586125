"""The published cases of `fixtures/regressions.json`: what a thread shows, and what is right.

`paddlecompat.fixtures` validates the file and says what its fields mean; nothing in it is run. x
may be seen as a view: after a `permutation` of its axes, or as its `row` of that number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parents[3] / "fixtures" / "regressions.json"
OPTIONS = ("call", "permutation", "row", "classes")


@dataclass(frozen=True)
class PublishedCase:
    """One entry: the inputs of a case."""

    name: str
    thread: str
    given: dict[str, tuple[Any, str]]  # x, mask and right, as far as there are, with their dtypes
    options: dict[str, Any]  # the call; permutation, row and classes, as far as they are given

    def __str__(self) -> str:
        return f"{self.name}, published in {self.thread}"

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {name: array_of(*given) for name, given in self.given.items()}

    def code(self) -> str:
        """Lines that make the arrays with the same bytes."""
        return "\n".join(
            f"{name} = array_of({array}, {dtype!r})" for name, (array, dtype) in self.given.items()
        )


def read_regressions(file: Path = FILE) -> list[PublishedCase]:
    """The entries of the file, which is known to be valid."""
    return [regression_of(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def regression_of(entry: dict[str, Any]) -> PublishedCase:
    """The arrays and the options of an entry."""
    right = "int64" if entry["call"] == "nonzero" else entry["dtype"]
    dtypes = {"x": entry["dtype"], "mask": "bool", "right": right}
    arrays = {name: array for name, array in entry.items() if name in dtypes and array != "refused"}
    given = {name: (array, dtypes[name]) for name, array in arrays.items()}
    options = {name: entry[name] for name in OPTIONS if name in entry}
    return PublishedCase(entry["name"], entry["thread"], given, options)


def array_of(given: Any, dtype: str) -> np.ndarray:
    """The array that an entry writes down."""
    if not isinstance(given, dict):
        return np.array(given, dtype)
    array = np.zeros(given["shape"], dtype)
    array[tuple(np.transpose(given["ones"]))] = 1
    return array
