"""What the machine does to an environment is told as that, and leaves none that looks made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_wheels import UvLog, make_wheel, serve, write_program

from paddlecompat.__main__ import guarded
from paddlecompat.environments import wheels
from paddlecompat.environments.environment import STAMP, Wanted, held, import_once, prepare
from paddlecompat.environments.installed import Interpreter, install_tools
from paddlecompat.environments.installer import run_uv
from paddlecompat.fixtures import bugs, manifest, releases
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.releases import Cell, Release
from paddlecompat.folders import ROOT
from paddlecompat.machine.host import check_room
from paddlecompat.machine.interpreters import UV
from paddlecompat.records.judging import Status
from paddlecompat.records.record import CannotRun, MachineFailed
from paddlecompat.report import pages
from paddlecompat.report.view import view_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the sample programs are scripts")
LIMIT = 120  # seconds, of anything that is waited for
FIXTURE = releases.load()
THIS = Path(sys.executable)
BUILD = Build(distribution="paddlepaddle", version="2.3.2")
INSTALL = """
import pathlib, subprocess
*_, python, last = sys.argv
if sys.argv[1] == "venv":
    subprocess.run([python, "-m", "venv", "--without-pip", last], check=True)
elif last.endswith(".whl"):
    python = pathlib.Path(sys.argv[sys.argv.index("--python") + 1])
    lib = next(python.parents[1].glob("lib/python3*/site-packages"))
    (lib / "paddle").mkdir(parents=True)
    about = '__version__ = "2.3.2"\\nclass version:\\n    cuda = staticmethod(lambda: "False")\\n'
    (lib / "paddle/__init__.py").write_text(about)
"""


@pytest.fixture
def uv(tmp_path: Path) -> UvLog:
    return UvLog(tmp_path, INSTALL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 400 kB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make(uv: UvLog, folder: Path, environment: Path | None = None) -> bool:
    """Prepare a small environment; whether it was made now."""
    python = "{}.{}".format(*sys.version_info[:2])
    release = releases.cell_named("cpu-2.3.2", FIXTURE).release
    cell = Cell(release.model_copy(update={"python": python}), "cpu")
    wanted = Wanted(make_wheel(folder, "paddlepaddle-2.3.2-cp310-cp310-linux_x86_64.whl"))
    made = prepare(cell, FIXTURE, wanted, environment or folder / "env", uv.program)
    return not made.seconds.environment_reused


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of this project with a pipe to and from it."""
    pipe, words = subprocess.PIPE, map(str, arguments)
    command = [sys.executable, "-c", f"import sys\nfrom pathlib import Path\n{code}", *words]
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# A disk that is full, a limit that is tight.


def test_a_full_disk_is_named_where_a_wheel_is_fetched(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(tmp_path / "index", monkeypatch)
    content = {"paddle/libpaddle.so": os.urandom(600_000)}
    make_wheel(tmp_path / "index", "paddlepaddle-2.3.2-cp310-none-any.whl", content)
    cell = Cell(Release(version="2.3.2", builds=[BUILD], python="3.10"), "cpu")
    with pytest.raises(MachineFailed, match=r"^the disk is full \(.*small disk.*: .*Errno 28\]"):
        wheels.fetch(cell, cache=small_disk)
    assert not list(small_disk.glob("*.whl"))


def test_a_full_disk_is_named_where_uv_writes(small_disk: Path) -> None:
    (small_disk / "others").write_bytes(bytes(390_000))
    with pytest.raises(MachineFailed, match=r"^the disk is full \(.*os error 28"):
        run_uv(UV, "venv", "--python", THIS, small_disk / "env")


def test_a_full_disk_is_named_where_this_project_writes(small_disk: Path) -> None:
    (small_disk / "others").write_bytes(bytes(395_000))
    view = view_of([], bugs.load(), releases.load(), manifest.load())

    def write() -> Status:
        pages.write(view, small_disk / "page")
        return Status.AS_EXPECTED

    came = guarded("report", write)
    assert came.status == Status.MACHINE_FAILED
    assert came.words.startswith("error: the disk is full (")


def test_nothing_is_made_where_there_is_no_room(
    small_disk: Path, uv: UvLog, tmp_path: Path
) -> None:
    with pytest.raises(MachineFailed, match=r"^0\.0 GiB are free on the disk of .*small disk"):
        make(uv, tmp_path, small_disk / "env")
    assert uv.asked == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("-v 4000000", "process's address space is limited to 3.8 GiB, of 8 needed"),
        ("-f 1000000", "process's file is limited to"),
        ("-t 600", "processor time is limited to 600.0 s, of 3600 needed"),
        ("-n 64", "open files is limited to 64.0, of 256 needed"),
    ],
)
def test_a_tight_limit_is_named_with_the_way_out(limit: str, words: str, tmp_path: Path) -> None:
    code = "from paddlecompat.machine.host import check_room; from pathlib import Path;"
    asked = ["bash", "-c", f'ulimit {limit}; exec "$0" -c "{code} check_room(Path())"', str(THIS)]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    assert words in ended.stderr
    assert f"`ulimit {limit[:2]}" in ended.stderr


def test_a_roomy_machine_is_taken(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "made yet")


# A stamp that cannot be read.


def truncate(stamp: Path) -> None:
    stamp.write_bytes(stamp.read_bytes()[:40])


def put_a_folder_in_its_place(stamp: Path) -> None:
    stamp.unlink()
    (stamp / "inside").mkdir(parents=True)


def say_another_version(stamp: Path) -> None:
    stamp.write_text(stamp.read_text().replace('"version": 3,', '"version": 1,'))


def say_no_version(stamp: Path) -> None:
    stamp.write_text(stamp.read_text().replace('"version": 3,', ""))


def scramble(stamp: Path) -> None:
    stamp.write_bytes(b"\xff\xfe\x00")


def put_a_file_for_the_environment(stamp: Path) -> None:
    stamp.parent.rename(stamp.parent.with_name("away"))
    stamp.parent.touch()


@pytest.mark.parametrize(
    "spoil",
    [
        truncate,
        put_a_folder_in_its_place,
        say_another_version,
        say_no_version,
        scramble,
        put_a_file_for_the_environment,
    ],
)
def test_an_environment_with_an_unreadable_stamp_is_made_anew(
    spoil: Callable[[Path], None], uv: UvLog, tmp_path: Path
) -> None:
    make(uv, tmp_path)
    spoil(tmp_path / "env" / STAMP)
    assert make(uv, tmp_path)
    assert not make(uv, tmp_path)


def test_tools_with_an_unreadable_stamp_are_put_there_anew(uv: UvLog, tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("pytest==8.0.0\n")
    (tmp_path / "py39" / lock.name).mkdir(parents=True)
    interpreter = Interpreter(path=THIS, python="3.9")
    folder = install_tools(interpreter, tmp_path, lock, uv.program)
    assert (folder / lock.name).read_text() == lock.read_text()


# Two that want the same.

HOLD = """
from paddlecompat.environments.environment import held
with held("cpu-2.3.2", Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.readline()
"""


def test_a_second_comer_waits_and_says_for_whom(tmp_path: Path) -> None:
    first = start(HOLD, tmp_path / "env", "-k", "mask")
    assert line_of(first) == "mine"
    second = start(HOLD, tmp_path / "env")
    words = line_of(second)
    assert words.startswith(f"waiting for cpu-2.3.2: process {first.pid} has used it since ")
    assert words.endswith(" -k mask)")
    first.communicate("\n", timeout=LIMIT)
    assert line_of(second) == "mine"
    second.communicate("\n", timeout=LIMIT)


def test_one_that_was_killed_keeps_nobody_waiting(tmp_path: Path) -> None:
    first = start(HOLD, tmp_path / "env")
    assert line_of(first) == "mine"
    first.kill()
    first.communicate(timeout=LIMIT)
    second = start(HOLD, tmp_path / "env")
    assert line_of(second) == "mine"
    second.communicate("\n", timeout=LIMIT)


def test_a_dead_holders_file_does_not_mislead(tmp_path: Path) -> None:
    dead = start("pass")
    dead.communicate(timeout=LIMIT)
    first = start(HOLD, tmp_path / "env")
    assert line_of(first) == "mine"
    (tmp_path / "env.holder").write_text(str(dead.pid))
    second = start(HOLD, tmp_path / "env")
    assert line_of(second) == "waiting for cpu-2.3.2: another process has it"
    first.communicate("\n", timeout=LIMIT)
    second.communicate("\n", timeout=LIMIT)


def test_who_holds_an_environment_may_make_it(uv: UvLog, tmp_path: Path) -> None:
    with held("cpu-2.3.2", tmp_path / "env"):
        assert make(uv, tmp_path)
        assert (tmp_path / "env.holder").exists()
    assert not (tmp_path / "env.holder").exists()


def test_twins_put_the_tools_there_once(uv: UvLog, tmp_path: Path) -> None:
    uv.answer("import time; time.sleep(2)")
    (tmp_path / "lock.txt").write_text("pytest==8.0.0\n")
    code = """
from paddlecompat.environments.installed import Interpreter, install_tools
interpreter = Interpreter(path=sys.executable, python="3.9")
folder, uv = map(Path, sys.argv[1:])
install_tools(interpreter, folder, folder / "lock.txt", str(uv))
"""
    twins = [start(code, tmp_path, uv.program) for _ in range(2)]
    for twin in twins:
        twin.communicate(timeout=LIMIT)
        assert twin.returncode == 0
    assert len(uv.asked) == 1


def test_twins_download_an_interpreter_once(uv: UvLog, tmp_path: Path) -> None:
    found = tmp_path / "pythons" / "cpython-3.99.1" / "bin" / "python3"
    uv.answer(f"""
import pathlib, time
time.sleep(2)
python = pathlib.Path({str(found)!r})
python.parent.mkdir(parents=True)
python.write_text("#!/bin/sh\\necho cpython 3.99\\n")
python.chmod(0o755)
""")
    code = """
import os
os.environ["UV_PYTHON_INSTALL_DIR"] = sys.argv[1]
from paddlecompat.machine import interpreters
print(interpreters.get("3.99", sys.argv[2]))
"""
    twins = [start(code, tmp_path / "pythons", uv.program) for _ in range(2)]
    assert [twin.communicate(timeout=LIMIT)[0].strip() for twin in twins] == [str(found)] * 2
    assert len(uv.asked) == 1


# An import that fails: by the release, or by the machine.


def imported(folder: Path, paddle: str, python: Path = THIS) -> object:
    (folder / "paddle.py").write_text(paddle)
    return import_once(python, {"PYTHONPATH": str(folder)})


@pytest.mark.parametrize(
    ("paddle", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "something else on this machine ended it"),
        ("import os; os.kill(os.getpid(), 15)", "something else on this machine ended it"),
        ("raise MemoryError", "no memory is left"),
        ("raise OSError(28, 'No space left on device')", "the disk is full"),
    ],
)
def test_an_import_that_the_machine_ends_is_no_word_of_the_release(
    paddle: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(MachineFailed, match=words):
        imported(tmp_path, paddle)


@pytest.mark.parametrize(
    ("paddle", "words"),
    [
        ("raise ImportError('libcudart.so.10.2')", r"exit status 1, ImportError: libcudart"),
        ("import os; os.kill(os.getpid(), 11)", "ended by signal 11"),
        ("import os; print('bye', flush=True); os._exit(0)", "without an answer: bye"),
    ],
)
def test_an_import_that_the_release_ends_is_its_own(
    paddle: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotRun, match=f"import failed: .*{words}"):
        imported(tmp_path, paddle)


@pytest.mark.parametrize("broken", ["absent", "a script"])
def test_an_interpreter_that_cannot_be_started_blames_no_release(
    broken: str, tmp_path: Path
) -> None:
    python = tmp_path / broken
    if broken == "a script":
        write_program(python, "raise SystemExit('libpython3.10.so: cannot open')")
    with pytest.raises(MachineFailed, match=f"Paddle could not be imported: {python}: "):
        imported(tmp_path, "", python)
