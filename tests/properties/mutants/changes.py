"""The operators of mutation testing: changes of an answer's rows, which are [N, …]. NumPy alone."""

from __future__ import annotations

from typing import Callable

import numpy as np

Places = Callable[[], np.ndarray]
"""Where each row lies in the input, in C order: int64 [N]; computed only where it is needed."""
Change = Callable[[np.ndarray, Places], np.ndarray]


def all_zero(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every element is 0: a kernel that never ran, on fresh memory (PaddlePaddle/Paddle#44031)."""
    return np.zeros_like(rows)


def altered(rows: np.ndarray, places: Places) -> np.ndarray:
    """No element is right: each one's last bits are flipped, and great parts change their sign."""
    raw = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).reshape(-1, rows.itemsize)
    if rows.dtype == bool:
        return np.asarray(~rows)
    flipped = raw ^ np.uint8(1)
    flipped[:, -1] ^= 0x80 if rows.dtype.kind in "fc" else 0
    return np.asarray(flipped.reshape(-1).view(rows.dtype).reshape(rows.shape))


def swap_two(rows: np.ndarray, places: Places) -> np.ndarray:
    """The last element changes its place with the nearest one before it that differs."""
    flat = rows.reshape(len(rows), -1)
    others = np.flatnonzero((flat != flat[-1:]).any(axis=1))
    if others.size:
        rows[[others[-1], -1]] = rows[[-1, others[-1]]]
    return rows


def one_too_late(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every element stands one place too late, the last one first: an offset that is off by one."""
    return np.roll(rows, 1, axis=0)


def reverse(rows: np.ndarray, places: Places) -> np.ndarray:
    """The elements stand last to first."""
    return rows[::-1]


def drop_first(rows: np.ndarray, places: Places) -> np.ndarray:
    """The first element is missing."""
    return rows[1:]


def drop_last(rows: np.ndarray, places: Places) -> np.ndarray:
    """The last element is missing."""
    return rows[:-1]


def duplicate_last(rows: np.ndarray, places: Places) -> np.ndarray:
    """The last element comes twice: a count that is one too many (PaddlePaddle/Paddle#44181)."""
    return np.concatenate([rows, rows[-1:]])


def first_zero(rows: np.ndarray, places: Places) -> np.ndarray:
    """The first element is 0: a beginning that is off by one."""
    rows[:1] = 0
    return rows


def last_zero(rows: np.ndarray, places: Places) -> np.ndarray:
    """The last element is 0: an end that is off by one."""
    rows[-1:] = 0
    return rows


def half_zero(rows: np.ndarray, places: Places) -> np.ndarray:
    """The second half is 0: a loop that ends at the wrong count."""
    rows[(len(rows) + 1) // 2 :] = 0
    return rows


def through_float32(rows: np.ndarray, places: Places) -> np.ndarray:
    """Numbers of 4 bytes or more pass through float32, which holds 24 bits of them."""
    if rows.itemsize < 4 or rows.dtype.kind == "c":
        return rows
    with np.errstate(all="ignore"):
        return rows.astype(np.float32).astype(rows.dtype)


def lose_nan_payloads(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every NaN becomes the one NaN of the dtype: arithmetic in place of a copy."""
    return replaced(rows, np.isnan, np.nan)


def lose_signs_of_zero(rows: np.ndarray, places: Places) -> np.ndarray:
    """-0.0 becomes 0.0: a product with the mask, or a sum with a cleared output."""
    return replaced(rows, lambda floats: floats == 0, 0)


def lose_denormals(rows: np.ndarray, places: Places) -> np.ndarray:
    """Denormals become 0: a kernel that flushes them."""
    return replaced(rows, lambda floats: np.abs(floats) < np.finfo(floats.dtype).tiny, 0)


def lose_infinities(rows: np.ndarray, places: Places) -> np.ndarray:
    """Infinities become 0: an element times 0 that was repaired."""
    return replaced(rows, np.isinf, 0)


def replaced(
    rows: np.ndarray, which: Callable[[np.ndarray], np.ndarray], value: float
) -> np.ndarray:
    """NumPy's own floats, with a value where they are so; others, as bfloat16, as they are."""
    if rows.dtype.kind != "f":
        return rows
    return np.where(which(rows), rows.dtype.type(value), rows)


def change_dtype(rows: np.ndarray, places: Places) -> np.ndarray:
    """The answer is of a dtype of another width."""
    other = {8: "4", 4: "8", 2: "4", 1: "4"}.get(rows.itemsize, "8")
    kind = {"b": "i", "u": "i"}.get(rows.dtype.kind, rows.dtype.kind)
    with np.errstate(all="ignore"):
        return rows.astype("c8" if kind == "c" else kind + other)


def larger_by_1e_5(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every number is greater by 1e-5 of itself."""
    return scaled(rows, 1e-5)


def larger_by_1e_6(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every number is greater by 1e-6 of itself."""
    return scaled(rows, 1e-6)


def scaled(rows: np.ndarray, by: float) -> np.ndarray:
    """Floats of 4 bytes or more, each greater by this part of itself."""
    return rows * rows.dtype.type(1 + by) if rows.dtype.kind == "f" and rows.itemsize > 2 else rows


def negated(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every number has the other sign."""
    return -rows if rows.dtype.kind in "fc" else altered(rows, places)


def doubled(rows: np.ndarray, places: Places) -> np.ndarray:
    """Every number is twice what is due: added up once too often."""
    return 2 * rows if rows.dtype.kind in "fc" else altered(rows, places)


def of_half_width(rows: np.ndarray, places: Places) -> np.ndarray:
    """Numbers pass through a float of half their width."""
    narrow = {"float64": "float32", "float32": "float16"}.get(str(rows.dtype), str(rows.dtype))
    with np.errstate(all="ignore"):
        return rows.astype(narrow).astype(rows.dtype)


SIZES = {"4": 4, "1024": 1024, "2**18": 2**18, "2**20": 2**20, "2**22": 2**22}
"""Elements: a thread's, a block's, a grid's of select_impl.cu.h; and sizes of real training."""


def wrong_at(size: int) -> Change:
    """A change of the element at this place, the first behind a boundary, alone."""

    def wrong(rows: np.ndarray, places: Places) -> np.ndarray:
        if there := (at := places()).size and at[-1] >= size:
            there = np.flatnonzero(at == size)
            rows[there] = altered(rows[there], places)
        return rows

    return wrong


def zero_from(size: int) -> Change:
    """A change to 0 of all from this place on."""

    def zero(rows: np.ndarray, places: Places) -> np.ndarray:
        if (at := places()).size and at[-1] >= size:
            rows[at >= size] = 0
        return rows

    return zero


def named(*changes: Change) -> dict[str, tuple[Change, str]]:
    """Changes by their names as people write them, with what they do."""
    names = [c.__name__.replace("_", " ").replace("1e ", "1e-") for c in changes]
    return {name: (c, " ".join((c.__doc__ or "").split())) for name, c in zip(names, changes)}


OPERATORS: dict[str, dict[str, tuple[Change, str]]] = {
    "any": named(all_zero, altered),
    "rows": named(swap_two, one_too_late, reverse),
    "sizes": {f"wrong at {k}": (wrong_at(n), f"Element {k} is wrong.") for k, n in SIZES.items()},
    "ends": {f"zero from {k}": (zero_from(n), f"All from {k} on is 0.") for k, n in SIZES.items()},
    "selection": named(drop_first, drop_last, duplicate_last, change_dtype),
    "elements": named(first_zero, last_zero, half_zero),
    "copy": named(
        through_float32, lose_nan_payloads, lose_signs_of_zero, lose_denormals, lose_infinities
    ),
    "floats": named(larger_by_1e_5, negated, doubled, of_half_width),
    "sums": named(larger_by_1e_6, negated, doubled),
}
OPERATORS["sizes"].update(OPERATORS["ends"])
CHANGES = {name: change for kind in OPERATORS.values() for name, (change, _) in kind.items()}
