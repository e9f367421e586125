"""One host function, run in an emulator from its first instruction to its return.

A call answers a pointer to fresh memory, `numel` the number of elements asked for, and the copy of
the count from the device writes as many bytes as the code asks for.
"""

from __future__ import annotations

from typing import Any

from capstone.x86 import X86_OP_IMM, X86_OP_REG
from unicorn import UcError

from paddlecompat.environments.wheel_code.x86.calls import Calls
from paddlecompat.environments.wheel_code.x86.image import BASE, EXTERNAL, Instruction
from paddlecompat.environments.wheel_code.x86.machine import END, Trace
from paddlecompat.environments.wheel_code.x86.vector_moves import address_of, is_vector

MOST_INSTRUCTIONS = 200_000
DIVIDES = "divides by zero"


class Run(Calls):
    """A run of a host function."""

    def run(self) -> Trace:
        """Run it to its end; `error` says why it did not come so far."""
        try:
            self.machine.emu_start(BASE + self.function.start, END, count=MOST_INSTRUCTIONS)
            if not self.trace.error and self.get("rip") != END:
                self.trace.error = f"no end after {MOST_INSTRUCTIONS} instructions"
        except UcError as error:
            if self.image.instruction(self.at).mnemonic in ("div", "idiv"):
                self.trace.error = f"{DIVIDES} at {self.at:#x}"
            self.trace.error = self.trace.error or f"{error} at {self.at:#x}"
        return self.trace

    def step(self, machine: Any, address: int, size: int, _: object) -> None:
        """Before each instruction: do the calls, the AVX instructions and the jumps out of here."""
        if address == END:
            return
        at = address - BASE
        if self.returns and address == self.returns[-1] and self.depth:
            self.returns.pop()
            self.depth = 0
        if self.depth == 0:
            self.at = at
        code, instruction = self.decode(at)
        if is_vector(code):
            if not self.vectors.execute(instruction):
                self.stop(f"{instruction.mnemonic} {instruction.op_str} at {at:#x} is not known")
            else:
                self.put("rip", address + instruction.size)
        elif instruction.mnemonic == "call":
            self.call(self.target(instruction), address + instruction.size, self.get("rsp"))
        elif instruction.mnemonic == "jmp":
            self.jump(instruction)

    def target(self, instruction: Instruction) -> int:
        """Where a call or a jump leads."""
        (operand,) = instruction.operands
        if operand.type == X86_OP_IMM:
            return BASE + int(operand.imm)
        if operand.type == X86_OP_REG:
            return self.get(instruction.reg_name(operand.reg))
        return self.word(address_of(self.machine, instruction, operand.mem))

    def jump(self, instruction: Instruction) -> None:
        """A jump that leaves a function at its end is the call of another."""
        target = self.target(instruction)
        named = target >= EXTERNAL or self.is_stub_of_linkage(target)
        leaves = self.depth == 0 and self.get("rsp") == self.entry
        if named or (leaves and target - BASE not in self.function):
            rsp = self.get("rsp")
            self.put("rsp", rsp + 8)
            self.call(target, self.word(rsp), rsp + 8)

    def is_stub_of_linkage(self, target: int) -> bool:
        section = self.image.section_at(target - BASE)
        return section is not None and section.name.startswith(".plt")
