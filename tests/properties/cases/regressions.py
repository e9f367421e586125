"""The published cases of `fixtures/regressions.json`.

An entry is a case that a thread shows: the `call`, what it was given, and the `right` output. It
also says which `release` was wrong, `where`, and what was `shown` instead; and, where the thread
does not give everything to the letter, what was `reconstructed`. The file is validated before it
comes here (`paddlecompat.fixtures`); nothing in it is run.

An array is a list of numbers, nested; or `{"shape": [...], "ones": [[...], ...]}`, 0 but for 1 at
the places that are listed. x may be seen as a view: after a `permutation` of its axes, or as its
`row` of that number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from properties.oracle.arrays import literal, ones_at

FILE = Path(__file__).parents[3] / "fixtures" / "regressions.json"


@dataclass(frozen=True)
class Regression:
    """One entry, under the names that it has in the file: the inputs of a case."""

    name: str
    thread: str
    release: str
    where: str
    shown: str
    call: str
    dtype: str
    x: Any
    right: Any
    mask: Any = None
    permutation: Sequence[int] = ()
    row: int | None = None
    classes: int | None = None
    reconstructed: str = ""

    def __str__(self) -> str:
        return f"{self.name}, published in {self.thread}"

    @property
    def arguments(self) -> dict[str, np.ndarray]:
        """The arrays that the call is given and, unless an error is due, the right output."""
        right = "int64" if self.call == "nonzero" else self.dtype
        dtypes = {"x": self.dtype, "mask": "bool", "right": right}
        given = {name: getattr(self, name) for name in dtypes}
        return {
            name: array_of(array, dtypes[name])
            for name, array in given.items()
            if isinstance(array, (list, dict))
        }

    def code(self) -> str:
        """Lines that make the arrays with the same bytes."""
        lines = []
        for name, array in self.arguments.items():
            given = getattr(self, name)
            made = isinstance(given, dict)
            code = f"ones_at({array.shape}, {given['ones']})" if made else literal(array)
            lines.append(f"{name} = {code}" + f".astype({array.dtype.name!r})" * made)
        return "\n".join(lines)


def array_of(given: Any, dtype: str) -> np.ndarray:
    """The array that an entry writes down."""
    made = isinstance(given, dict)
    return (ones_at(tuple(given["shape"]), given["ones"]) if made else np.array(given)).astype(
        dtype
    )


def read_regressions(file: Path = FILE) -> list[Regression]:
    """The entries of the file, which is known to be valid."""
    return [Regression(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
