"""One host function, run in an emulator from its first instruction to its return.

What it calls is told by its name or its arguments, and answered: `numel` by the number of elements
asked for, the copy of the count from the device by as many bytes as the code asks for, all else by
a pointer to fresh memory. Nothing is executed but the stubs that launch kernels. CUDA's runtime is
not there: what tells its calls are their names on Linux, and their arguments where there is none.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from capstone.x86 import X86_OP_IMM, X86_OP_REG
from unicorn import UC_HOOK_CODE, UcError

from paddlecompat.environments.wheel_code.x86 import machine
from paddlecompat.environments.wheel_code.x86.image import BASE, EXTERNAL, Instruction
from paddlecompat.environments.wheel_code.x86.vector_moves import execute

MOST_INSTRUCTIONS = 200_000
DIVIDES = "divides by zero"
VEX = (0xC4, 0xC5)  # how AVX's instructions begin
SELECTED = 700  # of so many elements, or of all where there are fewer
CLOBBERED = 0x6666_0000_0000_0000
VOLATILE = {
    "windows": ("rcx", "rdx", "r8", "r9", "r10", "r11"),
    "linux": ("rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11"),
}
ON_STACK = {"windows": 32, "linux": 0}  # where a call's further arguments begin
NUMEL_SLOT = {"windows": 1, "linux": 2}  # of a tensor's virtual functions
BY_NAME = {
    r"Tensor5numelEv|^_ZN3phi7productERKNS_4DDimE|9framework7productE": "numel",
    r"^_ZN6paddle6memory5AllocE": "allocate",
    r"4DDimeqE": "yes",
    r"4DDimneE": "no",
    r"^__cudaPushCallConfiguration": "configure",
    r"^__cudaPopCallConfiguration": "configured",
    r"^cudaLaunchKernel": "launch",
    r"6memory4Copy|12memory_utils4Copy": "copy",
    r"^cudaMemcpy": "memcpy",
    r"^cuda|^_ZN3cub": "no",
    r"^__cxa_throw|^_Unwind_Resume|^_ZSt\d+__throw|^__stack_chk_fail|^abort": "end",
}
PLACES_BY_VALUE = {r"3phi\d+\w*Place": (2, 6), r"platform8CPUPlaceE.*9CUDAPlace": (0, 3)}
"""Copies on Linux that take Paddle's places by value: which words are the address and the size."""


class Run(machine.Machine):
    """A run of a host function."""

    def run(self) -> machine.Trace:
        """Run it to its end; the trace's `error` says why it did not come so far."""
        self.machine.hook_add(UC_HOOK_CODE, self.step)
        try:
            self.machine.emu_start(BASE + self.function.start, machine.END, count=MOST_INSTRUCTIONS)
            if not self.trace.error and self.get("rip") != machine.END:
                self.trace.error = f"no end after {MOST_INSTRUCTIONS} instructions"
        except UcError as error:
            if self.image.instruction(self.at).mnemonic in ("div", "idiv"):
                self.trace.error = f"{DIVIDES} at {self.at:#x}"
            self.trace.error = self.trace.error or f"{error} at {self.at:#x}"
        return self.trace

    def step(self, _machine: Any, address: int, size: int, _: object) -> None:
        """Before each instruction: do the calls, the AVX instructions and the jumps out of here."""
        if address == machine.END:
            return
        if address == self.returns:
            self.returns = None
        if self.returns is None:
            self.at = address - BASE
        instruction = self.image.instruction(address - BASE)
        following = address + instruction.size
        if instruction.bytes[0] in VEX:
            if execute(self, instruction):
                self.put("rip", following)
            else:
                words = f"{instruction.mnemonic} {instruction.op_str} at {address - BASE:#x}"
                self.stop(f"{words} is not known")
        elif instruction.mnemonic == "call":
            self.call(self.target(instruction), following, self.get("rsp"))
        elif instruction.mnemonic == "jmp":
            self.jump(self.target(instruction))

    def target(self, instruction: Instruction) -> int:
        """Where a call or a jump leads."""
        (operand,) = instruction.operands
        if operand.type == X86_OP_IMM:
            return BASE + int(operand.imm)
        if operand.type == X86_OP_REG:
            return self.get(instruction.reg_name(operand.reg))
        return self.word(self.address_of(instruction, operand.mem))

    def jump(self, target: int) -> None:
        """A jump that leaves a function at its end is the call of another."""
        section, rsp = self.image.section_at(target - BASE), self.get("rsp")
        named = target >= EXTERNAL or (section is not None and section.name.startswith(".plt"))
        leaves = self.returns is None and rsp == self.entry
        if named or (leaves and target - BASE not in self.function):
            self.put("rsp", rsp + 8)
            self.call(target, self.word(rsp), rsp + 8)

    def call(self, target: int, following: int, rsp: int) -> None:
        """Answer a call, or enter it where it is a kernel's stub."""
        system = self.image.system
        words = [self.get(name) for name in machine.ARGUMENTS[system]]
        words += [self.word(rsp + ON_STACK[system] + 8 * number) for number in range(4)]
        name = self.image.name_at(target if target >= EXTERNAL else target - BASE)
        role = self.role(target, name, words)
        if role == "stub":
            self.returns = following
            return
        answer = self.answer(role, name, words)
        for register in VOLATILE[system]:
            self.put(register, CLOBBERED)
        self.put("rax", answer & 2**64 - 1)
        self.put("rip", following)

    def role(self, target: int, name: str, words: list[int]) -> str:
        """What a call is, by the name of what is called, else by its arguments."""
        if machine.VIRTUAL <= target < machine.VIRTUAL + 8 * machine.SLOTS * 8:
            number, slot = divmod((target - machine.VIRTUAL) // 8, machine.SLOTS)
            return "numel" if number and slot == NUMEL_SLOT[self.image.system] else "virtual"
        for form, role in BY_NAME.items():
            if re.search(form, name):
                return role
        unnamed, inside = not self.image.names_runtime, self.returns is None
        # __cudaPopCallConfiguration(grid, block, size of shared memory, stream)
        configured = unnamed and self.pending is not None and all(map(machine.on_stack, words[:4]))
        if self.pending and inside and not configured:
            return "stub"
        if unnamed and self.popped:
            return "launch"
        if configured:
            return "configured"
        if unnamed and inside and self.configuration(words) is not None:
            return "configure"
        # Copy(place, to, place, from, size, stream), as Windows passes it
        copies = all(map(machine.on_stack, words[:3])) and words[4] in (4, 8)
        windows = self.image.system == "windows"
        return "copy" if windows and inside and copies and self.counts_now() else "other"

    def answer(self, role: str, name: str, words: list[int]) -> int:
        """What a call of this role gives back, once it has done what it does."""
        if role in ("numel", "yes", "no"):
            return {"numel": self.case.elements, "yes": 1, "no": 0}[role]
        if role == "configure":
            self.pending = self.configuration(words) or self.pending
        elif role == "configured":
            assert self.pending is not None
            sizes = [struct.pack("<3I", *size) for size in self.pending]
            for at, content in zip(words, (*sizes, bytes(8), bytes(8)), strict=False):
                self.machine.mem_write(at, content)
            self.pending, self.popped = None, True
        elif role == "launch":  # cudaLaunchKernel(stub, grid, block, ...)
            self.popped = False
            grid, block, _ = self.sizes(words[1:])
            stub = words[0] - BASE
            kernel = self.kernels.get(stub) or self.image.name_at(stub) or f"{stub:#x}"
            self.trace.launches.append(machine.Launch(kernel, grid, block, self.at))
        elif role == "end":
            self.stop(f"throws at {self.at:#x}")
        elif not ((role in ("copy", "memcpy") and self.copy(role, name, words)) or self.returns):
            return self.give_memory(role, words)
        return 0

    def give_memory(self, role: str, words: list[int]) -> int:
        """What any other call gives back."""
        if role == "allocate":  # what it gives lies where its first argument points
            piece = self.fresh()
            self.machine.mem_write(piece + 8, self.fresh().to_bytes(8, "little"))
            self.machine.mem_write(words[0], piece.to_bytes(8, "little"))
            return words[0]
        copied = self.trace.copied
        for word in words if copied else ():  # pointers to the copied bytes leave the function
            if copied and copied.to <= word < copied.to + 8:
                self.note("pass", word, 1)
        self.trace.calls.append((self.at, role))
        return self.fresh()

    def fresh(self) -> int:
        """Memory that nothing else has: an object."""
        self.heap += machine.PIECE
        if self.heap >= machine.HEAP + machine.HEAP_SIZE:
            self.stop(f"no end of calls at {self.at:#x}")
            return 0
        self.machine.mem_write(
            self.heap, self.members(machine.OBJECTS + 7 * machine.OBJECT, is_tensor=True)
        )
        return self.heap

    def sizes(self, words: list[int]) -> tuple[machine.Size, machine.Size, int]:
        """Grid and block, of three numbers each, and the word after: Windows passes addresses."""
        if self.image.system == "windows":
            told = b"".join(bytes(self.machine.mem_read(word, 12)) for word in words[:2])
            numbers = struct.unpack("<6I", told)
            return numbers[:3], numbers[3:], words[2]
        numbers = struct.unpack("<8I", struct.pack("<4Q", *words[:4]))
        return numbers[:3], numbers[4:7], words[4]

    def configuration(self, words: list[int]) -> tuple[machine.Size, machine.Size] | None:
        """Grid and block of `__cudaPushCallConfiguration`; None where the arguments are others."""
        if self.image.system == "windows" and not all(map(machine.on_stack, words[:2])):
            return None
        grid, block, shared = self.sizes(words)
        fits = grid[1:] == (1, 1) and block[1:] == (1, 1) and 0 < block[0] <= 1024
        return (grid, block) if fits and shared < 1 << 20 else None

    def counts_now(self) -> bool:
        """Whether the count is due: a kernel was launched, and nothing copied since."""
        return bool(self.trace.launches) and self.trace.copied is None

    def copy(self, role: str, name: str, words: list[int]) -> bool:
        """Write the count, where a call copies to the stack after a launch; False: it does not."""
        at, size_at = (0, 2) if role == "memcpy" else (1, 4)
        if role == "copy" and self.image.system == "linux" and "CopyERK" not in name:
            known = (which for form, which in PLACES_BY_VALUE.items() if re.search(form, name))
            at, size_at = next(known, (2, 6))
        to, size = words[at], words[size_at]
        to_host = machine.on_stack(to) or (
            bool(re.search(r"4CopyIN\w*?8CPUPlaceE", name)) and machine.on_heap(to)
        )
        if not (self.counts_now() and to_host and 0 < size <= 64):
            return False
        self.trace.copied = machine.Copied(self.at, to, size, len(self.trace.accesses))
        selected, high = min(self.case.elements, SELECTED), self.case.high
        content = struct.pack("<II", selected, high or 0)
        self.machine.mem_write(to, content[: 4 if high is None else min(size, 8)])
        return True
