"""An interpreter is found where people have it, and a broken one is passed over."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from paddlecompat.machine import interpreters

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="the sample programs are shell scripts")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: an empty PATH, no pyenv, no uv."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
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
def test_pyenvs_version_is_found_behind_a_shim_that_only_prints_an_error(machine: Path) -> None:
    program(machine / "bin" / f"python{HERE}", "echo pyenv: command not found >&2; exit 127")
    expected = working(machine / "pyenv" / "versions" / f"{HERE}.1" / "bin" / f"python{HERE}")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
def test_one_that_uv_manages_is_found(machine: Path) -> None:
    folder = machine / "uv" / f"cpython-{HERE}.1-linux-x86_64-gnu" / "bin"
    expected = working(folder / "python3")
    assert interpreters.find(HERE) == expected


@NEEDS_POSIX
def test_another_version_under_the_right_name_is_passed_over(machine: Path) -> None:
    working(machine / "bin" / "python3.1")
    assert interpreters.find("3.1") is None


def test_where_there_is_none_a_person_is_told_how_to_get_one(machine: Path) -> None:
    shutil.rmtree(machine / "bin")
    assert interpreters.find("3.99") is None
    assert "uv python install 3.99" in interpreters.how_to_get("3.99")


@NEEDS_POSIX
def test_uv_is_asked_to_download_what_is_missing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = machine / "uv" / f"cpython-{HERE}.1" / "bin" / "python3"
    copying = f'/bin/mkdir -p "{target.parent}"; /bin/ln -s "{sys.executable}" "{target}"'
    monkeypatch.setenv("UV", str(program(machine / "bin" / "uv", copying)))
    assert interpreters.download(HERE) == target
