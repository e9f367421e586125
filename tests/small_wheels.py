"""Small wheels, and folders that stand in for an index: what pip and uv are given in the tests."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


def make_wheel(
    folder: Path,
    name: str,
    files: Mapping[str, bytes] | None = None,
    requires: Sequence[str] = (),
) -> Path:
    """A wheel of that file name that pip and uv take, with these files and requirements in it."""
    distribution, version = name.split("-")[:2]
    about = f"{distribution}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {distribution.replace('_', '-')}",
        f"Version: {version}",
    ]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    tag = name.removesuffix(".whl").split("-", 2)[2]
    wheel = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
    inside: dict[str, str | bytes] = {f"{about}/METADATA": "\n".join(lines) + "\n"}
    inside[f"{about}/WHEEL"] = wheel
    inside |= files or {}
    inside[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in [*inside, f"{about}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for file, content in inside.items():
            archive.writestr(file, content)
    return folder / name


def serve(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pip take wheels from this folder, and from nowhere else."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def write_program(path: Path, text: str) -> Path:
    """A program in Python, with the interpreter of this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


class UvLog:
    """A program that stands in for uv: it keeps what it is asked, and runs `code` in Python."""

    def __init__(self, folder: Path, code: str = "") -> None:
        self.log, self.program = folder / "asked.jsonl", str(folder / "uv")
        self.answer(code)

    def answer(self, code: str) -> None:
        keep = (
            f"import json, sys\nprint(json.dumps(sys.argv[1:]), file=open({str(self.log)!r}, 'a'))"
        )
        write_program(Path(self.program), f"{keep}\n{code}")

    @property
    def asked(self) -> list[list[str]]:
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]
