"""Is there a device that the build can use? Asked in child processes, which may die of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.host import plain_environment
from paddlecompat.records import MeasuredBuild, NotRun
from paddlecompat.releases import ROOT

DRIVER_CHECK = Path(__file__).with_name("check_driver.py")
DEVICE_CHECK = ROOT / "tests" / "properties" / "check_device.py"


@dataclass(frozen=True)
class Driver:
    """What the CUDA driver says; `gpu` is None where there is no device, for `problem`."""

    gpu: str | None = None
    driver: str | None = None
    problem: str | None = None


def driver() -> Driver:
    """Ask the driver through its own library, without Paddle."""
    words, problem = ask([sys.executable, str(DRIVER_CHECK)])
    return Driver(problem=problem) if problem is not None else Driver(**json.loads(words))


def unusable(found: Driver, build: MeasuredBuild, python: Path) -> NotRun | None:
    """Why the build cannot be measured on the device that was found; None where it can."""
    made = f"build {build.distribution} {build.version} (CUDA {build.cuda or 'none'})"
    if found.gpu is None:
        return NotRun(reason="no CUDA device", detail=f"{found.problem}; {made}")
    _, problem = ask([str(python), str(DEVICE_CHECK)])
    if problem is None:
        return None
    detail = f"{found.gpu}, driver {found.driver}; {made}: {problem}"
    return NotRun(reason="device not supported by the build", detail=detail)


def ask(command: list[str]) -> tuple[str, str | None]:
    """The last line that the child printed, and how it failed, if it did."""
    try:
        ended = subprocess.run(
            command, env=plain_environment(), capture_output=True, text=True, timeout=300
        )
    except subprocess.TimeoutExpired:
        return "", "no end within 300 s"
    if ended.returncode:
        complaint = (ended.stderr.strip().splitlines() or ["no words"])[-1]
        return "", f"exit status {ended.returncode}, {complaint}"
    return (ended.stdout.strip().splitlines() or [""])[-1], None
