"""The AVX instructions that move data, done by hand: the emulator has none of 256 bits.

It reads those of 128 bits as if they had no third operand, so these are done here, too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from capstone.x86 import X86_OP_IMM, X86_OP_MEM

from paddlecompat.environments.wheel_code.x86.image import Instruction
from paddlecompat.environments.wheel_code.x86.machine import Machine

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


def execute(run: Machine, instruction: Instruction) -> bool:
    """Do what the instruction says; False: it is none of those that are known here."""
    name, operands = instruction.mnemonic, instruction.operands
    size = operands[0].size if operands else 0
    if name == "vzeroupper":
        for number in range(16):
            run.put(f"ymm{number}", run.get(f"xmm{number}"))
    elif name in COPIES and len(operands) == 2:
        size = SIZES.get(name, size)
        write(run, instruction, read(run, instruction, 1, size), size)
    elif name in BITWISE and len(operands) == 3:
        one, other = (read(run, instruction, number, size) for number in (1, 2))
        write(run, instruction, BITWISE[name](one, other), size)
    elif name in INSERTS and operands[3].type == X86_OP_IMM:
        insert(run, instruction, INSERTS[name], operands[3].imm)
    elif name in EXTRACTS and operands[2].type == X86_OP_IMM:
        size = EXTRACTS[name]
        write(run, instruction, read(run, instruction, 1, 32) >> 8 * size * operands[2].imm, size)
    elif name in JOINS and len(operands) == 3 and size == 16:
        first = read(run, instruction, 1, 16)
        second = read(run, instruction, 2, 16 if name in OF_BOTH else 8)
        write(run, instruction, JOINS[name](first, second), 16)
    else:
        return False
    return True


def insert(run: Machine, instruction: Instruction, size: int, place: int) -> None:
    whole, part = read(run, instruction, 1, 32), read(run, instruction, 2, size)
    width = 32 if size == 16 else 16
    shift = 8 * size * (place % (width // size))
    mask = (1 << 8 * size) - 1
    write(run, instruction, whole & ~(mask << shift) | part << shift, width)


def read(run: Machine, instruction: Instruction, number: int, size: int) -> int:
    """The value of an operand."""
    operand = instruction.operands[number]
    if operand.type == X86_OP_MEM:
        address = run.address_of(instruction, operand.mem)
        run.note("read", address, size)
        return int.from_bytes(run.read(address, size), "little")
    value = run.get(instruction.reg_name(operand.reg).replace("xmm", "ymm"))
    return value & (1 << 8 * size) - 1


def write(run: Machine, instruction: Instruction, value: int, size: int) -> None:
    """Write the first operand; what a register has beyond it becomes 0."""
    operand = instruction.operands[0]
    value &= (1 << 8 * size) - 1
    if operand.type == X86_OP_MEM:
        address = run.address_of(instruction, operand.mem)
        run.machine.mem_write(address, value.to_bytes(size, "little"))
        run.note("write", address, size)
    else:
        run.put(instruction.reg_name(operand.reg).replace("xmm", "ymm"), value)
