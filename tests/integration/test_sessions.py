"""`nox -l` lists what the README promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.folders import ROOT


def nox(*arguments: str) -> str:
    """What Nox prints, in the environment of this test."""
    command = [sys.executable, "-m", "nox", *arguments]
    environment = os.environ | {"NOX_SCRIPT_MODE": "none"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """Every session in `nox -l` with what it says of itself."""
    lines = re.findall(r"^[*-] (\S+)(?: \[.*\])? -> (.+)$", nox("--list"), re.MULTILINE)
    return dict(lines)


def test_every_cell_is_a_session_under_its_plain_name(listed: dict[str, str]) -> None:
    names = {cell.name for cell in releases.cells(releases.load())}
    assert names <= listed.keys()


def test_the_other_sessions_are_there(listed: dict[str, str]) -> None:
    assert {
        "tests",
        "lint",
        "report",
        "matrix",
        "builds",
        "libraries",
        "here",
        "lock",
    } <= listed.keys()


def test_noxs_json_lists_the_cells_of_a_place_and_series_for_ci() -> None:
    said = json.loads(nox("--list", "--json", "--tags", "2.4"))
    assert {session["session"] for session in said} == {
        f"{place}-2.4.{number}" for place in ("cpu", "gpu") for number in (0, 1, 2)
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["fill", "cpu-1.0.0"], "no cell 'cpu-1.0.0'"),
        (["fill", "cpu-2.3.2", "--profile", "ci", "--seed", "1"], "--seed has no effect"),
        (["fill", "cpu-2.3.2", "--mutant", "bogus"], "not FILE::NAME, and not one of"),
        (["fill", "cpu-2.3.2", "--bogus"], "unknown: --bogus"),
        (["here", "--python", "absent/python"], "absent/python: cannot be run"),
        (["here", "--profile", "ci", "--seed", "1"], "--seed has no effect"),
        (["matrix", "--bogus"], "unrecognized arguments: --bogus"),
        (["lock", "1.0.0"], "has no release ['1.0.0']"),
    ],
)
def test_a_mistake_on_the_command_line_is_named_before_anything_runs(
    arguments: list[str], problem: str
) -> None:
    command = [sys.executable, "-m", "paddlecompat", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert problem in ended.stderr
