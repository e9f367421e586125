"""The GPU code in a library for Linux (ELF) or Windows (PE): of which kinds and architectures.

nvcc makes a fat binary of each source file: its kernels, once for each architecture that the build
is made for. They lie one after another in a section of the library; only their headers are read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from elftools.elf.elffile import ELFFile

# Of the PE standard; `x` is a byte that is not needed here.
PE_HEADER = struct.Struct("<4s2xH12xH2x")  # magic, sections, size of what lies before their table
PE_SECTION = struct.Struct("<8s8xII16x")  # name, size, offset
# Not documented by NVIDIA; so it is in the wheels for CUDA 10.2 to 11.8.
FAT_BINARY = struct.Struct("<I2xHQ")  # magic, size of this header, size of all entries
ENTRY = struct.Struct("<H2xIQ12xI")  # kind, size of this header, size of the code, architecture
MAGIC = 0xBA55ED50
ALIGNMENT = 8
KINDS = {1: "ptx", 2: "sm"}

Code = tuple[str, int]  # kind, architecture: ("sm", 75)


def read(library: Path) -> list[frozenset[Code]]:
    """What each fat binary in it has. ValueError, ELFError or struct.error: it is damaged."""
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start, size = pe_section(data) if data[:2] == b"MZ" else elf_section(file)
        if start + size > len(data):
            raise ValueError(f"its GPU code ends at byte {start + size}, the file {len(data)}")
        return list(read_section(data, start, start + size))


def elf_section(file: BinaryIO) -> tuple[int, int]:
    """Offset and size of the section with the GPU code; 0 and 0 where there is none."""
    section = ELFFile(file).get_section_by_name(".nv_fatbin")
    return (section["sh_offset"], section["sh_size"]) if section else (0, 0)


def pe_section(data: mmap.mmap) -> tuple[int, int]:
    """Offset and size of the section with the GPU code; 0 and 0 where there is none."""
    (header,) = struct.unpack_from("<I", data, 60)
    magic, entries, before_table = PE_HEADER.unpack_from(data, header)
    if magic != b"PE\0\0":
        raise ValueError("neither an ELF file nor a PE file")
    table = header + PE_HEADER.size + before_table
    for number in range(entries):
        name, size, start = PE_SECTION.unpack_from(data, table + PE_SECTION.size * number)
        if name == b".nv_fatb":  # a name has eight letters
            return start, size
    return 0, 0


def read_section(data: mmap.mmap, start: int, end: int) -> Iterator[frozenset[Code]]:
    """What each fat binary there has; zeros may lie between them."""
    while start <= end - FAT_BINARY.size:
        magic, header, size = FAT_BINARY.unpack_from(data, start)
        if magic == 0:
            start += ALIGNMENT
            continue
        entries, following = start + header, start + header + size
        if magic != MAGIC or header < FAT_BINARY.size or following > end:
            raise ValueError(f"no fat binary at byte {start}")
        yield frozenset(read_entries(data, entries, following))
        start = following


def read_entries(data: mmap.mmap, start: int, end: int) -> Iterator[Code]:
    """What the fat binary has whose entries lie there."""
    while start < end:
        kind, header, size, architecture = ENTRY.unpack_from(data, start)
        following = start + header + size
        if kind not in KINDS or header < ENTRY.size or following > end:
            raise ValueError(f"no entry of a fat binary at byte {start}")
        yield KINDS[kind], architecture
        start = following
