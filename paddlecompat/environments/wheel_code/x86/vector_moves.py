"""The AVX instructions that move data, done by hand: the emulator has none of 256 bits.

It reads those of 128 bits as if they had no third operand, so these are done here, too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from capstone.x86 import X86_OP_IMM, X86_OP_MEM, X86_OP_REG
from unicorn import x86_const as registers

from paddlecompat.environments.wheel_code.x86.image import Instruction

COPIES = {
    "vmovups", "vmovupd", "vmovaps", "vmovapd", "vmovdqu", "vmovdqa", "vlddqu",
    "vmovq", "vmovd", "vmovss", "vmovsd", "vmovntdq", "vmovntps",
}  # fmt: skip
SIZES = {"vmovq": 8, "vmovd": 4, "vmovss": 4, "vmovsd": 8}
BITWISE: dict[str, Callable[[int, int], int]] = {
    f"v{form}": do
    for word, do in {"xor": operator.xor, "and": operator.and_, "or": operator.or_}.items()
    for form in (f"p{word}", f"{word}ps", f"{word}pd")
}
INSERTS = {"vpinsrb": 1, "vpinsrw": 2, "vpinsrd": 4, "vpinsrq": 8, "vinsertf128": 16}
INSERTS |= {"vinserti128": 16}
EXTRACTS = {"vextractf128": 16, "vextracti128": 16, "vpextrq": 8, "vpextrd": 4}
HALF = 2**64 - 1
JOINS: dict[str, Callable[[int, int], int]] = {
    **dict.fromkeys(
        ("vpunpcklqdq", "vunpcklpd", "vmovlhps", "vmovhps", "vmovhpd"),
        lambda first, second: first & HALF | second << 64,
    ),
    **dict.fromkeys(
        ("vpunpckhqdq", "vunpckhpd"), lambda first, second: first >> 64 | second >> 64 << 64
    ),
    **dict.fromkeys(("vmovlps", "vmovlpd"), lambda first, second: first >> 64 << 64 | second),
}
"""Those that take the halves of two registers, or of one and of memory, together."""
OF_BOTH = ("vpunpckhqdq", "vunpckhpd")  # these read all of the second, the others eight bytes


class Vectors:
    """The vector registers: their low halves are the emulator's, their high ones are kept here."""

    def __init__(
        self,
        machine: Any,
        read: Callable[[int, int], bytes],
        note: Callable[[str, int, int], None],
    ) -> None:
        self.machine, self.read = machine, read
        self.note = note
        """Is told of each access to memory: 'read' or 'write', address, size."""
        self.high = [0] * 16

    def execute(self, instruction: Instruction) -> bool:
        """Do what the instruction says; False: it is none of those that are known here."""
        name, operands = instruction.mnemonic, instruction.operands
        size = operands[0].size if operands else 0
        if name == "vzeroupper":
            self.high = [0] * 16
        elif name in COPIES and len(operands) == 2:
            size = SIZES.get(name, size)
            self.put(instruction, 0, self.get(instruction, 1, size), size)
        elif name in BITWISE and len(operands) == 3:
            one, other = (self.get(instruction, number, size) for number in (1, 2))
            self.put(instruction, 0, BITWISE[name](one, other), size)
        elif name in INSERTS and operands[3].type == X86_OP_IMM:
            self.insert(instruction, INSERTS[name], operands[3].imm)
        elif name in EXTRACTS and operands[2].type == X86_OP_IMM:
            size = EXTRACTS[name]
            value = self.get(instruction, 1, 32) >> 8 * size * operands[2].imm
            self.put(instruction, 0, value, size)
        elif name in JOINS and len(operands) == 3 and size == 16:
            first = self.get(instruction, 1, 16)
            second = self.get(instruction, 2, 16 if name in OF_BOTH else 8)
            self.put(instruction, 0, JOINS[name](first, second), 16)
        else:
            return False
        return True

    def insert(self, instruction: Instruction, size: int, place: int) -> None:
        whole, part = self.get(instruction, 1, 32), self.get(instruction, 2, size)
        width = 32 if size == 16 else 16
        shift = 8 * size * (place % (width // size))
        mask = (1 << 8 * size) - 1
        self.put(instruction, 0, whole & ~(mask << shift) | part << shift, width)

    def get(self, instruction: Instruction, number: int, size: int) -> int:
        """The value of an operand."""
        operand = instruction.operands[number]
        if operand.type == X86_OP_MEM:
            address = address_of(self.machine, instruction, operand.mem)
            self.note("read", address, size)
            return int.from_bytes(self.read(address, size), "little")
        name = instruction.reg_name(operand.reg)
        value = self.machine.reg_read(register(name.replace("ymm", "xmm")))
        if name.startswith(("xmm", "ymm")):
            value |= self.high[int(name[3:])] << 128
        return int(value & (1 << 8 * size) - 1)

    def put(self, instruction: Instruction, number: int, value: int, size: int) -> None:
        """Write an operand; what a register has beyond it becomes 0."""
        operand = instruction.operands[number]
        value &= (1 << 8 * size) - 1
        if operand.type == X86_OP_MEM:
            address = address_of(self.machine, instruction, operand.mem)
            self.machine.mem_write(address, value.to_bytes(size, "little"))
            self.note("write", address, size)
        elif operand.type == X86_OP_REG:
            name = instruction.reg_name(operand.reg)
            self.machine.reg_write(register(name.replace("ymm", "xmm")), value & 2**128 - 1)
            if name.startswith(("xmm", "ymm")):
                self.high[int(name[3:])] = value >> 128


def register(name: str) -> int:
    """The emulator's number of a register."""
    return int(getattr(registers, f"UC_X86_REG_{name.upper()}"))


def address_of(machine: Any, instruction: Instruction, memory: Any) -> int:
    """Where an operand in memory lies, in the emulator."""
    address = memory.disp
    for part, scale in ((memory.base, 1), (memory.index, memory.scale)):
        if part:
            name = instruction.reg_name(part)
            beyond = instruction.size if name == "rip" else 0
            address += scale * machine.reg_read(register(name)) + beyond
    return int(address & HALF)
