"""Properties that only a GPU can violate: they run in GPU cells alone."""

from __future__ import annotations

import pytest

from properties.cases.case import Case, Options, holds, verify
from properties.cases.strategies import OFFERED_EVERYWHERE, ROWS, selections, shapes_around
from properties.protocol import device
from properties.questions import on_gpu

LARGE = (2**24 + 1, 2**28 + 1, 2**31 + 1)  # elements
# of device memory for each element: x, its mask, their pieces, what the kernel takes, a reserve
BYTES = 32

test_the_selection_is_that_of_the_cpu_bit_for_bit = holds(
    on_gpu.on_the_cpu_and_here, selections(dtypes=OFFERED_EVERYWHERE)
)
test_the_same_call_gives_the_same_answer_every_time = holds(
    on_gpu.again_and_again, selections(shapes_around(1024), OFFERED_EVERYWHERE)
)
test_two_streams_at_once_do_not_disturb_each_other = holds(
    on_gpu.on_two_streams, selections(shapes_around(1024), OFFERED_EVERYWHERE)
)
test_a_part_that_is_not_aligned_to_16_bytes_is_selected_rightly = holds(
    on_gpu.of_unaligned_parts, selections(ROWS, OFFERED_EVERYWHERE)
)
test_an_output_that_nothing_writes_holds_the_poison = holds(
    on_gpu.memory_handed_out_again, selections(shapes_around(1024), ["float64"])
)


@pytest.mark.parametrize("size", LARGE)
def test_elements_far_out_are_selected(size: int) -> None:
    needed, there = size * BYTES / 2**30, device.current.gibibytes()
    if there is None or there < needed:
        has = "which does not tell its size" if there is None else f"which has {there:.0f} GiB"
        pytest.skip(f"{size:,} elements need {needed:.0f} GiB of the device's memory, {has}")
    far_out = {"size": size, "positions": (0, size // 2, size - 1)}
    verify(Case(on_gpu.from_far_out, Options(far_out)))
