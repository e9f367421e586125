"""What a launch may write, by the kernel's declaration, which its mangled name carries."""

from __future__ import annotations

import ctypes
import re
import struct
from functools import cache

from paddlecompat.environments.driver.answers import Launched
from paddlecompat.records.record import MachineFailed

READS = re.compile(r"\bconst\b[*& ]*\*|\bconst\*")  # a pointer to what is constant
ARRAY = re.compile(r"Array<(.*), (\d+)>")
SCALAR = re.compile(r"(unsigned |signed )?(bool|char|short|int|long|long long|float|double)")
PURE = re.compile(r"Functor(<|$)|cub::(Sum|NullType)|thrust::plus")  # they hold no address
SCRATCH = re.compile(
    r"GetBlockCount|CumsumOneBlock|DeviceReduce|DeviceScan|SetMaskArray|GetTrueNum"
)
"""Kernels that count and sum up: what they write is given back before an output is made, which may
then lie in the same memory."""


@cache
def demangled(name: str) -> str:
    """A kernel's declaration. Raises MachineFailed where this machine has no C++ library."""
    try:
        library = ctypes.CDLL("libstdc++.so.6")
    except OSError as error:
        raise MachineFailed(f"kernels' names cannot be read: {error}") from None
    library.__cxa_demangle.restype = ctypes.c_void_p
    library.__cxa_demangle.argtypes = [ctypes.c_char_p, *[ctypes.c_void_p] * 3]
    made = library.__cxa_demangle(name.encode(), None, None, None)
    return ctypes.string_at(made).decode() if made else name


def split(text: str) -> list[str]:
    """The parts between the commas that are in no brackets."""
    parts, depth, begun = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in "<([{") - (character in ">)]}")
        if character == "," and depth == 0:
            parts.append(text[begun:at].strip())
            begun = at + 1
    return [*parts, text[begun:].strip()] if text.strip() else []


@cache
def parameters(name: str) -> list[str]:
    """The types of a kernel's parameters."""
    declaration, depth = demangled(name), 0
    for at in range(len(declaration) - 1, -1, -1):
        depth += (declaration[at] == ")") - (declaration[at] == "(")
        if depth == 0 and declaration[at] == "(":
            return split(declaration[at + 1 : -1])
    return []


@cache
def short_name(name: str) -> str:
    """'SelectKernel' of 'void phi::funcs::SelectKernel<bool, …>(…)', with its functor if it has."""
    declaration = demangled(name)
    plain = re.sub(r"^void ", "", declaration)
    head = re.split(r"[<(]", plain, maxsplit=1)[0]
    functor = re.search(r"(\w*F[un]+ct(?:i?on|o)r\w*)<", plain)
    return head.rpartition("::")[2] + (f" with {functor[1]}" if functor else "")


def words_of(argument: str) -> list[int]:
    """The words of eight bytes in an argument's bytes."""
    raw = bytes.fromhex(argument)
    return [word for (word,) in struct.iter_unpack("<Q", raw[: len(raw) // 8 * 8])]


def may_write(launch: Launched) -> list[int]:
    """The addresses that a launch is given and may write an output to; none of an empty grid.

    An object that is handed over by value may hold some, and nobody says where: each of its words
    may be one, and so may what lies behind it, as only the GPU code has its size.
    """
    if launch.came or 0 in launch.grid or SCRATCH.search(launch.kernel):
        return []
    found: list[int] = []
    for kind, argument in zip(parameters(launch.kernel), launch.arguments):
        words, array = words_of(argument), ARRAY.search(kind)
        if READS.search(kind) or SCALAR.fullmatch(kind) or PURE.search(kind):
            continue
        if kind.endswith(("*", "* restrict")):
            found += words[:1]
        elif array:
            found += words[: int(array[2])] if "*" in array[1] else []
        else:
            found += words
    return found
