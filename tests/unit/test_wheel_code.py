"""What a wheel's own x86 code says of the reported defect is read right, for both systems."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal, get_args

import pytest
import small_libraries
from small_libraries import (
    ABSENT,
    DORMANT,
    LIVE,
    LIVE_AND_PASSED,
    NARROW,
    ODD,
    PASSED,
    REWRITTEN,
    UNCOPIED,
    Layout,
)

from paddlecompat.__main__ import run
from paddlecompat.environments.wheel_code.asking import ask_installed, ask_wheel
from paddlecompat.fixtures.builds import System
from paddlecompat.records.build_answers import wheel_answer
from paddlecompat.records.build_answers.wheel_answer import FUNCTIONS, WheelAnswer, worst_of
from paddlecompat.records.judging import Status
from unit.test_gpu_code import SM, VERSION, fat_binary

MEMBERS = {"windows": "paddle/fluid/core_avx.pyd", "linux": "paddle/fluid/core_avx.so"}
PLATFORMS = {"windows": "win_amd64", "linux": "manylinux1_x86_64"}
NAME = "paddlepaddle_gpu-2.3.2-cp310-cp310-{}.whl"
GPU_CODE = fat_binary((SM, 70), (SM, 75))

both = pytest.mark.parametrize("system", get_args(System))


def make_wheel(folder: Path, system: System, content: bytes, name: str = NAME) -> Path:
    path = folder / name.format(PLATFORMS[system])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("paddle/version/__init__.py", VERSION)
        archive.writestr(MEMBERS[system], content)
    return path


def ask(
    folder: Path,
    system: System,
    layout: Layout,
    others: Layout = ABSENT,
    copy: Literal["reference", "value"] = "reference",
) -> WheelAnswer:
    """The answer of a wheel whose masked_select has that layout."""
    layouts: dict[str, Layout] = {**dict.fromkeys(FUNCTIONS, others), "masked_select": layout}
    library = small_libraries.library(system, layouts, GPU_CODE, copy)
    return ask_wheel(make_wheel(folder, system, library)).answer


@both
@pytest.mark.parametrize(
    ("layout", "answer"),
    [
        (LIVE, "live"),
        (DORMANT, "dormant"),
        (REWRITTEN, "dormant"),
        (ABSENT, "absent"),
        (NARROW, "live"),
        (LIVE_AND_PASSED, "live"),
        (PASSED, "not read"),
        (ODD, "not read"),
        (UNCOPIED, "not read"),
    ],
)
def test_each_layout_gets_its_answer(
    tmp_path: Path, system: System, layout: Layout, answer: str
) -> None:
    found = ask(tmp_path, system, layout)
    assert [one.answer for one in found.functions] == [answer, "absent", "absent"]


@both
def test_a_live_layout_shows_the_grid_that_becomes_zero(tmp_path: Path, system: System) -> None:
    live = ask(tmp_path, system, LIVE).functions[0]
    assert (live.copied, live.count, live.grids[3000]) == (8, 4, [3, 0])


@both
def test_the_proof_is_the_instructions_that_copy_and_read(tmp_path: Path, system: System) -> None:
    steps = ask(tmp_path, system, REWRITTEN).functions[0].steps
    assert [step.does for step in steps] == [
        "gives the size",
        "copies the count",
        "reads the count",
        "writes beyond the count",
    ]
    assert steps[-1].text == "mov dword ptr [rsp + 0x44], eax"


@both
def test_grids_follow_the_number_of_elements(tmp_path: Path, system: System) -> None:
    grids = ask(tmp_path, system, ABSENT).functions[0].grids
    assert grids[0] == [0]
    assert grids[1025] == [2, 2]
    assert grids[2**31] == [2**21, 2**21]


def test_a_copy_that_takes_its_places_by_value_is_read(tmp_path: Path) -> None:
    found = ask(tmp_path, "linux", DORMANT, DORMANT, "value")
    assert found.counts == {"dormant": 3}


@both
def test_the_wheels_answer_is_its_worst_functions(tmp_path: Path, system: System) -> None:
    found = ask(tmp_path, system, LIVE, DORMANT)
    assert (found.answer, found.counts) == ("live", {"live": 1, "dormant": 2})


@both
def test_a_function_that_is_not_found_is_not_read(tmp_path: Path, system: System) -> None:
    library = small_libraries.library(system, {"nonzero": ABSENT}, GPU_CODE)
    found = ask_wheel(make_wheel(tmp_path, system, library)).answer
    assert found.counts == {"not read": 2, "absent": 1}
    assert found.answer == "not read"


@both
def test_functions_are_told_with_their_dtypes(tmp_path: Path, system: System) -> None:
    found = ask(tmp_path, system, ABSENT)
    assert [one.dtype for one in found.functions] == ["float32"] * 3


@pytest.mark.parametrize(("system", "made"), [("windows", "linker 14.16"), ("linux", "GCC 8.2.0")])
def test_what_made_the_library_is_told(tmp_path: Path, system: System, made: str) -> None:
    assert ask(tmp_path, system, ABSENT).toolchain == made


@both
def test_the_cards_that_it_has_code_for_are_told(tmp_path: Path, system: System) -> None:
    found = ask(tmp_path, system, ABSENT)
    assert (found.cuda, found.sm, found.ptx) == ("10.2", ["7.0", "7.5"], [])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("numpy-1.26.4-cp310-cp310-{}.whl", "a wheel of numpy"),
        ("paddle.whl", "not the name of a wheel"),
        ("paddlepaddle_gpu-2.3.2-cp310-cp310-manylinux2014_aarch64.whl", "only x86-64 is read"),
    ],
)
def test_another_wheel_is_refused_in_a_line(tmp_path: Path, name: str, problem: str) -> None:
    path = make_wheel(tmp_path, "linux", b"", name)
    with pytest.raises(ValueError, match=problem) as caught:
        ask_wheel(path)
    assert "\n" not in str(caught.value)


@both
def test_a_truncated_wheel_is_refused_in_a_line(tmp_path: Path, system: System) -> None:
    library = small_libraries.library(system, {"nonzero": ABSENT}, GPU_CODE)
    path = make_wheel(tmp_path, system, library)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"^paddlepaddle_gpu.*whl: .*damaged"):
        ask_wheel(path)


@both
def test_a_wheel_without_gpu_code_is_refused_in_a_line(tmp_path: Path, system: System) -> None:
    library = small_libraries.library(system, {"nonzero": ABSENT}, b"")
    with pytest.raises(ValueError, match="it has no GPU code"):
        ask_wheel(make_wheel(tmp_path, system, library))


@both
def test_a_truncated_library_is_refused_in_a_line(tmp_path: Path, system: System) -> None:
    library = small_libraries.library(system, {"nonzero": ABSENT}, GPU_CODE)
    with pytest.raises(ValueError, match="damaged"):
        ask_wheel(make_wheel(tmp_path, system, library[: len(library) // 2]))


def test_nothing_that_was_read_is_no_good_answer() -> None:
    assert worst_of([]) == "not read"


def make_command_wheel(folder: Path, layout: Layout) -> Path:
    library = small_libraries.library("windows", dict.fromkeys(FUNCTIONS, layout), GPU_CODE)
    return make_wheel(folder, "windows", library)


def test_the_command_says_it_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["wheel", str(make_command_wheel(tmp_path, DORMANT))]).status
    said = " ".join(capsys.readouterr().out.split())
    assert status == Status.AS_EXPECTED
    assert "is dormant by the code of its 3 host functions (3 dormant)" in said
    assert "3 个存在但不触发" in said


def test_the_command_names_cards_with_code_and_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["wheel", str(make_command_wheel(tmp_path, DORMANT))])
    said = " ".join(capsys.readouterr().out.split())
    assert "It runs on V100 (7.0), RTX 20, GTX 16, T4 (7.5)." in said
    assert "RTX 30, A10, A40 (8.6)" in said


@pytest.mark.parametrize("layout", [LIVE, ODD])
def test_the_command_ends_in_1_where_a_wheel_is_not_cleared(tmp_path: Path, layout: Layout) -> None:
    assert run(["wheel", str(make_command_wheel(tmp_path, layout))]).status == Status.WORSE


@pytest.mark.parametrize("name", ["numpy-1.26.4-cp310-cp310-{}.whl", "paddle.whl"])
def test_the_command_ends_in_2_where_it_is_no_such_wheel(tmp_path: Path, name: str) -> None:
    came = run(["wheel", str(make_wheel(tmp_path, "linux", b"", name))])
    assert (came.status, "\n" in came.words) == (Status.WRONG_OPTIONS, False)


def test_an_answer_is_found_by_the_wheels_sha256(tmp_path: Path) -> None:
    found = ask(tmp_path, "windows", LIVE)
    wheel_answer.write(found, tmp_path / "kept")
    assert wheel_answer.find(found.sha256, tmp_path / "kept") == found
    assert wheel_answer.find("0" * 64, tmp_path / "kept") is None


def test_an_answer_that_contradicts_its_functions_is_refused(tmp_path: Path) -> None:
    found = ask(tmp_path, "windows", LIVE).model_dump()
    with pytest.raises(ValueError, match="its functions are 'live'"):
        WheelAnswer.model_validate({**found, "answer": "absent"})


def test_an_installed_build_answers_as_its_wheel(tmp_path: Path) -> None:
    wheel = make_command_wheel(tmp_path, LIVE)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site-packages")
    found = ask_installed(tmp_path / "site-packages" / "paddle", "2.3.2", "windows")
    assert found is not None
    assert found.functions == ask_wheel(wheel).answer.functions
