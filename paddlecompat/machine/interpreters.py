"""Which interpreter a cell runs on: found where people have it, else downloaded by uv."""

from __future__ import annotations

import re
from pathlib import Path

from filelock import FileLock
from findpython.providers import ALL_PROVIDERS
from uv import find_uv_bin

from paddlecompat.folders import NOX
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import MachineFailed

UV = find_uv_bin()
LOOK = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"


def get(version: str, uv: str = UV) -> Path:
    """A CPython `version` ('3.10'), which uv downloads where none is found. Else MachineFailed."""
    if python := find(version):
        return python
    NOX.mkdir(exist_ok=True)
    with FileLock(NOX / "interpreters.lock"):  # another cell may be downloading it
        if python := find(version):
            return python
        ended = run_checked([uv, "python", "install", version], seconds=None)
        if python := find(version):
            return python
    detail = (
        f"no CPython {version} on the PATH, in pyenv, uv, asdf, rye or the Windows registry; "
        f"get one with `uv python install {version}` or `pyenv install {version}`"
    )
    raise MachineFailed(f"{detail}; uv says: {ended.problem}" if ended.problem else detail)


def find(version: str) -> Path | None:
    """A CPython `version` ('3.10') that runs on this machine; None where there is none.

    Candidates are run, the likeliest by name first, until one is right. Shims (of pyenv, asdf,
    mise) are left out: each is a shell script that runs many more.
    """
    providers = filter(None, (provider.create() for provider in ALL_PROVIDERS.values()))
    listed = [found.executable for provider in providers for found in provider.find_pythons()]
    likely = [p for p in listed if p.parent.name != "shims" and rank(p, version) < 3]
    tried: set[Path] = set()
    for python in sorted(likely, key=lambda python: rank(python, version)):
        if python.resolve() not in tried:
            tried.add(python.resolve())
            if run_checked([python, "-Ic", LOOK], seconds=10).said == f"cpython {version}":
                return python
    return None


def rank(executable: Path, version: str) -> int:
    """0 for `python3.10`, 1 for `…/3.10.13/bin/python`, 2 for a bare `python`, 3 for another."""
    name = executable.name.removesuffix(".exe")
    if name == f"python{version}":
        return 0
    if name not in ("python", "python3"):
        return 3
    digits = version.replace(".", r"\.?")
    return 1 if re.search(rf"(?<!\d){digits}(?!\d)", str(executable.parent)) else 2
