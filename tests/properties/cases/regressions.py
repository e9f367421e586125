"""The published cases of `fixtures/regressions.json`.

An entry is a case that a thread shows: the `call`, what it was given, and the `right` output. It
also says which `release` was wrong, `where`, and what was `shown` instead; and, where the thread
does not give everything to the letter, what was `reconstructed`. `paddlecompat.fixtures` validates
the file; nothing in it is run.

An array is a list of numbers, nested; or `{"shape": [...], "ones": [[...], ...]}`, 0 but for 1 at
the places that are listed. x may be seen as a view: after a `permutation` of its axes, or as its
`row` of that number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from properties.oracle.arrays import literal, ones_at

FILE = Path(__file__).parents[3] / "fixtures" / "regressions.json"
LONG = 1024  # elements


@dataclass(frozen=True)
class PublishedCase:
    """One entry: the inputs of a case, and its options."""

    name: str
    thread: str
    call: str
    arguments: dict[str, np.ndarray]  # x, mask and right, as far as there are arrays
    options: dict[str, Any]  # permutation, row and classes, as far as they are given

    def __str__(self) -> str:
        return f"{self.name}, published in {self.thread}"

    def code(self) -> str:
        """Lines that make the arrays with the same bytes."""
        return "\n".join(
            f"{name} = {expression_of(array)}" for name, array in self.arguments.items()
        )


def expression_of(array: np.ndarray) -> str:
    """An expression that makes the array: if it is long and has only 0 and 1, by its ones."""
    if array.size <= LONG or (array != array.astype(bool)).any():
        return literal(array)
    places = np.argwhere(array).tolist()
    return f"ones_at({array.shape}, {places}).astype({array.dtype.name!r})"


def read_regressions(file: Path = FILE) -> list[PublishedCase]:
    """The entries of the file, which is known to be valid."""
    return [regression_of(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def regression_of(entry: dict[str, Any]) -> PublishedCase:
    """The arrays and the options of an entry."""
    right = "int64" if entry["call"] == "nonzero" else entry["dtype"]
    dtypes = {"x": entry["dtype"], "mask": "bool", "right": right}
    given = {name: entry[name] for name in dtypes if entry.get(name, "refused") != "refused"}
    return PublishedCase(
        name=entry["name"],
        thread=entry["thread"],
        call=entry["call"],
        arguments={name: array_of(array, dtypes[name]) for name, array in given.items()},
        options={name: entry[name] for name in ("permutation", "row", "classes") if name in entry},
    )


def array_of(given: Any, dtype: str) -> np.ndarray:
    """The array that an entry writes down."""
    made = isinstance(given, dict)
    return (ones_at(tuple(given["shape"]), given["ones"]) if made else np.array(given)).astype(
        dtype
    )
