"""The ledger of bugs: where each was measured, the way around it, and a report on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import samples
from written_report import fences, write_report

from paddlecompat.__main__ import run
from paddlecompat.fixtures import bugs
from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.records.record import PropertyResult, Record
from paddlecompat.report.bug_pages import ledger
from paddlecompat.report.view import view_of

EVERYWHERE = samples.known(releases=["2.*"])
PROPERTY = "workarounds::test_many_values_are_written_by_scatter"
NEWEST = Fixture(release=[Release(version="2.4.0", builds=[]), Release(version="2.3.2", builds=[])])


def cell(release: str, outcome: str = "holds", kind: str = "cpu", **changes: Any) -> Record:
    """A cell in which the property of the sample bug comes to this."""
    calls = {"calls": 0} if outcome == "unsupported" else {}
    results: Sequence[PropertyResult] = [
        samples.result(outcome=outcome, **calls),
        samples.result(name="test_other"),
    ]
    return samples.record(results, release=release, cell=f"{kind}-{release}", **changes)


def page_of(
    folder: Path, *records: Record, known: Known = EVERYWHERE, chinese: bool = False
) -> str:
    """The ledger on these records."""
    written = write_report(folder, *records, bugs=known)
    name = "bugs.zh.md" if chinese else "bugs.md"
    return (written.folder / name).read_text(encoding="utf-8")


def lines_on(page: str, start: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(start)]


# Where it was measured.


def test_the_first_and_the_last_release_are_those_measured(tmp_path: Path) -> None:
    outcomes = {"2.2.2": "holds", "2.3.0": "violated", "2.3.1": "violated", "2.4.0": "holds"}
    page = page_of(tmp_path, *(cell(*pair) for pair in outcomes.items()))
    assert lines_on(page, "- CPU") == [
        "- CPU (Linux): since **2.3.0** (2.2.2 is right), until **2.3.1** (2.4.0 is right)"
    ]
    assert "| silent | 2.3.0 | 2.3.1 |" in page


def test_the_oldest_and_the_newest_measured_are_told(tmp_path: Path) -> None:
    page = page_of(tmp_path, cell("2.3.2", "violated"))
    assert "since **2.3.2** (the oldest measured), until **2.3.2** (the newest measured)" in page


def test_a_release_that_does_not_offer_it_is_not_called_right(tmp_path: Path) -> None:
    page = page_of(tmp_path, cell("2.2.2", "unsupported"), cell("2.3.2", "violated"))
    assert "(2.2.2 does not offer it)" in page


def test_a_release_between_that_is_right_is_named(tmp_path: Path) -> None:
    releases = {"2.3.0": "violated", "2.3.1": "holds", "2.3.2": "violated"}
    page = page_of(tmp_path, *(cell(*pair) for pair in releases.items()))
    assert "but not in 2.3.1" in page


@pytest.mark.parametrize(
    ("on_windows", "lines"),
    [
        ("holds", ["- CPU (Linux): since **2.3.1**"]),
        ("violated", ["- CPU (Linux), Windows build (Wine): since **2.3.1**"]),
    ],
)
def test_windows_is_told_apart_where_it_differs(
    tmp_path: Path, on_windows: str, lines: list[str]
) -> None:
    windows = samples.host(os="Windows build under Wine 8.0 on Debian 12")
    records = [
        cell("2.3.1", "violated"),
        cell("2.3.1", on_windows, kind="windows", host=windows),
    ]
    page = page_of(tmp_path, *records)
    assert [line.partition(" (the")[0] for line in lines_on(page, "- CPU")] == lines


def test_a_bug_that_nothing_shows_yet_says_so(tmp_path: Path) -> None:
    page = page_of(tmp_path, cell("2.6.2"))
    assert "No record shows it yet." in page
    assert "| not measured yet |" in page


def test_what_others_measured_is_not_in_the_range(tmp_path: Path) -> None:
    sent = cell("2.3.2", "violated", provenance="sent in")
    assert "No record shows it yet." in page_of(tmp_path, sent)


def test_what_is_gone_is_told_with_its_cell(tmp_path: Path) -> None:
    page = page_of(tmp_path, cell("2.3.2"))
    assert "expected, and holds now: cpu-2.3.2" in page


def test_the_newest_bugs_come_first(tmp_path: Path) -> None:
    old, new = EVERYWHERE.bug[0], samples.known(properties=["*::test_new"]).bug[0]
    known = Known(bug=[old, new.model_copy(update={"id": "a-new-one"})])
    newer = samples.record([samples.result(name="test_new", outcome="violated")])
    page = page_of(tmp_path, cell("2.3.0", "violated"), newer, known=known)
    assert re.findall(r"^## (.*)", page, re.M) == ["a-new-one", "count-overwrites-grid"]


def test_the_script_is_the_shortest_of_the_newest_release(tmp_path: Path) -> None:
    scripts = {"a": "print('long')\n" * 9, "b": "print('short')\n"}
    results = [
        samples.result(name=f"test_{n}", outcome="violated", evidence=samples.evidence(script=s))
        for n, s in scripts.items()
    ]
    known = samples.known(releases=["2.*"], properties=["masked_select::*"])
    newest = samples.record(results, release="2.4.0")
    page = page_of(tmp_path, cell("2.3.2", "violated"), newest, known=known)
    assert "print('short')\n" in fences(page)
    assert "print('long')" not in page
    assert "The script that shows it in 2.4.0" in page


def test_the_chinese_page_is_chinese(tmp_path: Path) -> None:
    page = page_of(tmp_path, cell("2.3.2", "violated"), chinese=True)
    assert "masked_select 返回内存中原有的内容" in page
    assert "所有损失都可能出错" in page
    assert "换用其他构建" in page
    assert "every loss may be wrong" not in page


# The way around it.


def test_the_code_is_what_the_property_proves() -> None:
    code = ledger.code_of(PROPERTY)
    assert re.findall(r"^def (\w+)", code, re.M) == ["write_many"]
    compile(code, "pasted", "exec")


def test_every_workaround_has_code() -> None:
    codes = [ledger.code_of(bug.workaround) for bug in bugs.load().bug if bug.workaround]
    assert all("def " in code and "import paddle\n" in code for code in codes)


def test_a_workaround_that_is_no_property_is_refused() -> None:
    with pytest.raises(ValueError, match="test_misspelt"):
        ledger.code_of("workarounds::test_misspelt")


@pytest.mark.parametrize(
    ("changes", "fence"),
    [({"workaround": PROPERTY}, ledger.code_of(PROPERTY)), ({"pin": "numpy<2"}, "numpy<2")],
)
def test_the_ledger_shows_the_way_around(
    tmp_path: Path, changes: dict[str, str], fence: str
) -> None:
    bug = EVERYWHERE.bug[0].model_copy(update=changes)
    page = page_of(tmp_path, cell("2.3.2", "violated"), known=Known(bug=[bug]))
    assert any(fence in block for block in fences(page))


# The report to Paddle.


def report_on(folder: Path, name: str, *records: Record) -> str:
    write_report(folder, *records)
    view = view_of([folder / "cells"], EVERYWHERE, NEWEST, samples.SUITE)
    return ledger.report_of(view, name)


def test_a_bug_of_the_newest_release_fills_in_paddles_form(tmp_path: Path) -> None:
    page = report_on(tmp_path, "count-overwrites-grid", cell("2.4.0", "violated"), cell("2.3.2"))
    assert re.findall(r"^### (.*)", page, re.M) == [
        "bug描述 Describe the Bug",
        "其他补充信息 Additional Supplementary Information",
    ]
    shown = samples.evidence()
    assert [
        f"{text.rstrip()}\n" for text in (shown.script, shown.expected, shown.actual)
    ] == fences(page)
    for part in ("PaddlePaddle 2.4.0", "CPython 3.10.13", "2.3.2 is right", "Linux 6.1"):
        assert part in page


def test_an_older_bug_is_not_to_be_reported(tmp_path: Path) -> None:
    words = report_on(tmp_path, "count-overwrites-grid", cell("2.3.2", "violated"), cell("2.4.0"))
    assert "Nothing to report: 2.4.0" in words
    assert "measured last in 2.3.2; 2.4.0 is the first release measured without it" in words
    assert "fixed in 2.4.0" in words


def test_a_bug_that_no_record_shows_is_not_to_be_reported(tmp_path: Path) -> None:
    words = report_on(tmp_path, "count-overwrites-grid", cell("2.4.0"))
    assert "no record shows count-overwrites-grid yet" in words


def test_an_unknown_bug_is_answered_with_those_that_there_are() -> None:
    came = run(["bug-report", "no-such-bug"])
    assert came.status == 2
    assert "mask-assignment-broadcasts" in came.words
