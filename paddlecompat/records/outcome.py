"""What came of filling a cell, as one process hands it to another; and the exit statuses."""

from __future__ import annotations

from enum import IntEnum

from pydantic import Field

from paddlecompat.fixtures.forms import Model
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import Reason, Record


class Status(IntEnum):
    """The exit status of `python -m paddlecompat`."""

    AS_EXPECTED = 0
    WORSE = 1
    WRONG_OPTIONS = 2
    MACHINE_FAILED = 3

    @property
    def words(self) -> str:
        """What it means, in a line."""
        return (
            "as expected",
            "worse than expected, or --require-device without a device",
            "wrong options, or an edited file that is wrong",
            "the machine or the network failed, and nothing is said about a release",
        )[self]


SAYS_NOTHING: tuple[Reason, ...] = ("install failed", "no interpreter", "no CUDA libraries")
"""Reasons why nothing ran that say nothing of the release; so does `no build` of a CPU cell."""


class Outcome(Model):
    """What came of filling a cell, or of another command."""

    cell: str = Field(description="The cell's name: 'cpu-2.3.2'; of another command, its own.")
    status: Status = Field(description="0 as expected; 1 worse; 2 wrong options; 3 machine failed.")
    words: str = Field(description="One line for a list of cells.")
    nothing_ran: bool = Field(default=False, description="Whether the cell ended as `not run`.")


def status_of(
    record: Record, judgement: Judgement, strict: bool = False, require_device: bool = False
) -> Status:
    """The exit status of a cell that ended in this record.

    With `strict` a cell that is better than expected fails, too. With `require_device` so does a
    GPU cell that has no device, or no build for it.
    """
    if record.not_run is None:
        failing = ("worse", "better") if strict else ("worse",)
        return Status.WORSE if judgement.standing in failing else Status.AS_EXPECTED
    reason = record.not_run.reason
    if reason in SAYS_NOTHING or (reason == "no build" and record.place == "cpu"):
        return Status.MACHINE_FAILED
    failed = reason == "import failed" or require_device
    return Status.WORSE if failed else Status.AS_EXPECTED
