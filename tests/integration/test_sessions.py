"""The two doors: what `nox -l` lists, what commands say, and with which status they end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from paddlecompat.commands import COMMANDS
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.forms import KINDS, in_order
from paddlecompat.folders import ROOT
from paddlecompat.studies.host_half.session import REACHED

CELLS = [cell.name for cell in releases.cells(releases.load())]


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a program of this interpreter prints, and how it ends."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def nox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("nox", *arguments, NOX_SCRIPT_MODE="none", CUDA_VISIBLE_DEVICES="")


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """Every session in `nox -l` with what it says of itself."""
    lines = re.findall(r"^[*-] (\S+)(?: \[.*\])? -> (.+)$", nox("--list").stdout, re.MULTILINE)
    return dict(lines)


def test_every_cell_and_command_is_a_session(listed: dict[str, str]) -> None:
    hosts = {f"host-{r.version}" for r in releases.load().release if r.version.startswith(REACHED)}
    assert {*CELLS, *hosts, *COMMANDS, "tests", "tests-windows", "lint"} == listed.keys()


def test_the_default_is_the_newest_release_and_the_report() -> None:
    chosen = re.findall(r"^\* (\S+)", nox("--list").stdout, re.MULTILINE)
    newest = max((r.version for r in releases.load().release), key=in_order)
    assert chosen == [f"cpu-{newest}", "report"]


def test_noxs_json_lists_the_cells_of_a_series_for_ci() -> None:
    said = json.loads(nox("--list", "--json", "--tags", "2.4").stdout)
    assert {session["session"] for session in said} == {
        f"{kind}-2.4.{number}" for kind in KINDS for number in (0, 1, 2)
    }


@pytest.mark.parametrize("name", ["cpu-2.3.2", "host-2.3.2", *COMMANDS])
def test_help_names_both_doors(name: str) -> None:
    said = run("paddlecompat", name, "--help")
    assert said.returncode == 0
    assert f"nox -s {name} -- [options]" in said.stdout
    assert f"python -m paddlecompat {name} [options]" in said.stdout


def test_help_without_a_command_lists_them() -> None:
    said = run("paddlecompat", "--help")
    assert said.returncode == 0
    assert all(f"  {name} " in said.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["cpu-2.3.2", "--profile", "ci", "--seed", "1"], "--seed has no effect"),
        (["cpu-2.3.2", "--mutant", "bogus"], "not FILE::NAME; the nearest are"),
        (["cpu-2.3.2", "--bogus"], "unrecognized arguments: --bogus"),
        (["cpu-2.3.2", "--build", "2.3.2.post112"], "--build is for GPU cells"),
        (["host-2.6.2"], "asks for a proof that the driver is NVIDIA's"),
        (["here", "--python", "absent/python"], "absent/python: cannot be run"),
        (["here", "--bogus"], "unrecognized arguments: --bogus"),
        (["matrix", "--bogus"], "unrecognized arguments: --bogus"),
        (["lock", "1.0.0"], "has no release 1.0.0"),
        (["bogus"], "no cell and no command 'bogus'"),
    ],
)
def test_a_mistake_is_named_before_anything_runs(arguments: list[str], problem: str) -> None:
    ended = run("paddlecompat", *arguments)
    assert ended.returncode == 2
    assert problem in ended.stderr


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("cpu-2.3.9", "cpu-2.3.2, gpu-2.3.2, fresh-2.3.2, windows-2.3.2, cpu-2.3.1"),
        ("gpu-3.3.9", "gpu-3.3.1, cpu-3.3.1, fresh-3.3.1, windows-3.3.1, gpu-3.3.0"),
        ("2.3.2", "cpu-2.3.2, gpu-2.3.2"),
    ],
)
@pytest.mark.parametrize("door", ["nox", "paddlecompat"])
def test_an_unknown_cell_is_told_the_nearest_first(door: str, asked: str, nearest: str) -> None:
    said = nox("-s", asked) if door == "nox" else run("paddlecompat", asked)
    assert f"no cell {asked!r}; the nearest are {nearest}" in said.stderr
    assert said.returncode == (1 if door == "nox" else 2)


def test_noxs_last_line_names_the_exit_status() -> None:
    said = nox("-s", "cpu-2.3.2", "--", "--profile", "ci", "--seed", "1")
    assert said.returncode == 1
    last = said.stderr.strip().splitlines()[-1]
    assert "--seed has no effect" in last
    assert "exit status 2" in last


def test_a_gpu_cell_without_a_device_is_skipped_by_nox() -> None:
    said = nox("-s", "gpu-2.3.2", "--", "--profile", "quick")
    assert said.returncode == 0
    assert re.search(r"Session gpu-2.3.2 skipped: .*no CUDA device", said.stderr)
