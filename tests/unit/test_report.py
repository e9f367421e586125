"""Which files the report is, and which records it shows."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import samples
from written_report import FIXTURE, idle, on_gpu, violated, write_report

from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records.record import Record
from paddlecompat.report import pages

# The files.


def test_all_files_are_written(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record())
    assert sorted(path.name for path in page.folder.iterdir()) == [
        "answers.json",
        "answers.schema.json",
        "badge.json",
        "badge.svg",
        "bugs.md",
        "bugs.zh.md",
        "compatibility.md",
        "index.html",
        "record.schema.json",
    ]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(tmp_path, violated(), samples.record(release="2.4.0"))
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    write_report(tmp_path)
    assert before == {path.name: path.read_bytes() for path in first.folder.iterdir()}


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
    assert "2025-03-03 21:06 UTC." in page.line("Newest record")


@pytest.mark.parametrize("file", ["bugs.toml", "field-reports.toml"])
def test_an_unreadable_file_stops_it_before_it_writes(tmp_path: Path, file: str) -> None:
    texts = {"bugs.toml": "[[bug]]\n", "field-reports.toml": "[[report]]\n"}
    paths = [tmp_path / name for name in texts]
    for path in paths:
        path.write_text(texts[path.name] if path.name == file else "")
    with pytest.raises(ValueError, match=rf"{re.escape(file)}: \[\[\w+\]\], block 1: "):
        pages.write([tmp_path / "cells"], tmp_path / "out", paths[0], FIXTURE, "", (), paths[1])
    assert not (tmp_path / "out").exists()


def test_the_svg_says_what_the_json_says(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record())
    root = ElementTree.fromstring((page.folder / "badge.svg").read_text(encoding="utf-8"))
    assert root.get("aria-label") == "paddle matrix: 1 of 1 measured as expected"


# The readmes.


def test_a_readme_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    start, end = pages.EXCERPT
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{start}\nstale row\n{end}\nafter\n", encoding="utf-8")
    write_report(tmp_path, violated(), readmes=[readme])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{start}\n")
    assert text.endswith(f"{end}\nafter\n")
    assert "| 2.3.2 | ❌ unsound" in text
    assert "stale row" not in text


def test_a_readme_without_marks_is_named_before_writing(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.touch()
    with pytest.raises(ValueError, match=r"README.md: put <!-- table"):
        write_report(tmp_path, readmes=[readme])
    assert not (tmp_path / "out").exists()


def test_the_readmes_table_has_what_was_reported(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("\n".join(pages.EXCERPT), encoding="utf-8")
    reported = [samples.field_report(), samples.field_report(cuda=[])]
    write_report(tmp_path, reported=reported, readmes=[readme])
    text = readme.read_text(encoding="utf-8")
    assert "[⚪ ⚑ Windows CUDA 11](out/compatibility.md#gpu-2.3.2)" in text


@pytest.mark.parametrize(
    ("cause", "cell"),
    [
        (["no code for the card"], "⚪ ⚑ no code for the card 构建不含该显卡的代码"),
        (["unwritten output", "no code for the card"], "⚪"),
        ([], "⚪"),
    ],
)
def test_another_fault_is_no_mark_of_the_kernel(
    tmp_path: Path, cause: list[str], cell: str
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("\n".join(pages.EXCERPT), encoding="utf-8")
    write_report(tmp_path, reported=[samples.field_report(cause=cause)], readmes=[readme])
    assert f"[{cell}](out/compatibility.md#gpu-2.3.2)" in readme.read_text(encoding="utf-8")


# Which records are shown, and in which rows.


def test_releases_stand_newest_first_by_number(tmp_path: Path) -> None:
    versions = ("2.9.0", "2.10.0", "3.0.0")
    page = write_report(tmp_path, *(samples.record(release=version) for version in versions))
    table = page.markdown.split("### CPU\n")[1].split("###")[0]
    assert re.findall(r"\*\*([\d.]+)\*\*", table) == ["3.0.0", "2.10.0", "2.9.0", "2.3.2"]


def test_a_release_without_a_record_has_a_row(tmp_path: Path) -> None:
    assert "no record 无记录" in write_report(tmp_path).line("| **2.3.2**")


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
    assert len(page.summary.errors) == 1
    for shown in (page.markdown, page.html, *page.summary.errors):
        assert problem in shown
    assert "✅ sound" in page.line("| **2.3.2**")
    assert "1 cells: 1 sound, 0 unsound, 0 not run" in page.summary.text


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
    assert "1 sound, 0 unsound" in write_report(tmp_path, samples.record()).summary.text


def test_worse_cells_of_several_hosts_are_told_apart(tmp_path: Path) -> None:
    elsewhere = violated().model_copy(update={"host": samples.host(cpu="Other CPU")})
    text = " ".join(write_report(tmp_path, violated(), elsewhere).summary.text.split())
    assert "Worse than expected: cpu-2.3.2 H1, cpu-2.3.2 H2." in text


def test_the_summary_counts_and_names_what_is_worse(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), samples.record(release="2.4.0"), idle())
    text = " ".join(page.summary.text.split())
    assert text.startswith("3 cells: 1 sound, 1 unsound, 1 not run.")
    assert "Worse than expected: cpu-2.3.2." in text


@pytest.mark.parametrize(
    ("records", "labels"),
    [
        ([samples.record(), samples.record(host=samples.host(cpu="Other"))], ["H1", "H2"]),
        ([on_gpu(), on_gpu(build=samples.build(version="2.3.2.post112"))], ["H1", "H1 post112"]),
    ],
    ids=["hosts", "builds"],
)
def test_the_rows_of_one_cell_are_told_apart(
    tmp_path: Path, records: list[Record], labels: list[str]
) -> None:
    page = write_report(tmp_path, *records)
    for label in labels:
        assert "sound" in page.line(f"| **2.3.2 {label}**")
