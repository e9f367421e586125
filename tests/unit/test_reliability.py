"""The page on what green and red can be trusted for: every fault, and the test that shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from paddlecompat.fixtures.forms import read_toml
from paddlecompat.folders import REPORTS, ROOT
from paddlecompat.report import pages
from paddlecompat.report.studied import trust_pages

FAULT = """\
[[fault]]
section = "hangs and stuck states"
what = "it hung | for ever"
what_zh = "一直挂起"
promise = "it ends"
promise_zh = "会结束"
tests = {tests}
"""
LINKED = '["tests/unit/test_reliability.py::test_a_fault_links_to_its_tests"]'


def page(folder: Path, tests: str) -> str:
    """The page on one fault with these tests."""
    (folder / "faults.toml").write_text(FAULT.format(tests=tests), encoding="utf-8")
    pages.write_reliability(folder, folder / "faults.toml")
    return (folder / "reliability.md").read_text(encoding="utf-8")


def row(page: str) -> str:
    """The line of the fault."""
    return next(line for line in page.splitlines() if line.startswith("| it hung"))


def test_a_fault_links_to_its_tests(tmp_path: Path) -> None:
    shown = "[a fault links to its tests](../tests/unit/test_reliability.py) |"
    assert row(page(tmp_path, LINKED)).endswith(shown)


def test_the_page_begins_with_the_command_of_its_tests(tmp_path: Path) -> None:
    assert "\nnox -s tests -- tests/unit/test_reliability.py\n" in page(tmp_path, LINKED)


def test_a_fault_without_a_test_is_shown_as_one(tmp_path: Path) -> None:
    made = page(tmp_path, "[]")
    assert row(made).endswith("| **not shown by a test 尚无测试** |")
    assert "1 faults, 0 of them shown by a test." in made


def test_what_a_fault_says_adds_no_cell_to_the_table(tmp_path: Path) -> None:
    assert row(page(tmp_path, "[]")).count("|") == 4


@pytest.mark.parametrize("name", ["", "test_a", "tests/unit/../test_a.py::test_b", "x.py::test_b"])
def test_a_test_of_no_such_form_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"\[\[fault\]\], block 1: tests\.0: String should match"):
        page(tmp_path, f'["{name}"]')


# What is committed.


def skipped_in(file: str) -> dict[str, bool]:
    """The functions of a file, each with whether it is skipped wherever it runs."""
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    marks = {node.name: map(ast.unparse, node.decorator_list) for node in functions}
    always = re.compile(r"pytest\.mark\.skip\b")
    return {name: any(map(always.match, some)) for name, some in marks.items()}


def test_every_test_that_a_fault_names_exists_and_runs() -> None:
    wrong = []
    for fault in read_toml(trust_pages.FaultsFile, trust_pages.FAULTS).fault:
        for name in fault.tests:
            file, _, function = name.partition("::")
            there = skipped_in(file) if (ROOT / file).exists() else {}
            if there.get(function, True):
                wrong.append(name)
    assert wrong == []


def test_the_committed_page_is_what_the_faults_give(tmp_path: Path) -> None:
    pages.write_reliability(tmp_path)
    name = "reliability.md"
    assert (REPORTS / name).read_bytes() == (tmp_path / name).read_bytes()
