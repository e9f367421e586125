"""What the driver's log says: who writes each tensor, and how each function copies and launches."""

from __future__ import annotations

import ctypes
import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from paddlecompat.environments.driver.answers import (
    Copied,
    Entry,
    Filled,
    Launched,
    Marked,
    read_log,
)
from paddlecompat.records.build_answers.host_answer import Came, Output, SeenFunction
from paddlecompat.records.build_answers.wheel_answer import FunctionName, WheelAnswer
from paddlecompat.records.record import MachineFailed

ANSWERED: dict[str, FunctionName] = {"masked_select": "masked_select", "nonzero": "nonzero"}
"""The operators that wheels answer of, each with its function there."""
READS = re.compile(r"\bconst\b[*& ]*\*|\bconst\*")  # a pointer to what is constant
ARRAY = re.compile(r"Array<(.*), (\d+)>")
SCALAR = re.compile(r"(unsigned |signed )?(bool|char|short|int|long|long long|float|double)")
PURE = re.compile(r"Functor(<|$)|cub::(Sum|NullType)|thrust::plus")  # they hold no address
SCRATCH = re.compile(
    r"GetBlockCount|CumsumOneBlock|DeviceReduce|DeviceScan|SetMaskArray|GetTrueNum"
)
"""Kernels that count and sum up: what they write is given back before an output is made, which may
then lie in the same memory."""


@dataclass
class Tensor:
    """A tensor that was read."""

    name: str
    elements: int
    at: int = 0
    bytes: int = 0


@dataclass
class Case:
    """What was asked between two marks of `inputs`: by step, and the tensors that were read."""

    told: Mapping[str, Any]
    steps: dict[str, list[Entry]] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)
    words: str = ""
    died: bool = False

    @property
    def named(self) -> str:
        return f"{self.told['elements']}, {self.told['mask']}"


def cases_of(log: Path) -> list[Case]:
    """The cases of a log, by the process that wrote it: it ended after all, or in the last one."""
    cases: list[Case] = []
    step = ""
    for line in read_log(log):
        if isinstance(line, Marked):
            told = json.loads(line.text)
            step = told.pop("step")
            if step == "inputs":
                cases.append(Case(told))
            elif step == "read":
                cases[-1].tensors.append(Tensor(told["tensor"], told["elements"]))
            elif step == "raised":
                cases[-1].words = told["words"]
        elif cases:
            cases[-1].steps.setdefault(step, []).append(line)
            if step == "read" and isinstance(line, Copied) and line.kind == "to host":
                tensor = cases[-1].tensors[-1]
                tensor.at, tensor.bytes = line.from_, line.bytes
    if step != "all" and cases and not cases[-1].words:
        cases[-1].died = True
    return cases


# What a launch may write: by the kernel's declaration, which its mangled name carries.


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


# What comes of each tensor and function.


def writers_of(tensor: Tensor, lines: Sequence[Entry]) -> list[str]:
    """The names of what may write into a tensor's memory, each once, in their order."""
    begin, end = tensor.at, tensor.at + tensor.bytes
    found = []

    def meets(at: int, size: int) -> bool:
        return size > 0 and at < end and begin < at + size

    for line in lines:
        if isinstance(line, Launched) and any(begin <= at < end for at in may_write(line)):
            found.append(short_name(line.kernel))
        elif isinstance(line, Filled) and meets(line.at, line.bytes) and not line.came:
            found.append("a fill")
        elif isinstance(line, Copied) and meets(line.to, line.bytes) and not line.came:
            found.append(f"a copy {line.kind}")
    return list(dict.fromkeys(found))


def outputs_of(cases: Sequence[Case]) -> list[Output]:
    """What comes of each tensor; cases that come to the same stand together."""
    found: dict[tuple[object, ...], list[str]] = {}
    for case in cases:
        lines = [line for step in ("call", "backward") for line in case.steps.get(step, [])]
        told = case.told["operator"], case.told["dtype"]
        for tensor in case.tensors:
            writers = writers_of(tensor, lines) if tensor.bytes else []
            came: Came = "written" if writers else "never written"
            if not tensor.bytes:
                came = "nothing to write"
            key = (told[0], tensor.name, told[1], came, tuple(writers), "")
            found.setdefault(key, []).append(case.named)
        if case.words or case.died:
            name = "gradient by x" if case.tensors else "output"
            came = "died" if case.died else "raised"
            key = (told[0], name, told[1], came, (), case.words)
            found.setdefault(key, []).append(case.named)
    fields = ("operator", "tensor", "dtype", "came", "writers", "words")
    return [
        Output.model_validate({**dict(zip(fields, key)), "cases": cases})
        for key, cases in found.items()
    ]


def functions_of(cases: Sequence[Case], wheel: WheelAnswer | None) -> list[SeenFunction]:
    """How each function copied the count and launched, beside what the wheel's code said."""
    found: list[SeenFunction] = []
    for case in cases:
        operator, dtype = case.told["operator"], case.told["dtype"]
        failed = case.words or case.died
        if operator not in ANSWERED or case.told["mask"] != "every third" or failed:
            continue
        for step, function in asked_in(case, operator):
            lines = case.steps[step]
            launched = [line for line in lines if isinstance(line, Launched)]
            copies = [line for line in lines if isinstance(line, Copied)]
            seen = SeenFunction(
                function=function,
                dtype=dtype,
                elements=case.told["elements"],
                copied=[line.bytes for line in copies if line.kind == "to host"],
                kernels=[short_name(line.kernel).split(" with ")[0] for line in launched],
                grids=[line.grid[0] for line in launched],
            )
            found.append(seen.model_copy(update={"differs": difference(seen, wheel)}))
    return found


def asked_in(case: Case, operator: str) -> Iterator[tuple[str, FunctionName]]:
    """The steps of a case in which a function is asked that wheels answer of, each with it."""
    if "call" in case.steps:
        yield "call", ANSWERED[operator]
    if "backward" in case.steps and operator == "masked_select":
        yield "backward", "masked_select's gradient"


def difference(seen: SeenFunction, wheel: WheelAnswer | None) -> str:
    """In words, how a function did otherwise than the wheel's code said; empty: in no way.

    The code's kernels are a part of what is launched: it says nothing of what it calls. Of a
    function that was not read it says nothing at all.
    """
    read = wheel.read if wheel else []
    alike = [one for one in read if one.function == seen.function]
    said = [one for one in alike if one.dtype == seen.dtype and one.copied is not None]
    if said and all(one.copied not in seen.copied for one in said):
        return f"copies {seen.copied} bytes, not {said[0].copied}"
    grids = [one for one in alike if one.dtype == seen.dtype and seen.elements in one.grids]
    for one in grids:
        due = list(zip(one.kernels, one.grids[seen.elements]))
        if all(pair in zip(seen.kernels, seen.grids) or pair[1] == 0 for pair in due):
            return ""
    due = list(zip(grids[0].kernels, grids[0].grids[seen.elements])) if grids else []
    return f"launches {list(zip(seen.kernels, seen.grids))}, not {due}" if grids else ""
