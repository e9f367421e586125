"""What a host function does with the bytes that its copy of the count writes: the answer of it.

The reported defect: eight bytes are copied into a count of four, and the four too many fall on
whatever the compiler put behind it, the launch grid at worst.
"""

from __future__ import annotations

from collections.abc import Mapping

from paddlecompat.environments.wheel_code.kernels import Kernel
from paddlecompat.environments.wheel_code.x86.emulator import DIVIDES, Run
from paddlecompat.environments.wheel_code.x86.image import Function, Image
from paddlecompat.environments.wheel_code.x86.machine import Access, Case, Copied, Trace
from paddlecompat.records.build_answers.wheel_answer import FunctionAnswer, Step
from paddlecompat.records.subject import Answer

ELEMENTS = (0, 1, 1024, 1025, 3000, 262_144, 300_000, 2**31 - 1, 2**31)
USUAL = 3000
ASKED_THRICE = (USUAL, 300_000, 2**31)
"""Of these, the numbers that each upper half is tried with."""
HIGHS = (0, None, 0x5A5A_5A5A)
"""What the upper half of the copied bytes becomes; None: it is not written."""
CASES = [(n, high) for n in ELEMENTS for high in (HIGHS if n in ASKED_THRICE else (0,))]
COUNT = 8  # the most bytes that a count has
DOES = {"read": "reads beyond the count", "pass": "passes an address beyond the count"}
Traces = Mapping[tuple[int, int | None], Trace]
"""Of one function, by the number of elements and the upper half."""


def answer_of(
    image: Image, kernels: Mapping[int, str], kernel: Kernel, function: Function
) -> FunctionAnswer:
    """The answer of the host function that launches a kernel."""
    older = kernel.dtype if kernel.short != kernel.DESIGN else ""
    traces = {
        (elements, high): Run(image, function, kernels, Case(elements, high, older)).run()
        for elements, high in CASES
    }
    usual = traces[USUAL, 0]
    copied = usual.copied
    width = width_of(usual, copied) if copied else None
    answer, reason, steps = judge(image, function, traces, kernel.short)
    launched = any(launch.kernel == kernel.short for launch in usual.launches)
    if older and launched and image.system == "linux" and not (copied or usual.error):
        answer, reason = "absent", "it copies no count: what is selected is counted before it"
    if older and answer == "not read":
        reason = f"another design than that of 2.3 ({kernel.short}): {reason}"[:400]
    return FunctionAnswer.model_validate(
        {
            "function": kernel.function,
            "dtype": kernel.dtype,
            "address": hex(function.start),
            "copied": copied.size if copied else None,
            "count": width,
            "steps": steps,
            "kernels": [launch.kernel for launch in usual.launches],
            "grids": {n: [x.grid[0] for x in traces[n, 0].launches] for n in ELEMENTS},
            "answer": answer,
            "reason": reason,
        }
    )


def judge(
    image: Image, function: Function, traces: Traces, selecting: str
) -> tuple[Answer, str, list[Step]]:
    """The answer, why, and the instructions that show it."""
    for (elements, _), trace in traces.items():
        # Its own end for no elements: 2.2 divides by their number.
        if trace.error and not (elements == 0 and trace.error.startswith(DIVIDES)):
            return "not read", f"with {elements:,} elements: {trace.error}"[:400], []
    usual = traces[USUAL, 0]
    copied = usual.copied
    if copied is None:
        return "not read", "no copy of a count to the stack was seen", []
    width = width_of(usual, copied)
    if width is None:
        return "not read", "nothing reads the count where it was copied to", []
    gives = [
        instruction.address
        for instruction in image.instructions(Function(function.start, copied.at))
        if any(each.type == 2 and each.imm == copied.size for each in instruction.operands)
        and instruction.mnemonic in ("mov", "push")
    ]
    steps = [step(image, at, "gives the size") for at in gives[-1:]]
    steps.append(step(image, copied.at, "copies the count"))
    reads = (access for access in after(usual, copied) if reads_count(access, copied))
    steps += [step(image, access.at, "reads the count") for access in reads]
    answer, reason, found = beyond(image, usual, copied, width)
    shows = wrong_grids(traces, selecting) or differences(traces, width)
    if shows or answer != "absent":
        reason = f"{copied.size} bytes are copied into a count of {width}: {shows or reason}"
    return "live" if shows else answer, reason, [*steps, *found]


def beyond(
    image: Image, trace: Trace, copied: Copied, width: int
) -> tuple[Answer, str, list[Step]]:
    """What becomes of the bytes past the count, in the order of what touches them."""
    if copied.size <= width:
        return "absent", "as many bytes are copied as the count has", []
    left = set(range(width, copied.size))
    steps: list[Step] = []
    for access in after(trace, copied):
        first = access.address - copied.to
        bytes_of = set(range(first, first + access.size))
        if access.kind == "pass" and first == 0:
            return "not read", f"the count's address is passed on at {access.at:#x}", steps
        if bytes_of & left:
            does = DOES.get(access.kind, "writes beyond the count")
            steps.append(step(image, access.at, does))
            if access.kind in DOES:
                return "live", f"{does.partition(' ')[0]} them at {access.at:#x}", steps
        if access.kind == "write":
            left -= bytes_of
    if steps and not left:
        return "dormant", f"they are rewritten at {steps[-1].address} before any read", steps
    return "dormant", "nothing reads them", steps


def step(image: Image, address: int, does: str) -> Step:
    found = image.instruction(address)
    text = f"{found.mnemonic} {found.op_str}".strip()
    return Step.model_validate({"address": hex(address), "text": text, "does": does})


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


def wrong_grids(traces: Traces, selecting: str) -> str:
    """Where the kernel that selects gets another grid than that which counted; '' where nowhere."""
    for (elements, high), trace in traces.items():
        counted = trace.launches[0].grid[0] if trace.launches else 0
        for launch in trace.launches:
            if launch.kernel == selecting and launch.grid[0] != counted:
                with_high = " with the upper half set" if high else ""
                becomes = f"the grid becomes {launch.grid[0]}, not {counted}"
                return f"of {elements:,} elements{with_high} {becomes}"
    return ""


def differences(traces: Traces, width: int) -> str:
    """Where bytes past a count of so many change what is called or launched; '' where nowhere."""
    if width == COUNT:
        return ""
    for elements in ASKED_THRICE:
        seen = [(traces[elements, high].launches, traces[elements, high].calls) for high in HIGHS]
        if any(one != seen[0] for one in seen):
            return f"with {elements:,} elements the upper half changes what is done"
    return ""
