"""Faults put in on purpose, to see which properties notice. This module needs no Paddle."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Reach:
    """What became of the mutant in this process: a property that never calls it cannot judge it."""

    mutant: str = ""
    targets: list[str] = field(default_factory=list)
    """The functions that it stands for."""
    calls: int = 0
    broken: str = ""
    """An error of the mutant's own making, such as a misspelt name: it kills nothing."""


reach = Reach()
