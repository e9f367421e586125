"""Memory that cannot hold the right answer by chance."""

from __future__ import annotations

import paddle


def poison(nbytes: int) -> None:
    """Fill memory of `nbytes` on the current place with a pattern, and give it back.

    An output that a kernel never writes holds what its memory held before, which may be the answer
    to an earlier call (PaddlePaddle/Paddle#44181). After this it holds the pattern. Two pieces are
    filled because the allocator may hand the first to a kernel's scratch space. They are of the
    output's own size: a GPU's allocator hands out the smallest free piece that is large enough.
    """
    held = [paddle.full([max(1, -(-nbytes // 8))], -7.25e77, "float64") for _ in range(2)]
    del held
