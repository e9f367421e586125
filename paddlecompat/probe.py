"""Can the build use the device? Asked in a child process, which may die of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from paddlecompat.host import Ended, run_checked
from paddlecompat.records import Device, MeasuredBuild, NotRun, Reason
from paddlecompat.releases import ROOT

DEVICE_CHECK = ROOT / "tests" / "properties" / "check_device.py"
REASONS: dict[Reason, str] = {  # what the child's last words mean
    "no CUDA libraries": r"cannot open shared object|[Cc]annot load \w+ shared library|"
    r"third-party dynamic library|error code is 126|Could not locate \S+\.dll",
    "driver too old": r"CUDA error\((35|803)\)|driver version is insufficient|"
    r"unsupported (toolchain|PTX)|forward compatibility|display driver",
    "device not supported by the build": r"no kernel image|CUDA error\((209|8)\)|"
    r"invalid device function|not compiled with|ARCH_MISMATCH",
    "device in use": r"busy or unavailable|CUDA error\(46\)|exclusive",
    "too little device memory": r"[Oo]ut of memory|ResourceExhausted|ALLOC_FAILED",
}
ZLIB = (
    "; cuDNN 8 on Windows needs zlibwapi.dll: put it into a folder of PATH, as NVIDIA's guide to "
    "installing cuDNN tells"
)


def tried(
    python: Path,
    build: MeasuredBuild,
    device: Device,
    settings: Mapping[str, str],
    stand_in: str | None = None,
) -> dict[str, str] | NotRun:
    """The versions of the CUDA libraries that a first calculation loaded, or why it failed."""
    command = [str(python), str(DEVICE_CHECK), *([stand_in] if stand_in else [])]
    ended = run_checked(command, settings)
    if ended.problem is None:
        versions: dict[str, str] = json.loads(ended.said)
        return versions
    reason, words = meaning_of(ended)
    made = f"build {build.distribution} {build.version} (CUDA {build.cuda or 'none'})"
    on = f"{device.name}, compute capability {device.capability}, driver {device.driver}"
    return NotRun(reason=reason, detail=f"{on}; {made}: {words}")


def meaning_of(ended: Ended) -> tuple[Reason, str]:
    """The reason, and the last line of the complaint that gives one.

    A release that ends its process without a word that is known refuses the device.
    """
    for line in reversed(ended.complaint.splitlines()):
        for reason, words in REASONS.items():
            if re.search(words, line):
                return reason, line.strip() + (ZLIB if "zlibwapi" in line else "")
    return "device refused", str(ended.problem)
