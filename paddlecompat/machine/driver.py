"""Run in a process of its own: what NVIDIA's driver says of the first visible device, as JSON.

It is asked through NVML, without CUDA and without Paddle: that needs no context on the device.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pynvml

GIB = 2**30


def look(nvml: Any = pynvml, visible: str | None = None, needed: float = 0) -> dict[str, Any]:
    """The fields of a `records.subject.Device`, or `problem` in words, and its `reason`.

    `visible` is CUDA_VISIBLE_DEVICES: its first device counts, or the machine's where it is None.
    `needed` are GiB that have to be free: others may hold what the card has in all.
    """
    try:
        nvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return {"problem": "no NVIDIA driver (its library NVML is not on this machine)"}
    except pynvml.NVMLError_DriverNotLoaded:
        return {"problem": "the NVIDIA driver is installed, but not loaded"}
    except pynvml.NVMLError as error:
        return {"problem": f"the NVIDIA driver says: {error}"}
    first = ("0" if visible is None else visible).split(",")[0].strip()
    if first in ("", "-1", "NoDevFiles"):
        return {"problem": "CUDA_VISIBLE_DEVICES hides every device"}
    if not nvml.nvmlDeviceGetCount():
        return {"problem": "the NVIDIA driver is there, but no device"}
    try:
        handle = handle_of(nvml, first)
        found, memory = describe(nvml, handle), nvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError as error:
        named = "" if visible is None else f"CUDA_VISIBLE_DEVICES={visible}: "
        return {"problem": f"{named}the NVIDIA driver says: {error}"}
    if needed and memory.free < needed * GIB:
        has = f"{found['name']} has {memory.free / GIB:.1f} of {found['memory_gib']} GiB free"
        way = "end the programs that `nvidia-smi` lists"
        problem = f"{has}, of {needed:g} GiB needed: {way}"
        return {"problem": problem, "reason": "too little device memory"}
    return found


def handle_of(nvml: Any, name: str) -> Any:
    """The handle of a device by its number, by its UUID, or by the beginning of one."""
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
    by_uuid = (h for h in handles if nvml.nvmlDeviceGetUUID(h).startswith(name))
    return next(by_uuid, None) or nvml.nvmlDeviceGetHandleByUUID(name)


def describe(nvml: Any, handle: Any) -> dict[str, Any]:
    try:  # of a part of a device (MIG), the device that it belongs to
        whole = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
    except pynvml.NVMLError:
        whole = handle
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(whole)
    served = nvml.nvmlSystemGetCudaDriverVersion_v2()
    return {
        "name": nvml.nvmlDeviceGetName(handle),
        "capability": f"{major}.{minor}",
        "memory_gib": round(nvml.nvmlDeviceGetMemoryInfo(handle).total / GIB, 1),
        "driver": nvml.nvmlSystemGetDriverVersion(),
        "driver_cuda": f"{served // 1000}.{served % 1000 // 10}",
    }


if __name__ == "__main__":
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    print(json.dumps(look(visible=visible, needed=float(sys.argv[1]))))
