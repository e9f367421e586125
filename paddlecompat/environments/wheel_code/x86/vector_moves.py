"""The AVX instructions that move data, done by hand: the emulator has none of 256 bits.

It reads those of 128 bits as if they had no third operand, so these are done here, too.
"""

from __future__ import annotations

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
    "xor": int.__xor__,
    "and": int.__and__,
    "or": int.__or__,
}
INSERTS = {"vpinsrb": 1, "vpinsrw": 2, "vpinsrd": 4, "vpinsrq": 8, "vinsertf128": 16}
INSERTS |= {"vinserti128": 16}
EXTRACTS = {"vextractf128": 16, "vextracti128": 16, "vpextrq": 8, "vpextrd": 4}
Access = Callable[[str, int, int], None]


def is_vector(code: bytes) -> bool:
    """Whether an instruction begins as AVX's do."""
    return code[0] in (0xC4, 0xC5)


class Vectors:
    """The vector registers: their low halves are the emulator's, their high ones are kept here."""

    def __init__(self, machine: Any, read: Callable[[int, int], bytes], note: Access) -> None:
        self.machine = machine
        self.read = read
        self.note = note
        """Is told of each access to memory: 'read' or 'write', address, size."""
        self.high = [0] * 16

    def execute(self, instruction: Instruction) -> bool:
        """Do what the instruction says; False: it is none of those that are known here."""
        name, operands = instruction.mnemonic, instruction.operands
        if name in ("vzeroupper", "vzeroall"):
            self.high = [0] * 16
            return bool(name == "vzeroupper")
        if name in COPIES and len(operands) == 2:
            size = SIZES.get(name, operands[0].size)
            self.put(instruction, 0, self.get(instruction, 1, size), size)
            return True
        bitwise = next((do for word, do in BITWISE.items() if name in self.forms(word)), None)
        if bitwise and len(operands) == 3:
            size = operands[0].size
            one, other = (self.get(instruction, number, size) for number in (1, 2))
            self.put(instruction, 0, bitwise(one, other), size)
            return True
        if name in INSERTS and operands[3].type == X86_OP_IMM:
            self.insert(instruction, INSERTS[name], operands[3].imm)
            return True
        if name in EXTRACTS and operands[2].type == X86_OP_IMM:
            size = EXTRACTS[name]
            value = self.get(instruction, 1, 32) >> 8 * size * operands[2].imm
            self.put(instruction, 0, value, size)
            return True
        return self.combine(instruction)

    @staticmethod
    def forms(word: str) -> tuple[str, ...]:
        return f"vp{word}", f"v{word}ps", f"v{word}pd"

    def combine(self, instruction: Instruction) -> bool:
        """As `execute`, for those that take the halves of two registers together."""
        name, operands = instruction.mnemonic, instruction.operands
        if len(operands) != 3 or operands[0].size != 16:
            return False
        first = self.get(instruction, 1, 16)
        if name in ("vpunpcklqdq", "vunpcklpd", "vmovlhps", "vmovhps", "vmovhpd"):
            value = first & 2**64 - 1 | self.get(instruction, 2, 8) << 64
        elif name in ("vpunpckhqdq", "vunpckhpd"):
            value = first >> 64 | self.get(instruction, 2, 16) >> 64 << 64
        elif name in ("vmovlps", "vmovlpd"):
            value = first >> 64 << 64 | self.get(instruction, 2, 8)
        else:
            return False
        self.put(instruction, 0, value, 16)
        return True

    def insert(self, instruction: Instruction, size: int, place: int) -> None:
        whole, part = self.get(instruction, 1, 32), self.get(instruction, 2, size)
        mask = (1 << 8 * size) - 1
        width = 32 if size == 16 else 16
        place %= width // size
        value = whole & ~(mask << 8 * size * place) | part << 8 * size * place
        self.put(instruction, 0, value, width)

    def get(self, instruction: Instruction, number: int, size: int) -> int:
        """The value of an operand."""
        operand = instruction.operands[number]
        if operand.type == X86_OP_MEM:
            address = self.address(instruction, operand.mem)
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
            address = self.address(instruction, operand.mem)
            self.machine.mem_write(address, value.to_bytes(size, "little"))
            self.note("write", address, size)
        elif operand.type == X86_OP_REG:
            name = instruction.reg_name(operand.reg)
            self.machine.reg_write(register(name.replace("ymm", "xmm")), value & 2**128 - 1)
            if name.startswith(("xmm", "ymm")):
                self.high[int(name[3:])] = value >> 128

    def address(self, instruction: Instruction, memory: Any) -> int:
        """Where an operand in memory lies, in the emulator."""
        return address_of(self.machine, instruction, memory)


def register(name: str) -> int:
    """The emulator's number of a register."""
    return int(getattr(registers, f"UC_X86_REG_{name.upper()}"))


def address_of(machine: Any, instruction: Instruction, memory: Any) -> int:
    """Where an operand in memory lies, in the emulator."""
    address = memory.disp
    for part, scale in ((memory.base, 1), (memory.index, memory.scale)):
        if part:
            name = instruction.reg_name(part)
            if name == "rip":
                address += machine.reg_read(register("rip")) + instruction.size
            else:
                address += scale * machine.reg_read(register(name))
    return int(address & 2**64 - 1)
