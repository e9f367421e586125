"""Faults put in on purpose, to see which properties notice. This module needs no Paddle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass
class Reach:
    """What became of the mutant in this process: a property that never calls it cannot judge it."""

    mutant: str = ""
    targets: list[str] = field(default_factory=list)
    """The functions that it stands for."""
    calls: int = 0
    broken: str = ""
    """An error of the mutant's own making, such as a misspelt name: it kills nothing."""
    later: list[Callable[[], object]] = field(default_factory=list)
    """What a mutant does once it is in place, such as to watch another function."""
    undo: list[Callable[[], object]] = field(default_factory=list)

    def put(self, holder: Any, name: str, value: Any) -> None:
        """Let a module or class hold this from now on, until the mutant is taken out again."""
        own = vars(holder)
        before = own.get(name)
        back = (setattr, holder, name, before) if name in own else (delattr, holder, name)
        self.undo.append(lambda: back[0](*back[1:]))
        setattr(holder, name, value)


reach = Reach()
