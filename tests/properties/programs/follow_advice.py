"""Does the advice help? Each piece is followed on the release as it is, and with a fault put in.

`python -m properties.programs.follow_advice --seed 0 --cases 40 --place cpu` prints one line of
JSON, in the form of `paddlecompat/records/advice_results.py`. A loss is right where it is the
oracle's for the inputs as they are, whatever the advice made of them.
"""

from __future__ import annotations

import argparse
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
import paddle
import pytest

from properties.cases.loss_cases import ASSIGNED
from properties.detection.box_loss_questions import number
from properties.detection.real_head import build_head
from properties.mutants.faults import Function, stale, with_call, with_mask
from properties.mutants.replacement import put_in_place
from properties.oracle import box_loss as oracle
from properties.oracle.box_loss import BoxLoss, BoxLossInputs
from properties.oracle.loss_arrays import head_inputs
from properties.oracle.tolerances import (
    box_loss_gradient_tolerance,
    box_loss_tolerance,
    unit,
)
from properties.programs import advised, reg_ranges
from properties.programs.advised import RANGE, Advice
from properties.programs.reg_ranges import CLASSES, Row
from properties.protocol.release_errors import in_one_line
from properties.questions.memory import Tensor

BATCH, ANCHORS = 2, 24
U = unit(np.dtype(np.float32))
EARLIER = "an earlier batch"
# What the memory held that the kernel never wrote: fresh memory, as #44031 and #44721 show it; the
# same outputs of an earlier batch; targets that PaddleDetection's threads report; garbage.
MEMORIES: dict[str, tuple[float, ...]] = {
    "zeros": (0,),
    EARLIER: (),
    "-1, reported": (-1,),
    "28, reported": (28,),
    "460, reported": (460,),
    "huge": (1e30, -1e30),
    "NaN": (np.nan,),
}
KERNEL = ("paddle.masked_select", "paddle.nonzero")  # what the one kernel serves


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--cases", type=int, default=40, help="two at least")
    options.add_argument("--place", choices=("cpu", "gpu"), default="cpu")
    options.add_argument("--as-it-is", action="store_true", help="put no fault in: seconds")
    asked = options.parse_args()
    paddle.set_device(asked.place)
    try:
        build_head(CLASSES, RANGE)
    except pytest.skip.Exception as missing:
        raise SystemExit(str(missing)) from None
    warnings.simplefilter("ignore")  # NumPy's, of garbage that is cast to integers
    drawn = np.random.RandomState(asked.seed).randint(2**16, size=asked.cases)
    cases = [  # some of the boxes reach beyond RANGE
        case_of(head_inputs(RANGE, CLASSES, BATCH, ANCHORS, assigned, int(seed)))
        for assigned, seed in zip(cycle(ASSIGNED), drawn)
    ]
    found: Row = {
        "release": ".".join(re.findall(r"\d+", paddle.__version__)[:3]),
        "place": asked.place,
        "seed": asked.seed,
        "cases": asked.cases,
        "losses": list(sound_rows(cases)),
        "accuracy": [],
        "targets": [],
    }
    if not asked.as_it_is:
        found["losses"].extend(unwritten_rows(cases))
        found["accuracy"].extend(reg_ranges.accuracy_rows(asked.seed, asked.cases))
        found["targets"].extend(reg_ranges.target_rows(asked.seed, asked.cases))
    print(json.dumps(found))


# The cases, and how they end.


@dataclass(frozen=True)
class Case:
    """Inputs of the head's box loss for RANGE, and what is due."""

    inputs: BoxLossInputs
    losses: BoxLoss
    gradients: BoxLoss

    def right(self, losses: BoxLoss) -> bool:
        tolerances = box_loss_tolerance(self.inputs, RANGE, U)
        return all(abs(a - due) <= t for a, due, t in zip(losses, self.losses, tolerances))

    def error(self, losses: BoxLoss) -> float:
        """The relative error of that loss, of the three, which is farthest off."""
        return float(max(abs(a - due) / due for a, due in zip(losses, self.losses)))

    def trains(self, dist: Tensor, boxes: Tensor) -> bool:
        """Whether these leaves have the right gradients of the losses' sum."""
        if dist.grad is None or boxes.grad is None:
            return False
        due, within = self.gradients, box_loss_gradient_tolerance(self.inputs, RANGE, U)
        adding = U * (np.abs(due.l1) + np.abs(due.giou))
        off_boxes = np.abs(boxes.grad.numpy() - due.l1 - due.giou) - adding
        off_dist = np.abs(dist.grad.numpy() - due.dfl)
        right = (off_boxes <= within.l1 + within.giou).all() and (off_dist <= within.dfl).all()
        return bool(right)


def case_of(inputs: BoxLossInputs) -> Case:
    return Case(inputs, oracle.box_loss(inputs, RANGE), oracle.box_loss_gradients(inputs, RANGE))


def with_boxes_inside(case: Case) -> Case:
    """The boxes drawn in to where the clip to RANGE leaves them as they are."""
    inputs, points = case.inputs, case.inputs.anchor_points
    sides = oracle.clipped_distances(points, inputs.assigned_bboxes, RANGE)
    boxes = np.concatenate([points - sides[..., :2], points + sides[..., 2:]], axis=-1)
    return case_of(inputs._replace(assigned_bboxes=boxes.astype(np.float32)))


def end_of(advice: Advice, case: Case) -> tuple[str, Any]:
    """How a case ends where the advice is followed, with more about that end.

    `raised`, with the message; `not_finite`; `wrong`, with the error; `right`, with whether the
    gradients are right, too.
    """
    try:
        tensors, dist, boxes = advised.ask(advice, case.inputs)
        losses = BoxLoss(*map(number, tensors))
    except Exception as error:  # for garbage, each release raises types of its own
        return "raised", in_one_line(error)[: reg_ranges.WORDS]
    if not np.isfinite(losses).all():
        return "not_finite", None
    if not case.right(losses):
        return "wrong", case.error(losses)
    total = sum(tensors)
    if not total.stop_gradient:
        total.backward()
    return "right", case.trains(dist, boxes)


def row_of(advice: Advice, condition: str, memory: str, ends: Iterable[tuple[str, Any]]) -> Row:
    """How many cases ended in which way."""
    found: dict[str, list[Any]] = {"right": [], "wrong": [], "not_finite": [], "raised": []}
    for end, more in ends:
        found[end].append(more)
    return {
        "advice": advice.advice,
        "variant": advice.variant,
        "condition": condition,
        "memory": memory,
        **{end: len(cases) for end, cases in found.items()},
        "trains": sum(found["right"]),
        "message": next((text for text, _ in Counter(found["raised"]).most_common(1)), ""),
        **reg_ranges.error_row(found["wrong"]),
    }


# The advice on the release as it is, and with the fault.


def sound_rows(cases: list[Case]) -> Iterator[Row]:
    """For the cases as they are, and with every box inside the range."""
    populations = {"sound": cases, "sound, boxes inside": list(map(with_boxes_inside, cases))}
    for advice in advised.ADVICE:
        for condition, population in populations.items():
            yield row_of(advice, condition, "", (end_of(advice, case) for case in population))


def unwritten_rows(cases: list[Case]) -> Iterator[Row]:
    """With nothing that the kernel serves written; and, where nonzero is used, with that right."""
    kernel = Kernel()
    for advice in advised.ADVICE:
        faulty: dict[str, tuple[str, ...]] = {"unwritten": KERNEL}
        if advice.variant.endswith("of nonzero"):
            faulty["unwritten, nonzero right"] = KERNEL[:1]
        for memory in MEMORIES:
            for condition, silent in faulty.items():
                ends = (
                    kernel.end_of(advice, case, silent, memory, cases[index - 1])
                    for index, case in enumerate(cases)
                )
                yield row_of(advice, condition, memory, ends)


class Kernel:
    """The kernel behind some functions, and behind an index by a mask; it is put in place."""

    def __init__(self) -> None:
        self.silent: tuple[str, ...] = ()  # functions whose outputs it does not write
        self.memory: Iterator[np.ndarray] = iter(())  # what each of these outputs then holds
        self.written: list[np.ndarray] = []  # the other outputs
        for function in KERNEL:
            put_in_place(function, partial(with_call, partial(self.call, function)))
        tensor_type: Any = type(paddle.zeros([1]))
        tensor_type.__getitem__ = with_mask(advised.boolean_index_in_full, tensor_type.__getitem__)

    def call(self, function: str, true: Function, *arguments: Any) -> Tensor:
        output = true(*arguments)
        if function in self.silent:
            return stale(output, next(self.memory))
        self.written.append(output.numpy())
        return output

    def end_of(
        self, advice: Advice, case: Case, silent: tuple[str, ...], memory: str, earlier: Case
    ) -> tuple[str, Any]:
        """How the case ends where these functions leave their outputs as the memory was."""
        held = [np.array(MEMORIES[memory])]
        if memory == EARLIER:
            self.written = held = []
            advised.ask(advice, earlier.inputs)
        self.silent, self.memory = silent, cycle(held)
        try:
            return end_of(advice, case)
        finally:
            self.silent = ()


if __name__ == "__main__":
    main()
