"""Questions that make sense on a GPU alone.

On the CPU the kernels are other code, calls do not overlap, and freed memory goes back to the
system.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from properties.oracle.selecting import masked_select, nonzero
from properties.protocol.evidence import Answers
from properties.questions.masked_selection import all_forms
from properties.questions.memory import POISON, Tensor, fresh, tensor


def on_the_cpu_and_here(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The same calls on the CPU, in the same process, and then on the device: the same bytes."""
    here = paddle.get_device()
    paddle.set_device("cpu")
    try:
        due = [(what, actual.copy()) for what, actual, *_ in all_forms(x, mask)]
    finally:
        paddle.set_device(here)
    for (what, right), (_, actual, *_) in zip(due, all_forms(x, mask)):
        yield f"{what}, as on the CPU", actual, right, None


def again_and_again(x: np.ndarray, mask: np.ndarray) -> Answers:
    """The same calls 50 times: a fault that comes and goes is likely to show."""
    source, chosen = tensor(x), tensor(mask)
    selected, indices = masked_select(x, mask), nonzero(mask)
    for call in range(50):
        what = f"masked_select, call {call}"
        yield fresh(what, selected, paddle.masked_select, source, chosen)
        yield fresh(f"nonzero, call {call}", indices, paddle.nonzero, chosen)


def on_two_streams(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Selections that run at once, each on a stream of its own, of the mask and its complement."""
    cuda: Any = paddle.device.cuda
    if not (hasattr(cuda, "Stream") and hasattr(cuda, "stream_guard")):
        raise NotImplementedError("paddle.device.cuda has no Stream and stream_guard")
    streams = [cuda.Stream(), cuda.Stream()]
    masks = [mask, np.logical_not(mask)]
    source, chosen = tensor(x), [tensor(wanted) for wanted in masks]
    cuda.synchronize()
    found: list[list[Tensor]] = [[], []]
    for _ in range(8):
        for stream, wanted, kept in zip(streams, chosen, found):
            with cuda.stream_guard(stream):
                kept.append(paddle.masked_select(source, wanted))
    cuda.synchronize()
    for number, (wanted, kept) in enumerate(zip(masks, found), start=1):
        for selected in kept:
            yield f"on stream {number}", selected.numpy(), masked_select(x, wanted), None


def of_unaligned_parts(x: np.ndarray, mask: np.ndarray) -> Answers:
    """Of each row, and from each of the first elements on: their addresses are not multiples of 16.

    Vector loads need such addresses (PaddlePaddle/Paddle#72958).
    """
    source, chosen = tensor(x), tensor(mask)
    for row in range(min(4, len(x))):
        yield from of_part(f"row {row}", source[row], chosen[row], x[row], mask[row])
    flat, flat_mask = tensor(x.reshape(-1)), tensor(mask.reshape(-1))
    for start in range(1, min(4, x.size)):
        part, part_mask = x.reshape(-1)[start:], mask.reshape(-1)[start:]
        yield from of_part(f"from {start} on", flat[start:], flat_mask[start:], part, part_mask)


def of_part(what: str, source: Tensor, chosen: Tensor, x: np.ndarray, mask: np.ndarray) -> Answers:
    """The selection from a part, and the indices of its mask."""
    due = masked_select(x, mask)
    yield fresh(f"masked_select, {what}", due, paddle.masked_select, source, chosen)
    yield fresh(f"nonzero, {what}", nonzero(mask), paddle.nonzero, chosen)


def memory_handed_out_again(x: np.ndarray, mask: np.ndarray) -> Answers:
    """An output that nothing writes holds the poison, not an earlier answer.

    This checks the allocator, not a kernel: `paddle.empty` writes nothing.
    """
    pattern = np.full(max(1, x.nbytes // 8), POISON)
    yield fresh("memory after the poison", pattern, unwritten, tensor(x), len(pattern))


def unwritten(source: Tensor, count: int) -> Tensor:
    """What memory holds after two pieces of scratch space, which masked_select takes, too."""
    scratch = paddle.empty([1], "float64"), paddle.empty([int(source.size)], "float64")
    output = paddle.empty([count], "float64")
    del scratch
    return output


def from_far_out(size: int, positions: tuple[int, ...]) -> Answers:
    """The elements at `positions` of `size` float32 elements, which are made on the device.

    `positions` ascend. Offsets of 32 bits end at 2**31 - 1.
    """
    source, chosen, start = [], [], 0
    for place in [*positions, size]:
        if place > start:
            source.append(paddle.zeros([place - start], "float32"))
            chosen.append(paddle.zeros([place - start], "bool"))
        if place < size:
            source.append(paddle.ones([1], "float32"))
            chosen.append(paddle.ones([1], "bool"))
        start = place + 1
    x, mask = paddle.concat(source), paddle.concat(chosen)
    del source, chosen
    if [bool(mask[place : place + 1].numpy()) for place in positions] != [True] * len(positions):
        raise NotImplementedError(f"paddle.concat and slices do not make {size} elements rightly")
    due = np.ones(len(positions), "float32")
    yield fresh("masked_select", due, paddle.masked_select, x, mask)
    indices = np.array(positions, "int64").reshape(-1, 1)
    yield fresh("nonzero", indices, paddle.nonzero, mask)
