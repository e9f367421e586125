"""How it is asked whether numbers get to Paddle and back: before anything else is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import paddle

from properties.oracle.arrays import literal, values
from properties.protocol.evidence import Answers
from properties.questions.memory import contents

ADDED_UP = ("float32", "float64", "int32", "int64", "complex64", "complex128")
"""The dtypes that every release adds up, on every place."""


@dataclass(frozen=True)
class Numbers:
    """1, 2, 3, … of a dtype: the inputs of a case."""

    dtype: str
    size: int = 12
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {"x": values((self.size,), self.dtype, "count", 0)}

    def __str__(self) -> str:
        return f"x {self.dtype} [{self.size}] filled count"

    def code(self) -> str:
        """A line that makes `x` with the same bytes."""
        return f"x = {literal(self.arrays['x'])}"


def there_and_back(x: np.ndarray) -> Answers:
    """x as a tensor, and read back; then twice x, by one addition, where that is offered."""
    sent = paddle.to_tensor(x)
    yield f"{x.dtype} sent to Paddle and read back", contents(sent), x, None
    if str(x.dtype) in ADDED_UP:
        yield f"{x.dtype} added to itself", contents(sent + sent), x + x, None
