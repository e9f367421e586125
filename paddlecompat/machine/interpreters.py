"""Which interpreter a cell runs on: found where people have it, downloaded where uv can."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from findpython import PythonVersion
from findpython.providers import ALL_PROVIDERS


def find(version: str) -> Path | None:
    """A CPython `version` ('3.10') that runs on this machine, or None.

    Looks on the PATH, in pyenv's versions (active or not), uv's, asdf's, rye's, and in the
    Windows registry. A shim that only prints an error is passed over: each candidate is run.
    """
    return next((c.executable for c in candidates(version) if is_cpython(c, version)), None)


def candidates(version: str) -> list[PythonVersion]:
    """Everything that may be `version`, the likeliest by its name first; nothing is run yet."""
    providers = (provider.create() for provider in ALL_PROVIDERS.values())
    found = [python for p in providers if p is not None for python in p.find_pythons()]
    ranked = [(rank(python.executable, version), python) for python in found]
    return [python for place, python in sorted(ranked, key=lambda pair: pair[0]) if place < 3]


def rank(executable: Path, version: str) -> int:
    """0 for `python3.10`, 1 for `…/3.10.13/bin/python`, 2 for a bare `python`, 3 for another."""
    name = executable.name.removesuffix(".exe")
    if name == f"python{version}":
        return 0
    if name not in ("python", "python3"):
        return 3
    digits = version.replace(".", r"\.?")
    return 1 if re.search(rf"(?<!\d){digits}(?!\d)", str(executable.parent)) else 2


def is_cpython(candidate: PythonVersion, version: str) -> bool:
    return (
        candidate.is_valid()
        and candidate.implementation == "cpython"
        and f"{candidate.major}.{candidate.minor}" == version
    )


def download(version: str) -> Path | None:
    """Have uv download CPython `version`; None where there is no uv, or no network for it."""
    if (tool := uv()) is None:
        return None
    installed = subprocess.run([tool, "python", "install", version], capture_output=True)
    return find(version) if installed.returncode == 0 else None


def uv() -> str | None:
    """uv's binary: where uv says (it sets UV for what it runs), on the PATH, or beside us."""
    for place in (os.environ.get("UV"), "uv", str(Path(sys.executable).with_name("uv"))):
        if place and (found := shutil.which(place)):
            return found
    return None


def how_to_get(version: str) -> str:
    """What a person can do where there is none."""
    return (
        f"no CPython {version} on the PATH, in pyenv, uv, asdf, rye or the Windows registry; "
        f"get one with `uv python install {version}` or `pyenv install {version}`"
    )
