"""What a run of a host function has: memory, registers, and an account of what it did."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import unicorn
from unicorn import x86_const

from paddlecompat.environments.wheel_code.x86.image import BASE, PAGE, Function, Image

STACK, STACK_SIZE = 0x7F00_0000_0000, 0x20_0000
OBJECTS, OBJECT, OBJECTS_SIZE = 0x6000_0000_0000, 0x1000, 0x10_0000
TABLES = OBJECTS + 0x8_0000  # of virtual functions
VIRTUAL, SLOTS = 0x6100_0000_0000, 64
HEAP, HEAP_SIZE, PIECE = 0x6200_0000_0000, 0x20_0000, 0x200
THREAD = 0x6300_0000_0000
MEMBERS, DTYPE_AT = 31, 3  # of a tensor of 2.2
DTYPES = {"bool": 0, "int32": 2, "int64": 3, "float32": 5, "float64": 6}  # as 2.2 numbers them
END = 0x6400_0000_0000
ARGUMENTS = {
    "windows": ("rcx", "rdx", "r8", "r9"),
    "linux": ("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
}

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Case:
    """What a run is given."""

    elements: int
    high: int | None = 0
    """What the upper four of eight copied bytes become; None: they are not written at all."""
    older: str = ""
    """The dtype of a function of 2.2, whose objects are looked into; '' of a newer one."""


@dataclass(frozen=True)
class Launch:
    """A kernel that was launched, and how."""

    kernel: str
    grid: Size
    block: Size
    at: int


@dataclass(frozen=True)
class Copied:
    """The copy of the count: where to on the stack, how many bytes, after how many accesses."""

    at: int
    to: int
    size: int
    after: int


@dataclass(frozen=True)
class Access:
    """What an instruction does with the stack: 'read', 'write' or 'pass' (its address)."""

    kind: str
    at: int
    address: int
    size: int


@dataclass
class Trace:
    """What a run did."""

    launches: list[Launch] = field(default_factory=list)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    copied: Copied | None = None
    error: str = ""


class Machine:
    """A run's memory and registers, and what it did."""

    def __init__(
        self, image: Image, function: Function, kernels: Mapping[int, str], case: Case
    ) -> None:
        self.image, self.function, self.kernels, self.case = image, function, kernels, case
        self.trace = Trace()
        self.at, self.heap = 0, HEAP
        self.pending: tuple[Size, Size] | None = None
        """Grid and block of the launch that is being prepared."""
        self.popped = False
        self.returns: int | None = None
        """Where a stub that is run returns to; None: the function's own code runs."""
        self.machine: Any = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self.mapped: set[int] = set()
        self.prepare()

    def prepare(self) -> None:
        """Lay out memory: a stack, objects whose virtual functions are all known, a heap."""
        for start, size in ((STACK, STACK_SIZE), (OBJECTS, OBJECTS_SIZE), (HEAP, HEAP_SIZE),
                            (THREAD, PAGE), (END, PAGE)):  # fmt: skip
            self.machine.mem_map(start, size)
        for number in range(8):
            table = TABLES + OBJECT * number
            self.machine.mem_write(OBJECTS + OBJECT * number, self.members(table))
            slots = [VIRTUAL + 8 * (SLOTS * number + slot) for slot in range(SLOTS)]
            self.machine.mem_write(table, struct.pack(f"<{SLOTS}Q", *slots))
        self.machine.hook_add(unicorn.UC_HOOK_MEM_INVALID, self.map_page)
        both = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
        for start, size in ((STACK, STACK_SIZE), (HEAP, HEAP_SIZE)):
            self.machine.hook_add(both, self.access, begin=start, end=start + size)
        self.entry = STACK + STACK_SIZE - 0x1_0008
        self.machine.mem_write(self.entry, END.to_bytes(8, "little"))
        for name, value in (("rsp", self.entry), ("fs_base", THREAD), ("gs_base", THREAD)):
            self.put(name, value)
        for number, name in enumerate(ARGUMENTS[self.image.system]):
            self.put(name, OBJECTS + OBJECT * number)
        if self.image.system == "windows":
            self.machine.mem_write(self.entry + 40, (OBJECTS + OBJECT * 4).to_bytes(8, "little"))

    def members(self, first: int, is_tensor: bool = False) -> bytes:
        """What an object consists of: a pointer; in 2.2 also pointers to another, and a dtype."""
        members = [first]
        if self.case.older:
            members += [OBJECTS + 7 * OBJECT] * MEMBERS
        if self.case.older and is_tensor:
            members[DTYPE_AT] = DTYPES.get(self.case.older, DTYPES["int32"])
        return struct.pack(f"<{len(members)}Q", *members)

    def get(self, name: str) -> int:
        return int(self.machine.reg_read(register(name)))

    def put(self, name: str, value: int) -> None:
        self.machine.reg_write(register(name), value)

    def read(self, address: int, size: int) -> bytes:
        """The bytes there, also where nothing asked for that page before."""
        if BASE <= address < BASE + (1 << 32):
            self.map_page(self.machine, 0, address, size)
        return bytes(self.machine.mem_read(address, size))

    def address_of(self, instruction: Any, memory: Any) -> int:
        """Where an operand in memory lies."""
        address = memory.disp
        for part, scale in ((memory.base, 1), (memory.index, memory.scale)):
            if part:
                name = instruction.reg_name(part)
                beyond = instruction.size if name == "rip" else 0
                address += scale * self.get(name) + beyond
        return int(address & 2**64 - 1)

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")

    def map_page(self, machine: Any, kind: int, address: int, size: int, *_: object) -> bool:
        """Bring a page of the image into memory, when something asks for it."""
        if not BASE <= address < BASE + (1 << 32):
            self.trace.error = f"touches {address:#x} at {self.at:#x}"
            return False
        for page in {address & -PAGE, (address + size - 1) & -PAGE} - self.mapped:
            self.mapped.add(page)
            machine.mem_map(page, PAGE)
            machine.mem_write(page, self.image.page(page - BASE))
        return True

    def note(self, kind: str, address: int, size: int) -> None:
        """Take down an access of the function's own to the stack."""
        if self.returns is None and (on_stack(address) or on_heap(address)):
            self.trace.accesses.append(Access(kind, self.at, address, size))

    def access(self, machine: Any, kind: int, address: int, size: int, *_: object) -> None:
        self.note("write" if kind == unicorn.UC_MEM_WRITE else "read", address, size)

    def stop(self, error: str) -> None:
        self.trace.error = self.trace.error or error
        self.machine.emu_stop()


def on_stack(value: int) -> bool:
    return STACK <= value < STACK + STACK_SIZE


def on_heap(value: int) -> bool:
    return HEAP <= value < HEAP + HEAP_SIZE


def register(name: str) -> int:
    """The emulator's number of a register."""
    return int(getattr(x86_const, f"UC_X86_REG_{name.upper()}"))
