"""The two formats of a library: PE, of Windows, and ELF, of Linux.

Function bounds are those that unwinding needs: `.pdata` and `.eh_frame`, which no build strips.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pefile
from elftools.elf.elffile import ELFFile

from paddlecompat.environments.wheel_code.x86.image import BASE, EXTERNAL, Function, Image, Section

PDATA = 3  # the data directory of function bounds
CHAINED = 4  # a flag of unwind information: it continues that of another piece
MOST_PIECES = 32  # of one function
EXECUTE = 0x20000000
SYMBOL = np.dtype([("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"),
                   ("value", "<u8"), ("size", "<u8")])  # fmt: skip
RELOCATION = np.dtype([("at", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
ABSOLUTE, POINTER, JUMP, RELATIVE = 1, 6, 7, 8  # R_X86_64_64, GLOB_DAT, JUMP_SLOT, RELATIVE
BY_SYMBOL = (ABSOLUTE, POINTER, JUMP)
SEARCHABLE = b"\x01\x1b\x03\x3b"  # .eh_frame_hdr with a table of four-byte pairs
INDIRECT = re.compile(rb"(?:\xf3\x0f\x1e\xfa)?\xf2?\xff\x25(.{4})", re.DOTALL)  # jmp [rip + ...]

Array = Any


def open_image(path: Path) -> Image:
    """A library of either format. ValueError, ELFError, PEFormatError: it is none, or damaged."""
    with path.open("rb") as file:
        windows = file.read(2) == b"MZ"
    return WindowsImage(path) if windows else LinuxImage(path)


class WindowsImage(Image):
    """A PE file."""

    system = "windows"
    strings_in = (".rdata", ".data")

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        file = pefile.PE(data=self.data, fast_load=True)
        self.take(
            Section(
                part.Name.rstrip(b"\0").decode("latin-1"),
                part.VirtualAddress,
                min(part.Misc_VirtualSize or part.SizeOfRawData, part.SizeOfRawData),
                part.PointerToRawData,
                bool(part.Characteristics & EXECUTE),
            )
            for part in file.sections
        )
        header = file.OPTIONAL_HEADER
        self.toolchain = f"linker {header.MajorLinkerVersion}.{header.MinorLinkerVersion}"
        at = header.DATA_DIRECTORY[PDATA]
        table = self.read(at.VirtualAddress, at.Size // 12 * 12)
        self.bounds = np.frombuffer(table, "<u4").reshape(-1, 3)

    def function_at(self, address: int) -> Function | None:
        """As of `Image`: of a function in several pieces the one that it begins with."""
        number = int(np.searchsorted(self.bounds[:, 0], address, side="right")) - 1
        if number < 0 or address >= self.bounds[number, 1]:
            return None
        start, end, unwind = map(int, self.bounds[number])
        for _ in range(MOST_PIECES):
            head = self.read(unwind, 4)
            if len(head) < 4 or not head[0] >> 3 & CHAINED:
                return Function(start, end)
            after = unwind + 4 + 2 * (head[2] + 1 & ~1)
            start, end, unwind = struct.unpack("<III", self.read(after, 12))
        return None


class LinuxImage(Image):
    """An ELF file."""

    system = "linux"
    strings_in = (".rodata",)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with path.open("rb") as file:
            found = [(part.name, part.header) for part in ELFFile(file).iter_sections()]
        self.take(
            Section(name, head.sh_addr, head.sh_size, head.sh_offset, bool(head.sh_flags & 4))
            for name, head in found
            if head.sh_type != "SHT_NOBITS"
        )
        self.loaded = [section for section in self.sections if section.address]
        made = re.findall(rb"GCC: \(.*?\) ([\d.]+)", self.content(".comment"))
        newest = max(made, key=lambda one: [int(n) for n in one.split(b".")], default=b"?")
        self.toolchain = f"GCC {newest.decode()}"
        self.names = self.content(".dynstr")
        self.names_runtime = b"\0cudaLaunchKernel\0" in self.names
        self.symbols = self.table(".dynsym", SYMBOL)
        rows = np.concatenate([self.table(name, RELOCATION) for name in (".rela.dyn", ".rela.plt")])
        self.rows = rows[np.argsort(rows["at"], kind="stable")]
        self.places = np.ascontiguousarray(self.rows["at"])
        defined = np.nonzero((self.symbols["section"] != 0) & (self.symbols["info"] & 15 == 2))[0]
        self.functions = defined[np.argsort(self.symbols["value"][defined], kind="stable")]
        self.starts = self.symbols["value"][self.functions]
        self.frames = self.read_frames()

    def table(self, name: str, form: Any) -> Array:
        """A section's content as an array of a form; empty where there is no such section."""
        content = self.content(name)
        return np.frombuffer(content, form, len(content) // form.itemsize)

    def section_at(self, address: int) -> Section | None:
        return next((s for s in self.loaded if s.address <= address < s.end), None)

    def read_frames(self) -> Array:
        """Where functions begin, and where their entries in `.eh_frame` are, by address."""
        section = self.section(".eh_frame_hdr")
        if section is None:
            return np.empty((0, 2), np.int64)
        head = self.read(section.address, 12)
        if head[:4] != SEARCHABLE:
            raise ValueError(".eh_frame_hdr has a table of another form")
        count = struct.unpack("<I", head[8:])[0]
        table = np.frombuffer(self.read(section.address + 12, 8 * count), "<i4").reshape(-1, 2)
        return table.astype(np.int64) + section.address

    def function_at(self, address: int) -> Function | None:
        number = int(np.searchsorted(self.frames[:, 0], address, side="right")) - 1
        if number < 0:
            return None
        start, entry = map(int, self.frames[number])
        size = struct.unpack("<I", self.read(entry + 12, 4))[0]
        return Function(start, start + size) if address < start + size else None

    def slots_of(self, address: int) -> list[int]:
        """As of `Image`, and the stubs of the procedure linkage table that jump through them."""
        symbols = np.nonzero((self.symbols["value"] == address) & (self.symbols["section"] != 0))[0]
        by_symbol = np.isin(self.rows["type"], BY_SYMBOL) & np.isin(self.rows["symbol"], symbols)
        by_base = (self.rows["type"] == RELATIVE) & (self.rows["addend"] == address)
        slots = [int(at) for at in self.rows["at"][by_symbol | by_base]]
        return slots + [stub for stub, slot in self.stubs.items() if slot in slots]

    @cached_property
    def stubs(self) -> dict[int, int]:
        """The stubs of the procedure linkage tables, and the slot that each jumps through."""
        found: dict[int, int] = {}
        for section in self.sections:
            if section.name.startswith(".plt"):
                for match in INDIRECT.finditer(self.read(section.address, section.size)):
                    end = section.address + match.end()
                    found[section.address + match.start()] = end + struct.unpack("<i", match[1])[0]
        return found

    def name_at(self, address: int) -> str:
        if address >= EXTERNAL:
            return self.symbol((address - EXTERNAL) // 16)
        if slot := self.stubs.get(address):
            leads = dict(self.relocations(slot, slot + 8)).get(slot, BASE)
            return self.name_at(leads if leads >= EXTERNAL else leads - BASE)
        number = int(np.searchsorted(self.starts, np.uint64(address)))
        there = number < len(self.starts) and self.starts[number] == address
        return self.symbol(int(self.functions[number])) if there else ""

    def symbol(self, number: int) -> str:
        """The name of a symbol; '' where there is none."""
        if not 0 < number < len(self.symbols):
            return ""
        start = int(self.symbols["name"][number])
        return self.names[start : self.names.find(b"\0", start)].decode("latin-1")

    def relocations(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        first, last = np.searchsorted(self.places, np.array([start, end - 7], np.uint64))
        for row in self.rows[first:last]:
            at, kind, number, addend = (int(value) for value in row)
            if kind == RELATIVE:
                yield at, BASE + addend
            elif kind in BY_SYMBOL:
                symbol = self.symbols[number]
                inside = BASE + int(symbol["value"]) if symbol["section"] else None
                value = EXTERNAL + 16 * number if inside is None else inside
                yield at, value + (addend if kind == ABSOLUTE else 0)
