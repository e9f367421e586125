"""Run in a process of its own: what the CUDA driver says, through its own library, as JSON."""

from __future__ import annotations

import ctypes
import json
import sys

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def main() -> None:
    print(json.dumps(look()))


def look() -> dict[str, str]:
    """`problem`, or `gpu` and `driver` (the newest CUDA version that the driver serves)."""
    try:
        cuda = ctypes.CDLL(LIBRARY)
    except OSError:
        return {"problem": f"no NVIDIA driver ({LIBRARY} is not on this machine)"}
    version = ctypes.c_int()
    cuda.cuDriverGetVersion(ctypes.byref(version))
    driver = f"for CUDA {version.value // 1000}.{version.value % 1000 // 10}"
    error = cuda.cuInit(0)
    count = ctypes.c_int()
    if error or cuda.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return {"driver": driver, "problem": f"driver {driver}, cuInit error {error}"}
    name = ctypes.create_string_buffer(256)
    device = ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), 0)
    cuda.cuDeviceGetName(name, len(name), device)
    return {"driver": driver, "gpu": name.value.decode(errors="replace")}


if __name__ == "__main__":
    main()
