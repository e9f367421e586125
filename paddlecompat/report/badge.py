"""The badge: how many cells are as expected, as shields.io's endpoint JSON and as an SVG."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from paddlecompat.records.judging import Standing

LABEL = "paddle matrix"
COLOURS = {"brightgreen": "#3fa30d", "blue": "#0b6fb8", "yellow": "#96700a", "red": "#c8372d"}
GREY = "#6b7280"


@dataclass(frozen=True)
class Badge:
    """What a badge says, and its colour as shields.io names it."""

    message: str
    color: str
    label: str = LABEL

    @property
    def hex(self) -> str:
        return COLOURS.get(self.color, GREY)

    def json(self) -> str:
        """The form that shields.io's endpoint badge reads."""
        shown = {"schemaVersion": 1, "label": self.label, "message": self.message}
        return json.dumps({**shown, "color": self.color}, indent=1) + "\n"


def badge(standings: Iterable[Standing | None], unreadable: int = 0) -> Badge:
    """The badge for these cells: None stands for one that was not measured.

    Only cells that were measured count; where none was, there is nothing to be green about. A
    record that cannot be read may hide anything, so it costs the green too.
    """
    count = Counter(standings)
    measured = count.total() - count[None]
    parts = [f"{count['as expected']} of {measured} measured as expected"]
    if not measured:
        parts = ["nothing measured"]
    parts += [f"{count[word]} {word}" for word in ("worse", "better") if count[word]]
    if measured and count[None]:
        parts.append(f"{count[None]} not measured")
    if unreadable:
        parts.append(f"{unreadable} unreadable")
    return Badge(", ".join(parts), color(count, measured, unreadable))


def color(count: Counter[Standing | None], measured: int, unreadable: int) -> str:
    """The worst of what there is to tell."""
    if count["worse"]:
        return "red"
    if unreadable:
        return "yellow"
    if not measured:
        return "lightgrey"
    return "blue" if count["better"] else "brightgreen"
