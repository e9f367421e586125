"""Which files the report is, and which records it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from written_report import fences, idle, listing, on_gpu, violated, write_report

from paddlecompat.fixtures import bugs, published
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.uses import load_uses
from paddlecompat.records.record import Record
from paddlecompat.report.site import code_host

USES = [use.id for use in load_uses()]

# The files.


def test_all_files_are_written(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record(), bugs=samples.known())
    pages = [
        "bugs/count-overwrites-grid.html",
        "index.html",
        "matrix.html",
        "releases/2.3.2.html",
    ]
    made = {path.relative_to(page.folder).as_posix() for path in page.folder.rglob("*.*")}
    badges = {f"badges/2.3.2-{u}.{kind}" for u in USES for kind in ("json", "svg")}
    assert made - badges == {
        *pages,
        *(f"zh/{name}" for name in pages),
        "answers.json",
        "answers.schema.json",
        "badge.json",
        "badge.svg",
        "bugs.md",
        "bugs.zh.md",
        "compatibility.md",
        "compatibility.zh.md",
        "record.schema.json",
        "site.css",
        "site.js",
    }
    assert badges <= made


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(tmp_path, violated(), samples.record(release="2.4.0"))
    before = {path: path.read_bytes() for path in first.folder.rglob("*.*")}
    write_report(tmp_path, fixture=listing("2.3.2", "2.4.0"))
    assert before == {path: path.read_bytes() for path in first.folder.rglob("*.*")}


def test_the_pages_do_not_say_where_the_records_lie(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text("{}")
    page = write_report(tmp_path, samples.record())
    assert str(tmp_path) not in page.markdown + page.html


def test_the_date_is_that_of_the_newest_record(tmp_path: Path) -> None:
    page = write_report(
        tmp_path,
        samples.record(measured_at="2025-01-01T00:00:00Z"),
        samples.record(release="2.4.0", measured_at="2025-03-04T05:06:00+08:00"),
    )
    assert "2025-03-03 21:06 UTC" in page.line("Newest record")
    assert "2025-03-03 21:06 UTC" in page.read("index.html")


@pytest.mark.parametrize("file", ["bugs.toml", "field-reports.toml"])
def test_an_unreadable_file_is_told_with_its_block(tmp_path: Path, file: str) -> None:
    load = {"bugs.toml": bugs.load, "field-reports.toml": published.load_field_reports}[file]
    block = "[[bug]]\n" if file == "bugs.toml" else "[[report]]\n"
    (tmp_path / file).write_text(block)
    with pytest.raises(ValueError, match=rf"{re.escape(file)}: \[\[\w+\]\], block 1: "):
        load(tmp_path / file)


# The readmes.


def test_a_readme_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    start, end = code_host.EXCERPT
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{start}\nstale row\n{end}\nafter\n", encoding="utf-8")
    write_report(tmp_path, violated(), readmes=[readme])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{start}\n")
    assert text.endswith(f"{end}\nafter\n")
    assert "| **2.3.2** | ❌ silently wrong" in text
    assert "stale row" not in text


def test_a_readme_without_marks_is_named_before_writing(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.touch()
    with pytest.raises(ValueError, match=r"README.md: put <!-- table"):
        write_report(tmp_path, readmes=[readme])
    assert not (tmp_path / "out").exists()


def test_a_readme_in_chinese_gets_a_table_in_chinese(tmp_path: Path) -> None:
    readme = tmp_path / "README.zh.md"
    readme.write_text("\n".join(code_host.EXCERPT), encoding="utf-8")
    write_report(tmp_path, violated(), bugs=samples.known(), readmes=[readme])
    text = readme.read_text(encoding="utf-8")
    assert "| **2.3.2** | [❌ 静默出错](out/bugs.zh.md#count-overwrites-grid) |" in text


# The page for a code host.


def test_no_table_is_wider_than_a_code_hosts_page(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), reported=[samples.field_report()])
    for name in ("compatibility.md", "compatibility.zh.md"):
        rows = [line for line in page.read(name).splitlines() if line.startswith("|:")]
        assert {line.count("|") - 1 for line in rows} == {6, 5, 2}  # two: the one card of the tests


def test_a_new_violation_stands_with_its_script(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), bugs=samples.known())
    assert "## New" not in page.markdown
    page = write_report(tmp_path / "new", violated())
    assert fences(page.section("New: no known bug explains it")) == [samples.evidence().script]


def test_a_field_report_is_told_as_such(tmp_path: Path) -> None:
    reported = [samples.field_report(releases=[], inferred=["os", "cuda"])]
    section = write_report(tmp_path, reported=reported).section("Reported by others")
    for part in ("not told", "inferred: os, cuda", "Windows, CUDA 11.2", "Paddle#43420"):
        assert part in section


# Which records are shown, and in which rows.


def test_releases_stand_newest_first_by_number(tmp_path: Path) -> None:
    versions = ("2.9.0", "2.10.0", "3.0.0")
    page = write_report(tmp_path, *(samples.record(release=version) for version in versions))
    table = page.section("On the CPU, with the pins that fit")
    assert re.findall(r"\*\*([\d.]+)\*\*", table) == ["3.0.0", "2.10.0", "2.9.0", "2.3.2"]


def test_a_release_without_a_record_is_unknown(tmp_path: Path) -> None:
    assert "❔ unknown `nox -s cpu-2.3.2`" in write_report(tmp_path).line("| **2.3.2**")


def test_without_any_record_the_pages_are_written(tmp_path: Path) -> None:
    assert "No record yet" in write_report(tmp_path, fixture=Fixture(release=[])).html


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"schema_version": 2}', "bad.json: cell: Field required"),
        ("no json", "bad.json: the file: Invalid JSON"),
        (
            on_gpu(stand_in="output unwritten").model_dump_json(),
            "stand_in: made with a stand-in device (output unwritten)",
        ),
    ],
    ids=["incomplete", "no JSON", "of a stand-in"],
)
def test_a_refused_record_is_named_and_costs_only_itself(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text(text)
    page = write_report(tmp_path, samples.record())
    assert len(page.errors) == 1
    for shown in (page.markdown, page.html, *page.errors):
        assert problem in shown
    assert "✅ right" in page.line("| **2.3.2**")
    assert "1 cells: 1 measured, 0 not run" in page.summary


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"properties": [], "verdict": "sound"}, "verdict: 'sound', but its properties are 'not"),
        ({"cell": "cpu-2.4.0"}, r"cell: 'cpu-2\.4\.0' is not '2\.3\.2' on the cpu"),
    ],
    ids=["sound on nothing", "another cell's name"],
)
def test_a_record_that_contradicts_itself_is_refused(
    changes: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        samples.record(**changes)  # type: ignore[arg-type]  # a list of properties among them


def test_the_newest_record_of_a_cell_and_host_is_shown(tmp_path: Path) -> None:
    old = violated().model_copy(update={"measured_at": samples.record().measured_at.replace(2020)})
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "zz-old.json").write_text(old.model_dump_json())
    assert "✅ right" in write_report(tmp_path, samples.record()).line("| **2.3.2**")


def test_worse_cells_of_several_hosts_are_told_apart(tmp_path: Path) -> None:
    elsewhere = violated().model_copy(update={"host": samples.host(cpu="Other CPU")})
    text = " ".join(write_report(tmp_path, violated(), elsewhere).summary.split())
    assert "Worse than expected: cpu-2.3.2 H1, cpu-2.3.2 H2." in text


def test_the_summary_counts_and_names_what_is_worse(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), samples.record(release="2.4.0"), idle())
    text = " ".join(page.summary.split())
    assert text.startswith("3 cells: 2 measured, 1 not run. New, and explained by no bug: 1.")
    assert "Worse than expected: cpu-2.3.2." in text


@pytest.mark.parametrize(
    ("records", "labels"),
    [
        ([samples.record(), samples.record(host=samples.host(cpu="Other"))], ["H1", "H2"]),
        ([on_gpu(), on_gpu(build=samples.build(version="2.3.2.post112"))], ["H1", "H1 post112"]),
    ],
    ids=["hosts", "builds"],
)
def test_the_columns_of_one_cell_are_told_apart(
    tmp_path: Path, records: list[Record], labels: list[str]
) -> None:
    text = write_report(tmp_path, *records).read("matrix.html")
    assert all(f">2.3.2 {label}" in text for label in labels)


# No word that says less than the answers do.


def test_no_page_calls_a_release_sound(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), samples.record(release="2.4.0"), idle())
    for shown in (page.markdown, page.html, page.summary):
        assert not re.search("sound|可靠", shown)
