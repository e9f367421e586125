"""The GPU code in a library for Linux (ELF) or Windows (PE): of which kinds and architectures.

nvcc makes a fat binary of each source file: its kernels, once for each architecture that the build
is made for. They lie one after another in a section of the library; only their headers are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any

SECTIONS = (".nv_fatbin", ".nv_fatb")  # a Windows file has eight letters for the name

# Of the ELF standard, for 64 bits, and of the PE standard; `x` is a byte that is not needed here.
ELF_HEADER = struct.Struct("<6s34xQ10xHHH")  # magic; section table: offset, entry, entries, names
ELF_SECTION = struct.Struct("<I20xQQ24x")  # name, offset, size
DOS_HEADER = struct.Struct("<60xI")  # offset of the PE header
PE_HEADER = struct.Struct("<4s2xH12xH2x")  # magic, sections, size of what lies before their table
PE_SECTION = struct.Struct("<8s8xII16x")  # name, size, offset
# Not documented by NVIDIA; so it is in the wheels for CUDA 10.2 to 11.8.
FAT_BINARY = struct.Struct("<I2xHQ")  # magic, size of this header, size of all entries
ENTRY = struct.Struct("<H2xIQ12xI")  # kind, size of this header, size of the code, architecture
MAGIC = 0xBA55ED50
ALIGNMENT = 8
KINDS = {1: "ptx", 2: "sm"}

Code = tuple[str, int]  # kind, architecture: ("sm", 75)


def read(file: IO[bytes], size: int) -> Iterator[frozenset[Code]]:
    """The kinds and architectures of each fat binary in a library of `size` bytes.

    The file may be compressed, and then every step back decompresses it from its start. Two such
    steps are taken here; pyelftools, which looks up the name of each section in turn, takes dozens.

    Raises ValueError where the file is damaged.
    """
    is_pe = file.read(2) == b"MZ"
    file.seek(0)
    for name, start, length in pe_sections(file) if is_pe else elf_sections(file):
        if name in SECTIONS:
            if start + length > size:
                raise ValueError(f"cut off: {name} ends at byte {start + length}, the file {size}")
            file.seek(start)
            yield from read_section(file, start + length)


def elf_sections(file: IO[bytes]) -> list[tuple[str, int, int]]:
    """The name, offset and size of each section."""
    magic, table, entry, entries, names_at = unpack(file, ELF_HEADER)
    if magic != b"\x7fELF\x02\x01" or entry != ELF_SECTION.size or names_at >= entries:
        raise ValueError("neither an ELF file of 64 bits nor a PE file")
    file.seek(table)
    sections = [unpack(file, ELF_SECTION) for _ in range(entries)]
    _, start, length = sections[names_at]
    file.seek(start)
    names = file.read(length)
    return [(c_string(names[name:]), start, length) for name, start, length in sections]


def pe_sections(file: IO[bytes]) -> list[tuple[str, int, int]]:
    """The name, offset and size of each section."""
    (header,) = unpack(file, DOS_HEADER)
    file.seek(header)
    magic, entries, before_table = unpack(file, PE_HEADER)
    if magic != b"PE\0\0":
        raise ValueError("neither an ELF file of 64 bits nor a PE file")
    file.seek(before_table, 1)
    sections = [unpack(file, PE_SECTION) for _ in range(entries)]
    return [(c_string(name), start, length) for name, length, start in sections]


def read_section(file: IO[bytes], end: int) -> Iterator[frozenset[Code]]:
    """What each fat binary has, from where the file stands; zeros may lie between them."""
    while (start := file.tell()) <= end - FAT_BINARY.size:
        magic, header, size = unpack(file, FAT_BINARY)
        if magic == 0:
            file.seek(start + ALIGNMENT)
            continue
        if magic != MAGIC or header < FAT_BINARY.size or start + header + size > end:
            raise ValueError(f"damaged: no fat binary at byte {start}")
        file.seek(start + header)
        yield frozenset(read_entries(file, start + header + size))


def read_entries(file: IO[bytes], end: int) -> Iterator[Code]:
    """What the fat binary has that the file stands in, up to its `end`."""
    while (start := file.tell()) < end:
        kind, header, size, architecture = unpack(file, ENTRY)
        if kind not in KINDS or header < ENTRY.size or start + header + size > end:
            raise ValueError(f"damaged: no entry of a fat binary at byte {start}")
        yield KINDS[kind], architecture
        file.seek(start + header + size)


def unpack(file: IO[bytes], form: struct.Struct) -> tuple[Any, ...]:
    """The next values of that form. Raises ValueError where the file ends before."""
    data = file.read(form.size)
    if len(data) < form.size:
        raise ValueError("cut off in a header")
    return form.unpack(data)


def c_string(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("latin-1")
