"""What the pages and the terminal tell of the records."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pytest
import samples

from paddlecompat.fixtures.field_reports import FieldReport
from paddlecompat.fixtures.releases import Build, Fixture, Release
from paddlecompat.records import judging, store
from paddlecompat.records.record import (
    BuildFor,
    Environment,
    Finding,
    NotRun,
    PropertyResult,
    Reason,
    Record,
    Sanitizer,
    Seconds,
)
from paddlecompat.report import pages, terminal
from paddlecompat.report.tables import row_of

FIXTURE = Fixture(release=[Release(version="2.3.2", builds=[])])
HOSTILE = "<script>alert(1)</script> | `x` *b* [l](javascript:x)"
FOUND = Finding(text=HOSTILE, times=3)


RENAMED = [{"release": r, "cell": f"cpu-{r}"} for r in ("2.3.2", "2.4.0")]


@dataclass
class Written:
    """A report and where it lies."""

    folder: Path
    summary: terminal.Summary

    @property
    def markdown(self) -> str:
        return (self.folder / "compatibility.md").read_text(encoding="utf-8")

    @property
    def html(self) -> str:
        return (self.folder / "index.html").read_text(encoding="utf-8")

    def line(self, start: str) -> str:
        """The first line of the Markdown that starts so, anchors aside."""
        plain = re.sub(r'<a name="[^"]*"></a>', "", self.markdown)
        return next(line for line in plain.splitlines() if line.startswith(start))

    def section(self, heading: str) -> str:
        """The Markdown under a heading."""
        return re.split(r"\n#+ ", self.markdown.split(f"# {heading}", 1)[1], maxsplit=1)[0]


def written(
    folder: Path,
    *found: Record,
    toml: str = "",
    fixture: Fixture = FIXTURE,
    reported: Sequence[FieldReport] = (),
) -> Written:
    """The report on these records, and on whatever already lies in `folder`/cells."""
    for record in found:
        store.write(record, folder / "cells")
    (folder / "expectations.toml").write_text(toml)
    (folder / "field-reports.toml").write_text(as_toml(reported))
    cells, out = folder / "cells", folder / "out"
    known, told = folder / "expectations.toml", folder / "field-reports.toml"
    return Written(out, pages.write(cells, out, known, fixture, reports_path=told))


def as_toml(reported: Sequence[FieldReport]) -> str:
    """The field reports as a file of them."""
    text = ""
    for one in reported:
        told = json.loads(one.model_dump_json(exclude_none=True))
        text += "[[report]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in told.items())
    return text


def violated(**changes: object) -> Record:
    """A cell with a violation, whose evidence is changed so."""
    evidence = samples.evidence(**changes)
    return samples.record(properties=[samples.result(outcome="violated", evidence=evidence)])


def idle(**changes: object) -> Record:
    """A cell that did not run."""
    reason = NotRun(reason="no CUDA device", detail="No GPU was found.")
    return samples.record(properties=[], build=None, not_run=reason, **changes)


def on_gpu(properties: Sequence[PropertyResult] | None = None, **changes: object) -> Record:
    """A cell that was measured on a card."""
    return samples.record(properties, **{"place": "gpu", "device": samples.device()} | changes)


def fences(markdown: str) -> list[str]:
    """The contents of the fenced blocks, read as CommonMark reads them."""
    blocks: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        match = re.match("`{3,}", line)
        if fence and line.strip("`") == "" and len(line) >= len(fence):
            fence = ""
        elif fence:
            blocks[-1] += line + "\n"
        elif match:
            fence = match[0]
            blocks.append("")
    return blocks


class Page(HTMLParser):
    """The tags, ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name and value is not None]


def test_all_files_are_written(tmp_path: Path) -> None:
    page = written(tmp_path, samples.record())
    assert sorted(path.name for path in page.folder.iterdir()) == [
        "badge.json",
        "badge.svg",
        "compatibility.md",
        "index.html",
        "record.schema.json",
    ]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path, violated(), samples.record(release="2.4.0"))
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    written(tmp_path)
    assert before == {path.name: path.read_bytes() for path in first.folder.iterdir()}


def test_the_onedoes_not_say_where_the_records_lie(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text("{}")
    page = written(tmp_path, samples.record())
    assert str(tmp_path) not in page.markdown + page.html


def test_the_date_is_that_of_the_newest_record(tmp_path: Path) -> None:
    page = written(
        tmp_path,
        samples.record(measured_at="2025-01-01T00:00:00Z"),
        samples.record(release="2.4.0", measured_at="2025-03-04T05:06:00+08:00"),
    )
    assert "2025-03-03 21:06 UTC." in page.line("Newest record")


def test_releases_stand_newest_first_by_number(tmp_path: Path) -> None:
    page = written(tmp_path, *(samples.record(release=v) for v in ("2.9.0", "2.10.0", "3.0.0")))
    table = page.markdown.split("### CPU\n")[1].split("###")[0]
    assert re.findall(r"\*\*([\d.]+)\*\*", table) == ["3.0.0", "2.10.0", "2.9.0", "2.3.2"]


def test_a_release_without_a_record_is_a_row_that_says_so(tmp_path: Path) -> None:
    assert "no record 无记录" in written(tmp_path).line("| **2.3.2**")


def test_without_any_record_the_pages_are_still_written(tmp_path: Path) -> None:
    assert "No record yet" in written(tmp_path, fixture=Fixture(release=[])).html


def test_a_damaged_record_is_named_with_its_field(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text('{"schema_version": 1}')
    page = written(tmp_path, samples.record())
    for told in (page.markdown, page.html, *page.summary.errors):
        assert "bad.json: cell: Field required" in told


def test_a_damaged_record_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text("no json")
    assert "✅ sound" in written(tmp_path, samples.record()).line("| **2.3.2**")


def test_a_record_that_calls_itself_sound_on_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="verdict: 'sound', but its properties are 'not run'"):
        samples.record(properties=[], verdict="sound")


def test_a_record_under_another_cells_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cell: 'cpu-2\.4\.0' is not '2\.3\.2' on the cpu"):
        samples.record(cell="cpu-2.4.0")


def test_a_readme_gets_the_table_between_its_marks_and_keeps_the_rest(tmp_path: Path) -> None:
    start, end = pages.EXCERPT
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{start}\nstale row\n{end}\nafter\n", encoding="utf-8")
    store.write(violated(), tmp_path / "cells")
    known = tmp_path / "expectations.toml"
    known.touch()
    pages.write(tmp_path / "cells", tmp_path / "reports", known, FIXTURE, [readme])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{start}\n")
    assert text.endswith(f"{end}\nafter\n")
    assert "| 2.3.2 | ❌ unsound" in text
    assert "stale row" not in text


def test_a_readme_without_marks_is_named_before_anything_is_written(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.touch()
    known = tmp_path / "expectations.toml"
    known.touch()
    with pytest.raises(ValueError, match=r"README.md: put <!-- table"):
        pages.write(tmp_path / "cells", tmp_path / "reports", known, FIXTURE, [readme])
    assert not (tmp_path / "reports").exists()


def test_the_newest_record_of_a_cell_and_host_is_shown(tmp_path: Path) -> None:
    old = violated().model_copy(update={"measured_at": samples.record().measured_at.replace(2020)})
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "zz-old.json").write_text(old.model_dump_json())
    assert written(tmp_path, samples.record()).summary.unsound == 0


def test_worse_cells_of_several_hosts_are_told_apart(tmp_path: Path) -> None:
    elsewhere = violated().model_copy(update={"host": samples.host(cpu="Other CPU")})
    assert written(tmp_path, violated(), elsewhere).summary.worse == [
        "cpu-2.3.2 H1",
        "cpu-2.3.2 H2",
    ]


def test_each_host_of_a_cell_has_its_row(tmp_path: Path) -> None:
    windows = samples.host(os="Windows 10.0.22631", machine="AMD64", libc="")
    page = written(tmp_path, samples.record(), samples.record(host=windows))
    assert "sound" in page.line("| **2.3.2 H1**")
    assert "sound" in page.line("| **2.3.2 H2**")


def test_a_violations_mark_leads_to_its_evidence_in_markdown(tmp_path: Path) -> None:
    page = written(tmp_path, violated())
    links = re.findall(r"\[❌[^\]]*\]\(#([^)]+)\)", page.markdown)
    assert links
    assert all(f'<a name="{link}"></a>' in page.markdown for link in links)


def test_a_violations_mark_leads_to_its_evidence_in_html(tmp_path: Path) -> None:
    page = Page(written(tmp_path, violated()).html)
    links = [link[1:] for link in page.values("href") if "bit-exact" in link]
    assert links
    assert set(links) <= set(page.values("id"))


def test_two_violations_never_share_an_anchor(tmp_path: Path) -> None:
    names = ("test_a[b-c]", "test_a[b_c]")
    failed = [samples.result(name=name, outcome="violated") for name in names]
    page = Page(written(tmp_path, samples.record(properties=failed)).html)
    assert len(page.values("id")) == len(set(page.values("id")))


def test_evidence_is_shown_whole(tmp_path: Path) -> None:
    page = written(tmp_path, violated(case="the case", expected="[8, 9]", actual="[0, 0]"))
    for told in (page.markdown, page.html):
        assert all(part in told for part in ("the case", "[8, 9]", "[0, 0]", "import paddle"))


def test_a_script_of_several_releases_is_shown_once(tmp_path: Path) -> None:
    both = [violated().model_copy(update=r) for r in RENAMED]
    page = written(tmp_path, *both)
    assert fences(page.markdown).count("import paddle\nimport numpy as np\n") == 1
    assert page.html.count("import paddle\nimport numpy as np") == 1


def test_each_cell_of_a_script_that_is_shown_once_is_led_to(tmp_path: Path) -> None:
    both = [violated().model_copy(update=r) for r in RENAMED]
    page = Page(written(tmp_path, *both).html)
    links = {link[1:] for link in page.values("href") if "bit-exact" in link}
    assert len(links) == 2
    assert links <= set(page.values("id"))


def test_what_differs_between_the_cells_of_one_script_is_shown_for_each(tmp_path: Path) -> None:
    other = violated(actual="[7, 7]").model_copy(update=RENAMED[1])
    page = written(tmp_path, violated(actual="[0, 0]"), other)
    for told in (page.markdown, page.html):
        assert "[0, 0]" in told
        assert "[7, 7]" in told


def test_another_script_of_the_same_property_is_shown_too(tmp_path: Path) -> None:
    other = violated(script="print('another')").model_copy(update=RENAMED[1])
    told = fences(written(tmp_path, violated(), other).markdown)
    assert "print('another')\n" in told
    assert "import paddle\nimport numpy as np\n" in told


def test_a_crash_names_the_case_it_was_on(tmp_path: Path) -> None:
    died = samples.result(outcome="crashed", case="x float32 [0, 3]", message="the process died")
    page = written(tmp_path, samples.record(properties=[died]))
    assert "x float32 [0, 3]\n" in fences(page.markdown)
    assert "x float32 [0, 3]" in page.html


@pytest.mark.parametrize("run", ["```", "````\n# out", "`````python"])
def test_a_script_with_backticks_cannot_break_out_of_its_fence(tmp_path: Path, run: str) -> None:
    script = f"print('in')\n{run}\nprint('still in')\n"
    assert script in fences(written(tmp_path, violated(script=script)).markdown)


def test_html_of_a_hostile_record_is_escaped(tmp_path: Path) -> None:
    evidence = samples.evidence(case=HOSTILE, expected=HOSTILE, actual=HOSTILE, script=HOSTILE)
    hostile = samples.record(
        host=samples.host(cpu=HOSTILE, os=HOSTILE, gpu=HOSTILE, driver=HOSTILE),
        device=samples.device(name=HOSTILE, driver=HOSTILE, runtime={HOSTILE: HOSTILE}),
        sanitizer=Sanitizer(tool="memcheck", version=HOSTILE, findings=[FOUND]),
        build=samples.build(wheel=HOSTILE, source=HOSTILE, cuda=f'" onload="{HOSTILE}'),
        environment=Environment(packages={}, mended=[HOSTILE]),
        profile=HOSTILE,
        properties=[
            samples.result(group=HOSTILE, name=f'test_" onload="{HOSTILE}[{HOSTILE}]'),
            samples.result(outcome="violated", message=HOSTILE, evidence=evidence),
            samples.result(name="test_other", outcome="unsupported", message=HOSTILE),
        ],
    )
    page = Page(written(tmp_path, hostile).html)
    assert "script" not in page.tags
    assert page.values("onload") == []


def test_hostile_words_add_no_cell_to_a_markdown_table(tmp_path: Path) -> None:
    hostile = idle().model_copy(update={"not_run": NotRun(reason="no build", detail=HOSTILE)})
    assert written(tmp_path, hostile).line("| cpu-2.3.2 | H1 | no build").count("|") == 6


def test_hostile_words_stay_words_in_markdown(tmp_path: Path) -> None:
    said = samples.result(name="test_other", outcome="unsupported", message=HOSTILE)
    page = written(tmp_path, samples.record(properties=[samples.result(), said]))
    assert "<script>" not in page.markdown
    assert "](javascript" not in page.markdown


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = Page(written(tmp_path, violated()).html)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)


def test_every_mark_has_a_word(tmp_path: Path) -> None:
    page = written(tmp_path, violated())
    marks = re.findall(r'<span class="mark"([^>]*)>', page.html)
    assert marks
    assert all('aria-label="violated"' in attributes for attributes in marks)


def test_calls_verified_stand_beside_the_mark(tmp_path: Path) -> None:
    page = written(tmp_path, samples.record(properties=[samples.result(calls=12345)]))
    assert "✅ 12,345" in page.markdown
    assert "<small>12,345</small>" in page.html


def test_parameters_share_the_column_of_their_property(tmp_path: Path) -> None:
    names = ("test_copies[float32]", "test_copies[int8]")
    properties = [samples.result(name=name) for name in names]
    page = written(tmp_path, samples.record(properties=properties))
    assert page.line("| release 版本 | copies").endswith("| copies (2) |")
    assert '<th class="over" scope="colgroup" colspan="2">' in page.html


def test_a_parameter_that_does_not_hold_is_named(tmp_path: Path) -> None:
    properties = [
        samples.result(name="test_copies[float32]"),
        samples.result(name="test_copies[int8]", outcome="unsupported", calls=0),
    ]
    page = written(tmp_path, samples.record(properties=properties))
    assert "| ✅ 50 \N{HEAVY MINUS SIGN} int8 |" in page.markdown


def test_the_same_words_of_several_releases_are_shown_once(tmp_path: Path) -> None:
    said = samples.result(name="test_int8", outcome="unsupported", calls=0, message="no int8")
    both = [samples.result(), said]
    cells = [samples.record(release=release, properties=both) for release in ("2.3.2", "2.4.0")]
    page = written(tmp_path, *cells)
    assert "no int8</code><br>cpu-2.4.0, cpu-2.3.2<br>" in page.markdown
    assert page.html.count("no int8") == 1


def test_a_cell_that_did_not_run_shows_its_reason_and_detail(tmp_path: Path) -> None:
    page = written(tmp_path, idle(place="gpu"))
    for told in (page.markdown, page.html):
        assert "no CUDA device" in told
        assert "No GPU was found." in told


@pytest.mark.parametrize("reason", get_args(Reason))
def test_why_nothing_ran_is_told_in_both_languages(tmp_path: Path, reason: Reason) -> None:
    why = NotRun(reason=reason, detail="What to do.")
    page = written(tmp_path, idle(place="gpu").model_copy(update={"not_run": why}))
    for heading in ("GPU", "Not run"):
        assert re.search(rf"{reason} [一-鿿]", page.section(heading))
    assert f'{reason} <span lang="zh-Hans">' in page.html


def test_a_known_violation_shows_its_cause_and_thread(tmp_path: Path) -> None:
    toml = """[[expectation]]
    releases = ["2.3.2"]
    place = "cpu"
    property = "masked_select::*"
    outcome = "violated"
    cause = "the launch grid"
    means = "every loss may be wrong"
    means_zh = "所有损失都可能出错"
    link = "https://example.org/1"
    """
    page = written(tmp_path, violated(), toml=toml)
    assert "❌ unsound 不可靠 |  | as expected" in page.line("| **2.3.2**")
    assert "Cause 原因: the launch grid (<https://example.org/1>)" in page.markdown
    assert 'href="https://example.org/1"' in page.html


def test_a_reused_environment_is_said(tmp_path: Path) -> None:
    reused = samples.record(seconds=Seconds(install=30.04, environment_reused=True))
    table = written(tmp_path, reused).markdown.split("## Where the time went")[1]
    assert "| 30.0 |" in table
    assert "reused 复用" in table


def test_what_was_mended_is_said(tmp_path: Path) -> None:
    mended = samples.record(environment=Environment(packages={}, mended=["dlsym renamed"]))
    assert "dlsym renamed</code>: cpu-2.3.2" in written(tmp_path, mended).markdown


def test_a_build_that_was_installed_already_has_no_wheel_to_show(tmp_path: Path) -> None:
    build = samples.build(source="installed", wheel="", sha256=None, locked=False)
    page = written(tmp_path, samples.record(build=build))
    (row,) = (line for line in page.markdown.splitlines() if "| installed |" in line)
    assert "| 10.2 / 7.6.5 |  |  | installed |" in row
    assert "<td></td>\n<td>installed</td>" in page.html


def test_the_svg_says_what_the_json_says(tmp_path: Path) -> None:
    page = written(tmp_path, samples.record())
    root = ElementTree.fromstring((page.folder / "badge.svg").read_text(encoding="utf-8"))
    assert root.get("aria-label") == "paddle matrix: 1 of 1 measured as expected"


def test_an_unreadable_expectation_stops_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expectations\.toml"):
        written(tmp_path, samples.record(), toml="[[expectation]]\n")
    assert not (tmp_path / "out").exists()


def test_the_summary_counts_and_names_what_is_worse(tmp_path: Path) -> None:
    summary = written(
        tmp_path, violated(), samples.record(release="2.4.0"), idle(place="gpu")
    ).summary
    assert (summary.sound, summary.unsound, summary.not_run) == (1, 1, 1)
    assert summary.worse == ["cpu-2.3.2"]
    assert "Worse than expected: cpu-2.3.2." in " ".join(summary.text.split())


def lines(record: Record, **scripts: Path) -> str:
    judgement = judging.judge(record, [])
    paths = {result.key: path for result in record.properties for path in scripts.values()}
    return "\n".join(terminal.verdict_lines(record, judgement, paths))


def test_a_sound_cell_ends_in_one_line() -> None:
    said = samples.result(name="test_int8", outcome="unsupported", calls=0)
    record = samples.record(properties=[samples.result(calls=12345), said])
    assert lines(record) == (
        "cpu-2.3.2: sound (1 property holds, 1 unsupported; 12,345 calls verified) - as expected"
    )


def test_an_unsound_cell_ends_with_the_evidence_and_the_script() -> None:
    told = lines(violated(), script=Path("repro") / "case.py")
    for part in ("mask [True, True]", "[8, 9]", "[0, 0]", str(Path("repro") / "case.py")):
        assert part in told


def test_a_cell_that_did_not_run_ends_with_its_reason() -> None:
    assert lines(idle()) == "cpu-2.3.2: not run: no CUDA device: No GPU was found."


def test_long_evidence_stays_short_on_the_terminal() -> None:
    told = lines(violated(expected="0.5, " * 1000)).splitlines()
    assert len(told) < 20
    assert max(map(len, told)) <= 100


GPU_FIXTURE = Fixture(
    release=[
        Release(
            version="2.6.1",
            builds=[Build(distribution="paddlepaddle-gpu", version="2.6.1.post117")],
        )
    ]
)


def test_field_reports_stand_in_the_row_of_their_release_with_their_threads(tmp_path: Path) -> None:
    page = written(tmp_path, reported=[samples.field_report()])
    line = page.section("GPU").split("**2.3.2**")[1].splitlines()[0]
    assert "⚑ Windows, CUDA 11.2: nonzero [Paddle#43420](https://github.com/" in line
    assert 'href="https://github.com/PaddlePaddle/Paddle/issues/43420"' in page.html


@pytest.mark.parametrize(("seen", "mark"), [("wrong", "⚑"), ("right", "⚐")])
def test_what_was_reported_has_marks_of_its_own(tmp_path: Path, seen: str, mark: str) -> None:
    page = written(tmp_path, violated(), on_gpu(), reported=[samples.field_report(seen=seen)])
    assert f'<span class="mark" role="img" aria-label="reported {seen}">{mark}</span>' in page.html
    assert f"| {mark} | reported {seen} " in page.section("Legend")


def test_a_field_oneis_part_of_no_verdict_badge_or_count(tmp_path: Path) -> None:
    reported = [samples.field_report(releases=["2.3.2", "2.9.0"])]
    without = written(tmp_path / "without", on_gpu())
    beside = written(tmp_path / "with", on_gpu(), reported=reported)
    assert (
        beside.summary.text.replace("/with/", "/without/").split() == without.summary.text.split()
    )
    for made in ("badge.json", "badge.svg"):
        assert (beside.folder / made).read_bytes() == (without.folder / made).read_bytes()


def test_a_release_with_a_gpu_build_or_a_field_onehas_its_gpu_row(tmp_path: Path) -> None:
    reported = [samples.field_report(releases=["2.2.0"])]
    page = written(tmp_path, fixture=GPU_FIXTURE, reported=reported)
    assert re.findall(r"\*\*([\d.]+)\*\*", page.section("GPU")) == ["2.6.1", "2.2.0"]


def test_a_field_oneof_no_release_is_listed(tmp_path: Path) -> None:
    page = written(tmp_path, reported=[samples.field_report(releases=[])])
    assert "not told" in page.section("Reported by others")


def test_that_nothing_was_measured_on_a_gpu_is_said(tmp_path: Path) -> None:
    page = written(tmp_path, idle(place="gpu"), reported=[samples.field_report()])
    for told in (page.markdown, page.html):
        assert "Nothing has been measured on a GPU yet." in told
    measured = written(tmp_path, on_gpu())
    for told in (measured.markdown, measured.html):
        assert "Nothing has been measured on a GPU yet." not in told


def test_a_class_of_hosts_shows_its_worst_verdict_and_leads_to_each_host(tmp_path: Path) -> None:
    failed = [samples.result(outcome="violated")]
    unsound = on_gpu(properties=failed, host=samples.host(cpu="Other CPU"))
    page = written(tmp_path, on_gpu(), unsound)
    assert "| Linux, Ampere |" in page.section("GPU")
    cell = page.section("GPU").split("**2.3.2** |")[1].split("|")[0]
    assert cell.strip().startswith("❌ unsound")
    links = re.findall(r"\(#([^)]+)\)", cell)
    assert len(links) == 2
    assert all(f'<a name="{link}"></a>' in page.markdown for link in links)
    assert set(links) <= set(Page(page.html).values("id"))


def test_a_host_without_a_device_leads_to_why(tmp_path: Path) -> None:
    page = written(tmp_path, idle(place="gpu"))
    link = re.findall(r"\(#(gpu-2\.3\.2-[^)]+)\)", page.section("GPU"))[0]
    assert f'<a name="{link}"></a>' in page.section("Not run")
    assert link in Page(page.html).values("id")


def test_cpu_rows_know_no_classes_while_all_hosts_are_of_one(tmp_path: Path) -> None:
    other = samples.record(host=samples.host(cpu="Other CPU"))
    assert "| Linux |" not in written(tmp_path, samples.record(), other).section("CPU")


def test_cpu_rows_of_several_systems_have_their_classes(tmp_path: Path) -> None:
    windows = samples.record(host=samples.host(os="Windows 10.0.22631"))
    assert "| Linux | Windows |" in written(tmp_path, samples.record(), windows).section("CPU")


def test_builds_of_one_release_on_one_host_are_told_apart(tmp_path: Path) -> None:
    tagged = on_gpu(build=samples.build(version="2.3.2.post112"))
    page = written(tmp_path, on_gpu(), tagged)
    assert page.line("| **2.3.2 H1 post112**")
    assert page.line("| **2.3.2 H1**")


def test_a_record_of_a_stand_in_device_is_refused(tmp_path: Path) -> None:
    page = written(tmp_path, on_gpu(stand_in="output unwritten"))
    assert len(page.summary.errors) == 1
    assert "stand_in: made with a stand-in device (output unwritten)" in page.summary.errors[0]
    assert (page.summary.sound, page.summary.unsound) == (0, 0)
    assert "stand_in: made with" in page.html


def test_what_example_cards_would_be_given_is_said(tmp_path: Path) -> None:
    given = [
        BuildFor(card="GeForce RTX 3090 (8.6)", build="2.3.2.post112", why="has code for 8.6"),
        BuildFor(card="H100 (9.0)", build=None, why="nothing for 9.0"),
    ]
    why = NotRun(reason="no CUDA device", detail="No GPU was found.", builds=given)
    page = written(tmp_path, idle(place="gpu").model_copy(update={"not_run": why}))
    for told in (page.section("Not run"), page.html):
        for part in ("GeForce RTX 3090 (8.6)", "2.3.2.post112", "has code for 8.6", "none"):
            assert part in told


def test_the_device_is_described(tmp_path: Path) -> None:
    page = written(tmp_path, on_gpu())
    for told in (page.section("Devices"), page.html):
        for part in ("RTX 3090", "8.6", "24.0", "535.104.05", "12.2", "cudart 11.2"):
            assert part in told


def test_what_the_sanitizer_found_is_said(tmp_path: Path) -> None:
    read = Finding(text="Uninitialized read", times=3)
    found = Sanitizer(tool="initcheck", version="2024.1", findings=[read])
    page = written(tmp_path, on_gpu(sanitizer=found))
    for told in (page.section("What compute-sanitizer found"), page.html):
        for part in ("initcheck 2024.1", "Uninitialized read"):
            assert part in told


def test_a_hostile_device_stays_words_in_markdown(tmp_path: Path) -> None:
    hostile = on_gpu(
        host=samples.host(os=HOSTILE, gpu=HOSTILE, driver=HOSTILE),
        device=samples.device(name=HOSTILE, driver=HOSTILE, runtime={HOSTILE: HOSTILE}),
        sanitizer=Sanitizer(tool="memcheck", version=HOSTILE, findings=[FOUND]),
    )
    page = written(tmp_path, hostile)
    assert "<script>" not in page.markdown
    assert "](javascript" not in page.markdown
    assert page.section("Devices").split("| gpu-2.3.2 ")[1].count("|") == 8


def test_no_page_has_what_a_terminal_obeys_or_what_turns_the_order_of_words(
    tmp_path: Path,
) -> None:
    obeyed = "\x00 \x1b[2J \x9b \u202e"
    page = written(
        tmp_path, violated(case=obeyed, script=obeyed), idle(profile=obeyed, place="gpu")
    )
    for told in (page.markdown, page.html):
        assert not set(obeyed.replace("[2J", "").replace(" ", "")) & set(told)


def test_hostile_example_cards_are_escaped(tmp_path: Path) -> None:
    why = NotRun(
        reason="no build",
        detail=HOSTILE,
        builds=[BuildFor(card=HOSTILE, build=HOSTILE, why=HOSTILE)],
    )
    page = written(tmp_path, idle(place="gpu").model_copy(update={"not_run": why}))
    assert "script" not in Page(page.html).tags
    assert "<script>" not in page.markdown


def test_the_readmes_table_has_what_was_reported(tmp_path: Path) -> None:
    start, end = pages.EXCERPT
    readme, known = tmp_path / "README.md", tmp_path / "expectations.toml"
    readme.write_text(f"{start}\n{end}\n", encoding="utf-8")
    known.touch()
    told = tmp_path / "field-reports.toml"
    told.write_text(as_toml([samples.field_report(), samples.field_report(cuda=[])]))
    pages.write(tmp_path / "cells", tmp_path / "reports", known, FIXTURE, [readme], told)
    text = readme.read_text(encoding="utf-8")
    assert "[⚪ ⚑ Windows CUDA 11](reports/compatibility.md#gpu-2.3.2)" in text


def test_unreadable_field_reports_stop_it_before_anything_is_written(tmp_path: Path) -> None:
    known, told = tmp_path / "expectations.toml", tmp_path / "field-reports.toml"
    known.touch()
    told.write_text("[[report]]\n")
    with pytest.raises(ValueError, match=r"field-reports\.toml: \[\[report\]\], block 1: "):
        pages.write(tmp_path / "cells", tmp_path / "out", known, FIXTURE, reports_path=told)
    assert not (tmp_path / "out").exists()


def test_an_output_that_holds_the_poison_is_said_never_to_have_been_written() -> None:
    evidence = samples.evidence(actual="[-7.25e+77] (float64, shape [1])")
    record = samples.record([samples.result(outcome="violated", evidence=evidence)])
    lines = terminal.verdict_lines(record, judging.judge(record, []))
    assert "it was never written" in " ".join(" ".join(lines).split())


def test_the_poison_is_known_by_what_memory_is_filled_with() -> None:
    memory = (pages.TEMPLATES.parent.parent / "tests/properties/memory.py").read_text("utf-8")
    (pattern,) = re.findall(r"-\d+\.\d+e\d+", memory)
    raw = np.full(1, float(pattern))
    printed = [np.array2string(raw.view(kind), separator=",") for kind in ("float64", "float32")]
    assert all(terminal.stale(text) for text in printed)


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [(["holds", "unsupported"], "holds"), (["holds", "violated"], "violated"), ([], "")],
)
def test_ppyoloe_has_a_column_of_its_own_with_the_worst_of_its_outcomes(
    outcomes: Sequence[str], word: str
) -> None:
    results = [
        samples.result(group="ppyoloe_head", name=f"test_{number}", outcome=outcome)
        for number, outcome in enumerate(outcomes)
    ]
    others = [samples.result(outcome="violated")]
    assert row_of(samples.record([*results, *others]), "H1", []).ppyoloe == word
