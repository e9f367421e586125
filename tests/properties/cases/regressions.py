"""The published cases of `fixtures/regressions.json`: read, and validated. Nothing there is run.

An entry is a case that a thread shows: the `call`, what it was given, and the `right` output. It
also says which `release` was wrong, `where`, and what was `shown` instead; and, where the thread
does not give everything to the letter, what was `reconstructed`.

An array is a list of numbers, nested; or `{"shape": [...], "ones": [[...], ...]}`, 0 but for 1 at
the places that are listed. x may be seen as a view: after a `permutation` of its axes, or as its
`row` of that number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from properties.oracle.arrays import literal, ones_at

FILE = Path(__file__).parents[3] / "fixtures" / "regressions.json"
CALLS = {  # what each needs besides x
    "masked_select": {"mask"},
    "boolean index": {"mask"},
    "nonzero": set(),
    "cross_entropy": {"classes"},
}
DTYPES = ("float32", "float64", "int32", "int64", "bool")
REFUSED = "refused"
THREAD = r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+"
WORDS = ("name", "thread", "release", "where", "shown", "call", "dtype")


@dataclass(frozen=True)
class Regression:
    """One entry, under the names that it has in the file."""

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

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What the call is given, and the right output; `np.array(True)` for a refusal."""
        dtype = "int64" if self.call == "nonzero" else self.dtype
        right = np.array(True) if self.right == REFUSED else array_of(self.right, dtype)
        masks = {} if self.mask is None else {"mask": array_of(self.mask, "bool")}
        return {"x": array_of(self.x, self.dtype), **masks, "right": right}

    @property
    def options(self) -> dict[str, Any]:
        """What else the question is asked with."""
        told = {"permutation": tuple(self.permutation), "row": self.row, "classes": self.classes}
        return {name: value for name, value in told.items() if value not in ((), None)}

    def code(self) -> str:
        """Lines that make the arrays with the same bytes."""
        lines = []
        for name, array in self.arrays.items():
            given = getattr(self, name)
            short = f"ones_at({tuple(given['shape'])}, {given['ones']})" if made(given) else ""
            code = f"{short}.astype({self.dtype!r})" if short else literal(array)
            lines.append(f"{name} = {code}")
        return "\n".join(lines)


class BadEntry(ValueError):
    """An entry that cannot be used: the message says which, why, and what to write."""


def read(file: Path = FILE) -> list[Regression]:
    """The entries of the file. Raises BadEntry at the first that is not sound."""
    entries = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise BadEntry(f"{file.name} is not a list; write [{{...}}, ...]")
    regressions: list[Regression] = []
    for position, entry in enumerate(entries, start=1):
        try:
            regressions.append(regression_of(entry))
            expect(names(regressions).count(entry["name"]) == 1, "the name is taken; give another")
        except BadEntry as error:
            name = entry.get("name", "no name") if isinstance(entry, dict) else "no name"
            raise BadEntry(f"{file.name}, entry {position} ({name}): {error}") from None
    return regressions


def names(regressions: Sequence[Regression]) -> list[str]:
    return [regression.name for regression in regressions]


def regression_of(entry: Any) -> Regression:
    """The entry, validated. Raises BadEntry, whose message says what is wrong and what to write."""
    expect(isinstance(entry, dict), 'not an object; write {"name": ..., "thread": ..., ...}')
    known = [field.name for field in fields(Regression)]
    for key in entry:
        expect(key in known, f"{key!r} is not known; write one of {', '.join(known)}")
    for key in (*WORDS, "x", "right"):
        expect(key in entry, f"{key!r} is missing; write it")
    for key in WORDS:
        expect(isinstance(entry[key], str) and entry[key], f"{key!r} is no text; write some")
    call, dtype = entry["call"], entry["dtype"]
    expect(call in CALLS, f"call {call!r} is not known; write one of {', '.join(CALLS)}")
    expect(dtype in DTYPES, f"dtype {dtype!r} is not known; write one of {', '.join(DTYPES)}")
    expect(re.fullmatch(r"[a-z0-9-]+", entry["name"]), "the name has other signs than a-z, 0-9, -")
    expect(
        re.fullmatch(THREAD, entry["thread"]), "the thread is no GitHub issue; write its address"
    )
    for key in ("mask", "classes"):
        needed = key in CALLS[call]
        expect(needed == (key in entry), f"{call} {'needs' if needed else 'has no'} {key!r}")
    regression = Regression(**entry)
    check_arrays(regression)
    return regression


def check_arrays(regression: Regression) -> None:
    """Raises BadEntry where the arrays do not fit one another."""
    refusal = regression.call == "cross_entropy"
    expect(
        (regression.right == REFUSED) == refusal, f"right is {REFUSED!r} for cross_entropy alone"
    )
    arrays = regression.arrays
    x, right, axes = arrays["x"], arrays["right"], tuple(regression.permutation)
    expect(not axes or sorted(axes) == list(range(x.ndim)), "permutation: name each axis of x once")
    expect(regression.row is None or regression.row in range(len(x)), "row: x has no such row")
    seen = x.transpose(axes) if axes else x if regression.row is None else x[regression.row]
    if regression.call == "nonzero":
        shape = (right.shape[0], seen.ndim)
        expect(right.shape == shape, f"right: write a list of places, {seen.ndim} numbers in each")
    if regression.call == "masked_select":
        expect(right.ndim == 1, "right: write a flat list")
    if "mask" in arrays:
        mask = arrays["mask"]
        fits = mask.shape == seen.shape[-mask.ndim :]
        expect(fits, f"the mask does not fit x; write one of shape {list(seen.shape)}")
        chosen = int(np.count_nonzero(np.broadcast_to(mask, seen.shape)))
        expect(right.size == chosen, f"right: the mask chooses {chosen} elements")


def array_of(given: Any, dtype: str) -> np.ndarray:
    """The array that an entry writes down. Raises BadEntry where it is none."""
    if made(given):
        return ones_at(tuple(given["shape"]), given["ones"]).astype(dtype)
    try:
        array = np.array(given)
    except ValueError:
        array = np.array(None)
    kinds = "b" if dtype == "bool" else "iuf"
    fits = isinstance(given, list) and (array.size == 0 or array.dtype.kind in kinds)
    words = "true and false" if dtype == "bool" else "numbers"
    expect(fits, f"an array is not rectangular, or not of {words}; write lists of one length")
    return array.astype(dtype)


def made(given: Any) -> bool:
    """Whether an array is told by its shape and the places of its ones."""
    return isinstance(given, dict) and set(given) == {"shape", "ones"}


def expect(right: object, otherwise: str) -> None:
    """Raises BadEntry unless `right` holds."""
    if not right:
        raise BadEntry(otherwise)
