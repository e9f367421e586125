"""Which Paddle is installed already is found out by reading alone; test tools stand beside."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path

import pytest
from small_wheels import UvLog, write_program

from paddlecompat.environments import installed
from paddlecompat.environments.installed import Interpreter, install_tools, read_interpreter
from paddlecompat.environments.installer import TOOLS, python_of
from paddlecompat.fixtures import builds

PADDLE = '__version__ = "2.3.2"\nclass version:\n    cuda = staticmethod(lambda: "11.2")\n'


NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="the sample programs are scripts")

# Which interpreter, and which build.


def made(folder: Path, paddle: str | None = PADDLE) -> Path:
    """An interpreter of its own in a folder, with that text for Paddle, which has a tag."""
    venv.create(folder, symlinks=os.name != "nt")
    python = python_of(folder)
    if paddle is not None:
        packages = library(python)
        (packages / "paddle.py").write_text(paddle)
        metadata = packages / "paddlepaddle_gpu-2.3.2.post112.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text("Metadata-Version: 2.1\nName: paddlepaddle-gpu\nVersion: 2.3.2.post112")
    return python


def library(python: Path) -> Path:
    """Its folder of packages."""
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def files(folder: Path) -> dict[str, int]:
    """Every file with the time of its last change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No environment is active, and no Python is on the PATH."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return monkeypatch


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_the_active_environment_comes_before_the_path(
    machine: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    machine.setenv("PATH", str(made(tmp_path / "other").parent))
    active = made(tmp_path / "active")
    machine.setenv(variable, str(tmp_path / "active"))
    assert read_interpreter(None).interpreter.path.parent == active.parent


def test_an_environment_without_paddle_is_passed_over(
    machine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made(tmp_path / "noxs own", paddle=None)
    machine.setenv("VIRTUAL_ENV", str(tmp_path / "noxs own"))
    meant = made(tmp_path / "meant")
    machine.setenv("PATH", str(meant.parent))
    assert read_interpreter(None).interpreter.path.parent == meant.parent


@pytest.mark.usefixtures("machine")
def test_without_any_the_option_that_names_one_is_told() -> None:
    with pytest.raises(ValueError, match="-- --python PATH"):
        read_interpreter(None)


def test_one_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--python .*absent: cannot be run"):
        read_interpreter(tmp_path / "absent")


@NEEDS_POSIX
def test_one_that_is_too_old_for_the_test_tools_is_told_so(tmp_path: Path) -> None:
    answer = json.dumps({"path": "python3.7", "python": "3.7"})
    old = write_program(tmp_path / "python3.7", f"print({answer!r})")
    with pytest.raises(ValueError, match=r"need CPython 3\.9 or newer; this is 3\.7"):
        read_interpreter(old)


def test_the_build_keeps_the_tag_that_its_metadata_have(tmp_path: Path) -> None:
    found = read_interpreter(made(tmp_path / "env"))
    assert (found.release, found.build.version, found.build.tag) == (
        "2.3.2",
        "2.3.2.post112",
        "post112",
    )


def test_the_build_is_marked_as_installed_and_has_no_hash(tmp_path: Path) -> None:
    build = read_interpreter(made(tmp_path / "env")).build
    assert (build.source, build.wheel, build.sha256, build.locked) == ("installed", "", None, False)


def test_metadata_of_another_version_do_not_name_the_build() -> None:
    about = {"version": "2.6.2", "cuda": None, "cudnn": None, "packages": {"PaddlePaddle": "2.5.0"}}
    assert installed.build_of(about).version == "2.6.2"


def test_of_two_distributions_the_one_for_that_cuda_is_meant() -> None:
    packages = {"paddlepaddle": "2.6.2", "paddlepaddle_gpu": "2.6.2.post120"}
    about = {"version": "2.6.2", "cuda": "12.0", "cudnn": None, "packages": packages}
    assert installed.build_of(about).version == "2.6.2.post120"


def test_a_paddle_that_does_not_import_is_told_in_its_own_words(tmp_path: Path) -> None:
    broken = made(tmp_path / "env", 'raise ImportError("libcudart.so.10.2: cannot open")')
    with pytest.raises(ValueError, match=r"cannot be imported in .*libcudart\.so\.10\.2"):
        read_interpreter(broken)


def test_asking_writes_nothing_into_the_interpreter(tmp_path: Path) -> None:
    python = made(tmp_path / "env")
    before = files(tmp_path)
    read_interpreter(python)
    assert files(tmp_path) == before


# The test tools beside it.


@pytest.fixture
def uv(tmp_path: Path) -> UvLog:
    return UvLog(tmp_path)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "here.txt").write_text("pytest==8.4.2\n")
    return tmp_path / "here.txt"


OLD = Interpreter(path=Path("python"), python="3.10")


@NEEDS_POSIX
def test_the_tools_go_into_a_folder_of_their_own(uv: UvLog, lock: Path, tmp_path: Path) -> None:
    folder = install_tools(OLD, tmp_path, lock, uv.program)
    (command,) = uv.asked
    assert folder == tmp_path / "py310"
    assert f"--target={folder}" in command
    assert command[command.index("--python") + 1] == "python"


@NEEDS_POSIX
def test_the_tools_are_put_there_once(uv: UvLog, lock: Path, tmp_path: Path) -> None:
    install_tools(OLD, tmp_path, lock, uv.program)
    install_tools(OLD, tmp_path, lock, uv.program)
    assert len(uv.asked) == 1


@NEEDS_POSIX
def test_the_tools_of_another_lock_are_put_there_anew(
    uv: UvLog, lock: Path, tmp_path: Path
) -> None:
    install_tools(OLD, tmp_path, lock, uv.program)
    lock.write_text("pytest==9.0.0\n")
    install_tools(OLD, tmp_path, lock, uv.program)
    assert len(uv.asked) == 2


@NEEDS_POSIX
def test_the_tools_are_those_of_the_lock_by_their_hashes(
    uv: UvLog, lock: Path, tmp_path: Path
) -> None:
    install_tools(OLD, tmp_path, lock, uv.program)
    (command,) = uv.asked
    assert {"--require-hashes", "--no-deps", f"--requirement={lock}"} <= set(command)


def test_nothing_that_paddle_needs_is_in_the_lock_of_the_tools() -> None:
    own = {"numpy", "paddlepaddle", "paddledet", "protobuf", "scipy", "pillow", "setuptools"}
    assert own & builds.requirements(TOOLS).keys() == set()


def test_the_tools_are_locked_for_every_python_that_is_taken() -> None:
    asked_for = (builds.REQUIREMENTS / "here.in").read_text(encoding="utf-8").splitlines()
    names = {line.split()[0] for line in asked_for if line and not line.startswith("#")}
    assert names <= builds.requirements(TOOLS).keys()
    assert "python_full_version < '3.10'" in TOOLS.read_text(encoding="utf-8")


def test_a_plugin_of_the_interpreters_own_stays_away(tmp_path: Path) -> None:
    python = made(tmp_path / "env")
    packages = library(python)
    (packages / "hostile.py").write_text("raise SystemExit('loaded')")
    points = packages / "paddlepaddle_gpu-2.3.2.post112.dist-info" / "entry_points.txt"
    points.write_text("[pytest11]\nhostile = hostile\n")
    found = read_interpreter(python)
    settings = installed.settings_for(found, Path(pytest.__file__).parent.parent)
    settings |= {"PYTEST_PLUGINS": "pytest_timeout"}  # of the tools this one is always here
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    command = [str(python), "-m", "pytest", "-q", str(tmp_path / "test_nothing.py")]
    ended = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
