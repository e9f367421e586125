"""The kernels of selection in a library, by their names, and the host functions that launch them.

A library registers each of its kernels with CUDA's runtime by name, beside the host function that
stands for it (its stub): `__cudaRegisterFunction(module, stub, name, name, ...)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from paddlecompat.environments.wheel_code.x86.image import (
    BASE,
    Function,
    Image,
    Instruction,
    target_of,
)
from paddlecompat.records.build_answers.wheel_answer import FunctionName

# Where the stub and the kernel's name stand in that call.
ARGUMENTS = {"windows": ("rdx", "r9"), "linux": ("rsi", "rcx")}
KEPT = ("rbx", "rbp", "r12", "r13", "r14", "r15")  # over a call, on both systems
WRITES: dict[str, dict[str, FunctionName]] = {
    "12SelectKernelI": {
        "MaskedSelectFunctorI": "masked_select",
        "MaskedSelectGradFunctorI": "masked_select's gradient",
        "12IndexFunctorI": "nonzero",
    },
    "19GetBlockCountKernelI": {},
    "14CumsumOneBlockI": {},
    # Those of 2.2:
    "12SetTrueIndexI": {"": "nonzero"},
    "10GetTrueNumI": {},
    "20SelectWithPrefixMaskI": {"": "masked_select"},
    "24SelectGradWithPrefixMaskI": {"": "masked_select's gradient"},
    "12SetMaskArray": {},
}
"""Words of the names of kernels that selection launches: the function of Paddle whose output such
a kernel writes, by its functor; none where it is a step before."""
TYPES = {
    "b": "bool", "h": "uint8", "a": "int8", "s": "int16", "i": "int32", "l": "int64", "x": "int64",
    "f": "float32", "d": "float64", "float16": "float16", "bfloat16": "bfloat16",
    "complexIf": "complex64", "complexId": "complex128",
}  # fmt: skip
TYPE = r"(?:N3phi5dtype|NS_5dtype|N6paddle8platform|NS_8platform)\d+(\w+?)E|([a-z])"
"""A type as it is mangled; the word of one of Paddle's own."""


@dataclass(frozen=True)
class Kernel:
    """A kernel that the library registers."""

    DESIGN: ClassVar[str] = "SelectKernel"
    """The kernel of the design that 2.3 brought, which the reported defect is of."""
    name: str
    stub: int

    @property
    def word(self) -> str:
        """That of `WRITES` which its mangled name holds."""
        return next(word for word in WRITES if word in self.name)

    @property
    def function(self) -> FunctionName | None:
        """The function of Paddle whose output it writes; None: it is a step before."""
        functors = WRITES[self.word].items()
        return next((of for functor, of in functors if functor in self.name), None)

    @property
    def dtype(self) -> str:
        """Of the elements that it selects; '?' where it cannot be told.

        `SelectKernel<MT, InT, CT, OutT, ...>`: MT is nonzero's, InT masked_select's.
        """
        rest = self.name.partition(self.word)[2]
        match = re.match(TYPE, rest.removeprefix("b") if "MaskedSelect" in rest else rest)
        return TYPES.get(match[1] or match[2], "?") if match else "?"

    @property
    def short(self) -> str:
        """'SelectKernel' of its mangled name."""
        return self.word.lstrip("0123456789").removesuffix("I")


def registered(image: Image) -> tuple[list[Kernel], set[Function]]:
    """The kernels of selection that it registers, and the functions that do so."""
    texts = {at: text for at, text in image.strings(*WRITES).items() if text.startswith("_Z")}
    places = (at for found in image.references(texts).values() for at in found)
    kernels: dict[int, Kernel] = {}
    registering: set[Function] = set()
    for function in set(filter(None, map(image.function_at, places))):
        for stub, name in registrations(image, function, texts):
            kernels[stub] = Kernel(name, stub)
            registering.add(function)
    return sorted(kernels.values(), key=lambda kernel: kernel.name), registering


def registrations(
    image: Image, function: Function, texts: dict[int, str]
) -> Iterator[tuple[int, str]]:
    """The stubs and names that a function registers."""
    stub_in, name_in = ARGUMENTS[image.system]
    known: dict[str, int] = {}
    for instruction in image.instructions(function):
        if instruction.mnemonic == "call":
            stub, name = known.get(stub_in), known.get(name_in)
            if stub is not None and name in texts:
                yield stub, texts[name]
            known = {register: value for register, value in known.items() if register in KEPT}
        else:
            follow(image, instruction, known)


def follow(image: Image, instruction: Instruction, known: dict[str, int]) -> None:
    """Keep up with the addresses that registers hold."""
    operands = instruction.operands
    if len(operands) != 2 or operands[0].type != 1:
        return
    target, value = target_of(instruction), None
    if instruction.mnemonic == "lea":
        value = target
    elif instruction.mnemonic == "mov" and target is not None:
        value = dict(image.relocations(target, target + 8)).get(target)
        value = value - BASE if value is not None else None
    elif instruction.mnemonic == "mov" and operands[1].type == 1:
        value = known.get(instruction.reg_name(operands[1].reg))
    register = instruction.reg_name(operands[0].reg)
    known.pop(register, None)
    if value is not None:
        known[register] = value


def launching(
    image: Image, kernels: list[Kernel], registering: set[Function]
) -> dict[Kernel, list[Function]]:
    """The host functions that launch each kernel: those that name its stub, or load its address.

    A function that makes two calls at most does no more than launch, as a stub does: then its
    callers count.
    """
    ways: dict[Kernel, list[int]] = {}
    for kernel in kernels:  # its address, where that is kept, and the function that it jumps to
        first = image.instruction(kernel.stub)
        jumped = target_of(first) if first.mnemonic == "jmp" else None
        beyond = [] if jumped is None else [jumped]
        ways[kernel] = [kernel.stub, *image.slots_of(kernel.stub), *beyond]
    found = naming(image, ways, registering)
    stubs = {
        kernel: [
            function.start
            for function in some
            if sum(each.mnemonic == "call" for each in image.instructions(function)) <= 2
        ]
        for kernel, some in found.items()
    }
    callers = naming(image, stubs, registering)
    return {
        kernel: sorted(
            {f for f in some | callers[kernel] if f.start not in stubs[kernel]},
            key=lambda function: function.start,
        )
        for kernel, some in found.items()
    }


def naming(
    image: Image, targets: Mapping[Kernel, list[int]], registering: set[Function]
) -> dict[Kernel, set[Function]]:
    """The functions that name one of a kernel's targets, but for the targets themselves.

    An instruction of theirs has its four bytes there, and leads to the target.
    """
    references = image.references(at for found in targets.values() for at in found)
    naming: dict[Kernel, set[Function]] = {}
    for kernel, wanted in targets.items():
        naming[kernel] = set()
        for target, at in ((one, at) for one in wanted for at in references[one]):
            function = image.function_at(at)
            if function is None or function.start in wanted or function in registering:
                continue
            for instruction in image.instructions(function):
                if instruction.address <= at < instruction.address + instruction.size:
                    if target_of(instruction) == target:
                        naming[kernel].add(function)
                    break
    return naming
