"""What can be tested here of Windows: paths, command lines, wheels, and no need of POSIX."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
import samples

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options
from paddlecompat.environments import installer
from paddlecompat.fixtures import releases
from paddlecompat.folders import ROOT
from paddlecompat.machine import choice, host
from paddlecompat.records import store, subject

POSIX_ALONE = re.compile(
    r"shell=True|os\.(fork|system|popen|killpg|geteuid)|/bin/sh|/dev/null|/tmp/"
)
LINUX_ALONE = {  # the verb `loader`, which Windows is not asked; what job objects do there
    "probe.py": ["os.fork"],
    "watchdog.py": ["os.killpg"],
    "posix_group.py": ["os.killpg"],
}
SOURCES = [
    ROOT / "noxfile.py",
    *sorted((ROOT / "paddlecompat").rglob("*.py")),
    *sorted((ROOT / "tests" / "properties").rglob("*.py")),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_needs_a_posix_shell_or_fork(source: Path) -> None:
    found = [match.group() for match in POSIX_ALONE.finditer(source.read_text(encoding="utf-8"))]
    assert found == LINUX_ALONE.get(source.name, [])


def test_an_environments_interpreter_is_where_windows_has_it() -> None:
    found = installer.python_of(Path("work here", "gpu-2.3.2"), system="nt")
    assert found == Path("work here", "gpu-2.3.2", "Scripts", "python.exe")


def test_a_command_line_survives_windows_quoting(tmp_path: Path) -> None:
    request = suite.Request("gpu", Options(keyword="masked_select and not (static or view)"))
    asked = suite.crew_of(Path("C:/work here/python.exe"), request, tmp_path).command
    assert '"-k=masked_select and not (static or view)"' in subprocess.list2cmdline(asked)


def test_the_build_for_windows_is_of_its_own_wheels() -> None:
    release = releases.cell_named("gpu-2.3.2", releases.load()).release
    build = choice.build_named(release, "2.3.2.post112")
    links, _ = build.pip_options(host.system("Windows"))
    assert "/whl/windows/" in links


@pytest.mark.skipif(sys.platform != "linux", reason="WSL is a Linux")
def test_wsl_is_a_linux_that_says_so() -> None:
    assert host.system("Linux") == "linux"
    assert host.operating_system("5.15.90.1-microsoft-standard-WSL2").endswith("(WSL)")
    assert not host.operating_system("6.1.0-18-amd64").endswith("(WSL)")


def test_a_records_name_is_a_file_name_on_windows() -> None:
    record = samples.record(host=samples.host(os="Windows 10.0.22631", machine="AMD64", libc=""))
    assert not set(record.file_name) & set('<>:"/\\|?*')


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\someone\paddlecompat\.nox",
        r"C:\\Users\\someone\\paddlecompat\\.nox",
        "c:/users/Someone/paddlecompat/.nox",
    ],
)
def test_a_windows_path_does_not_come_into_a_record(path: str) -> None:
    root = PureWindowsPath(r"C:\Users\someone\paddlecompat")
    assert "someone" not in subject.impersonal(f"error: '{path}' is damaged", root).lower()


@pytest.mark.parametrize(
    "path",
    [
        r"Z:\home\someone\paddlecompat\.nox",
        r"z:\\home\\Someone\\paddlecompat\\.nox",
        "Z:/home/someone/paddlecompat/.nox",
        r"C:\users\someone\AppData\Local",
    ],
)
def test_a_path_under_wine_does_not_come_into_a_record(path: str) -> None:
    said = subject.impersonal(f"error: '{path}' is damaged", PurePosixPath("/home/someone"))
    assert re.match(r"error: '[.~][^:]*' is damaged", said)
    assert "someone" not in said.lower()


def test_a_console_that_lacks_a_character_ends_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paddlecompat", "wheel", str(tmp_path / "可靠.whl")]
    console = os.environ | {"PYTHONIOENCODING": "cp1252"}
    ended = subprocess.run(command, cwd=ROOT, env=console, capture_output=True)
    assert (ended.returncode, b"??.whl: no such file" in ended.stderr) == (2, True)


def test_a_record_written_by_windows_is_read_here(tmp_path: Path) -> None:
    record = samples.record(host=samples.host(os="Windows 10.0.22631", machine="AMD64", libc=""))
    path = tmp_path / "record.json"
    path.write_bytes(record.model_dump_json(indent=1).replace("\n", "\r\n").encode())
    assert store.read(path) == record
