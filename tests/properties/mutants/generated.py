"""Mutants that are generated: the operators of mutation testing on the answers of each function.

`GENERATED` names them, as `masked_select: drop last`. This module needs NumPy alone, so that they
are known without Paddle; `adaptors.py` puts them before Paddle's functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Callable, NamedTuple

import numpy as np

Places = Callable[[], np.ndarray]
"""Where each row lies in the input, in C order: int64 [N]; computed only where it is needed."""
Change = Callable[[np.ndarray, Places], np.ndarray]

HEAD = "ppdet.modeling.heads.ppyoloe_head.PPYOLOEHead"
IOU_LOSS = "ppdet.modeling.losses.iou_loss.GIoULoss"
ASSIGNERS = "ppdet.modeling.assigners"
QUESTIONS = "properties.detection.box_loss_questions"
WORKAROUNDS = "properties.questions.workarounds"
GROUPS = {
    "paddle.masked_select": ("masked_select", "contexts"),
    "paddle.nonzero": ("nonzero", "contexts"),
    "paddle.Tensor.__getitem__": ("boolean_index", "contexts"),
    "paddle.Tensor.__setitem__": ("boolean_index", "contexts"),
    "paddle.where": ("where", "contexts"),
    "paddle.masked_fill": ("masked_fill", "contexts"),
    "paddle.nn.functional.cross_entropy": ("cross_entropy", "dfl_loss"),
    "paddle.to_tensor": ("round_trip",),
    QUESTIONS: ("dfl_loss", "ppyoloe_head"),
    "ppdet.modeling.": ("ppyoloe", "dfl_loss"),
    WORKAROUNDS: ("workarounds",),
    **dict.fromkeys(
        (
            *("paddle.topk", "paddle.nn.functional.softmax"),
            *("paddle.nn.functional.binary_cross_entropy", "paddle.nn.functional.adaptive_avg"),
            *("paddle.Tensor.clip", "paddle.Tensor.mean", "paddle.Tensor.std"),
            *("paddle.Tensor.__ne__", "paddle.concat"),
        ),
        ("ppyoloe",),
    ),
}
"""By the beginning of a function's name: the groups of properties whose own function it is. They
alone are asked. The names of groups, too, may go on: `ppyoloe` has several."""


class Point(NamedTuple):
    """A place for mutants: an answer of a function, or the gradient by one of its arguments.

    Rows are the answer's first axis in a selection, and single elements elsewhere.
    """

    targets: dict[str, int]
    """The functions, each with the argument that holds the data, or by which the gradient is."""
    kinds: str
    """Which changes make sense: the first letters of `OPERATORS`' keys."""
    form: str = "tensor"
    """What the function answers: a tensor, `indices` (one tensor, or one an axis), `written` (its
    argument), or one of several tensors, by its number."""
    mask: int | None = None
    """The argument that is a mask."""


class Generated(NamedTuple):
    """A change, in a context, of what is answered at a point."""

    point: str
    change: str
    context: str
    about: str

    @property
    def name(self) -> str:
        return f"{self.point}: {' '.join(filter(None, (self.change, self.context)))}"


SELECTION, ELEMENTS = "any rows sizes selection", "any rows elements"
COPY = " sizes copy contexts"
GRADIENT = "any rows elements floats"
OF_A_KERNEL = GRADIENT + " ends contexts"

POINTS = {
    "masked_select": Point({"paddle.masked_select": 0}, SELECTION + COPY, mask=1),
    "x[mask]": Point({"paddle.Tensor.__getitem__": 0}, SELECTION + COPY, mask=1),
    "nonzero": Point({"paddle.nonzero": 0}, SELECTION + " contexts", "indices", mask=0),
    "where(mask)": Point({"paddle.where": 0}, SELECTION + " contexts", "indices", mask=0),
    "where": Point({"paddle.where": 1}, ELEMENTS + COPY, mask=0),
    "masked_fill": Point({"paddle.masked_fill": 0}, ELEMENTS + COPY, mask=1),
    "x[mask] = v": Point({"paddle.Tensor.__setitem__": 0}, ELEMENTS + COPY, "written", mask=1),
    "cross_entropy": Point({"paddle.nn.functional.cross_entropy": 0}, ELEMENTS + " sizes floats"),
    "DFL": Point({f"{QUESTIONS}.paddle_side_losses": 0, f"{HEAD}._df_loss": 1}, GRADIENT),
    "GIoU": Point({f"{QUESTIONS}.paddle_giou_losses": 0, f"{IOU_LOSS}.__call__": 1}, GRADIENT),
    **{
        f"box loss {what}": Point({f"{HEAD}._bbox_loss": 1}, "any sums", str(number))
        for number, what in enumerate(("L1", "GIoU", "DFL"))
    },
    "varifocal loss": Point({f"{HEAD}._varifocal_loss": 0}, "any sums"),
    "focal loss": Point({f"{HEAD}._focal_loss": 0}, "any sums"),
    "box decoding": Point({f"{HEAD}._bbox_decode": 2}, GRADIENT),
    **{
        f"{name} {what}": Point({f"{ASSIGNERS}.{name}.forward": 1}, ELEMENTS, str(number))
        for name in ("ATSSAssigner", "TaskAlignedAssigner")
        for number, what in enumerate(("labels", "boxes", "scores"))
    },
    **{
        f"workaround {name}": Point({f"{WORKAROUNDS}.{name}": 0}, "any")
        for name in (
            *("write_one", "fill", "write_many", "choose", "read", "sum_selected"),
            *("checked_cross_entropy", "fetch"),
        )
    },
    "to_tensor": Point({"paddle.to_tensor": 0}, "any"),
}
GRADIENTS = {
    "masked_select's gradient": Point({"paddle.masked_select": 0}, OF_A_KERNEL, mask=1),
    "x[mask]'s gradient": Point({"paddle.Tensor.__getitem__": 0}, OF_A_KERNEL, mask=1),
    "where's gradient by x": Point({"paddle.where": 1}, GRADIENT + " ends", mask=0),
    "where's gradient by y": Point({"paddle.where": 2}, OF_A_KERNEL, mask=0),
    "masked_fill's gradient": Point({"paddle.masked_fill": 0}, OF_A_KERNEL, mask=1),
    "masked_fill's gradient by value": Point({"paddle.masked_fill": 2}, "any", mask=1),
    "x[mask] = v, gradient by v": Point({"paddle.Tensor.__setitem__": 2}, "any", mask=1),
    "cross_entropy's gradient": Point({"paddle.nn.functional.cross_entropy": 0}, GRADIENT),
    **{
        f"{name}'s gradient": Point(POINTS[name].targets, GRADIENT)
        for name in ("DFL", "GIoU", "varifocal loss", "focal loss", "box decoding")
    },
}

# The changes, by the kind of answer for which they make sense. Rows are [N, …].


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
CONTEXTS = {
    "under no_grad": "no gradient is recorded",
    "in a thread": "another thread than the main one calls it",
    "with another default dtype": "paddle.set_default_dtype was called",
    "of six axes": "the data have six axes or more",
    "of no axis": "the data have no axis",
    "by a comparison": "the mask was made by a comparison of tensors",
    "once more": "the same data were asked before",
    "of results": "the data are the result of an operation that is recorded",
    "in a static graph": "a program is built",
}
IN_GRADIENTS = {
    "at the second pass": "a gradient is there already, to which it is added",
    "under create_graph": "paddle.grad makes a graph of the gradient",
    "of results": CONTEXTS["of results"],
}
REFUSALS = {
    "where nothing is chosen": "the mask chooses nothing (PaddlePaddle/Paddle#38929)",
    "where all is chosen": "the mask chooses everything",
    "of no element": "the data have no element",
}
CALLS = {
    "x overwritten": "The data are 0 afterwards: an output that lies over them.",
    "mask overwritten": "The mask is False afterwards: scratch space that lies over it.",
    "unwritten": "The answer is what the memory held (PaddlePaddle/Paddle#44181).",
    "in memory order": "A permuted view is read as it lies in memory (pytorch/pytorch#41473).",
    "from the start of memory": "A slice is read from where its memory starts"
    " (PaddlePaddle/Paddle#72958).",
}
"""What needs more than the answer: adaptors.py has a function for each."""
OF_WRITING = ("mask overwritten", "unwritten")  # of them, those that make sense of x[mask] = v


def own_groups(targets: Iterable[str]) -> tuple[str, ...]:
    """The groups of properties whose own functions these are."""
    found = [own for start, own in GROUPS.items() if any(t.startswith(start) for t in targets)]
    return tuple(dict.fromkeys(group for own in found for group in own))


def generate() -> dict[str, Generated]:
    """Every generated mutant by its name."""
    made = [Generated(*each) for each in (*of_answers(), *of_gradients())]
    return {each.name: each for each in made}


def of_answers() -> Iterator[tuple[str, str, str, str]]:
    for name, point in POINTS.items():
        for kind in point.kinds.split():
            for change, (_, about) in OPERATORS.get(kind, {}).items():
                yield name, change, "", about
        if "contexts" in point.kinds.split():
            for context, when in CONTEXTS.items():
                if "mask" not in when or point.mask is not None:
                    yield name, "altered", context, f"No element is right where {when}."
            for context, when in REFUSALS.items():
                if "mask" not in when or point.mask is not None:
                    yield name, "refused", context, f"An error, as CUDA raises, where {when}."
            for change, about in CALLS.items():
                fits = change in OF_WRITING or point.form != "written"
                apart = point.mask not in (None, *point.targets.values())  # the data are no mask
                if fits and ("mask" not in change or apart):
                    yield name, change, "", about


def of_gradients() -> Iterator[tuple[str, str, str, str]]:
    for name, point in GRADIENTS.items():
        for kind in point.kinds.split():
            for change, (_, about) in OPERATORS.get(kind, {}).items():
                yield name, change, "", about
        yield name, "dropped", "", "No gradient comes back: the graph is cut."
        if "contexts" in point.kinds.split():
            for context, when in IN_GRADIENTS.items():
                yield name, "altered", context, f"It is wrong where {when}."


GENERATED = generate()
