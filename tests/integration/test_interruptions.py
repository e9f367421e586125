"""Children end with their parent, however it ends, and an interruption is told in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from small_wheels import write_program

from paddlecompat.folders import ROOT
from paddlecompat.machine.processes import run_checked, start
from paddlecompat.machine.processes.children import interruptible

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX")
LIMIT = 120  # seconds, of anything that is waited for
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGKILL")


class Tree:
    """Programs that find each other by a token: a child that has a grandchild, and both sleep."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ready = folder, folder / "ready"
        self.token = f"token-{folder.name}-{os.getpid()}"
        self.child = write_program(
            folder / "child",
            f"""
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = "import time; time.sleep(600)"
subprocess.Popen([sys.executable, "-c", sleep, {self.token!r}])
pathlib.Path({str(self.ready)!r}).touch()
if "leave" not in sys.argv: time.sleep(600)
""",
        )

    def command(self, *more: str) -> list[str]:
        return [str(self.child), self.token, *more]

    def parent(self, code: str) -> subprocess.Popen[str]:
        """A process of this project that runs the code, where `command` is that of the child."""
        head = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from paddlecompat.machine.processes import run_checked, run_logged, start
from paddlecompat.machine.processes.children import interruptible
command, log = {self.command()!r}, Path({str(self.folder / "log")!r})
"""
        return self.run(sys.executable, "-c", head + code)

    def run(self, *command: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)

    def interrupted(self, parent: subprocess.Popen[str], *names: str) -> tuple[int, str]:
        """Send these signals once all are there; the parent's exit status and complaint."""
        wait_for(self.ready.exists)
        for name in names:
            parent.send_signal(getattr(signal, name))
            time.sleep(0.2)
        complaint = parent.communicate(timeout=LIMIT)[1]
        return parent.returncode, complaint

    def survivors(self) -> list[psutil.Process]:
        """The processes with the token that have not ended."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                lives = process.status() != psutil.STATUS_ZOMBIE
                if lives and self.token in process.cmdline():
                    found.append(process)
        return found


def wait_for(due: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT
    while not due():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    yield tree
    for process in tree.survivors():
        process.kill()


@pytest.mark.parametrize("name", SIGNALS)
def test_no_signal_to_the_parent_leaves_an_orphan(tree: Tree, name: str) -> None:
    parent = tree.parent("with interruptible(): run_checked(command)")
    tree.interrupted(parent, name)
    wait_for(lambda: not tree.survivors())


@pytest.mark.parametrize("name", SIGNALS)
def test_children_that_threads_wait_for_end_too(tree: Tree, name: str) -> None:
    code = """
with interruptible(), ThreadPoolExecutor(2) as pool:
    for waiting in [pool.submit(run_checked, command) for _ in "ab"]: waiting.result()
"""
    tree.interrupted(tree.parent(code), name)
    wait_for(lambda: not tree.survivors())


def test_nothing_more_is_started_once_an_interruption_began(tree: Tree) -> None:
    code = """
with interruptible(), ThreadPoolExecutor(1) as pool:
    for waiting in [pool.submit(run_checked, command) for _ in "abc"]: waiting.result()
"""
    status, _ = tree.interrupted(tree.parent(code), "SIGTERM")
    assert status != 0
    wait_for(lambda: not tree.survivors())


def test_the_signal_is_named_where_it_is_caught(tree: Tree) -> None:
    code = """
try:
    with interruptible(): run_checked(command)
except KeyboardInterrupt as stopped:
    sys.exit(f"by {stopped}")
"""
    assert tree.interrupted(tree.parent(code), "SIGHUP") == (1, "by SIGHUP\n")


def test_a_second_signal_does_not_break_the_first(tree: Tree) -> None:
    stubborn = tree.folder / "paddlecompat" / "__main__.py"  # of our own kind: it is waited for
    stubborn.parent.mkdir()
    stubborn.write_text(tree.child.read_text())
    code = f"""
try:
    own = [sys.executable, "-m", "paddlecompat", command[1]]
    with interruptible(): run_checked(own, folder=Path({str(tree.folder)!r}))
except KeyboardInterrupt as stopped:
    sys.exit(f"by {{stopped}}")
"""
    parent = tree.parent(code)
    assert tree.interrupted(parent, "SIGTERM", "SIGINT", "SIGTERM") == (1, "by SIGTERM\n")
    wait_for(lambda: not tree.survivors())


def test_a_command_of_ours_is_told_and_ends_its_own(tree: Tree) -> None:
    code = f"""
own = [sys.executable, "-m", "paddlecompat", "here", "--python", {str(tree.child)!r}]
with interruptible(): run_logged(own, log)
"""
    tree.child.write_text(
        tree.child.read_text().replace("import pathlib", f"# {tree.token}\nimport pathlib")
    )
    tree.interrupted(tree.parent(code), "SIGTERM")
    wait_for(lambda: not tree.survivors())
    told = (tree.folder / "log").read_text().splitlines()
    assert told == ["here: interrupted by SIGTERM; what had ended before is kept"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_command_ends_in_one_line_and_status_3(tree: Tree, name: str) -> None:
    command = [sys.executable, "-m", "paddlecompat", "here", "--python", str(tree.child)]
    words = f"here: interrupted by {name}; what had ended before is kept\n"
    assert tree.interrupted(tree.run(*command), name) == (3, words)
    wait_for(lambda: not tree.survivors())


def test_nox_ends_all_its_sessions_when_interrupted(tree: Tree) -> None:
    asked = ["-s", "here", "lock", "--", "--python", str(tree.child)]
    status, said = tree.interrupted(tree.run(sys.executable, "-m", "nox", *asked), "SIGTERM")
    assert status == 130
    assert "interrupted by SIGTERM" in said
    assert "Running session lock" not in said
    wait_for(lambda: not tree.survivors())


def test_what_had_the_signals_before_has_them_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_timeout_ends_the_grandchild_too(tree: Tree) -> None:
    assert run_checked(tree.command(), seconds=5).problem == "no end in time"
    wait_for(lambda: not tree.survivors())


def test_a_child_that_is_stopped_ends_at_its_timeout(tree: Tree) -> None:
    stop = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    assert run_checked([sys.executable, "-c", stop, tree.token], seconds=3).status is None
    wait_for(lambda: not tree.survivors())


def test_what_a_child_leaves_behind_is_not_waited_for(tree: Tree) -> None:
    assert run_checked(tree.command("leave"), seconds=LIMIT).status == 0
    wait_for(lambda: not tree.survivors())


def test_a_childs_end_is_told_as_it_was(tmp_path: Path) -> None:
    ends = ["import sys; sys.exit(7)", "import os; os.kill(os.getpid(), 11)"]
    assert [run_checked([sys.executable, "-c", end]).status for end in ends] == [7, -11]


def test_a_child_sees_its_environment_and_no_other(tmp_path: Path) -> None:
    code = "import json, os; json.dump(dict(os.environ), open('seen', 'w'))"
    given = {"PYTHONHASHSEED": "7", "NAME": "a=b\nc"}
    assert start([sys.executable, "-I", "-c", code], given, tmp_path).wait(LIMIT) == 0
    seen = json.loads((tmp_path / "seen").read_text())
    assert {name: seen[name] for name in given} == given
    assert "HOME" not in seen


def test_a_child_reads_what_is_written_to_it(tmp_path: Path) -> None:
    code = "import sys; open('read', 'w').write(sys.stdin.read())"
    child = start([sys.executable, "-c", code], {}, tmp_path, stdin=subprocess.PIPE)
    assert child.stdin is not None
    with child.stdin:
        child.stdin.write(b"words")
    assert child.wait(LIMIT) == 0
    assert (tmp_path / "read").read_text() == "words"


def test_a_program_that_is_not_there_is_no_child(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        start(["absent"], {}, tmp_path)


def test_a_child_lives_until_it_is_killed(tmp_path: Path) -> None:
    child = start([sys.executable, "-c", "import time; time.sleep(600)"], {}, tmp_path)
    assert child.poll() is None
    child.kill()
    assert child.poll() == -signal.SIGKILL
