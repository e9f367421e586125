"""Small libraries with x86-64 code of selection in them, for Windows (PE) and Linux (ELF).

A host function is written as a compiler does: it asks the number of elements, launches a kernel
that counts, copies the count to its stack, and launches the kernel that selects.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from paddlecompat.fixtures.builds import System

NAMES = {
    "masked_select": "_ZN3phi5funcs12SelectKernelIbflfNS_19MaskedSelectFunctorIbffEELi4ELi1EEEvv",
    "masked_select's gradient": (
        "_ZN3phi5funcs12SelectKernelIbflfNS_23MaskedSelectGradFunctorIbffEELi4ELi2EEEvv"
    ),
    "nonzero": "_ZN3phi5funcs12SelectKernelIffllNS_12IndexFunctorIfllEELi4ELi0EEEvv",
}
COUNTING = "_ZN3phi5funcs19GetBlockCountKernelIblLi4EEEvv"
BY_REFERENCE = "_ZN3phi12memory_utils4CopyERKNS_5PlaceEPvS3_PKvmS4_"
BY_VALUE = "_ZN6paddle6memory4CopyIN3phi8CPUPlaceENS2_8GPUPlaceEEEvT_PvT0_PKvmS6_"
COPIES = {"reference": BY_REFERENCE, "value": BY_VALUE}
TEXT, DATA, TABLES, CODE = 0x1000, 0x3000, 0x4000, 0x6000  # where the sections begin


@dataclass(frozen=True)
class Layout:
    """How a host function lays out its stack, and what it does with the count."""

    count: int = 0x40
    grid: int = 0x50
    size: int = 8
    reads: tuple[int, ...] = (8,)
    """How many bytes each read of the count takes."""
    rewritten: bool = False
    """Whether the grid's slot is written anew between copy and launch."""
    odd: bytes = b""
    """Code between the copy and the first read."""
    copied: bool = True
    passed: bool = False
    """Whether the count's address is passed on after the copy."""


LIVE = Layout(grid=0x44, reads=(4,))
DORMANT = Layout(reads=(4,))
REWRITTEN = Layout(grid=0x44, reads=(4,), rewritten=True)
ABSENT = Layout()
NARROW = Layout(reads=(8, 4))
ODD = Layout(odd=b"\xc5\xfc\x58\xc1")  # vaddps ymm0, ymm0, ymm1
PASSED = Layout(reads=(4,), passed=True)
LIVE_AND_PASSED = Layout(grid=0x44, reads=(4,), passed=True)
UNCOPIED = Layout(copied=False)


@dataclass
class Assembly:
    """Machine code with names for its places, which are filled in at the end."""

    code: bytearray = field(default_factory=bytearray)
    places: dict[str, int] = field(default_factory=dict)
    wanted: list[tuple[int, str]] = field(default_factory=list)
    functions: list[tuple[int, int]] = field(default_factory=list)

    def put(self, text: str, *numbers: int) -> None:
        """Bytes in hexadecimal, then 4-byte numbers."""
        self.code += bytes.fromhex(text) + struct.pack(f"<{len(numbers)}i", *numbers)

    def slot(self, text: str, offset: int) -> None:
        """An instruction that ends with a one-byte offset from rsp."""
        self.code += bytes.fromhex(text) + bytes([offset])

    def to(self, text: str, place: str) -> None:
        """An instruction that ends with a place."""
        self.code += bytes.fromhex(text)
        self.wanted.append((len(self.code), place))
        self.code += bytes(4)

    def begin(self, name: str) -> None:
        self.code += b"\xcc" * (-len(self.code) % 16)
        self.places[name] = TEXT + len(self.code)
        self.functions.append((TEXT + len(self.code), 0))

    def end(self) -> None:
        self.functions[-1] = (self.functions[-1][0], TEXT + len(self.code))

    def linked(self) -> bytes:
        for at, place in self.wanted:
            self.code[at : at + 4] = struct.pack("<i", self.places[place] - (TEXT + at + 4))
        return bytes(self.code)


def library(system: System, layouts: Mapping[str, Layout], gpu_code: bytes,
            copy: Literal["reference", "value"] = "reference") -> bytes:  # fmt: skip
    """A library with a host function of each layout, by the function of Paddle."""
    write = Windows() if system == "windows" else Linux(copy)
    names = {"count": COUNTING, **{function: NAMES[function] for function in layouts}}
    texts = b""
    for label, name in names.items():
        write.asm.places[f"name of {label}"] = DATA + len(texts)
        texts += name.encode() + b"\0"
    for runtime in ("configure", "configured", "launch", "register", "copy"):
        write.asm.begin(runtime)
        write.asm.put("c3")
        write.asm.end()
    for label in names:
        write.stub(label)
    for function, layout in layouts.items():
        write.host(function, layout)
    write.registration(list(names))
    return write.file(texts, gpu_code)


class Windows:
    """Code by Windows' calling convention, and a PE file."""

    def __init__(self) -> None:
        self.asm = Assembly()

    def stub(self, label: str) -> None:
        asm = self.asm
        asm.begin(f"stub of {label}")
        asm.put("4881ec", 0x78)
        for text, slot in (("488d4c24", 0x40), ("488d5424", 0x50), ("4c8d4424", 0x60),
                           ("4c8d4c24", 0x68)):  # fmt: skip
            asm.slot(text, slot)
        asm.to("e8", "configured")
        asm.to("488d0d", f"stub of {label}")
        asm.slot("488d5424", 0x40)
        asm.slot("4c8d4424", 0x50)
        asm.to("e8", "launch")
        asm.put("4881c4", 0x78)
        asm.put("c3")
        asm.end()

    def configure(self) -> None:
        """Configure a launch of as many blocks as eax says."""
        asm = self.asm
        asm.slot("894424", 0x60)
        for slot, value in ((0x64, 1), (0x68, 1), (0x70, 256), (0x74, 1), (0x78, 1)):
            asm.slot("c74424", slot)
            asm.put("", value)
        asm.slot("488d4c24", 0x60)
        asm.slot("488d5424", 0x70)
        asm.put("4531c04531c9")
        asm.to("e8", "configure")

    def numel(self) -> None:
        self.asm.put("4889d1488b01ff5008")

    def copy(self, layout: Layout) -> None:
        asm = self.asm
        asm.slot("488d4c24", 0x28)
        asm.slot("488d5424", layout.count)
        asm.slot("4c8d4424", 0x30)
        asm.put("4989c1")
        asm.slot("48c74424", 0x20)
        asm.put("", layout.size)
        asm.to("e8", "copy")

    def host(self, label: str, layout: Layout) -> None:
        asm = self.asm
        asm.begin(f"host of {label}")
        asm.put("4881ec", 0x88)
        self.numel()
        asm.put("4805", 0x3FF)
        asm.put("48c1e80a")
        asm.slot("894424", layout.grid)
        self.configure()
        asm.to("e8", "stub of count")
        asm.slot("8b4424", layout.grid)
        if layout.rewritten:
            asm.slot("894424", 0x7C)
        if layout.copied:
            self.copy(layout)
        if layout.rewritten:
            asm.slot("8b4424", 0x7C)
            asm.slot("894424", layout.grid)
        if layout.passed:
            asm.slot("488d4c24", layout.count)
            asm.slot("488d7c24", layout.count)
            asm.to("e8", "register")
        asm.code += layout.odd
        for width in layout.reads:
            asm.slot("8b4424" if width == 4 else "488b4424", layout.count)
        asm.put("85c0" if layout.reads[-1] == 4 else "4885c0")
        jump = len(asm.code)
        asm.put("7e00")
        asm.slot("8b4424", layout.grid)
        self.configure()
        asm.to("e8", f"stub of {label}")
        asm.code[jump + 1] = len(asm.code) - jump - 2
        asm.put("4881c4", 0x88)
        asm.put("c3")
        asm.end()

    def registration(self, labels: list[str]) -> None:
        asm = self.asm
        asm.begin("registration")
        asm.put("4881ec", 0x28)
        for label in labels:
            asm.to("4c8d0d", f"name of {label}")
            asm.put("4d89c8")  # mov r8, r9
            asm.to("488d15", f"stub of {label}")
            asm.to("e8", "register")
        asm.put("4881c4", 0x28)
        asm.put("c3")
        asm.end()

    def file(self, texts: bytes, gpu_code: bytes) -> bytes:
        code = self.asm.linked()
        unwind = TABLES + 12 * len(self.asm.functions)
        bounds = b"".join(struct.pack("<III", *f, unwind) for f in self.asm.functions)
        sections = [
            (b".text", TEXT, code, 0x60000020),
            (b".rdata", DATA, texts, 0x40000040),
            (b".pdata", TABLES, bounds + b"\x01\0\0\0", 0x40000040),
            (b".nv_fatb", CODE, gpu_code, 0x40000040),
        ]
        dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
        optional = struct.pack("<HBB", 0x20B, 14, 16).ljust(24, b"\0")
        optional += struct.pack("<QII", 0x180000000, 0x1000, 0x200).ljust(32, b"\0")
        optional += struct.pack("<II", 0x10000, 0x400).ljust(52, b"\0") + struct.pack("<I", 16)
        directories = [(0, 0)] * 3 + [(TABLES, len(bounds))] + [(0, 0)] * 12
        optional += b"".join(struct.pack("<II", *one) for one in directories)
        header = struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, len(optional), 0x2022)
        table, content, at = b"", b"", 0x400
        for name, address, data, flags in sections:
            raw = data.ljust(-(-len(data) // 512) * 512, b"\0")
            table += struct.pack("<8sIIIIIIHHI", name, len(data), address, len(raw), at, 0, 0, 0, 0,
                                 flags)  # fmt: skip
            content += raw
            at += len(raw)
        return (dos + b"PE\0\0" + header + optional + table).ljust(0x400, b"\0") + content


class Linux(Windows):
    """Code by Linux' calling convention, and an ELF file."""

    def __init__(self, copies: Literal["reference", "value"]) -> None:
        super().__init__()
        self.copies = copies

    def stub(self, label: str) -> None:
        asm = self.asm
        asm.begin(f"stub of {label}")
        asm.put("4881ec", 0x58)
        for text, slot in (("488d7c24", 0x10), ("488d7424", 0x20), ("488d5424", 0x30),
                           ("488d4c24", 0x38)):  # fmt: skip
            asm.slot(text, slot)
        asm.to("e8", "configured")
        for text, slot in (("488b7424", 0x10), ("8b5424", 0x18), ("488b4c24", 0x20),
                           ("448b4424", 0x28)):  # fmt: skip
            asm.slot(text, slot)
        asm.to("488d3d", f"stub of {label}")
        asm.to("e8", "launch")
        asm.put("4881c4", 0x58)
        asm.put("c3")
        asm.end()

    def configure(self) -> None:
        asm = self.asm
        asm.put("89c7")
        asm.put("48b8", 0, 1)
        asm.put("4809c7")
        asm.put("be", 1)
        asm.put("48ba", 256, 1)
        asm.put("b9", 1)
        asm.put("4531c04531c9")
        asm.to("e8", "configure")

    def numel(self) -> None:
        self.asm.put("4889f7488b07ff5010")

    def copy(self, layout: Layout) -> None:
        asm = self.asm
        if self.copies == "reference":
            asm.slot("488d7c24", 0x28)
            asm.slot("488d7424", layout.count)
            asm.slot("488d5424", 0x30)
            asm.put("41b8", layout.size)
            asm.to("e8", "copy@plt")
        else:
            asm.slot("488d5424", layout.count)
            asm.put("506a")
            asm.code.append(layout.size)
            asm.to("e8", "copy@plt")
            asm.put("4883c410")

    def registration(self, labels: list[str]) -> None:
        asm = self.asm
        asm.begin("registration")
        for label in labels:
            asm.to("488d15", f"name of {label}")
            asm.put("4889d1")  # mov rcx, rdx
            asm.to("488d35", f"stub of {label}")
            asm.to("e8", "register")
        asm.put("c3")
        asm.end()

    def file(self, texts: bytes, gpu_code: bytes) -> bytes:
        got, plt, frames, header = TABLES, TABLES + 0x100, TABLES + 0x200, TABLES + 0x1000
        self.asm.places["copy@plt"] = plt
        code = self.asm.linked()
        names = b"\0" + COPIES[self.copies].encode() + b"\0"
        symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 0, 0, 0)
        jump = b"\xff\x25" + struct.pack("<i", got - (plt + 6))
        entries, table = b"", b""
        for start, end in sorted(self.asm.functions):
            entry = frames + len(entries)
            table += struct.pack("<ii", start - header, entry - header)
            entries += struct.pack("<IIiI", 16, 0, start - (entry + 8), end - start) + bytes(4)
        count = struct.pack("<iI", 0, len(self.asm.functions))
        sections: list[tuple[str, int, bytes, int, int]] = [
            (".text", TEXT, code, 1, 6),
            (".rodata", DATA, texts, 1, 2),
            (".got.plt", got, bytes(8), 1, 3),
            (".plt", plt, jump, 1, 6),
            (".eh_frame", frames, entries, 1, 2),
            (".eh_frame_hdr", header, b"\x01\x1b\x03\x3b" + count + table, 1, 2),
            (".nv_fatbin", CODE, gpu_code, 1, 2),
            (".dynsym", CODE + 0x1000, symbols, 11, 2),
            (".dynstr", CODE + 0x1100, names, 3, 2),
            (".rela.plt", CODE + 0x1400, struct.pack("<QIIq", got, 7, 1, 0), 4, 2),
            (".comment", 0, b"GCC: (GNU) 4.8.5 2015\0GCC: (GNU) 8.2.0\0", 1, 0),
        ]
        names_of = b"\0" + b"".join(name.encode() + b"\0" for name, *_ in sections)
        sections.append((".shstrtab", 0, names_of + b".shstrtab\0", 3, 0))
        content = bytearray(CODE + 0x1500)
        headers = bytes(64)
        for name, address, data, kind, flags in sections:
            at = address or len(content)
            content[at : at + len(data)] = data
            text = (names_of + b".shstrtab\0").index(name.encode() + b"\0")
            size, link = (24 if kind in (4, 11) else 0), (9 if kind == 11 else 0)  # .dynstr
            fields = (text, kind, flags, address, at, len(data), link, 0, 8, size)
            headers += struct.pack("<IIQQQQIIQQ", *fields)
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        counts = (64, 0, 0, 64, len(sections) + 1, len(sections))
        head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, len(content), 0, *counts)
        content[:64] = ident + head
        return bytes(content) + headers
