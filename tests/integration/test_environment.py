"""A cell's environment is made once and then reused, and holds what it says that it holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from small_wheels import UvLog, make_wheel

from paddlecompat.environments.environment import Prepared, Wanted, prepare
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.releases import Cell
from paddlecompat.records.record import CannotRun, MachineFailed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uv's stand-in is a script")

FIXTURE = releases.load()
CPU = releases.cell_named("cpu-2.3.2", FIXTURE)
GPU = releases.cell_named("gpu-2.3.2", FIXTURE)
# What the stand-in for uv does: make environments, and install a Paddle of few words into them.
INSTALL = """
import pathlib, subprocess
*_, python, last = sys.argv
if sys.argv[1] == "venv":
    subprocess.run([python, "-m", "venv", "--without-pip", last], check=True)
elif last.endswith(".whl"):
    python = pathlib.Path(sys.argv[sys.argv.index("--python") + 1])
    lib = next(python.parents[1].glob("lib/python3*/site-packages"))
    (lib / "paddle/libs").mkdir(parents=True)
    (lib / "paddle/__init__.py").write_text({paddle!r})
"""
PADDLE = '__version__ = "2.3.2"\nclass version:\n    cuda = staticmethod(lambda: "10.2")\n'


@pytest.fixture
def uv(tmp_path: Path) -> UvLog:
    return UvLog(tmp_path, INSTALL.format(paddle=PADDLE))


def environments_made(uv: UvLog) -> int:
    return len([command for command in uv.asked if command[0] == "venv"])


def on_this_python(cell: Cell, **changes: object) -> Cell:
    """The cell, as if its release were measured with the interpreter of the tests."""
    changes["python"] = "{}.{}".format(*sys.version_info[:2])
    return Cell(cell.release.model_copy(update=changes), cell.kind)


def make(
    uv: UvLog, folder: Path, cell: Cell = CPU, build: str = "paddlepaddle-2.3.2", **changes: object
) -> Prepared:
    """The cell's environment, from a wheel that a person names."""
    wheel = make_wheel(folder, f"{build}-cp310-cp310-linux_x86_64.whl")
    wanted = Wanted(wheel, cuda_libraries=False)
    return prepare(on_this_python(cell, **changes), FIXTURE, wanted, folder / "env", uv.program)


def test_an_environment_is_made_once_and_then_reused(uv: UvLog, tmp_path: Path) -> None:
    first, second = make(uv, tmp_path), make(uv, tmp_path)
    assert environments_made(uv) == 1
    assert (first.seconds.environment_reused, second.seconds.environment_reused) == (False, True)
    assert first.python.exists()
    assert (first.build.version, first.build.cuda, first.build.source) == ("2.3.2", "10.2", "file")


def test_an_environment_made_from_something_else_is_made_anew(uv: UvLog, tmp_path: Path) -> None:
    make(uv, tmp_path)
    make(uv, tmp_path, requires=["numpy<1.20"])
    assert environments_made(uv) == 2


def test_an_environment_that_is_half_made_is_made_anew(uv: UvLog, tmp_path: Path) -> None:
    uv.answer(INSTALL.format(paddle='raise ImportError("libcudart.so.10.2: cannot open")'))
    with pytest.raises(CannotRun, match=r"import failed: .*libcudart\.so\.10\.2"):
        make(uv, tmp_path)
    (tmp_path / "env" / "left over").touch()
    uv.answer(INSTALL.format(paddle=PADDLE))
    assert not make(uv, tmp_path).seconds.environment_reused
    assert not (tmp_path / "env" / "left over").exists()


def test_an_environment_without_its_interpreter_is_made_anew(uv: UvLog, tmp_path: Path) -> None:
    make(uv, tmp_path).python.unlink()
    assert not make(uv, tmp_path).seconds.environment_reused


def test_what_is_told_of_a_builds_gpu_code_makes_nothing_anew(uv: UvLog, tmp_path: Path) -> None:
    make(uv, tmp_path)
    bare = [build.model_copy(update={"linux": None}) for build in CPU.release.builds]
    own = bare[0].model_copy(update={"version": "2.3.2.post999", "index": "paddle"})
    make(uv, tmp_path, builds=[*bare, own])
    assert environments_made(uv) == 1


def test_a_build_without_a_lock_takes_what_another_has_locked(uv: UvLog, tmp_path: Path) -> None:
    make(uv, tmp_path, GPU, "paddlepaddle_gpu-2.3.2.post112")
    beside = (tmp_path / "env" / "requirements.txt").read_text(encoding="utf-8")
    assert "numpy==" in beside
    assert "paddlepaddle" not in beside
    assert "paddlepaddle_gpu-2.3.2.post112" in uv.asked[-1][-1]


def test_the_locked_packages_are_installed_by_their_hashes(uv: UvLog, tmp_path: Path) -> None:
    make(uv, tmp_path)
    _, others, _ = uv.asked
    assert {"--require-hashes", "--no-deps"} <= set(others)
    assert others[-1] == f"--requirement={tmp_path / 'env' / 'requirements.txt'}"


def test_an_environment_serves_until_the_next_wheel_is_there(uv: UvLog, tmp_path: Path) -> None:
    made = make(uv, tmp_path)
    wanted = Wanted(tmp_path / "absent.whl")
    with pytest.raises(ValueError, match="no such file"):
        prepare(on_this_python(CPU), FIXTURE, wanted, tmp_path / "env", uv.program)
    assert make(uv, tmp_path).model_copy(update={"seconds": made.seconds}) == made
    assert environments_made(uv) == 1


def test_without_an_interpreter_the_way_to_get_one_is_told(uv: UvLog, tmp_path: Path) -> None:
    uv.answer("raise SystemExit('offline')")
    cell = Cell(CPU.release.model_copy(update={"python": "3.99"}), "cpu")
    with pytest.raises(MachineFailed, match=r"uv python install 3\.99"):
        prepare(cell, FIXTURE, None, tmp_path / "env", uv.program)
