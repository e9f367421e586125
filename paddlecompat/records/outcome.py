"""What came of filling a cell, as one process hands it to another; and the exit statuses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from paddlecompat.fixtures.forms import Model
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import Reason, Record

Status = Literal[0, 1, 2, 3]

STATUSES: dict[Status, str] = {
    0: "as expected",
    1: "worse than expected, or --require-device without a device",
    2: "wrong options, or an edited file that is wrong",
    3: "the machine or the network failed, and nothing is said about a release",
}
"""The exit statuses of `python -m paddlecompat`, in words."""

MACHINE_FAILED: frozenset[Reason] = frozenset(
    {"install failed", "no interpreter", "no CUDA libraries"}
)
"""Reasons that say nothing about the release or the device; so does `no build` on the CPU."""


class Outcome(Model):
    """What came of filling a cell."""

    cell: str = Field(description="Its name: 'cpu-2.3.2'.")
    status: Status = Field(description="The exit status; STATUSES has it in words.")
    words: str = Field(description="One line for a list of cells.")
    record: str | None = Field(description="The path of its record; null where there is none.")


def status_of(
    record: Record, judgement: Judgement, strict: bool = False, require_device: bool = False
) -> Status:
    """The exit status of a cell that ended in this record.

    With `strict` a cell that is better than expected fails, too. With `require_device` so does a
    GPU cell without a device, or without a build for it.
    """
    if record.not_run is None:
        failing = ("worse", "better") if strict else ("worse",)
        return 1 if judgement.standing in failing else 0
    reason = record.not_run.reason
    if reason in MACHINE_FAILED or (reason == "no build" and record.place == "cpu"):
        return 3
    return 1 if reason == "import failed" or require_device else 0
