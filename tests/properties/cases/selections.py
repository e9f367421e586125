"""Which elements of which array are selected: an array and a mask, named by a few words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from properties.oracle.arrays import literal, mask_of, values

SMALL = 64  # arrays up to this many elements are spelled out in scripts


@dataclass(frozen=True)
class Selection:
    """An array and a mask, named by the words of arrays.py."""

    shape: tuple[int, ...]
    dtype: str
    fill: str = "count"
    pattern: str = "all"
    seed: int = 0
    mask_shape: tuple[int, ...] | None = None  # None: the shape of x
    mask_dtype: str = "bool"

    @property
    def x(self) -> np.ndarray:
        return values(self.shape, self.dtype, self.fill, self.seed)

    @property
    def mask(self) -> np.ndarray:
        chosen = mask_of(self._mask_shape, self.pattern, self.seed)
        return chosen.astype(self.mask_dtype)

    @property
    def _mask_shape(self) -> tuple[int, ...]:
        return self.shape if self.mask_shape is None else self.mask_shape

    def __str__(self) -> str:
        mask = f"mask {self.pattern}"
        if self.mask_shape is not None:
            mask += f" of shape {list(self.mask_shape)}"
        if self.mask_dtype != "bool":
            mask += f" as {self.mask_dtype}"
        return f"x {self.dtype} {list(self.shape)} filled {self.fill}, {mask}, seed {self.seed}"

    def code(self) -> str:
        """Lines that make `x` and `mask` with the same bytes."""
        x = f"values({self.shape}, {self.dtype!r}, {self.fill!r}, {self.seed})"
        mask = f"mask_of({self._mask_shape}, {self.pattern!r}, {self.seed})"
        if self.mask_dtype != "bool":
            mask += f".astype({self.mask_dtype!r})"
        if self.x.size <= SMALL and self.mask.size <= SMALL:
            x, mask = literal(self.x), literal(self.mask)
        return f"x, mask = (\n    {x},\n    {mask},\n)"
