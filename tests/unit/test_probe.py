"""What the driver and a first calculation say of a device: each failure has its own words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pynvml
import pytest
import samples

from paddlecompat.machine import driver, gpus
from paddlecompat.records.record import Device, NotRun, Reason


class Driver:
    """Stands in for NVML, with the devices that the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *devices: str) -> None:
        answers: dict[str, Any] = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: len(devices),
            "nvmlDeviceGetHandleByIndex": devices.__getitem__,
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}-0123",
            "nvmlDeviceGetHandleByUUID": self.no_such,
            "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": self.no_such,
            "nvmlDeviceGetCudaComputeCapability": lambda _: (8, 6),
            "nvmlSystemGetCudaDriverVersion_v2": lambda: 12020,
            "nvmlSystemGetDriverVersion": lambda: "535.104.05",
            "nvmlDeviceGetName": lambda handle: handle,
            "nvmlDeviceGetMemoryInfo": lambda _: type("Memory", (), {"total": 24 * 2**30}),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, answer)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    @staticmethod
    def no_such(_: str) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)


def test_the_driver_tells_name_capability_memory_and_what_it_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Driver(monkeypatch, "RTX 3090")
    assert Device.model_validate(driver.look()) == Device(
        name="RTX 3090",
        capability="8.6",
        memory_gib=24.0,
        driver="535.104.05",
        driver_cuda="12.2",
    )


@pytest.mark.parametrize(
    ("visible", "name"),
    [("1,0", "T4"), (" 0 ", "V100"), ("GPU-T4", "T4"), ("GPU-V100-0123", "V100")],
)
def test_the_device_is_the_first_that_is_visible(
    monkeypatch: pytest.MonkeyPatch, visible: str, name: str
) -> None:
    Driver(monkeypatch, "V100", "T4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert driver.look()["name"] == name


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "installed, but not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "driver says: .*mismatch"),
    ],
)
def test_each_failure_of_the_driver_has_its_own_words(
    monkeypatch: pytest.MonkeyPatch, error: int, words: str
) -> None:
    def fail() -> None:
        raise pynvml.NVMLError(error)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(driver.look()["problem"])


def test_a_driver_without_a_device_is_told_apart_from_no_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Driver(monkeypatch)
    assert driver.look() == {"problem": "the NVIDIA driver is there, but no device"}


@pytest.mark.parametrize("visible", ["", "-1"])
def test_devices_that_are_hidden_are_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    Driver(monkeypatch, "V100")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert driver.look() == {"problem": "CUDA_VISIBLE_DEVICES hides every device"}


@pytest.mark.parametrize("visible", ["GPU-nowhere", "MIG-nowhere"])
def test_a_device_that_is_named_and_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    Driver(monkeypatch, "V100")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    problem = driver.look()["problem"]
    assert problem == f"CUDA_VISIBLE_DEVICES={visible}: the NVIDIA driver says: Not Found"


def test_the_last_words_count_before_an_earlier_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = "libcupti.so: cannot open shared object file\nCUDA error(46), busy or unavailable"
    found = first_calculation(tmp_path, f"raise SystemExit({words!r})", monkeypatch)
    assert found.reason == "device in use"


def test_what_a_library_prints_after_the_answer_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert first_calculation(tmp_path, "print('{}'); print('bye')", monkeypatch) == {}


def test_a_driver_check_that_dies_leaves_the_cell_without_a_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gpus, "DRIVER_CHECK", child(tmp_path, "import os; os.abort()"))
    found = gpus.look()
    assert isinstance(found, NotRun)
    assert found.reason == "no CUDA device"


def child(folder: Path, code: str) -> Path:
    path = folder / "check.py"
    path.write_text(code, encoding="utf-8")
    return path


def first_calculation(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(gpus, "DEVICE_CHECK", child(folder, code))
    return gpus.tried(Path(sys.executable), samples.build(), samples.device(), {"FLAG": "set"})


def test_a_first_calculation_tells_what_it_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = """import json, os; print(json.dumps({"cudnn": os.environ["FLAG"]}))"""
    assert first_calculation(tmp_path, code, monkeypatch) == {"cudnn": "set"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "(External) CUDA error(209), no kernel image is available",
            "device not supported by the build",
        ),
        ("(External) CUDA error(35), CUDA driver version is insufficient", "driver too old"),
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
def test_each_failure_of_the_device_has_its_own_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, reason: Reason
) -> None:
    code = f"raise SystemExit({words!r} + chr(10) + '  [Hint: see the manual]')"
    found = first_calculation(tmp_path, code, monkeypatch)
    assert (found.reason, words in found.detail or reason == "device refused") == (reason, True)


def test_a_release_that_just_ends_its_process_refuses_the_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = first_calculation(tmp_path, "import os; os._exit(255)", monkeypatch)
    assert found.reason == "device refused"
    assert "exit status 255" in found.detail
    assert "NVIDIA GeForce RTX 3090, compute capability 8.6, driver 535.104.05" in found.detail
