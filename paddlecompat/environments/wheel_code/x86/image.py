"""An x86-64 library for Windows or Linux as plain data: it is read, never loaded.

Addresses are those of the file: a PE file's relative to its image base, an ELF file's as linked.
A library of 2 GB costs the pages that are looked at: it is mapped.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import capstone
import numpy as np
from capstone.x86 import X86_OP_MEM, X86_REG_RIP

from paddlecompat.fixtures.builds import System

PAGE = 0x1000
STEP = 1 << 22  # code is searched in pieces of so many words
BASE = 0x1_8000_0000  # where an image lies for whoever runs code of it
EXTERNAL = 0x5000_0000_0000  # what it imports lies there, 16 bytes for each symbol

Instruction = Any  # capstone's, which has no types


@dataclass(frozen=True)
class Section:
    """A part of the file as it lies in memory."""

    name: str
    address: int
    size: int
    offset: int
    executable: bool

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True)
class Function:
    """Where a function's code begins, and where it ends."""

    start: int
    end: int

    def __contains__(self, address: int) -> bool:
        return self.start <= address < self.end


class Image(AbstractContextManager["Image"]):
    """What both formats have in common. Raises ValueError where the file contradicts itself."""

    system: System
    toolchain: str  # what made it: 'linker 14.16', 'GCC 8.2.0'
    sections: list[Section]
    strings_in: tuple[str, ...]  # the sections that constant texts lie in
    names_runtime = False  # whether calls of CUDA's runtime have names: it is another library

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self.decoder.detail = True
        # Runs ask for these again and again.
        self.instruction, self.page = cache(self.decode), cache(self.read_page)

    def __exit__(self, *_: object) -> None:
        self.data.close()

    def take(self, sections: Iterable[Section]) -> None:
        """Keep its sections, which lie in the file to their ends, else ValueError."""
        self.sections = list(sections)
        for section in self.sections:
            if (end := section.offset + section.size) > len(self.data):
                raise ValueError(f"{section.name} ends at byte {end}, the file {len(self.data)}")

    # Without symbols and relocations, as in Windows' libraries.

    def function_at(self, address: int) -> Function | None:
        """The function that holds this address, by the tables that unwinding needs."""
        raise NotImplementedError

    def slots_of(self, address: int) -> list[int]:
        """Where pointers to it are kept that code loads it from."""
        return []

    def name_at(self, address: int) -> str:
        """The symbol that is there or that a call of it ends at, as it is mangled; '' if unknown.

        `address` may be that of an import, `EXTERNAL` and beyond.
        """
        return ""

    def relocations(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What the loader writes between two addresses: address and value, of eight bytes."""
        return iter(())

    def section(self, name: str) -> Section | None:
        return next((section for section in self.sections if section.name == name), None)

    def section_at(self, address: int) -> Section | None:
        return next((s for s in self.sections if s.address <= address < s.end), None)

    def read(self, address: int, size: int) -> bytes:
        """As many of these bytes as its section has in the file, from `address` on."""
        section = self.section_at(address)
        if section is None:
            return b""
        start = section.offset + address - section.address
        return self.data[start : min(start + size, section.offset + section.size)]

    def content(self, name: str) -> bytes:
        """All of a section; nothing where there is none."""
        section = self.section(name)
        return self.data[section.offset : section.offset + section.size] if section else b""

    def read_page(self, address: int) -> bytes:
        """The page there as it lies in memory at `BASE`, with what the loader writes."""
        content = bytearray(PAGE)
        for section in self.sections:
            start, end = max(address, section.address), min(address + PAGE, section.end)
            if start < end:
                found = self.read(start, end - start)
                content[start - address : start - address + len(found)] = found
        for at, value in self.relocations(address, address + PAGE):
            content[at - address : at - address + 8] = value.to_bytes(8, "little")
        return bytes(content)

    def instructions(self, function: Function) -> Iterator[Instruction]:
        """What it consists of."""
        code = self.read(function.start, function.end - function.start)
        yield from self.decoder.disasm(code, function.start)

    def decode(self, address: int) -> Instruction:
        """The instruction there. Raises ValueError where there is none."""
        found = next(self.decoder.disasm(self.read(address, 16), address), None)
        if found is None:
            raise ValueError(f"no instruction at {address:#x}")
        return found

    def strings(self, *words: str) -> dict[int, str]:
        """The texts that hold one of the words, by their addresses."""
        found: dict[int, str] = {}
        for section in self.sections:
            if section.name not in self.strings_in:
                continue
            end = section.offset + section.size
            for word in (word.encode() for word in words):
                at = section.offset
                while (at := self.data.find(word, at, end)) >= 0:
                    start = self.data.rfind(b"\0", section.offset, at) + 1 or section.offset
                    stop = self.data.find(b"\0", at, end)
                    text = self.data[start:stop].decode("latin-1")
                    found[section.address + start - section.offset] = text
                    at = stop
        return found

    def references(self, targets: Iterable[int]) -> dict[int, list[int]]:
        """Where code names a target relative to what follows: the addresses of the four bytes.

        Bytes that only look so are among them: whoever uses one looks at its instruction.
        """
        wanted = np.array(sorted(set(targets)), dtype=np.int64)
        found: dict[int, list[int]] = {int(target): [] for target in wanted}
        for section in self.sections if len(wanted) else ():
            if section.executable:
                for at, target in self.search(section, wanted):
                    found[target].append(at)
        return found

    def search(self, section: Section, wanted: Any) -> Iterator[tuple[int, int]]:
        """The places in a section whose four bytes lead to one of the sorted targets."""
        code = np.frombuffer(self.data, np.uint8, section.size, section.offset)
        pages = np.zeros(2**20, dtype=bool)  # those that a target is on: most words lead to others
        pages[wanted >> 12] = True
        ahead = np.arange(STEP, dtype=np.uint32) * np.uint32(4)
        for shift in range(4):
            count = (section.size - shift) // 4
            fields = code[shift : shift + 4 * count].view("<u4")
            for begin in range(0, count, STEP):
                start = section.address + shift + 4 * begin
                leads = fields[begin : begin + STEP] + ahead[: count - begin]
                leads += np.uint32(start + 4)
                near = np.nonzero(pages[leads >> np.uint32(12)])[0]
                to = leads[near].astype(np.int64)
                there = wanted[np.minimum(np.searchsorted(wanted, to), len(wanted) - 1)] == to
                for hit, target in zip(near[there], to[there], strict=True):
                    yield start + 4 * int(hit), int(target)


def target_of(instruction: Instruction) -> int | None:
    """What an instruction names relative to its own end: a called or an addressed place."""
    for operand in instruction.operands:
        if operand.type == X86_OP_MEM and operand.mem.base == X86_REG_RIP:
            return int(instruction.address + instruction.size + operand.mem.disp)
    near = instruction.mnemonic in ("call", "jmp") and instruction.bytes[0] in (0xE8, 0xE9, 0xEB)
    return int(instruction.operands[0].imm) if near else None
