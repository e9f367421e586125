"""What a mutant stands in place of, in a made-up Paddle; what cannot be replaced is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paddlecompat.folders import ROOT, TESTS
from paddlecompat.machine.processes import plain_environment

PADDLE = """
from types import SimpleNamespace

__version__ = "2.6.2"

def double(number): return 2 * number
def masked_select(x, mask): return x

class Number:
    def __init__(self, number): self.number = number
    @staticmethod
    def static(number): return 2 * number
    @classmethod
    def of_class(cls, number): return 2 * cls(number).number
    @property
    def behind(self): return 2 * self.number
    def method(self): return 2 * self.number

class Integer(Number): pass

size = 4
holder = SimpleNamespace(double=lambda number: 2 * number)
jit = SimpleNamespace(not_to_static=lambda function: function)
"""
CALLER = """
from paddle import double as twice, Number

bound = Number.static

def by_another_name(number): return twice(number)
def by_a_static_method(number): return bound(number)
"""
MUTANT = "def one_more(true): return lambda *given: true(*given) + 1\n"
PROGRAM = """
import sys

import paddle
import ppdet
from properties.mutants import reach, replacement

name, target, call = sys.argv[1:]
replacement.install(name, target or None)
targets, with_it = reach.targets, eval(call)
from ppdet import later
replacement.remove()
print(targets, with_it, eval(call), later.double is paddle.double)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the made-up Paddle and the mutant are."""
    (tmp_path / "ppdet").mkdir()
    files = {"paddle.py": PADDLE, "mine.py": MUTANT, "needs_more.py": "import more\n"}
    files |= {"ppdet/__init__.py": CALLER, "ppdet/later.py": "from paddle import double\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def install(
    folder: Path, target: str, call: str = "0", name: str = "mine.py::one_more"
) -> tuple[bool, str]:
    """Whether a mutant could be put in place of the target; what the call gives, or the error."""
    path = os.pathsep.join(map(str, (folder, TESTS, ROOT)))
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, target, call],
        cwd=folder,
        env=plain_environment({"PYTHONPATH": path}),
        capture_output=True,
        text=True,
    )
    said = ended.stderr if ended.returncode else ended.stdout
    return ended.returncode == 0, said.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("paddle.double", "paddle.double(1)"),
        ("paddle.Number.static", "paddle.Number.static(1)"),
        ("paddle.Number.of_class", "paddle.Integer.of_class(1)"),
        ("paddle.Number.behind", "paddle.Number(1).behind"),
        ("paddle.Number.method", "paddle.Integer(1).method()"),
        ("paddle.Integer.method", "paddle.Integer(1).method()"),
        ("paddle.double", "ppdet.by_another_name(1)"),
        ("paddle.Number.static", "ppdet.by_a_static_method(1)"),
    ],
)
def test_the_mutant_is_called_wherever_the_function_was(
    folder: Path, target: str, call: str
) -> None:
    done, said = install(folder, target, call)
    assert done
    assert said.startswith(f"['{target}'] 3 ")


def test_a_mutant_that_is_taken_out_leaves_nothing_behind(folder: Path) -> None:
    assert install(folder, "paddle.double", "paddle.double(1)")[1].endswith(" 3 2 True")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("paddle.doubel", "paddle.doubel: the release has no such function; the nearest is double"),
        (
            "paddle.Nubmer.method",
            "paddle.Nubmer: the release has no such function; the nearest is N",
        ),
        ("padle.double", "padle: the release has no such function"),
        ("needs_more.double", "needs_more cannot be imported: No module named 'more'"),
        ("paddle.size", "paddle.size is no function, but of type int"),
        ("paddle.holder.double", "paddle.holder.double: nothing holds it under its own name"),
    ],
)
def test_a_target_that_cannot_be_replaced_is_named(folder: Path, target: str, words: str) -> None:
    done, said = install(folder, target)
    assert not done
    assert said.startswith(f"LookupError: {words}")


def test_a_mutant_of_the_catalogue_takes_no_target(folder: Path) -> None:
    assert install(folder, "paddle.double", name="zeros") == (
        False,
        "ValueError: --target paddle.double is for a mutant from a file, not for zeros",
    )


def test_a_function_of_the_catalogue_that_is_missing_is_left_out(folder: Path) -> None:
    assert install(folder, "", name="nonzero: all zero") == (True, "[] 0 0 True")


def test_any_other_function_that_is_missing_is_an_error(folder: Path) -> None:
    done, said = install(folder, "", name="box decoding: all zero")
    assert (done, said.partition(":")[0]) == (False, "LookupError")
