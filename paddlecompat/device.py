"""The device of a GPU cell, as its driver tells of it: a real one, or a stand-in for the tests.

`tests/properties/device.py` is the other half of this seam, inside the cell.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from paddlecompat import builds, cuda_libraries, host
from paddlecompat.choice import Machine
from paddlecompat.host import run_checked
from paddlecompat.records import Device, NotRun

DRIVER_CHECK = Path(__file__).with_name("check_driver.py")
STAND_INS = (
    "sound",
    "unwritten",
    "crash",
    "spoiled",
    "asserts",
    "overruns",
    "exit",
    "no-kernel-image",
    "driver-too-old",
    "too-little-memory",
    "in-use",
)
"""The faults of `tests/properties/stand_in.py`, which says what each does."""


def look(stand_in: str | None = None) -> Device | NotRun:
    """The first visible device, or why there is none."""
    if stand_in is not None:
        return standing_in(stand_in)
    ended = run_checked([sys.executable, str(DRIVER_CHECK)])
    told = {"problem": ended.problem} if ended.problem else json.loads(ended.said)
    if "problem" in told:
        return NotRun(reason="no CUDA device", detail=told["problem"])
    return Device.model_validate(told)


def machine_with(found: Device) -> Machine:
    """This machine with that device: what it can reach, and which CUDA libraries it can have."""
    system = host.system()
    return Machine(
        system,
        found.capability,
        found.driver,
        found.driver_cuda,
        indexes=frozenset({"pypi", "paddle"} if builds.reachable() else {"pypi"}),
        served=cuda_libraries.served(system) | cuda_libraries.installed(),
    )


def standing_in(fault: str) -> Device:
    """A card that every release has code for, under a driver that serves it, but for one fault."""
    old = fault == "driver-too-old"
    return Device(
        name=f"stand-in ({fault})",
        capability="7.5",
        memory_gib=2.0,
        driver="384.81" if old else "535.104.05",
        driver_cuda="9.0" if old else "12.2",
    )
