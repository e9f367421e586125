"""What the pages of releases, of bugs and of the properties tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest
import samples
from written_report import Page, idle, on_gpu, violated, write_report

from paddlecompat.records.record import NotRun, Record
from paddlecompat.records.subject import Environment, Finding, Sanitizer

RELEASE = ("releases/2.3.2.html", "zh/releases/2.3.2.html")
UNEXPLAINED = [violated(case="the case", expected="[8, 9]", actual="[0, 7]")]
TOLD: dict[str, tuple[Sequence[Record], list[str]]] = {
    "evidence": (UNEXPLAINED, ["the case", "[8, 9]", "[0, 7]", "import numpy as np"]),
    "the command that shows it": (UNEXPLAINED, ["nox -s cpu-2.3.2 -- -k test_selection_is_bit"]),
    "the case of a crash": (
        [samples.record([samples.result(outcome="crashed", case="x float32 [0, 3]")])],
        ["x float32 [0, 3]"],
    ),
    "why nothing ran": ([idle()], ["No GPU was found."]),
    "what changed since it imported": (
        [idle(NotRun(reason="import failed", detail="no symbol", changed=["numpy was 2.0.0"]))],
        ["no symbol", "numpy was 2.0.0"],
    ),
    "the device": ([on_gpu()], ["RTX 3090", "8.6", "535.104.05"]),
    "the sanitizer's findings": (
        [
            on_gpu(
                sanitizer=Sanitizer(
                    tool="initcheck", version="24.1", findings=[Finding(text="Read it", times=3)]
                )
            )
        ],
        ["initcheck 24.1", "Read it"],
    ),
    "what died once": ([samples.record([samples.result(once="signal 11")])], ["signal 11"]),
    "what was mended": (
        [samples.record(environment=Environment(packages={}, mended=["dlsym renamed"]))],
        ["dlsym renamed"],
    ),
    "what is not offered": (
        [
            samples.record(
                [
                    samples.result(),
                    samples.result(name="test_b", outcome="unsupported", calls=0, message="no b"),
                ]
            )
        ],
        ["no b", "masked_select: b"],
    ),
    "the record": ([samples.record()], ["50", "0123456789ab", samples.host().cpu]),
}


@pytest.mark.parametrize(("records", "parts"), TOLD.values(), ids=TOLD)
def test_a_releases_page_tells(tmp_path: Path, records: Sequence[Record], parts: list[str]) -> None:
    page = write_report(tmp_path, *records)
    for name in RELEASE:
        text = page.read(name).replace("&#39;", "'")
        assert [part for part in parts if part not in text] == []


def test_a_record_is_one_click_away(tmp_path: Path) -> None:
    record = samples.record()
    links = Page(write_report(tmp_path, record).read(RELEASE[1])).values("href")
    assert f"../../cells/{record.file_name}" in map(unquote, links)


def test_a_known_violation_leads_to_its_bug_and_script(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), bugs=samples.known())
    links = Page(page.read(RELEASE[0])).values("href")
    assert "../bugs/count-overwrites-grid.html#script" in links
    assert page.read("scripts/count-overwrites-grid.py") == samples.evidence().script


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("bugs/count-overwrites-grid.html", ["every loss may be wrong", "take another build"]),
        ("zh/bugs/count-overwrites-grid.html", ["所有损失都可能出错", "换用其他构建"]),
    ],
)
def test_a_bugs_page_says_whom_it_concerns(tmp_path: Path, name: str, parts: list[str]) -> None:
    text = write_report(tmp_path, violated(), bugs=samples.known()).read(name)
    shown = ["2.3.2.html", "import paddle", "pull/44181", "nox -s bug-report -- count-overwrites"]
    assert [part for part in (*parts, *shown) if part not in text] == []


def test_what_others_sent_has_a_mark_of_its_own(tmp_path: Path) -> None:
    sent = samples.record().model_copy(update={"provenance": "sent in"})
    page = write_report(tmp_path, sent)
    assert "measured by others" in page.read(RELEASE[0])
    assert "他人实测" in page.read(RELEASE[1])


def test_what_nobody_measured_has_its_command(tmp_path: Path) -> None:
    text = write_report(tmp_path).read(RELEASE[0]).split('id="unmeasured"')[1]
    assert "nox -s cpu-2.3.2" in text


def test_every_local_link_of_every_page_leads_somewhere(tmp_path: Path) -> None:
    page = write_report(
        tmp_path, violated(), violated("2.4.0"), samples.record(release="3.0.0"), idle(),
        bugs=samples.known(),
    )  # fmt: skip
    ids = {path: set(Page(path.read_text("utf-8")).values("id")) for path in page.pages}
    elsewhere = ("README", "advice.md", "cells/", "release=")
    broken = []
    for path in page.pages:
        for link in Page(path.read_text("utf-8")).values("href"):
            if link.startswith("https:") or any(part in link for part in elsewhere):
                continue
            name, _, place = link.partition("#")
            target = (path.parent / name).resolve() if name else path.resolve()
            whole = target.exists() and (not place or place in ids.get(target, {place}))
            broken += [] if whole else [f"{path.name}: {link}"]
    assert broken == []


def test_a_page_has_no_id_twice(tmp_path: Path) -> None:
    names = ("test_a[b-c]", "test_a[b_c]", "test_a_b", "test_a__b")
    failed = [samples.result(name=name, outcome="violated") for name in names]
    for path in write_report(tmp_path, samples.record(failed)).pages:
        ids = Page(path.read_text("utf-8")).values("id")
        assert len(ids) == len(set(ids))


def test_a_mark_of_the_matrix_leads_to_its_evidence(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated())
    (link,) = (each for each in Page(page.read("matrix.html")).values("href") if "#masked" in each)
    assert link.partition("#")[2] in Page(page.read(RELEASE[0])).values("id")


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [(["holds", "unsupported"], "right"), (["holds", "violated"], "silent")],
)
def test_a_property_has_the_worst_of_its_parameters(
    tmp_path: Path, outcomes: list[str], word: str
) -> None:
    results = [
        samples.result(name=f"test_copies[{number}]", outcome=outcome)
        for number, outcome in enumerate(outcomes)
    ]
    text = write_report(tmp_path, samples.record(results)).read("matrix.html")
    assert f'data-severity="{word}"' in text
