"""The profiles: how many examples each property draws, and for how long.

Read by the launcher and, inside a cell, by `tests/properties/conftest.py`: standard library only.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ProfileName = Literal["quick", "standard", "thorough", "ci"]


class Profile(NamedTuple):
    """How thoroughly a cell is measured."""

    examples: int
    """A property."""
    seconds: int
    """The time limit of one property."""
    standing: int
    """Of two records of a cell that of the higher standing stays."""
    derandomized: bool = False
    """Whether every run draws the same examples."""


PROFILES: dict[ProfileName, Profile] = {
    "quick": Profile(examples=10, seconds=60, standing=1),
    "standard": Profile(examples=100, seconds=180, standing=2),
    "thorough": Profile(examples=1000, seconds=1800, standing=3),
    "ci": Profile(examples=100, seconds=180, standing=2, derandomized=True),
}
