"""Mutants that are generated: the operators of mutation testing on the answers of each function.

`GENERATED` names them, as `masked_select: drop last`. This module needs NumPy alone, so that they
are known without Paddle; `adaptors.py` puts them before Paddle's functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from properties.mutants.changes import OPERATORS

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
    QUESTIONS: ("dfl_loss", "ppyoloe_head", "reported_symptom"),
    "ppdet.modeling.": ("ppyoloe", "dfl_loss", "reported_symptom"),
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
