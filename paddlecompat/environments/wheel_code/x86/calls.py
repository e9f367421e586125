"""What a host function calls: told by its name or its arguments, and answered.

Nothing is executed but the stubs that launch kernels. CUDA's runtime is not there: what tells its
calls are their names on Linux, and their arguments where there is no name.
"""

from __future__ import annotations

import re
import struct

from paddlecompat.environments.wheel_code.x86.image import BASE
from paddlecompat.environments.wheel_code.x86.machine import (
    ARGUMENTS,
    HEAP,
    HEAP_SIZE,
    OBJECT,
    OBJECTS,
    PIECE,
    SLOTS,
    VIRTUAL,
    Copied,
    Launch,
    Machine,
    on_stack,
)

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
WORDS_OF_PLACES = {r"3phi\d+\w*Place": (2, 2), r"platform8CPUPlaceE.*9CUDAPlace": (0, 1)}
"""Of arguments that are Paddle's places: how many words each of the two of a copy takes."""


class Calls(Machine):
    """A run that answers calls."""

    def call(self, target: int, following: int, rsp: int) -> None:
        """Answer a call, or enter it where it is a kernel's stub."""
        system = self.image.system
        words = [self.get(name) for name in ARGUMENTS[system]]
        words += [self.word(rsp + ON_STACK[system] + 8 * number) for number in range(4)]
        role = self.role(target, words)
        if role == "stub":
            self.depth = 1
            self.returns.append(following)
            return
        answer = self.answer(role, target, words)
        for name in VOLATILE[system]:
            self.put(name, CLOBBERED)
        self.put("rax", answer & 2**64 - 1)
        self.put("rip", following)

    def role(self, target: int, words: list[int]) -> str:
        """What a call is, by the name of what is called, else by its arguments."""
        if VIRTUAL <= target < VIRTUAL + 8 * SLOTS * 8:
            number, slot = divmod((target - VIRTUAL) // 8, SLOTS)
            return "numel" if number and slot == NUMEL_SLOT[self.image.system] else "virtual"
        name = self.name(target)
        for form, role in BY_NAME.items():
            if re.search(form, name):
                return role
        if self.pending and self.depth == 0 and not self.looks_configured(words):
            return "stub"
        if self.image.names_runtime:
            return "other"
        if self.popped:
            return "launch"
        if self.looks_configured(words):
            return "configured"
        if self.depth == 0 and self.dimensions(words) is not None:
            return "configure"
        return "copy" if self.depth == 0 and self.looks_like_copy(words) else "other"

    def looks_configured(self, words: list[int]) -> bool:
        """__cudaPopCallConfiguration(grid, block, size of shared memory, stream)."""
        return (
            not self.image.names_runtime
            and self.pending is not None
            and all(map(on_stack, words[:4]))
        )

    def answer(self, role: str, target: int, words: list[int]) -> int:
        """What a call of this role gives back, once it has done what it does."""
        if role in ("numel", "yes", "no"):
            return {"numel": self.case.elements, "yes": 1, "no": 0}[role]
        if role == "configure":
            self.pending = self.dimensions(words) or self.pending
            return 0
        if role == "configured":
            assert self.pending is not None
            self.give_dimensions(words)
            self.pending, self.popped = None, True
            return 0
        if role == "launch":
            self.launch(words)
            return 0
        if role in ("copy", "memcpy") and self.copy(role, target, words):
            return 0
        if role == "end":
            self.stop(f"throws at {self.at:#x}")
            return 0
        if self.depth:
            return 0
        if role == "allocate":  # what it gives lies where its first argument points
            piece = self.fresh()
            self.machine.mem_write(piece + 8, self.fresh().to_bytes(8, "little"))
            self.machine.mem_write(words[0], piece.to_bytes(8, "little"))
            return words[0]
        self.look_for_passing(words)
        self.trace.calls.append((self.at, role))
        return self.fresh()

    def fresh(self) -> int:
        """Memory that nothing else has: an object."""
        self.heap += PIECE
        if self.heap >= HEAP + HEAP_SIZE:
            self.stop(f"no end of calls at {self.at:#x}")
            return 0
        self.machine.mem_write(self.heap, self.members(OBJECTS + 7 * OBJECT, is_tensor=True))
        return self.heap

    def dimensions(
        self, words: list[int]
    ) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
        """Grid and block of `__cudaPushCallConfiguration`; None where the arguments are others."""
        if self.image.system == "windows":
            if not (on_stack(words[0]) and on_stack(words[1])):
                return None
            grid, block, shared = self.triple(words[0]), self.triple(words[1]), words[2]
        else:
            grid = (words[0] & 2**32 - 1, words[0] >> 32, words[1] & 2**32 - 1)
            block = (words[2] & 2**32 - 1, words[2] >> 32, words[3] & 2**32 - 1)
            shared = words[4]
        fits = grid[1:] == (1, 1) and block[1:] == (1, 1) and 0 < block[0] <= 1024
        return (grid, block) if fits and shared < 1 << 20 else None

    def give_dimensions(self, words: list[int]) -> None:
        """What `__cudaPopCallConfiguration` writes: grid, block, shared memory, stream."""
        grid, block = self.pending or ((0, 0, 0), (0, 0, 0))
        for at, content in zip(words, (struct.pack("<3I", *grid), struct.pack("<3I", *block),
                                       bytes(8), bytes(8)), strict=False):  # fmt: skip
            self.machine.mem_write(at, content)

    def triple(self, address: int) -> tuple[int, int, int]:
        x, y, z = struct.unpack("<3I", self.machine.mem_read(address, 12))
        return x, y, z

    def launch(self, words: list[int]) -> None:
        """Take down `cudaLaunchKernel(stub, grid, block, ...)`."""
        self.popped = False
        if self.image.system == "windows":
            grid, block = self.triple(words[1]), self.triple(words[2])
        else:
            grid = (words[1] & 2**32 - 1, words[1] >> 32, words[2] & 2**32 - 1)
            block = (words[3] & 2**32 - 1, words[3] >> 32, words[4] & 2**32 - 1)
        stub = words[0] - BASE
        name = self.kernels.get(stub) or self.image.name_at(stub) or f"{stub:#x}"
        self.trace.launches.append(Launch(name, grid, block, self.at))

    def looks_like_copy(self, words: list[int]) -> bool:
        """Copy(place, to, place, from, size, stream), as Windows passes it, after a launch."""
        if self.image.system != "windows" or self.trace.copied or not self.trace.launches:
            return False
        return all(map(on_stack, words[:3])) and words[4] in (4, 8)

    def copy(self, role: str, target: int, words: list[int]) -> bool:
        """Write the count, where a call copies to the stack after a launch; False: it does not."""
        if self.trace.copied or not self.trace.launches:
            return False
        to_cpu = False
        if role == "memcpy":
            to, size = words[0], words[2]
        elif self.image.system == "windows":
            to, size = words[1], words[4]
        else:
            name = self.name(target)
            to_cpu = re.search(r"4CopyIN\w*?8CPUPlaceE", name) is not None
            if "CopyERK" in name:
                to, size = words[1], words[4]
            else:
                first, second = next(
                    (n for form, n in WORDS_OF_PLACES.items() if re.search(form, name)), (2, 2)
                )
                to, size = words[first], words[first + 1 + second + 1]
        to_host = on_stack(to) or (to_cpu and HEAP <= to < HEAP + HEAP_SIZE)
        if not to_host or not 0 < size <= 64:
            return False
        after = len(self.trace.accesses)
        self.trace.copied = Copied(self.at, to, size, to - self.get("rsp"), after)
        high = self.case.high
        content = struct.pack("<II", self.case.selected & 2**32 - 1, high or 0)
        if high == 0:
            content = struct.pack("<Q", self.case.selected)
        self.machine.mem_write(to, content[: 4 if high is None else min(size, 8)])
        return True

    def look_for_passing(self, words: list[int]) -> None:
        """Take down pointers to the copied bytes that leave the function."""
        if self.trace.copied:
            for word in words:
                if self.trace.copied.to <= word < self.trace.copied.to + 8:
                    self.note("pass", word, 1)
