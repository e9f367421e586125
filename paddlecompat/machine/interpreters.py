"""Which interpreter a cell runs on: found where people have it, downloaded where uv can."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from findpython.providers import ALL_PROVIDERS

from paddlecompat.machine.processes import run_checked

LOOK = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"


def find(version: str) -> Path | None:
    """A CPython `version` ('3.10') that runs on this machine; None where there is none.

    Looks on the PATH, in pyenv's versions (active or not), uv's, asdf's and rye's, and in the
    Windows registry. Candidates are run, the likeliest first, until one is right.
    """
    for python in candidates(version):
        if run_checked([python, "-Ic", LOOK], seconds=10).said == f"cpython {version}":
            return python
    return None


def candidates(version: str) -> Iterator[Path]:
    """What may be CPython `version`, the likeliest by its name first; nothing is run.

    Shims (of pyenv, asdf, mise) are left out: each is a shell script that runs many more.
    """
    providers = (provider.create() for provider in ALL_PROVIDERS.values())
    listed = [found.executable for p in providers if p is not None for found in p.find_pythons()]
    ranked = [(rank(python, version), python) for python in listed]
    seen: set[Path] = set()
    for place, python in sorted(ranked, key=lambda pair: pair[0]):
        if place < 3 and python.parent.name != "shims" and python.resolve() not in seen:
            seen.add(python.resolve())
            yield python


def rank(executable: Path, version: str) -> int:
    """0 for `python3.10`, 1 for `…/3.10.13/bin/python`, 2 for a bare `python`, 3 for another."""
    name = executable.name.removesuffix(".exe")
    if name == f"python{version}":
        return 0
    if name not in ("python", "python3"):
        return 3
    digits = version.replace(".", r"\.?")
    return 1 if re.search(rf"(?<!\d){digits}(?!\d)", str(executable.parent)) else 2


def download(version: str) -> Path | None:
    """Have uv download CPython `version`; None where there is no uv, or no network for it."""
    tool = uv()
    if tool is None or run_checked([tool, "python", "install", version], seconds=None).problem:
        return None
    return find(version)


def uv() -> str | None:
    """uv's program: where uv says (it sets UV for what it runs), on the PATH, or beside Python."""
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
