"""What the driver and a first calculation say of a device: each failure has its own words."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
import samples

from paddlecompat.machine import driver, gpus
from paddlecompat.machine.processes import Ended, run_checked
from paddlecompat.records.record import NotRun, Reason
from paddlecompat.records.subject import Device


class Nvml:
    """Stands in for the module pynvml: a driver with these devices, or with this error."""

    def __init__(self, *devices: str, error: int | None = None, memory: object = None) -> None:
        self.devices, self.error = devices, error
        self.memory = memory or SimpleNamespace(total=24 * 2**30)

    def initialize(self) -> None:
        if self.error is not None:
            raise pynvml.NVMLError(self.error)

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlInit": self.initialize,
            "nvmlDeviceGetCount": lambda: len(self.devices),
            "nvmlDeviceGetHandleByIndex": self.devices.__getitem__,
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}-0123",
            "nvmlDeviceGetHandleByUUID": self.no_such,
            "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": self.no_such,
            "nvmlDeviceGetCudaComputeCapability": lambda _: (8, 6),
            "nvmlSystemGetCudaDriverVersion_v2": lambda: 12020,
            "nvmlSystemGetDriverVersion": lambda: "535.104.05",
            "nvmlDeviceGetName": lambda handle: handle,
            "nvmlDeviceGetMemoryInfo": lambda _: self.memory,
        }
        return answers[name]

    @staticmethod
    def no_such(_: str) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)


def test_the_driver_tells_name_capability_memory_and_cuda() -> None:
    assert Device.model_validate(driver.look(Nvml("RTX 3090"))) == Device(
        name="RTX 3090",
        capability="8.6",
        memory_gib=24.0,
        driver="535.104.05",
        driver_cuda="12.2",
    )


@pytest.mark.parametrize(
    ("visible", "name"),
    [
        (None, "V100"),
        ("1,0", "T4"),
        (" 0 ", "V100"),
        ("GPU-T4", "T4"),
        ("GPU-V100-0123", "V100"),
    ],
)
def test_the_device_is_the_first_that_is_visible(visible: str | None, name: str) -> None:
    assert driver.look(Nvml("V100", "T4"), visible)["name"] == name


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "installed, but not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "driver says: .*mismatch"),
    ],
)
def test_each_failure_of_the_driver_has_its_own_words(error: int, words: str) -> None:
    assert re.search(words, driver.look(Nvml(error=error))["problem"])


def test_a_driver_without_a_device_is_told_apart_from_no_driver() -> None:
    assert driver.look(Nvml()) == {"problem": "the NVIDIA driver is there, but no device"}


@pytest.mark.parametrize("visible", ["", "-1"])
def test_devices_that_are_hidden_are_not_called_missing(visible: str) -> None:
    problem = "CUDA_VISIBLE_DEVICES hides every device"
    assert driver.look(Nvml("V100"), visible) == {"problem": problem}


@pytest.mark.parametrize("visible", ["GPU-nowhere", "MIG-nowhere"])
def test_a_device_that_is_named_and_not_there_is_told(visible: str) -> None:
    problem = driver.look(Nvml("V100"), visible)["problem"]
    assert problem == f"CUDA_VISIBLE_DEVICES={visible}: the NVIDIA driver says: Not Found"


@pytest.mark.parametrize(("total", "free", "usable"), [(2, 1.9, True), (24, 0.5, False)])
def test_the_memory_that_is_free_decides(total: int, free: float, usable: bool) -> None:
    nvml = Nvml("T4", memory=SimpleNamespace(total=total * 2**30, free=free * 2**30))
    found = driver.look(nvml, needed=gpus.NEEDED)
    words = "T4 has 0.5 of 24.0 GiB free, of 1 GiB needed: end the programs"
    assert found["memory_gib"] == 2 if usable else found["problem"].startswith(words)


def test_a_card_in_use_is_named_as_that() -> None:
    said = {"problem": "T4 has 0.5 GiB free", "reason": "too little device memory"}
    found = gpus.look(ask=lambda _: Ended(json.dumps(said), "", 0))
    assert isinstance(found, NotRun)
    assert (found.reason, found.detail) == ("too little device memory", said["problem"])


def test_the_driver_is_asked_in_a_process_of_its_own() -> None:
    found = gpus.look()
    assert isinstance(found, Device) or found.reason == "no CUDA device"


def test_a_driver_that_ends_the_process_leaves_no_device() -> None:
    found = gpus.look(ask=lambda _: run_checked([sys.executable, "-c", "import os; os.abort()"]))
    assert isinstance(found, NotRun)
    assert found.reason == "no CUDA device"


def first_calculation(code: str) -> Any:
    """What comes of it where the environment's program is this code."""

    def run(python: Path, name: str, arguments: list[str], settings: Mapping[str, str]) -> Ended:
        assert (name, arguments) == ("probe", ["device"])
        return run_checked([python, "-c", code], settings)

    python, settings = Path(sys.executable), {"FLAG": "set"}
    return gpus.try_device(python, samples.build(), samples.device(), settings, run=run)


def test_a_first_calculation_tells_what_it_loaded() -> None:
    code = """import json, os; print(json.dumps({"cudnn": os.environ["FLAG"]}))"""
    assert first_calculation(code) == {"cudnn": "set"}


def test_the_last_words_count_before_an_earlier_warning() -> None:
    words = "libcupti.so: cannot open shared object file\nCUDA error(46), busy or unavailable"
    assert first_calculation(f"raise SystemExit({words!r})").reason == "device in use"


def test_a_warning_of_an_architecture_is_no_reason() -> None:
    words = (
        "gpu_resources.cc:106] The GPU compute capability in your current machine is 89, which is "
        "not supported by Paddle, it is recommended to install the corresponding wheel package"
    )
    assert first_calculation(f"raise SystemExit({words!r})").reason == "device refused"


def test_what_a_library_prints_after_the_answer_is_no_answer() -> None:
    assert first_calculation("print('{}'); print('bye')") == {}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "(External) CUDA error(209), no kernel image is available",
            "device not supported by the build",
        ),
        ("(External) CUDA error(35), CUDA driver version is insufficient", "driver too old"),
        (
            "(External) CUDA error(98), invalid device function.",
            "device not supported by the build",
        ),
        (
            "what():  parallel_for failed: cudaErrorNoKernelImageForDevice: no kernel image is "
            "available for execution on the device",
            "device not supported by the build",
        ),
        (
            "CUDA error 209 [../third_party/cccl/cub/cub/util_device.cuh, 83]: no kernel image",
            "device not supported by the build",
        ),
        ("RuntimeError: Unsupported GPU architecture", "device not supported by the build"),
        (
            "[0, 1, 2, 3] doubled is [0.0, 0.0, 0.0, 0.0]",
            "device not supported by the build",
        ),
        (
            "[0, 1, 2, 3] doubled is [-7.25e+77, 3.0, 1e-45, 0.0]",
            "device not supported by the build",
        ),
        ("a convolution of ones is [[[[0.0]]]], not 9", "device not supported by the build"),
        ("Out of memory error on GPU 0. Cannot allocate 256MB", "too little device memory"),
        ("CUDA error(46), all CUDA-capable devices are busy or unavailable", "device in use"),
        ("Could not locate zlibwapi.dll. Please make sure", "no CUDA libraries"),
        ("(cudnn64_8.dll) is not configured correctly. (error code is 126)", "no CUDA libraries"),
        ("CUDA error(803), system has unsupported display driver", "driver too old"),
        ("libcudnn.so: cannot open shared object file: No such file", "no CUDA libraries"),
        ("Cannot load cudnn shared library. Make sure cudnn", "no CUDA libraries"),
        ("words that nobody has seen", "device refused"),
    ],
)
def test_each_failure_of_the_device_has_its_own_reason(words: str, reason: Reason) -> None:
    found = first_calculation(f"raise SystemExit({words!r} + chr(10) + '  [Hint: see the manual]')")
    assert (found.reason, words in found.detail or reason == "device refused") == (reason, True)


def test_a_release_that_ends_its_process_refuses_the_device() -> None:
    found = first_calculation("import os; os._exit(255)")
    assert found.reason == "device refused"
    assert "exit status 255" in found.detail
    assert "NVIDIA GeForce RTX 3090, compute capability 8.6, driver 535.104.05" in found.detail
