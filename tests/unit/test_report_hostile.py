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
    assert set(page.values("src")) <= {f"{up}site.js" for up in ("", "../", "../../")}
    assert page.values("onload") == []
    assert not any(link.startswith("javascript") for link in page.values("href"))


def test_a_page_has_its_own_script_alone(tmp_path: Path) -> None:
    page = write_report(tmp_path, HOSTILE_RECORDS["a CPU cell"])
    for path in page.pages:
        text = path.read_text(encoding="utf-8")
        scripts = re.findall(r"<script[^>]*>", text)
        data = [tag for tag in scripts if 'type="application/json"' in tag]
        assert len(scripts) - len(data) == 1
        assert "script-src 'self'" in text


@pytest.mark.parametrize("record", HOSTILE_RECORDS.values(), ids=HOSTILE_RECORDS)
def test_hostile_words_stay_words_in_markdown(tmp_path: Path, record: Record) -> None:
    markdown = write_report(tmp_path, record).markdown
    for block in fences(markdown):  # there they are words anyhow
        markdown = markdown.replace(block, "")
    assert "<script>" not in markdown
    assert "](javascript" not in markdown


def test_the_pages_need_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path, violated()).html)
    assert not {"img", "iframe"} & set(page.tags)
    assert not any("//" in source for source in page.values("src"))


def test_no_page_has_what_a_terminal_obeys(tmp_path: Path) -> None:
    obeyed = "\x00 \x1b[2J \x9b \u202e"
    page = write_report(
        tmp_path, violated(case=obeyed, script=obeyed), idle(host=samples.host(cpu=obeyed))
    )
    for shown in (page.markdown, page.html):
        assert not set(obeyed.replace("[2J", "").replace(" ", "")) & set(shown)
