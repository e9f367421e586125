"""Paddle's wheels on PyPI: their GPU code and what they answer of the reported defect.

The first is compared with what `fixtures/releases.toml` lists, the second with what is published.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from paddlecompat.environments import wheels
from paddlecompat.environments.wheel_code.asking import Asked, ask_wheel
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import SYSTEMS, Build, System
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.folders import WHEELS
from paddlecompat.records.build_answers import wheel_answer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer

PLATFORMS: dict[System, list[str]] = {
    "linux": ["manylinux1_x86_64", "manylinux2014_x86_64", "linux_x86_64"],
    "windows": ["win_amd64"],
}


def check(fixture: Fixture, versions: list[str], kept_in: Path | None = None) -> int:
    """Read the wheels on PyPI of the named releases, or of all; 1 where one is not as listed.

    What each answers of the defect is compared with what is published, and written into the folder
    `kept_in`. Raises ValueError where a release is unknown or a wheel cannot be read, MachineFailed
    where the index fails.
    """
    status = 0
    builds = [(r.python, b) for r in releases.named(fixture, versions) for b in r.gpu_builds]
    for python, build in builds:
        for system in SYSTEMS if build.index == "pypi" else ():
            found = ask_build(build, system, python)
            wrong = differences(build, system, found.answer if found else None)
            verdict = f"NOT AS LISTED: {'; '.join(wrong)}" if wrong else "as listed"
            has = words_on(found) if found else "no wheel"
            print(f"{build.version} {system}: {has}: {verdict}", flush=True)
            status |= bool(wrong)
            if found:
                status |= compare(found.answer)
                if kept_in:
                    wheel_answer.write(found.answer, kept_in)
    return status


def ask_build(build: Build, system: System, python: str) -> Asked | None:
    """What a build's wheel answers, which is fetched and deleted; None: its index has none."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WHEELS) as temporary:
        wheel = wheels.download_for(PLATFORMS[system], build, python, Path(temporary), system)
        return ask_wheel(wheel) if wheel else None


def words_on(found: Asked) -> str:
    """What a wheel was made for, and what it has code for."""
    answer, seldom = found
    said = f"CUDA {answer.cuda}, cuDNN {answer.cudnn}, sm {' '.join(answer.sm) or '-'}"
    ptx = f", ptx {' '.join(answer.ptx)}" if answer.ptx else ""
    return said + ptx + (f" (seldom: {', '.join(seldom)} fat binaries)" if seldom else "")


def ask(what: str, systems: Sequence[System], fixture: Fixture) -> Iterator[WheelAnswer]:
    """The answers of a wheel by its path, or of the builds of a version, one for each system.

    Raises ValueError, in a line: there is no such file or release, or the wheel cannot be read;
    MachineFailed where no index has a wheel of that version, or fails.
    """
    WHEELS.mkdir(parents=True, exist_ok=True)
    if not re.fullmatch(r"\d+(\.\d+)*(\.?(post|rc|dev)\d+|\+cu\d+)?", what):
        yield ask_wheel(Path(what), WHEELS).answer
        return
    release = next((r for r in fixture.release if re.match(rf"{r.version}([.+]|$)", what)), None)
    if release is None:
        raise ValueError(f"fixtures/releases.toml has no release of {what}: name the wheel's file")
    build = release.gpu_build(what)
    for system in systems:
        found = ask_build(build, system, release.python)
        if found is None:
            index = "PyPI" if build.index == "pypi" else "Paddle's own index"
            where = f"for {system} and CPython {release.python}"
            raise ValueError(f"{index} has no wheel of paddlepaddle-gpu {what} {where}")
        yield found.answer


def compare(answer: WheelAnswer) -> int:
    """Say what a wheel answers, and whether that is what is published; 1 where it is not."""
    known = wheel_answer.find(answer.sha256)
    counted = ", ".join(f"{number} {name}" for name, number in answer.counts.items())
    standing = "not published yet" if known is None else "as published"
    if known is not None and known != answer:
        standing = "OTHERWISE THAN PUBLISHED"
    about = f"the reported defect is {answer.answer} ({counted})"
    print(f"{answer.version} {answer.system}: {about}: {standing}", flush=True)
    return int(standing.isupper())


def differences(build: Build, system: System, found: WheelAnswer | None) -> list[str]:
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
