"""What a host function does with the bytes that its copy of the count writes: the answer of it.

The reported defect: eight bytes are copied into a count of four, and the four too many fall on
whatever the compiler put behind it, the launch grid at worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from paddlecompat.environments.wheel_code.kernels import Kernel
from paddlecompat.environments.wheel_code.x86.emulator import DIVIDES, Run
from paddlecompat.environments.wheel_code.x86.image import Function, Image
from paddlecompat.environments.wheel_code.x86.machine import Access, Case, Copied, Known, Trace
from paddlecompat.records.subject import Answer
from paddlecompat.records.wheel_answer import FunctionAnswer, Step

ELEMENTS = (0, 1, 1024, 1025, 3000, 262_144, 300_000, 2**31 - 1, 2**31)
USUAL = 3000
ASKED_THRICE = (USUAL, 300_000, 2**31)
"""Of these, the numbers that each upper half is tried with."""
SELECTED = 700
HIGH_HALF = 0x5A5A_5A5A
HIGHS = (0, None, HIGH_HALF)
"""What the upper half of the copied bytes becomes; None: it is not written."""
COUNT = 8  # the most bytes that a count has
DOES = {"read": "reads beyond the count", "pass": "passes an address beyond the count"}


@dataclass
class Code:
    """A library's functions, run with every case; what is decoded once is kept."""

    image: Image
    kernels: Mapping[int, str]
    known: Known = field(default_factory=Known)

    def trace(self, function: Function, elements: int, high: int | None, older: str = "") -> Trace:
        case = Case(elements, min(elements, SELECTED), high)
        return Run(self.image, function, self.kernels, case, self.known, older).run()

    def answer(self, kernel: Kernel, function: Function) -> FunctionAnswer:
        """The answer of the host function that launches a kernel."""
        cases = [(n, high) for n in ELEMENTS for high in (HIGHS if n in ASKED_THRICE else (0,))]
        older = kernel.dtype if kernel.short != kernel.DESIGN else ""
        traces = {case: self.trace(function, *case, older=older) for case in cases}
        usual = traces[USUAL, 0]
        answer, reason, steps = self.judge(function, traces, kernel.short)
        if older and self.counts_elsewhere(usual, kernel):
            answer, reason = "absent", "it copies no count: what is selected is counted before it"
        copied = usual.copied
        if answer == "not read" and older:
            reason = f"another design than that of 2.3 ({kernel.short}): {reason}"[:400]
        return FunctionAnswer.model_validate(
            {
                "function": kernel.function,
                "dtype": kernel.dtype,
                "address": hex(function.start),
                "copied": copied.size if copied else None,
                "count": width_of(usual, copied) if copied else None,
                "steps": steps,
                "kernels": [launch.kernel for launch in usual.launches],
                "grids": {n: [x.grid[0] for x in traces[n, 0].launches] for n in ELEMENTS},
                "answer": answer,
                "reason": reason,
            }
        )

    def counts_elsewhere(self, trace: Trace, kernel: Kernel) -> bool:
        """Whether a function of 2.2 came to its launch, and copied nothing that has a name."""
        launched = any(launch.kernel == kernel.short for launch in trace.launches)
        named = self.image.system == "linux"
        return named and launched and trace.copied is None and not trace.error

    def judge(
        self, function: Function, traces: Mapping[tuple[int, int | None], Trace], selecting: str
    ) -> tuple[Answer, str, list[Step]]:
        """The answer, why, and the instructions that show it."""
        for (elements, _), trace in traces.items():
            if elements == 0 and trace.error.startswith(DIVIDES):
                continue  # the function's own end: 2.2 divides by the number of elements
            if trace.error:
                return "not read", f"with {elements:,} elements: {trace.error}"[:400], []
        usual = traces[USUAL, 0]
        copied = usual.copied
        if copied is None:
            return "not read", "no copy of a count to the stack was seen", []
        width = width_of(usual, copied)
        if width is None:
            return "not read", "nothing reads the count where it was copied to", []
        steps = [*self.copy_steps(function, copied)]
        touching = after(usual, copied)
        steps += [self.step(a, "reads the count") for a in touching if reads_count(a, copied)]
        beyond = f"{copied.size} bytes are copied into a count of {width}"
        answer, reason, found = self.beyond(touching, copied, width)
        shows = wrong_grids(traces, selecting) or differences(traces, width)
        if shows or answer == "live":
            return "live", f"{beyond}: {shows or reason}", [*steps, *found]
        return answer, reason if answer == "absent" else f"{beyond}: {reason}", [*steps, *found]

    def beyond(
        self, touching: list[Access], copied: Copied, width: int
    ) -> tuple[Answer, str, list[Step]]:
        """What becomes of the bytes past the count, in the order of what touches them."""
        if copied.size <= width:
            return "absent", "as many bytes are copied as the count has", []
        left = set(range(width, copied.size))
        steps: list[Step] = []
        for access in touching:
            first = access.address - copied.to
            bytes_of = set(range(first, first + access.size))
            if access.kind == "pass" and first == 0:
                return "not read", f"the count's address is passed on at {access.at:#x}", steps
            if access.kind == "write":
                steps += [self.step(access, "writes beyond the count")] if bytes_of & left else []
                left -= bytes_of
            elif bytes_of & left:
                step = self.step(access, DOES[access.kind])
                return (
                    "live",
                    f"{step.does.partition(' ')[0]} them at {access.at:#x}",
                    [*steps, step],
                )
        if steps and not left:
            return "dormant", f"they are rewritten at {steps[-1].address} before any read", steps
        return "dormant", "nothing reads them", steps

    def step(self, access: Access, does: str) -> Step:
        return self.step_at(access.at, does)

    def step_at(self, address: int, does: str) -> Step:
        found = self.image.instruction(address)
        text = f"{found.mnemonic} {found.op_str}".strip()
        return Step.model_validate({"address": hex(address), "text": text, "does": does})

    def copy_steps(self, function: Function, copied: Copied) -> list[Step]:
        """What gives the copy its size, as far as a constant does, and the copy."""
        sizes = [
            instruction.address
            for instruction in self.image.instructions(Function(function.start, copied.at))
            if any(
                operand.type == 2 and operand.imm == copied.size for operand in instruction.operands
            )
            and instruction.mnemonic in ("mov", "push")
        ]
        found = [self.step_at(address, "gives the size") for address in sizes[-1:]]
        return [*found, self.step_at(copied.at, "copies the count")]


def after(trace: Trace, copied: Copied) -> list[Access]:
    """What touches the eight bytes at the count after the copy, in its order."""
    start, end = copied.to, copied.to + COUNT
    later = trace.accesses[copied.after :]
    return [a for a in later if a.address < end and a.address + a.size > start]


def reads_count(access: Access, copied: Copied) -> bool:
    return access.kind == "read" and access.address == copied.to


def width_of(trace: Trace, copied: Copied) -> int | None:
    """How many bytes the count is read as, by the narrowest read of it; None: nothing reads it."""
    sizes: list[int] = []
    for access in after(trace, copied):
        if access.kind == "write" and access.address <= copied.to:
            break
        if reads_count(access, copied):
            sizes.append(access.size)
    return min(sizes, default=None)


def wrong_grids(traces: Mapping[tuple[int, int | None], Trace], selecting: str) -> str:
    """Where the kernel that selects gets another grid than that which counted; '' where nowhere."""
    for (elements, high), trace in traces.items():
        counted = trace.launches[0].grid[0] if trace.launches else 0
        for launch in trace.launches:
            if launch.kernel == selecting and launch.grid[0] != counted:
                with_high = " with the upper half set" if high else ""
                becomes = f"the grid becomes {launch.grid[0]}, not {counted}"
                return f"of {elements:,} elements{with_high} {becomes}"
    return ""


def differences(traces: Mapping[tuple[int, int | None], Trace], width: int) -> str:
    """Where bytes past a count of so many change what is called or launched; '' where nowhere."""
    if width == COUNT:
        return ""
    for elements in ASKED_THRICE:
        seen = [(traces[elements, high].launches, traces[elements, high].calls) for high in HIGHS]
        if any(one != seen[0] for one in seen):
            return f"with {elements:,} elements the upper half changes what is done"
    return ""
