"""The profiles: how many examples each property draws, and for how long.

Read inside a cell, too, by `tests/properties/conftest.py`: standard library only, Python 3.9.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ProfileName = Literal["quick", "standard", "thorough", "ci"]


class Profile(NamedTuple):
    """How thoroughly a cell is measured."""

    examples: int
    """A property. Of two records of a cell that of more examples stays."""
    seconds: int
    """The time limit of one property."""
    derandomized: bool = False
    """Whether every run draws the same examples."""

    @property
    def due(self) -> int:
        """The calls that a property has to verify to hold: one an example.

        At most 100: with more examples, a property may run out of different ones.
        """
        return min(self.examples, 100)


PROFILES: dict[str, Profile] = {
    "quick": Profile(examples=10, seconds=60),
    "standard": Profile(examples=60, seconds=180),
    "thorough": Profile(examples=1000, seconds=1800),
    "ci": Profile(examples=60, seconds=180, derandomized=True),
}
