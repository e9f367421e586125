"""The made-up driver, compiled and called as the runtime calls it: what it answers, and its log."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from paddlecompat.environments.driver import answers, making
from paddlecompat.environments.driver.answers import Answers, Copied, Launched, read_log
from paddlecompat.folders import ROOT
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.subject import Device

pytestmark = [
    pytest.mark.skipif(not making.is_there(), reason="nox -s host-2.3.2 fetches the compiler"),
    pytest.mark.timeout(1200),  # for the first, the compiler makes its C library
]
OPENED = """
import ctypes, json, sys
folder = sys.argv[1]
cuda, nvml = (ctypes.CDLL(f"{folder}/{name}") for name in ("libcuda.so.1", "libnvidia-ml.so.1"))
pointer, size = ctypes.c_void_p, ctypes.c_size_t
def allocate(bytes):
    at = pointer()
    return cuda.cuMemAlloc_v2(ctypes.byref(at), size(bytes)), at
def launch(name, *arguments, grid=1):
    stack = (ctypes.c_char * 1024)()  # the list of the arguments, and behind it what it points to
    given = (pointer * len(arguments)).from_buffer(stack)
    for number, one in enumerate(arguments):
        given[number] = ctypes.addressof(stack) + 512 + 16 * number
        ctypes.memmove(given[number], ctypes.byref(one), ctypes.sizeof(one))
    function = ctypes.c_char_p(name)
    return cuda.cuLaunchKernel(function, grid, 1, 1, 256, 1, 1, 0, None, given, None)
def back(at, bytes):
    held = (ctypes.c_ubyte * bytes)()
    return cuda.cuMemcpyDtoH_v2(held, at, size(bytes)), list(held)
"""
FULL = (
    "_ZN3phi5funcs27VectorizedElementwiseKernelIhNS_10FullFuctorIhhEELi0ELi1ELi4EEEvNS_5ArrayIrPKc"
    "XT1_EEENS4_IPT_XT2_EEEiiT0_"
)
FILL = f"""
at = allocate(4)[1]
value = ctypes.c_ubyte(7)
print(launch(b"{FULL}", pointer(), at, ctypes.c_int(4), ctypes.c_int(0), value), back(at, 4)[1])
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the driver, with two functions that a build names."""
    folder = tmp_path_factory.mktemp("driver")
    making.make(folder, "linux", ["cuThreadExchangeStreamCaptureMode", "cublasSgemm_v2"])
    return folder


def say(driver: Path, program: str, told: Answers | None = None) -> str:
    """What a program prints that calls the driver; its log is beside it."""
    settings = (told or Answers()).settings(driver / "log")
    (driver / "log").unlink(missing_ok=True)
    ended = run_checked([sys.executable, "-c", OPENED + program, driver], settings)
    assert ended.problem is None, ended.complaint
    return ended.output.strip()


def test_memory_holds_what_was_there_before(driver: Path) -> None:
    assert say(driver, "print(back(allocate(3)[1], 3))") == "(0, [171, 171, 171])"


def test_a_known_kernel_is_carried_out(driver: Path) -> None:
    assert say(driver, FILL) == "0 [7, 7, 7, 7]"


def test_a_launch_is_accepted_and_not_carried_out(driver: Path) -> None:
    assert say(driver, FILL, answers.load()["not-executed"]) == "0 [171, 171, 171, 171]"


@pytest.mark.parametrize(("fault", "error"), [("no-code", 209), ("launch-failed", 719)])
def test_a_launch_fails_as_was_chosen(driver: Path, fault: str, error: int) -> None:
    assert say(driver, FILL, answers.load()[fault]) == f"{error} [171, 171, 171, 171]"


def test_an_empty_grid_is_refused(driver: Path) -> None:
    assert say(driver, 'print(launch(b"any", grid=0))') == "1"


def test_memory_runs_out_as_was_chosen(driver: Path) -> None:
    assert say(driver, "print(allocate(3)[0])", answers.load()["out-of-memory"]) == "2"


def test_a_copy_fails_as_was_chosen(driver: Path) -> None:
    assert say(driver, "print(back(allocate(3)[1], 3)[0])", answers.load()["copy-fails"]) == "719"


def test_the_context_is_lost_after_so_many_calls(driver: Path) -> None:
    lost = Answers(lost_after=2)
    assert say(driver, "print([allocate(1)[0] for _ in range(4)])", lost) == "[0, 0, 719, 719]"


def test_the_card_is_the_one_declared(driver: Path) -> None:
    card = Answers(card="Made-up RTX 3090", capability="8.6")
    program = (
        "name = ctypes.create_string_buffer(64); major = ctypes.c_int(); minor = ctypes.c_int()\n"
    )
    program += "nvml.nvmlDeviceGetName(None, name, 64)\n"
    program += (
        "nvml.nvmlDeviceGetCudaComputeCapability(None, ctypes.byref(major), ctypes.byref(minor))\n"
    )
    program += "print(name.value.decode(), major.value, minor.value)"
    assert say(driver, program, card) == "Made-up RTX 3090 8 6"


def test_the_harness_sees_the_declared_card(driver: Path) -> None:
    told = Answers(card="NVIDIA GeForce RTX 3090", capability="8.6", memory=24 * 1024)
    settings = {**told.settings(), "LD_LIBRARY_PATH": str(driver)}
    program = "from paddlecompat.machine import gpus; print(gpus.look().model_dump_json())"
    ended = run_checked([sys.executable, "-c", program], settings, folder=ROOT)
    seen = Device.model_validate_json(ended.output)
    assert (seen.name, seen.capability, seen.memory_gib) == (told.card, "8.6", 24.0)


def test_a_driver_may_be_too_old(driver: Path) -> None:
    program = "v = ctypes.c_int(); cuda.cuDriverGetVersion(ctypes.byref(v)); print(v.value)"
    assert say(driver, program, answers.load()["too-old"]) == "9000"


def test_the_log_has_each_launch_with_its_arguments(driver: Path) -> None:
    say(driver, FILL)
    (launch,) = [line for line in read_log(driver / "log") if isinstance(line, Launched)]
    assert (launch.kernel, launch.grid, launch.carried_out) == (FULL, (1, 1, 1), True)
    assert launch.arguments[2].startswith("04000000")


def test_the_log_has_each_copy(driver: Path) -> None:
    say(driver, "back(allocate(3)[1], 3)")
    (copy,) = [line for line in read_log(driver / "log") if isinstance(line, Copied)]
    assert (copy.kind, copy.bytes, copy.came) == ("to host", 3, 0)


def test_the_log_has_the_marks_of_the_program(driver: Path) -> None:
    say(driver, """cuda.made_up_mark(b'{"step": "call"}')""")
    assert [line.text for line in read_log(driver / "log") if line.what == "mark"] == [
        json.dumps({"step": "call"})
    ]


def test_a_function_that_is_not_declared_comes_to_nothing_and_says_so(driver: Path) -> None:
    program = "ctypes.CDLL(f'{folder}/libcublas.so').cublasSgemm_v2()\n"
    assert say(driver, program + "print(cuda.cuThreadExchangeStreamCaptureMode())") == "0"
    named = [line.name for line in read_log(driver / "log") if line.what == "call"]
    assert named == ["cublasSgemm_v2", "cuThreadExchangeStreamCaptureMode"]


def test_the_link_for_developers_may_be_missing(tmp_path: Path) -> None:
    making.make(tmp_path, "linux", linked=answers.load()["unlinked"].linked)
    assert not (tmp_path / "libcuda.so").exists()


def test_it_is_made_for_windows_too(tmp_path: Path) -> None:
    making.make(tmp_path, "windows", ["cuThreadExchangeStreamCaptureMode"])
    assert (tmp_path / "nvcuda.dll").read_bytes().startswith(b"MZ")
