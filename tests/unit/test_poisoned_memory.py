"""Poisoned memory: on a made-up GPU allocator, an output that nothing writes shows the poison.

The allocator does as Paddle's auto_growth_best_fit_allocator.cc: sizes are multiples of 256 bytes,
the end of the smallest free block that is large enough is handed out, and free neighbours merge.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator
from math import prod
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np
import pytest

PIECE = 256  # bytes
NEVER_WRITTEN, STALE, POISONED = range(3)
LIVES = 200


class Allocator:
    """Memory of a device: for each piece of 256 bytes, what it holds."""

    def __init__(self) -> None:
        self.chunks: list[tuple[np.ndarray, list[Block]]] = []

    def take(self, nbytes: int, holds: int | None = None) -> Block:
        """A block of memory, which is filled unless `holds` is None."""
        size = max(1, -(-nbytes // PIECE))
        free = [
            (block.size, number, block.start)
            for number, (_, blocks) in enumerate(self.chunks)
            for block in blocks
            if block.free and block.size >= size
        ]
        if free:
            _, number, start = min(free)
        else:
            number, start = len(self.chunks), 0
            self.chunks.append((np.full(size, NEVER_WRITTEN), []))
            self.chunks[number][1].append(Block(self, number, 0, size))
        memory, blocks = self.chunks[number]
        place = next(i for i, block in enumerate(blocks) if block.start == start)
        if blocks[place].size > size:
            blocks[place].size -= size
            place += 1
            blocks.insert(place, Block(self, number, start + blocks[place - 1].size, size))
        block = blocks[place]
        block.free = False
        if holds is not None:
            memory[block.start : block.start + block.size] = holds
        return block


class Block:
    """A part of a chunk, in pieces."""

    def __init__(self, allocator: Allocator, chunk: int, start: int, size: int) -> None:
        self.allocator, self.chunk, self.start, self.size = allocator, chunk, start, size
        self.free = True

    def holds(self) -> np.ndarray:
        return self.allocator.chunks[self.chunk][0][self.start : self.start + self.size]

    def give_back(self) -> None:
        blocks, place = self.allocator.chunks[self.chunk][1], 0
        self.free = True
        while place + 1 < len(blocks):
            if blocks[place].free and blocks[place + 1].free:
                blocks[place].size += blocks.pop(place + 1).size
            else:
                place += 1


class Filled:
    """What `paddle.full` gives: memory that goes back once nobody holds it."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def __del__(self) -> None:
        self.block.give_back()


Poison = Callable[..., None]


class Device:
    """A Paddle whose tensors live in the made-up memory."""

    def __init__(self, place: str) -> None:
        self.memory = Allocator()
        self.paddle: Any = SimpleNamespace(full=self.full, get_device=lambda: place)

    def full(self, shape: list[int], value: float, dtype: str) -> Filled:
        assert dtype == "float64"
        return Filled(self.memory.take(8 * prod(shape), POISONED))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The properties' module, whose `paddle` each test replaces; forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setitem(sys.modules, "paddle", SimpleNamespace())
    yield importlib.import_module("properties.questions.memory")
    for name in set(sys.modules) - before:
        if name.startswith("properties."):
            del sys.modules[name]


def output_after(
    device: Device, poison: Poison, nbytes: int, elements: int, scratch: list[int]
) -> np.ndarray:
    """What an output holds that nothing writes, after an operator took its scratch space."""
    poison(nbytes, SimpleNamespace(shape=[elements]))
    held = [device.memory.take(size) for size in scratch]
    output = device.memory.take(nbytes)
    for block in (*held, output):
        block.give_back()
    return output.holds().copy()


def grow_old(memory: Allocator, elements: int, drawn: random.Random) -> None:
    """Take and give back, until the memory is in blocks of many sizes, full of earlier answers."""
    sizes = [4, 512, 1024, 4 * elements, 8 * elements + 256, 64 * elements]
    live = [memory.take(drawn.choice(sizes), STALE) for _ in range(drawn.randint(1, 40))]
    drawn.shuffle(live)
    for block in live[: drawn.randint(1, len(live))]:
        block.give_back()


@pytest.mark.parametrize("elements", [12, 3000, 20000])
@pytest.mark.parametrize("pieces", [2, 4])
def test_an_output_shows_the_poison_after_scratch(memory: Any, pieces: int, elements: int) -> None:
    for seed in range(LIVES):
        drawn, device = random.Random(seed), Device("gpu:0")
        memory.paddle = device.paddle
        grow_old(device.memory, elements, drawn)
        nbytes = drawn.choice([drawn.randint(1, 256), drawn.randint(1, 8 * elements)])
        sizes = [4, 512, nbytes, elements, 8 * elements, 16 * elements]
        scratch = [drawn.choice(sizes) for _ in range(pieces)]
        held = output_after(device, memory.poison, nbytes, elements, scratch)
        assert (held != STALE).any(), f"life {seed}: {nbytes} bytes after {scratch}"


# As the releases did on their own allocator, with launches that a made-up driver recorded.


@pytest.mark.parametrize(
    ("filled", "nbytes", "shows"),
    [(2, 16, False), (2, 256, False), (2, 4000, True), (3, 16, True), (3, 256, True)],
)
def test_the_allocator_does_as_measured(filled: int, nbytes: int, shows: bool) -> None:
    device = Device("gpu:0")

    def poison(nbytes: int, *_: object) -> None:
        held = [device.full([-(-nbytes // 8)], -1.0, "float64") for _ in range(filled)]
        del held

    device.memory.take(16 * PIECE, STALE).give_back()
    earlier = device.memory.take(nbytes, STALE)
    earlier.give_back()
    held = output_after(device, poison, nbytes, 12, [4, 4])
    assert (held == POISONED).any() == shows


def test_the_cpu_is_asked_for_three_pieces_alone(memory: Any) -> None:
    device = Device("cpu")
    memory.paddle = device.paddle
    memory.poison(PIECE, SimpleNamespace(shape=[20000]))
    assert sum(len(pieces) for pieces, _ in device.memory.chunks) == 3
