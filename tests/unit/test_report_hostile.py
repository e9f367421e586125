"""Nothing in a record is more than words on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from written_report import Page, fences, idle, on_gpu, violated, write_report

from paddlecompat.records.record import BuildFor, NotRun, Record
from paddlecompat.records.subject import Environment, Finding, Sanitizer

HOSTILE = "<script>alert(1)</script> | `x` *b* [l](javascript:x)"
HOSTILE_HOST = samples.host(cpu=HOSTILE, os=HOSTILE, gpu=HOSTILE, driver=HOSTILE)
HOSTILE_DEVICE = samples.device(name=HOSTILE, driver=HOSTILE, runtime={HOSTILE: HOSTILE})
HOSTILE_SANITIZER = Sanitizer(
    tool="memcheck", version=HOSTILE, findings=[Finding(text=HOSTILE, times=3)]
)
HOSTILE_CARD = BuildFor(card=HOSTILE, build=HOSTILE, why=HOSTILE)
HOSTILE_RECORDS = {
    "a CPU cell": samples.record(
        [
            samples.result(group=HOSTILE, name=f'test_" onload="{HOSTILE}[{HOSTILE}]'),
            samples.result(
                outcome="violated",
                message=HOSTILE,
                evidence=samples.evidence(
                    case=HOSTILE, expected=HOSTILE, actual=HOSTILE, script=HOSTILE
                ),
            ),
            samples.result(name="test_other", outcome="unsupported", message=HOSTILE),
        ],
        host=HOSTILE_HOST,
        device=HOSTILE_DEVICE,
        sanitizer=HOSTILE_SANITIZER,
        build=samples.build(wheel=HOSTILE, cuda=f'" onload="{HOSTILE}'),
        environment=Environment(packages={}, mended=[HOSTILE]),
        conditions={"variables": {HOSTILE: HOSTILE}},
    ),
    "a device": on_gpu(host=HOSTILE_HOST, device=HOSTILE_DEVICE, sanitizer=HOSTILE_SANITIZER),
    "what died once": samples.record([samples.result(once=HOSTILE)]),
    "what changed": idle(NotRun(reason="import failed", detail=HOSTILE, changed=[HOSTILE])),
    "what was refused": samples.record(
        [samples.result(), samples.result(name="test_b", outcome="unsupported", message=HOSTILE)]
    ),
    "no code": idle(samples.unsupported(install=HOSTILE)),
    "example cards": idle(NotRun(reason="no build", detail=HOSTILE, builds=[HOSTILE_CARD])),
}


@pytest.mark.parametrize("run", ["```", "````\n# out", "`````python"])
def test_no_script_breaks_out_of_its_fence(tmp_path: Path, run: str) -> None:
    script = f"print('in')\n{run}\nprint('still in')\n"
    assert script in fences(write_report(tmp_path, violated(script=script)).markdown)


@pytest.mark.parametrize("record", HOSTILE_RECORDS.values(), ids=HOSTILE_RECORDS)
def test_hostile_words_are_escaped_in_html(tmp_path: Path, record: Record) -> None:
    page = Page(write_report(tmp_path, record).html)
    assert "script" not in page.tags
    assert page.values("onload") == []


@pytest.mark.parametrize("record", HOSTILE_RECORDS.values(), ids=HOSTILE_RECORDS)
def test_hostile_words_stay_words_in_markdown(tmp_path: Path, record: Record) -> None:
    markdown = write_report(tmp_path, record).markdown
    for block in fences(markdown):  # there they are words anyhow
        markdown = markdown.replace(block, "")
    assert "<script>" not in markdown
    assert "](javascript" not in markdown


@pytest.mark.parametrize(
    ("record", "heading", "start", "bars"),
    [
        (HOSTILE_RECORDS["example cards"], "Not run", "| gpu-2.3.2 ", 5),
        (HOSTILE_RECORDS["a device"], "Devices", "| gpu-2.3.2 ", 8),
    ],
)
def test_hostile_words_add_no_cell_to_a_table(
    tmp_path: Path, record: Record, heading: str, start: str, bars: int
) -> None:
    section = re.sub(r"<a[^>]*></a>", "", write_report(tmp_path, record).section(heading))
    assert section.split(start)[1].count("|") == bars


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path, violated()).html)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)


def test_no_page_has_what_a_terminal_obeys(tmp_path: Path) -> None:
    obeyed = "\x00 \x1b[2J \x9b \u202e"
    page = write_report(
        tmp_path, violated(case=obeyed, script=obeyed), idle(host=samples.host(cpu=obeyed))
    )
    for shown in (page.markdown, page.html):
        assert not set(obeyed.replace("[2J", "").replace(" ", "")) & set(shown)
