"""The device of a GPU cell, as its driver tells of it: a real one, or a stand-in for the tests.

`tests/properties/protocol/device.py` is the other half of this seam, inside the cell.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from paddlecompat.machine.processes import Ended, run_checked, run_program
from paddlecompat.records.record import MachineFailed, NotRun, Reason
from paddlecompat.records.subject import Device, MeasuredBuild

KILLED = -9  # from outside, or for want of memory: no release does that to itself
NEEDED = 1  # GiB, which the first calculation takes: `programs/probe.py`
DRIVER = Path(__file__).with_name("driver.py")
STAND_INS = (  # the faults of `tests/properties/protocol/stand_in.py`, which says what each does
    *("sound", "unwritten", "crash", "spoiled", "asserts", "overruns", "exit"),
    *("no-kernel-image", "driver-too-old", "too-little-memory", "in-use"),
)
# What the child's last words mean. An answer that is wrong is one that was never written: a launch
# failed, for want of code for the device, and the release did not notice. That Paddle warns of an
# architecture is no reason: it warns of 8.9, too, on which code for 8.6 runs.
REASONS: dict[Reason, str] = {
    "no CUDA libraries": r"cannot open shared object|[Cc]annot load \w+ shared library|"
    r"third-party dynamic library|error code is 126|Could not locate \S+\.dll",
    "driver too old": r"CUDA error\((35|803)\)|driver version is insufficient|"
    r"unsupported (toolchain|PTX)|forward compatibility|display driver",
    "device not supported by the build": r"no kernel image|NoKernelImage|"
    r"CUDA error\W{0,2}(209|98)\b|invalid device function|InvalidDeviceFunction|not compiled with|"
    r"ARCH_MISMATCH|(Unsupported|Mismatched) GPU [Aa]rchitecture|\] doubled is \[|"
    r"a convolution of ones is \[",
    "device in use": r"busy or unavailable|CUDA error\(46\)|exclusive",
    "too little device memory": r"[Oo]ut of memory|ResourceExhausted|ALLOC_FAILED",
}
ZLIB = (
    "; cuDNN 8 on Windows needs zlibwapi.dll: put it into a folder of PATH, as NVIDIA's guide to "
    "installing cuDNN tells"
)


def look(
    stand_in: str | None = None,
    ask: Callable[[list[str]], Ended] = run_checked,
    needed: float = NEEDED,
) -> Device | NotRun:
    """The first visible device, or why none can be used; `needed` are GiB of it that are free."""
    if stand_in is not None:
        return device_for(stand_in)
    ended = ask([sys.executable, str(DRIVER), str(needed)])
    answer = {"problem": ended.problem} if ended.problem else json.loads(ended.said)
    if "problem" in answer:
        reason = answer.get("reason", "no CUDA device")
        return NotRun.model_validate({"reason": reason, "detail": answer["problem"]})
    return Device.model_validate(answer)


def device_for(stand_in: str) -> Device:
    """A card that every release has code for, under a driver that serves it, but for one fault."""
    old = stand_in == "driver-too-old"
    return Device(
        name=f"stand-in ({stand_in})",
        capability="7.5",
        memory_gib=2.0,
        driver="384.81" if old else "535.104.05",
        driver_cuda="9.0" if old else "12.2",
    )


def try_device(
    python: Path,
    build: MeasuredBuild,
    device: Device,
    settings: Mapping[str, str],
    stand_in: str | None = None,
    run: Callable[..., Ended] = run_program,
) -> dict[str, str] | NotRun:
    """The CUDA libraries that a first calculation loaded, else why; MachineFailed where killed."""
    ended = run(python, "probe", ["device", *([stand_in] if stand_in else [])], settings)
    if ended.problem is None:
        return dict(json.loads(ended.said))
    if ended.status == KILLED:
        raise MachineFailed(f"the first calculation on the device: {ended.problem}")
    reason, words = reason_of(ended)
    made = f"build {build.distribution} {build.version} (CUDA {build.cuda or 'none'})"
    on = f"{device.name}, compute capability {device.capability}, driver {device.driver}"
    return NotRun(reason=reason, detail=f"{on}; {made}: {words}")


def reason_of(ended: Ended) -> tuple[Reason, str]:
    """The reason, and the last line that gives one; without such a line the device is refused."""
    for line in reversed(ended.complaint.splitlines()):
        for reason, words in REASONS.items():
            if re.search(words, line):
                return reason, line.strip() + (ZLIB if "zlibwapi" in line else "")
    return "device refused", str(ended.problem)
