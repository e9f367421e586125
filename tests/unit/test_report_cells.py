"""What the pages tell of the cells; what several cells share is told once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
import samples
from written_report import Page, fences, idle, on_gpu, violated, write_report

from paddlecompat.records.record import BuildFor, NotRun, Reason, Record
from paddlecompat.records.subject import Environment, Finding, Sanitizer, Seconds
from paddlecompat.report.tables import Row

SCRIPT = "import paddle\nimport numpy as np\n"
TOLD: dict[str, tuple[list[Record], str, list[str]]] = {
    "evidence": (
        [violated(case="the case", expected="[8, 9]", actual="[0, 0]")],
        "Violated",
        ["the case", "[8, 9]", "[0, 0]", "import paddle"],
    ),
    "the evidence of each cell": (
        [violated(actual="[0, 0]"), violated("2.4.0", actual="[7, 7]")],
        "Violated",
        ["[0, 0]", "[7, 7]"],
    ),
    "the case of a crash": (
        [samples.record([samples.result(outcome="crashed", case="x float32 [0, 3]")])],
        "Crashed",
        ["x float32 [0, 3]"],
    ),
    "why nothing ran": ([idle()], "Not run", ["no CUDA device", "No GPU was found."]),
    "example cards": (
        [
            idle(
                NotRun(
                    reason="no CUDA device",
                    detail="No GPU was found.",
                    builds=[
                        BuildFor(card="RTX 3090 (8.6)", build="2.3.2.post112", why="code for 8.6"),
                        BuildFor(card="H100 (9.0)", build=None, why="nothing for 9.0"),
                    ],
                )
            )
        ],
        "Not run",
        ["RTX 3090 (8.6)", "2.3.2.post112", "code for 8.6", "none", "nothing for 9.0"],
    ),
    "the device": (
        [on_gpu()],
        "Devices",
        ["RTX 3090", "8.6", "24.0", "535.104.05", "12.2", "cudart 11.2"],
    ),
    "the sanitizer's findings": (
        [
            on_gpu(
                sanitizer=Sanitizer(
                    tool="initcheck",
                    version="2024.1",
                    findings=[Finding(text="Uninitialized read", times=3)],
                )
            )
        ],
        "What compute-sanitizer found",
        ["initcheck 2024.1", "Uninitialized read"],
    ),
    "what changed since it imported": (
        [idle(NotRun(reason="import failed", detail="no symbol", changed=["numpy was 2.0.0"]))],
        "Not run",
        ["import failed", "no symbol", "changed since it imported", "numpy was 2.0.0"],
    ),
    "the conditions": (
        [
            samples.record(
                conditions={
                    "workers": 7,
                    "seconds_per_property": 45.5,
                    "gibibytes": 6.0,
                    "variables": {"HOME": "TMP"},
                }
            )
        ],
        "Conditions",
        ["cpu-2.3.2", "7", "45.5", "6", "HOME=TMP"],
    ),
    "what died once": (
        [samples.record([samples.result(once="crashed: signal 11")])],
        "Died once, not when alone",
        ["crashed: signal 11", "cpu-2.3.2", "selection is bit exact"],
    ),
    "a reused environment": (
        [samples.record(seconds=Seconds(install=30.04, environment_reused=True))],
        "Where the time went",
        ["30.0", "reused"],
    ),
    "what was mended": (
        [samples.record(environment=Environment(packages={}, mended=["dlsym renamed"]))],
        "What was mended",
        ["dlsym renamed", "cpu-2.3.2"],
    ),
}


@pytest.mark.parametrize(("records", "heading", "parts"), TOLD.values(), ids=TOLD)
def test_both_pages_tell(
    tmp_path: Path, records: list[Record], heading: str, parts: list[str]
) -> None:
    page = write_report(tmp_path, *records)
    if heading in ("Violated", "Crashed"):
        section = page.markdown.split("## Evidence")[1].split("\n## ")[0]
    else:
        section = page.section(heading)
    for shown in (section, page.html):
        assert [part for part in parts if part not in shown] == []


@pytest.mark.parametrize("reason", get_args(Reason))
def test_why_nothing_ran_is_told_in_both_languages(tmp_path: Path, reason: Reason) -> None:
    page = write_report(tmp_path, idle(NotRun(reason=reason, detail="What to do.")))
    for heading in ("GPU", "Not run"):
        assert re.search(rf"{reason} [一-鿿]", page.section(heading))
    assert f'{reason} <span lang="zh-Hans">' in page.html


def test_a_known_violation_leads_to_its_block_in_the_ledger(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), bugs=samples.known())
    assert "❌ unsound 不可靠 |  | as expected" in page.line("| **2.3.2**")
    assert "([known](bugs.md#count-overwrites-grid))" in page.line("| **2.3.2**")
    assert "(bugs.md#count-overwrites-grid): the count overwrites the launch grid" in page.markdown
    assert 'href="bugs.md#count-overwrites-grid"' in page.html


def test_what_is_not_offered_stands_with_its_cause_alone(tmp_path: Path) -> None:
    known = samples.not_offered(properties=["masked_select::*", "nonzero::*"])
    refused = samples.result(name="test_int8", outcome="unsupported", calls=0, message="no int8")
    page = write_report(tmp_path, samples.record([samples.result(), refused]), bugs=known)
    section = page.section("What the releases say they do not offer")
    assert "there is no kernel for it<br><code>no int8</code><br>cpu-2.3.2<br>" in section
    assert "no such property 没有这项性质: cpu-2.3.2" in section


def test_what_is_no_longer_offered_is_worse_and_named(tmp_path: Path) -> None:
    refused = samples.result(name="test_int8", outcome="unsupported", calls=0, message="no int8")
    page = write_report(tmp_path, samples.record([samples.result(), refused]))
    line = page.line("| **2.3.2**")
    assert "✅ sound 可靠 |  | ⬇️ worse" in line
    assert "no longer offered 不再提供: int8" in line
    assert 'no longer offered <span lang="zh-Hans">不再提供</span></span></a> int8' in page.html


def test_a_release_that_no_longer_imports_is_worse(tmp_path: Path) -> None:
    why = NotRun(reason="import failed", detail="no symbol")
    page = write_report(tmp_path, idle(why, place="cpu"))
    assert "⬇️ worse 比预期差 |  |  | import failed 导入失败 |" in page.line("| **2.3.2**")
    assert "Worse than expected: cpu-2.3.2." in page.summary.text


def test_a_cell_of_other_properties_says_how_to_measure_anew(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record(), suite="0" * 64)
    assert "🕗 other properties 性质已更新" in page.line("| **2.3.2**")
    for shown in (page.markdown, page.html):
        assert "nox -s cpu-2.3.2" in shown
    assert "so measure anew with nox -s: cpu-2.3.2." in " ".join(page.summary.text.split())


def test_an_installed_build_has_no_wheel_to_show(tmp_path: Path) -> None:
    build = samples.build(source="installed", wheel="", sha256=None, locked=False)
    page = write_report(tmp_path, samples.record(build=build))
    (row,) = (line for line in page.markdown.splitlines() if "| installed |" in line)
    assert "| 10.2 / 7.6.5 |  |  | installed |" in row
    assert "<td></td>\n<td>installed</td>" in page.html


def test_calls_verified_stand_beside_the_mark(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record([samples.result(calls=12345)]))
    assert "✅ 12,345" in page.markdown
    assert "<small>12,345</small>" in page.html


def test_parameters_share_the_column_of_their_property(tmp_path: Path) -> None:
    names = ("test_copies[float32]", "test_copies[int8]")
    page = write_report(tmp_path, samples.record([samples.result(name=name) for name in names]))
    assert page.line("| release 版本 | copies").endswith("| copies (2) |")
    assert '<th class="over" scope="colgroup" colspan="2">' in page.html


def test_a_parameter_that_does_not_hold_is_named(tmp_path: Path) -> None:
    properties = [
        samples.result(name="test_copies[float32]"),
        samples.result(name="test_copies[int8]", outcome="unsupported", calls=0),
    ]
    page = write_report(tmp_path, samples.record(properties))
    assert "| ✅ 50 \N{HEAVY MINUS SIGN} int8 |" in page.markdown


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [(["holds", "unsupported"], "holds"), (["holds", "violated"], "violated"), ([], "")],
)
def test_ppyoloes_column_has_the_worst_of_its_outcomes(outcomes: Sequence[str], word: str) -> None:
    results = [
        samples.result(group="ppyoloe_head", name=f"test_{number}", outcome=outcome)
        for number, outcome in enumerate(outcomes)
    ]
    record = samples.record([*results, samples.result(outcome="violated")])
    assert Row("2.3.2", "cpu", record).ppyoloe == word


# What several cells share is told once, and each of them is led to.


def test_a_script_of_several_releases_is_shown_once(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), violated("2.4.0"))
    assert fences(page.markdown).count(SCRIPT) == 1
    assert page.html.count(SCRIPT.strip()) == 1


def test_a_script_measured_anew_makes_no_new_finding(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), violated("2.4.0", script="print('another')"))
    assert "print('another')\n" in fences(page.markdown)
    assert SCRIPT not in fences(page.markdown)


def test_the_same_words_of_several_releases_stand_once(tmp_path: Path) -> None:
    refused = samples.result(name="test_int8", outcome="unsupported", calls=0, message="no int8")
    both = [samples.result(), refused]
    cells = [samples.record(both, release=release) for release in ("2.3.2", "2.4.0")]
    page = write_report(tmp_path, *cells)
    assert "no int8</code><br>cpu-2.4.0, cpu-2.3.2<br>" in page.markdown
    assert page.html.count("no int8") == 1


def test_every_mark_leads_to_its_evidence_in_markdown(tmp_path: Path) -> None:
    markdown = write_report(tmp_path, violated(), violated("2.4.0")).markdown
    links = re.findall(r"\[❌[^\]]*\]\(#([^)]+)\)", markdown)
    assert len(set(links)) == 2
    assert all(f'<a name="{link}"></a>' in markdown for link in links)


def test_every_mark_leads_to_its_evidence_in_html(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path, violated(), violated("2.4.0")).html)
    links = {link[1:] for link in page.values("href") if "bit-exact" in link}
    assert len(links) == 2
    assert links <= set(page.values("id"))


def test_two_violations_never_share_an_anchor(tmp_path: Path) -> None:
    names = ("test_a[b-c]", "test_a[b_c]")
    failed = [samples.result(name=name, outcome="violated") for name in names]
    ids = Page(write_report(tmp_path, samples.record(failed)).html).values("id")
    assert len(ids) == len(set(ids))


def test_every_mark_has_a_word(tmp_path: Path) -> None:
    marks = re.findall(r'<span class="mark"([^>]*)>', write_report(tmp_path, violated()).html)
    assert marks
    assert all('aria-label="violated"' in attributes for attributes in marks)
