"""Arrays from a few words and a seed, so that large cases are cheap to draw and to print.

`RandomState` is used because NumPy promises never to change its stream. bfloat16 has no NumPy
dtype; Paddle carries it in uint16, and so do these arrays.
"""

from __future__ import annotations

from ast import literal_eval
from typing import Any, Callable, NamedTuple

import numpy as np

FILLS = ("count", "special", "bits")
ENDS = ("all", "none", "first", "last", "all but first", "all but last")
PATTERNS = (*ENDS, "alternating", "first half", "block edges", "half", "sparse", "dense")


def values(shape: tuple[int, ...], dtype: str, fill: str, seed: int) -> np.ndarray:
    """An array of `shape` and `dtype`, in C order.

    `count` numbers the elements 1, 2, 3, … as far as the dtype counts exactly, then starts again.
    `special` draws from the corners of the dtype: signed zeros, denormals, infinities, NaNs with
    payloads; least and greatest integers. `bits` draws every bit. Raises KeyError for other fills.
    """
    fills = {"count": count, "special": special, "bits": bits}
    return fills[fill](int(np.prod(shape)), dtype, seed).reshape(shape)


def count(size: int, dtype: str, seed: int = 0) -> np.ndarray:
    """1, 2, 3, …: each element tells its position, so that a misplaced one is noticed."""
    exact = {"bool": 2, "bfloat16": 256, "float16": 2048}.get(dtype, 2**24)
    numbers = (1 + np.arange(size)) % exact
    if dtype == "bfloat16":
        return (numbers.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return numbers.astype(dtype)


def bits(size: int, dtype: str, seed: int) -> np.ndarray:
    """Elements whose every bit is drawn at random."""
    kind = np.dtype("uint16" if dtype == "bfloat16" else dtype)
    drawn = np.frombuffer(np.random.RandomState(seed).bytes(size * kind.itemsize), np.uint8)
    return (drawn & 1 if dtype == "bool" else drawn.copy()).view(kind)


def special(size: int, dtype: str, seed: int) -> np.ndarray:
    """Elements drawn from the corners of the dtype."""
    if dtype.startswith("complex"):
        part = "float32" if dtype == "complex64" else "float64"
        return special(2 * size, part, seed).view(dtype)
    if dtype == "bool":
        return bits(size, dtype, seed)
    kind = np.dtype("uint16" if dtype == "bfloat16" else dtype)
    table = np.array(corners(dtype, 8 * kind.itemsize), dtype=f"uint{8 * kind.itemsize}")
    return table[np.random.RandomState(seed).randint(len(table), size=size)].view(kind)


def denormals(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """The least and the greatest denormals of a float dtype, of either sign, in turn."""
    least = np.nextafter(np.zeros((), dtype), np.ones((), dtype))
    greatest = np.finfo(dtype).tiny - least
    return np.resize(np.array([least, -greatest, greatest, -least]), shape)


def corners(dtype: str, width: int) -> list[int]:
    """The bit patterns of the corners of a float dtype, or of an integer of `width` bits."""
    mantissa = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}.get(dtype)
    sign = 1 << (width - 1)
    if mantissa is None:
        return [0, 1, sign - 1, sign, 2 * sign - 1]
    infinity = sign - (1 << mantissa)
    quiet = infinity | 1 << (mantissa - 1)
    denormals = [1, (1 << mantissa) - 1]
    finite = [0, *denormals, 1 << mantissa, infinity - 1]
    positive = [*finite, infinity, infinity | 1, quiet, quiet | 5]
    return positive + [sign | pattern for pattern in positive]


def mask_of(shape: tuple[int, ...], pattern: str, seed: int) -> np.ndarray:
    """A bool array of `shape`, True where `pattern` chooses, by position in C order.

    `block edges` chooses two elements on either side of every multiple of 1,024: one block of the
    CUDA kernel covers 1,024 elements. `half`, `sparse` and `dense` choose at random: 50 %, 1 %
    and 99 %. `anchors` chooses 30 % of the places of the first two axes, each with all that stands
    there. Raises KeyError for other patterns.
    """
    if pattern == "anchors":
        places = np.random.RandomState(seed).random_sample(shape[:2]) < 0.3
        return np.broadcast_to(places.reshape(*shape[:2], *[1] * len(shape[2:])), shape).copy()
    size = int(np.prod(shape))
    position = np.arange(size)
    chosen: dict[str, Callable[[], np.ndarray]] = {
        "all": lambda: position >= 0,
        "none": lambda: position < 0,
        "first": lambda: position == 0,
        "last": lambda: position == size - 1,
        "all but first": lambda: position != 0,
        "all but last": lambda: position != size - 1,
        "alternating": lambda: position % 2 == 0,
        "first half": lambda: position < size // 2,
        "block edges": lambda: (position + 2) % 1024 < 4,
        "half": lambda: np.random.RandomState(seed).random_sample(size) < 0.5,
        "sparse": lambda: np.random.RandomState(seed).random_sample(size) < 0.01,
        "dense": lambda: np.random.RandomState(seed).random_sample(size) < 0.99,
    }
    return chosen[pattern]().reshape(shape)


class ArrayView(NamedTuple):
    """A view of an array: its axes permuted, then a slice of every axis."""

    permutation: tuple[int, ...]
    slices: tuple[slice, ...]


def view(array: Any, seen: ArrayView) -> Any:
    """A view of an array or of a tensor."""
    return array.transpose(list(seen.permutation))[seen.slices]


def reverse(array: np.ndarray) -> np.ndarray:
    """A copy with the elements in reverse order, in the same shape."""
    return array.reshape(-1)[::-1].reshape(array.shape).copy()


def change_at(array: np.ndarray, position: int, value: object) -> np.ndarray:
    """A copy with another value at that position, in C order."""
    changed = array.copy()
    changed.reshape(-1)[position] = value
    return changed


def literal(array: np.ndarray) -> str:
    """An expression that makes `array` again, byte for byte: `np` is all it needs."""
    flat = array.ravel()
    kind = "bool_" if array.dtype == np.bool_ else array.dtype.name
    if decimals_suffice(flat):
        elements = f"np.array({flat.tolist()}, dtype=np.{kind})"
    else:
        raw = flat.view(f"uint{8 * min(array.itemsize, 8)}")
        listed = ", ".join(f"0x{number:0{2 * raw.itemsize}x}" for number in raw.tolist())
        elements = f"np.array([{listed}], dtype=np.{raw.dtype}).view(np.{kind})"
    return f"{elements}.reshape({array.shape})"


def decimals_suffice(flat: np.ndarray) -> bool:
    """Whether Python reads every bit again from decimals.

    It has none for NaN and infinities, and takes `-2j` for the negative of `0+2j`.
    """
    try:
        read = np.array(literal_eval(str(flat.tolist())), flat.dtype)
    except ValueError:
        return False
    return read.tobytes() == flat.tobytes()
