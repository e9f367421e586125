"""What can be tested here of Windows: paths, command lines, wheels, and no need of POSIX."""

from __future__ import annotations

import io
import os
import platform
import re
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest
import samples

from paddlecompat import __main__
from paddlecompat.cells import filling, option_set, suite
from paddlecompat.environments import installer, wheels
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.machine import choice, host
from paddlecompat.records import store

POSIX_ALONE = re.compile(
    r"shell=True|os\.(fork|system|popen|killpg|geteuid)|/bin/sh|/dev/null|/tmp/"
)
LINUX_ALONE = ("check_cuda_loader.py",)
SOURCES = [
    ROOT / "noxfile.py",
    *sorted((ROOT / "paddlecompat").glob("*.py")),
    *sorted((ROOT / "tests" / "properties").rglob("*.py")),
]


@pytest.mark.parametrize(
    "source", [path for path in SOURCES if path.name not in LINUX_ALONE], ids=lambda path: path.name
)
def test_nothing_needs_a_posix_shell_or_fork(source: Path) -> None:
    assert POSIX_ALONE.findall(source.read_text(encoding="utf-8")) == []


def test_an_environments_interpreter_is_where_windows_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "name", "nt")
    found = installer.interpreter(PureWindowsPath(r"C:\work here\.nox\gpu-2-3-2"))  # type: ignore[arg-type]  # a Path of Windows cannot be made here
    assert str(found) == r"C:\work here\.nox\gpu-2-3-2\Scripts\python.exe"


def test_a_command_line_survives_windows_quoting() -> None:
    request = option_set.Request("gpu", keyword="masked_select and not (static or view)")
    asked = suite.command(Path("C:/work here/python.exe"), request, Path("a b.jsonl"), Path("j"))
    line = subprocess.list2cmdline(asked)
    assert '"-k=masked_select and not (static or view)"' in line
    assert '"--report-log=a b.jsonl"' in line


def test_the_build_for_windows_is_of_its_own_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    build = choice.named(releases.cell_named("gpu-2.3.2", releases.load()).release, "2.3.2.post112")
    assert host.system() == "windows"
    assert "/whl/windows/" in wheels.paddles_index(build)[1]


def test_wsl_is_a_linux_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "5.15.90.1-microsoft-standard-WSL2")
    assert host.system() == "linux"
    assert host.operating_system().endswith("(WSL)")


def test_a_records_name_is_a_file_name_on_windows() -> None:
    record = samples.record(host=samples.host(os="Windows 10.0.22631", machine="AMD64", libc=""))
    assert not set(record.file_name) & set('<>:"/\\|?*')


def test_a_windows_path_does_not_come_into_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "ROOT", PureWindowsPath(r"C:\Users\someone\paddlecompat"))
    for path in (
        r"C:\Users\someone\paddlecompat\.nox",
        r"C:\\Users\\someone\\paddlecompat\\.nox",
        "c:/users/Someone/paddlecompat/.nox",
    ):
        assert "someone" not in store.impersonal(f"error: '{path}' is damaged").lower()


def test_a_console_that_lacks_a_character_does_not_end_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "argv", ["paddlecompat", "sessions"])
    __main__.main()
    print("可靠", file=console, flush=True)


def test_a_release_written_by_windows_is_read_here(tmp_path: Path) -> None:
    record = samples.record(host=samples.host(os="Windows 10.0.22631", machine="AMD64", libc=""))
    path = tmp_path / "record.json"
    path.write_bytes(record.model_dump_json(indent=1).replace("\n", "\r\n").encode())
    assert store.read(path) == record
