"""Paddle's wheels on PyPI: their GPU code and what they answer of the reported defect.

The first is compared with what `fixtures/releases.toml` lists, the second with what is published.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from paddlecompat.environments import wheels
from paddlecompat.environments.wheel_code import gpu_code
from paddlecompat.environments.wheel_code.gpu_code import Contents
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.folders import WHEELS
from paddlecompat.fixtures.releases import SYSTEMS, Build, Fixture, System

PLATFORMS: dict[System, list[str]] = {
    "linux": ["manylinux1_x86_64", "manylinux2014_x86_64"],
    "windows": ["win_amd64"],
}


def check(
    fixture: Fixture,
    versions: list[str],
    fetch: Callable[[list[str], Build, str, Path], Path | None] = wheels.download_for,
    folder: Path = WHEELS,
) -> int:
    """Read the wheels on PyPI of the named releases, or of all; 1 where one is not as listed.

    Each wheel is fetched into `folder` and deleted. Raises ValueError where a release is unknown or
    a wheel cannot be read, CannotRun where the index fails.
    """
    status = 0
    folder.mkdir(parents=True, exist_ok=True)
    builds = [(r.python, b) for r in releases.named(fixture, versions) for b in r.gpu_builds]
    for python, build in builds:
        for system in SYSTEMS if build.index == "pypi" else ():
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                wheel = fetch(PLATFORMS[system], build, python, Path(temporary))
                found = gpu_code.read(wheel) if wheel else None
            wrong = differences(build, system, found)
            status |= bool(wrong)
            verdict = f"NOT AS LISTED: {'; '.join(wrong)}" if wrong else "as listed"
            print(f"{build.version} {system}: {found or 'no wheel'}: {verdict}", flush=True)
    return status


def differences(build: Build, system: System, found: Contents | None) -> list[str]:
    """What the fixture lists otherwise than it was found."""
    listed = build.on(system)
    if listed is None:
        return ["no wheel is listed there"] if found else []
    if found is None:
        return ["a wheel is listed there"]
    pairs = {
        "source": (listed.source, "wheel"),
        "cuda": (build.cuda, found.cuda),
        "cudnn": (listed.cudnn or build.cudnn, found.cudnn),
        "sm": (listed.sm, found.sm),
        "ptx": (listed.ptx, found.ptx),
    }
    return [f"{field} is {was!r} there" for field, (was, now) in pairs.items() if was != now]
