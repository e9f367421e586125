"""The GPU code in a library: of which kinds and architectures.

nvcc makes a fat binary of each source file: its kernels, once for each architecture that the build
is made for. They lie one after another in a section of the library; only their headers are read.
NVIDIA's own cuobjdump is of no use here: it reads no Windows file, and those on PyPI (13.2 and
later) refuse a library that has code for compute capability 3.5.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence

from paddlecompat.environments.wheel_code.x86.image import Image

SECTIONS = (".nv_fatbin", ".nv_fatb")  # on Linux; on Windows, where a name has eight letters
# Not documented by NVIDIA; so it is in the wheels for CUDA 10.2 to 11.8.
FAT_BINARY = struct.Struct("<I2xHQ")  # magic, size of this header, size of all entries
ENTRY = struct.Struct("<H2xIQ12xI")  # kind, size of this header, size of the code, architecture
MAGIC = 0xBA55ED50
ALIGNMENT = 8
KINDS = {1: "ptx", 2: "sm"}

Code = tuple[str, int]  # kind, architecture: ("sm", 75)


def read(image: Image) -> Iterator[frozenset[Code]]:
    """What each of its fat binaries has; zeros may lie between them. ValueError: damaged."""
    for section in filter(None, map(image.section, SECTIONS)):
        start, end = section.offset, section.offset + section.size
        while start <= end - FAT_BINARY.size:
            magic, header, size = FAT_BINARY.unpack_from(image.data, start)
            if magic == 0:
                start += ALIGNMENT
                continue
            following = start + header + size
            if magic != MAGIC or header < FAT_BINARY.size or following > end:
                raise ValueError(f"no fat binary at byte {start}")
            yield frozenset(entries(image, start + header, following))
            start = following


def entries(image: Image, start: int, end: int) -> Iterator[Code]:
    """What the fat binary has whose entries lie there."""
    while start < end:
        kind, header, size, architecture = ENTRY.unpack_from(image.data, start)
        following = start + header + size
        if kind not in KINDS or header < ENTRY.size or following > end:
            raise ValueError(f"no entry of a fat binary at byte {start}")
        yield KINDS[kind], architecture
        start = following


def architectures(found: Sequence[frozenset[Code]]) -> dict[str, list[str]]:
    """The architectures that the build was made for, by kind, and those met `seldom`.

    Every fat binary has all of the former, but for a few that were compiled with other settings.
    """
    times = Counter(code for fat_binary in found for code in fat_binary)
    codes: dict[str, list[str]] = {"sm": [], "ptx": [], "seldom": []}
    for (kind, architecture), number in sorted(times.items()):
        capability = f"{architecture // 10}.{architecture % 10}"
        if number > len(found) / 2:
            codes[kind].append(capability)
        else:
            codes["seldom"].append(f"{kind} {capability} in {number} of {len(found)}")
    return codes
