"""What is locked, and what uv is asked for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_wheels import UvLog

from paddlecompat.environments import installer
from paddlecompat.environments.installer import TOOLS
from paddlecompat.fixtures import releases

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uv's stand-in is a script")


@pytest.fixture
def uv(tmp_path: Path) -> UvLog:
    return UvLog(tmp_path)


def written(uv: UvLog) -> list[str]:
    """The locks that uv was asked to write."""
    outputs = [command[command.index("--output-file") + 1] for command in uv.asked]
    return [Path(output).name for output in outputs]


def test_builds_of_paddles_own_index_are_not_locked(uv: UvLog) -> None:
    installer.lock(releases.load(), ["2.3.2"], uv.program)
    assert written(uv) == ["paddlepaddle-gpu-2.3.2.txt"]


def test_here_is_locked_alone_on_demand(uv: UvLog) -> None:
    installer.lock(releases.load(), ["here"], uv.program)
    assert written(uv) == [TOOLS.name]


def test_a_lock_has_the_hashes_of_every_platform(uv: UvLog) -> None:
    installer.lock(releases.load(), ["2.3.2"], uv.program)
    (command,) = uv.asked
    assert {"--universal", "--generate-hashes", "--python-version"} <= set(command)


def test_what_uv_says_is_told_where_nothing_satisfies_a_release(uv: UvLog) -> None:
    uv.answer("sys.exit('no solution found')")
    with pytest.raises(ValueError, match=r"2\.3\.2 cannot be locked:\nno solution found"):
        installer.lock(releases.load(), ["2.3.2"], uv.program)
