"""Run in a process of its own: what NVIDIA's driver says of the first visible device, as JSON.

It is asked through NVML, without CUDA and without Paddle: that needs no context on the device.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pynvml

HIDDEN = ("", "-1", "NoDevFiles")


def main() -> None:
    print(json.dumps(look()))


def look() -> dict[str, Any]:
    """The fields of a `records.Device`, or `problem` in words."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return {"problem": "no NVIDIA driver (its library NVML is not on this machine)"}
    except pynvml.NVMLError_DriverNotLoaded:
        return {"problem": "the NVIDIA driver is installed, but not loaded"}
    except pynvml.NVMLError as error:
        return {"problem": f"the NVIDIA driver says: {error}"}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.split(",")[0].strip() in HIDDEN:
        return {"problem": "CUDA_VISIBLE_DEVICES hides every device"}
    if not pynvml.nvmlDeviceGetCount():
        return {"problem": "the NVIDIA driver is there, but no device"}
    try:
        return described(first(visible))
    except pynvml.NVMLError as error:
        named = "" if visible is None else f"CUDA_VISIBLE_DEVICES={visible}: "
        return {"problem": f"{named}the NVIDIA driver says: {error}"}


def first(visible: str | None) -> Any:
    """The handle of the first device of CUDA_VISIBLE_DEVICES.

    That names it by its number, or by its UUID or the beginning of one.
    """
    wanted = (visible or "0").split(",")[0].strip()
    if wanted.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(wanted))
    handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
    by_uuid = (h for h in handles if pynvml.nvmlDeviceGetUUID(h).startswith(wanted))
    return next(by_uuid, None) or pynvml.nvmlDeviceGetHandleByUUID(wanted)


def described(handle: Any) -> dict[str, Any]:
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(whole(handle))
    served = pynvml.nvmlSystemGetCudaDriverVersion_v2()
    return {
        "name": pynvml.nvmlDeviceGetName(handle),
        "capability": f"{major}.{minor}",
        "memory_gib": round(pynvml.nvmlDeviceGetMemoryInfo(handle).total / 2**30, 1),
        "driver": pynvml.nvmlSystemGetDriverVersion(),
        "driver_cuda": f"{served // 1000}.{served % 1000 // 10}",
    }


def whole(handle: Any) -> Any:
    """The device that a part of it (MIG) belongs to; any other is whole."""
    try:
        return pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
    except pynvml.NVMLError:
        return handle


if __name__ == "__main__":
    main()
