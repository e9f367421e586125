"""The GPU code is read out of wheels by its headers, and compared with what the fixture lists."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from paddlecompat.environments.wheel_code.asking import ask_wheel
from paddlecompat.fixtures.builds import Build, GpuCode
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.studies import wheels_on_pypi

PTX, SM = 1, 2
LINUX, WINDOWS = "paddle/fluid/core_avx.so", "paddle/fluid/core_avx.pyd"
VERSION = "cuda_version    = '10.2'\ncudnn_version   = '7.6.5'\n"
BUILD = Build(
    distribution="paddlepaddle-gpu",
    version="2.3.2",
    cuda="10.2",
    cudnn="7.6.5",
    linux=GpuCode(sm=["7.0", "7.5"], source="wheel"),
)
FOUND = WheelAnswer(
    version="2.3.2",
    system="linux",
    file="some.whl",
    sha256="0" * 64,
    library="",
    toolchain="",
    cuda="10.2",
    cudnn="7.6.5",
    sm=["7.0", "7.5"],
    ptx=[],
    functions=[],
    answer="not read",
)


def fat_binary(*codes: tuple[int, int]) -> bytes:
    """One with an entry of 24 bytes of code for each kind and architecture."""
    entries = b""
    for kind, architecture in codes:
        header = struct.pack("<HHIQIIHHI", kind, 0x101, 64, 24, 0, 0, 0, 1, architecture)
        entries += header.ljust(64, b"\0") + b"\xff" * 24
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


GOOD = fat_binary((SM, 70), (SM, 75))


def with_first_entry(kind: int = SM, header: int = 64, size: int = 24) -> bytes:
    """A fat binary of two entries, the first of which says that of itself."""
    return GOOD[:16] + struct.pack("<HHIQ", kind, 0x101, header, size) + GOOD[32:]


def elf(code: bytes, section: str = ".nv_fatbin") -> bytes:
    """A library for Linux with that section: header, code, names, section table."""
    names = f"\0{section}\0.shstrtab\0".encode()
    names_at = 64 + len(code)
    table_at = names_at + len(names)
    sections = [(0, 0, 0), (1, 64, len(code)), (2 + len(section), names_at, len(names))]
    table = [struct.pack("<IIQQQQIIQQ", n, 1, 0, 0, o, s, 0, 0, 8, 0) for n, o, s in sections]
    counts = (64, 0, 0, 64, len(sections), 2)
    header = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, table_at, 0, *counts)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return ident + header + code + names + b"".join(table)


def pe(code: bytes, section: str = ".nv_fatb") -> bytes:
    """A library for Windows with that section, which is filled up with zeros to 512 bytes."""
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    optional = struct.pack("<HBB", 0x20B, 14, 16).ljust(108, b"\0") + struct.pack("<I", 16)
    optional = optional.ljust(240, b"\0")
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0x2022)
    raw = code.ljust(-(-len(code) // 512) * 512, b"\0")
    entry = struct.pack("<8sIIII16x", section.encode(), len(code), 4096, len(raw), 512)
    return (dos + header + optional + entry).ljust(512, b"\0") + raw


def wheel(
    folder: Path, members: dict[str, bytes], version: str = "paddle/version/__init__.py"
) -> Path:
    """One with those members, that says in the file `version` what it was made for."""
    path = folder / "paddlepaddle_gpu-2.3.2-cp310-cp310-manylinux1_x86_64.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(version, VERSION)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_core(folder: Path, content: bytes, member: str = LINUX) -> Path:
    return wheel(folder, {member: content})


@pytest.mark.parametrize(("member", "library"), [(LINUX, elf), (WINDOWS, pe)])
def test_native_code_and_ptx_are_told_apart(
    tmp_path: Path, member: str, library: Callable[[bytes], bytes]
) -> None:
    code = fat_binary((SM, 75), (SM, 70), (PTX, 80))
    found = ask_wheel(with_core(tmp_path, library(code), member)).answer
    assert (found.sm, found.ptx) == (["7.0", "7.5"], ["8.0"])


@pytest.mark.parametrize(("member", "library"), [(LINUX, elf), (WINDOWS, pe)])
def test_every_fat_binary_is_read_though_zeros_lie_between(
    tmp_path: Path, member: str, library: Callable[[bytes], bytes]
) -> None:
    codes = [fat_binary((SM, 70), (SM, number)) for number in (80, 86, 90)]
    found = ask_wheel(with_core(tmp_path, library((b"\0" * 24).join(codes)), member))
    assert found.answer.sm == ["7.0"]
    assert found.seldom == ["sm 8.0 in 1 of 3", "sm 8.6 in 1 of 3", "sm 9.0 in 1 of 3"]


def test_an_architecture_of_three_digits_is_read(tmp_path: Path) -> None:
    assert ask_wheel(with_core(tmp_path, elf(fat_binary((SM, 120))))).answer.sm == ["12.0"]


def test_code_that_is_not_linked_does_not_count(tmp_path: Path) -> None:
    loose = elf(fat_binary((SM, 90)), "__nv_relfatbin")
    members = {LINUX: loose, "paddle/libs/libphi.so": elf(fat_binary((SM, 70)))}
    assert ask_wheel(wheel(tmp_path, members)).answer.sm == ["7.0"]


def test_the_two_parts_of_the_core_count_and_no_other_library(tmp_path: Path) -> None:
    members = {
        "paddle/base/libpaddle.so": elf(fat_binary((SM, 70), (SM, 75))),
        "paddle/libs/libphi.so": elf(fat_binary((SM, 70), (SM, 75))),
        "paddle/libs/libflashattn.so": elf(fat_binary((SM, 80)) * 9),
    }
    found = ask_wheel(wheel(tmp_path, members))
    assert (found.answer.sm, found.seldom) == (["7.0", "7.5"], [])


@pytest.mark.parametrize("version", ["paddle/version.py", "paddle/version/__init__.py"])
def test_what_the_wheel_was_made_for_is_read(tmp_path: Path, version: str) -> None:
    found = ask_wheel(wheel(tmp_path, {LINUX: elf(GOOD)}, version))
    assert (found.answer.cuda, found.answer.cudnn) == ("10.2", "7.6.5")


@pytest.mark.parametrize(
    ("member", "content", "problem"),
    [
        (LINUX, b"", "cannot mmap an empty file"),
        (LINUX, elf(GOOD)[:-30], "String Table not found"),
        (LINUX, b"#!/bin/sh\n" * 9, "Magic number does not match"),
        (LINUX, elf(GOOD + b"\x01" * 16), "no fat binary at byte 256"),
        (LINUX, elf(GOOD[:-8]), "no fat binary at byte 64"),
        (LINUX, elf(with_first_entry(kind=7)), "no entry of a fat binary at byte 80"),
        (LINUX, elf(with_first_entry(header=8)), "no entry of a fat binary at byte 80"),
        (LINUX, elf(with_first_entry(size=240)), "no entry of a fat binary at byte 80"),
        (WINDOWS, pe(GOOD)[:700], r"\.nv_fatb ends at byte 704, the file 700"),
        (WINDOWS, pe(GOOD)[:80], "Header missing"),
        (WINDOWS, pe(GOOD).replace(b"PE\0\0", b"NE\0\0"), "Probably a NE file"),
    ],
)
def test_a_damaged_library_is_named(
    tmp_path: Path, member: str, content: bytes, problem: str
) -> None:
    path = with_core(tmp_path, content, member)
    with pytest.raises(ValueError, match=problem) as caught:
        ask_wheel(path)
    assert f"{path.name}: {member}: damaged: " in str(caught.value)


def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    path = with_core(tmp_path, elf(GOOD))
    whole = path.read_bytes()
    for damaged in (whole[:-40], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=path.name):
            ask_wheel(path)


def test_a_wheel_whose_compressed_bytes_are_wrong_is_named(tmp_path: Path) -> None:
    path = with_core(tmp_path, elf(b"".join(fat_binary((SM, n)) for n in range(30, 90))))
    content = bytearray(path.read_bytes())
    start = content.index(LINUX.encode()) + len(LINUX) + 40
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(ValueError, match=path.name):
        ask_wheel(path)


@pytest.mark.parametrize(
    ("members", "problem"),
    [({}, "it has no GPU code"), ({LINUX: elf(b"", ".text")}, "it has no GPU code")],
)
def test_a_wheel_without_gpu_code_is_named(
    tmp_path: Path, members: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(ValueError, match=f"x86_64.whl: {problem}"):
        ask_wheel(wheel(tmp_path, members))


def test_a_wheel_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x86_64\.whl: it has no paddle/version"):
        ask_wheel(wheel(tmp_path, {LINUX: elf(GOOD)}, "numpy/version.py"))


def test_a_build_that_is_listed_as_it_is_has_no_differences() -> None:
    assert wheels_on_pypi.differences(BUILD, "linux", FOUND) == []
    assert wheels_on_pypi.differences(BUILD, "windows", None) == []


@pytest.mark.parametrize(
    ("listed", "found", "problem"),
    [
        ({}, None, "a wheel is listed"),
        ({"linux": None}, FOUND, "no wheel is listed"),
        ({"cuda": "11.2"}, FOUND, "cuda is '11.2' there"),
        ({"cudnn": "8.1.1"}, FOUND, "cudnn is '8.1.1' there"),
        ({"linux": GpuCode(sm=["7.0"], source="wheel")}, FOUND, "sm is ['7.0'] there"),
        (
            {"linux": GpuCode(sm=["7.0", "7.5"], ptx=["7.5"], source="wheel")},
            FOUND,
            "ptx is ['7.5'] there",
        ),
        (
            {"linux": GpuCode(sm=["7.0", "7.5"], source="https://example.org")},
            FOUND,
            "source is 'https://example.org' there",
        ),
    ],
)
def test_what_is_listed_otherwise_is_named(
    listed: dict[str, object], found: WheelAnswer | None, problem: str
) -> None:
    (said,) = wheels_on_pypi.differences(BUILD.model_copy(update=listed), "linux", found)
    assert problem in said


def test_a_systems_own_cudnn_is_what_its_wheel_is_compared_with() -> None:
    own = GpuCode(sm=["7.0", "7.5"], cudnn="7.6.5", source="wheel")
    build = BUILD.model_copy(update={"cudnn": "8.0.4", "linux": own})
    assert wheels_on_pypi.differences(build, "linux", FOUND) == []


class Index:
    """Stands in for pip: has the Linux wheel of 2.3.2 and no other."""

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def __call__(
        self, platforms: list[str], build: Build, python: str, folder: Path, system: str
    ) -> Path | None:
        self.folders.append(folder)
        if platforms == ["win_amd64"]:
            return None
        return with_core(folder, elf(GOOD))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index()
    monkeypatch.setattr("paddlecompat.studies.wheels_on_pypi.wheels.download_for", index)
    monkeypatch.setattr(wheels_on_pypi, "WHEELS", tmp_path)
    return index


def listing(*listed: Build) -> Fixture:
    return Fixture(release=[Release(version="2.3.2", builds=list(listed))])


@pytest.mark.usefixtures("index")
def test_the_check_passes_where_every_wheel_is_as_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert wheels_on_pypi.check(listing(BUILD), []) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "2.3.2 linux: CUDA 10.2, cuDNN 7.6.5, sm 7.0 7.5: as listed",
        "2.3.2 linux: the reported defect is not read (3 not read): not published yet",
        "2.3.2 windows: no wheel: as listed",
    ]


@pytest.mark.usefixtures("index")
def test_the_check_fails_where_one_wheel_is_not_as_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = BUILD.model_copy(update={"cuda": "11.2"})
    assert wheels_on_pypi.check(listing(wrong), []) == 1
    assert "NOT AS LISTED: cuda is '11.2' there" in capsys.readouterr().out


def test_a_wheel_is_deleted_once_it_is_read(index: Index) -> None:
    wheels_on_pypi.check(listing(BUILD), ["2.3.2"])
    assert len(index.folders) == 2
    assert [folder for folder in index.folders if folder.exists()] == []


def test_what_has_no_gpu_code_or_another_index_is_not_fetched(index: Index) -> None:
    cpu = Build(distribution="paddlepaddle", version="2.3.2")
    own = Build(distribution="paddlepaddle-gpu", version="2.3.2.post112", index="paddle")
    assert wheels_on_pypi.check(listing(cpu, own), []) == 0
    assert index.folders == []


def test_an_unknown_release_is_named_before_anything_is_fetched(index: Index) -> None:
    with pytest.raises(ValueError, match=r"has no release .*1\.0\.0"):
        wheels_on_pypi.check(listing(BUILD), ["1.0.0"])
    assert index.folders == []
    assert index.folders == []
