"""An interpreter is found where people have it, and a broken one is passed over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from paddlecompat.machine import interpreters
from paddlecompat.records.record import MachineFailed

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="the sample programs are shell scripts")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: an empty PATH, no pyenv, no uv."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("ASDF_DATA_DIR", str(tmp_path / "asdf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def working(path: Path) -> Path:
    return program(path, f'exec "{sys.executable}" "$@"')


@NEEDS_POSIX
def test_one_on_the_path_is_found(machine: Path) -> None:
    expected = working(machine / "bin" / f"python{HERE}")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
@pytest.mark.parametrize("folder", ["pyenv/versions", "asdf/installs/python"])
def test_a_version_that_is_not_active_is_found(machine: Path, folder: str) -> None:
    expected = working(machine / folder / f"{HERE}.1" / "bin" / f"python{HERE}")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
def test_a_broken_one_is_passed_over(machine: Path) -> None:
    program(machine / "bin" / f"python{HERE}", "echo not found >&2; exit 127")
    expected = working(machine / "pyenv" / "versions" / f"{HERE}.1" / "bin" / "python3")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
def test_a_shim_is_never_run(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shims = machine / "pyenv" / "shims"
    for name in (f"python{HERE}", "python3"):
        program(shims / name, f'/usr/bin/touch "{machine}/ran"')
    monkeypatch.setenv("PATH", str(shims))
    assert interpreters.find(HERE) is None
    assert not (machine / "ran").exists()


@NEEDS_POSIX
def test_of_many_only_the_likeliest_is_run(machine: Path) -> None:
    log = f'echo "$0" >> "{machine}/ran"; exec "{sys.executable}" "$@"'
    for version in ("3.6.15", "3.8.18", f"{HERE}.1", "3.99.0"):
        for name in ("python", "python3", f"python{version.rpartition('.')[0]}"):
            program(machine / "pyenv" / "versions" / version / "bin" / name, log)
    expected = machine / "pyenv" / "versions" / f"{HERE}.1" / "bin" / f"python{HERE}"
    assert interpreters.find(HERE) == expected
    assert (machine / "ran").read_text().splitlines() == [str(expected)]


@NEEDS_POSIX
def test_one_that_uv_manages_is_found(machine: Path) -> None:
    folder = machine / "uv" / f"cpython-{HERE}.1-linux-x86_64-gnu" / "bin"
    expected = working(folder / "python3")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
def test_another_version_under_the_right_name_is_passed_over(machine: Path) -> None:
    working(machine / "bin" / "python3.1")
    assert interpreters.find("3.1") is None


@NEEDS_POSIX
def test_where_there_is_none_a_person_is_told_how_to_get_one(machine: Path) -> None:
    offline = program(machine / "bin" / "uv", "exit 2")
    assert interpreters.find("3.99") is None
    with pytest.raises(MachineFailed, match=r"uv python install 3\.99"):
        interpreters.get("3.99", str(offline))


@NEEDS_POSIX
def test_uv_is_asked_to_download_what_is_missing(machine: Path) -> None:
    target = machine / "uv" / f"cpython-{HERE}.1" / "bin" / "python3"
    copying = f'/bin/mkdir -p "{target.parent}"; /bin/ln -s "{sys.executable}" "{target}"'
    assert interpreters.get(HERE, str(program(machine / "bin" / "uv", copying))) == target
