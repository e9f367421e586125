"""What the pages tell of GPUs: the classes of host, and what others reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from written_report import Page, idle, on_gpu, violated, write_report

from paddlecompat.fixtures.releases import Build, Fixture, GpuCode, Release

BUILT = Build(distribution="paddlepaddle-gpu", version="2.6.1.post117")
GPU_FIXTURE = Fixture(release=[Release(version="2.6.1", builds=[BUILT])])


def test_field_reports_stand_in_their_releases_row(tmp_path: Path) -> None:
    page = write_report(tmp_path, reported=[samples.field_report()])
    line = page.section("GPU").split("**2.3.2**")[1].splitlines()[0]
    assert "⚑ Windows, CUDA 11.2: nonzero [Paddle#43420](https://github.com/" in line
    assert 'href="https://github.com/PaddlePaddle/Paddle/issues/43420"' in page.html


def test_field_reports_stand_under_their_cause(tmp_path: Path) -> None:
    causes: list[list[str]] = [[], ["no code for the card"], ["unwritten output"]]
    page = write_report(tmp_path, reported=[samples.field_report(cause=cause) for cause in causes])
    line = page.section("GPU").split("**2.3.2**")[1].splitlines()[0]
    told = ("output never written", "no code for the card", "cause not known")
    assert re.findall("|".join(told), line) == list(told)
    assert all(words in page.html for words in told)


def test_what_was_inferred_in_a_field_report_is_said(tmp_path: Path) -> None:
    page = write_report(tmp_path, reported=[samples.field_report(inferred=["os", "cuda"])])
    assert "inferred 推断: os, cuda" in page.section("Reported by others")
    assert '<span lang="zh-Hans">推断</span>: os, cuda' in page.html


@pytest.mark.parametrize(("seen", "mark"), [("wrong", "⚑"), ("right", "⚐")])
def test_what_was_reported_has_marks_of_its_own(tmp_path: Path, seen: str, mark: str) -> None:
    reported = [samples.field_report(seen=seen)]
    page = write_report(tmp_path, violated(), on_gpu(), reported=reported)
    assert f'<span class="mark" role="img" aria-label="reported {seen}">{mark}</span>' in page.html
    assert f"| {mark} | reported {seen} " in page.section("Legend")


def test_a_field_report_is_in_no_verdict_badge_or_count(tmp_path: Path) -> None:
    reported = [samples.field_report(releases=["2.3.2", "2.9.0"])]
    without = write_report(tmp_path / "without", on_gpu())
    beside = write_report(tmp_path / "with", on_gpu(), reported=reported)
    text = beside.summary.replace(str(beside.folder), str(without.folder))
    assert text.split() == without.summary.split()
    for made in ("badge.json", "badge.svg"):
        assert (beside.folder / made).read_bytes() == (without.folder / made).read_bytes()


def test_a_gpu_build_or_a_field_report_makes_a_gpu_row(tmp_path: Path) -> None:
    reported = [samples.field_report(releases=["2.2.0"])]
    page = write_report(tmp_path, fixture=GPU_FIXTURE, reported=reported)
    assert re.findall(r"\*\*([\d.]+)\*\*", page.section("GPU")) == ["2.6.1", "2.2.0"]


def test_a_field_report_of_no_release_is_listed(tmp_path: Path) -> None:
    page = write_report(tmp_path, reported=[samples.field_report(releases=[])])
    assert "not told" in page.section("Reported by others")


def test_that_nothing_was_measured_on_a_gpu_is_said(tmp_path: Path) -> None:
    words = "Nothing has been measured on a GPU yet."
    page = write_report(tmp_path, idle(), reported=[samples.field_report()])
    assert [words in shown for shown in (page.markdown, page.html)] == [True, True]
    page = write_report(tmp_path, on_gpu())
    assert [words in shown for shown in (page.markdown, page.html)] == [False, False]


def test_a_class_of_hosts_shows_its_worst_verdict(tmp_path: Path) -> None:
    failed = [samples.result(outcome="violated")]
    page = write_report(tmp_path, on_gpu(), on_gpu(failed, host=samples.host(cpu="Other CPU")))
    assert "| Linux, Ampere |" in page.section("GPU")
    cell = page.section("GPU").split("**2.3.2** |")[1].split("|")[0]
    assert cell.strip().startswith("❌ unsound")
    links = re.findall(r"\(#([^)]+)\)", cell)
    assert len(links) == 2
    assert all(f'<a name="{link}"></a>' in page.markdown for link in links)
    assert set(links) <= set(Page(page.html).values("id"))


def test_a_host_without_a_device_leads_to_why(tmp_path: Path) -> None:
    page = write_report(tmp_path, idle())
    link = re.findall(r"\(#(gpu-2\.3\.2-[^)]+)\)", page.section("GPU"))[0]
    assert f'<a name="{link}"></a>' in page.section("Not run")
    assert link in Page(page.html).values("id")


def test_what_is_derived_from_a_build_has_a_mark_of_its_own(tmp_path: Path) -> None:
    card = samples.device(runtime={})
    page = write_report(tmp_path, idle(samples.unsupported(), device=card, chosen="2.3.2"))
    row = page.section("GPU").split("**2.3.2** |")[1].splitlines()[0]
    assert row.strip().startswith("⊘ derived from the build")
    assert "silent 静默出错" in row
    assert "| ⊘ | derived from the build " in page.section("Legend")
    for shown in (page.section("Not run"), page.html):
        assert "Take 2.3.2.post116 instead" in shown
        assert "请改用 2.3.2.post116" in shown
        assert "python -m pip install paddlepaddle-gpu==2.3.2.post116" in shown


def with_wheels(**linux: list[str]) -> Fixture:
    """Releases whose wheels for Linux and Windows have code for 7.5; for Linux as is told."""
    return Fixture(
        release=[
            Release(
                version=f"2.{version[1:]}.0",
                builds=[
                    Build(
                        distribution="paddlepaddle-gpu",
                        version=f"2.{version[1:]}.0",
                        linux=GpuCode(sm=sm, source="wheel"),
                        windows=GpuCode(sm=["7.5"], source="wheel"),
                    )
                ],
            )
            for version, sm in linux.items()
        ]
    )


def wheel_rows(page: str) -> list[str]:
    """The rows of the table of wheels and cards, without what a failed launch comes to."""
    table = page.split("| wheel on PyPI")[1].split("\n\n")[0]
    return [line.rpartition(" | ")[0] for line in table.splitlines()[2:]]


def test_wheels_that_have_the_same_share_a_row(tmp_path: Path) -> None:
    page = write_report(tmp_path, fixture=with_wheels(v1=["7.5"], v2=["7.5"]))
    assert wheel_rows(page.section("GPU")) == ["| **2.1.0-2.2.0** | ⊘ | ⊘ | ⊘ | ⊘ | ⊘"]
    assert page.html.count('aria-label="derived from the build"') == 5


def test_wheels_that_differ_by_system_have_a_row_each(tmp_path: Path) -> None:
    page = write_report(tmp_path, fixture=with_wheels(v1=["8.0", "9.0"]))
    assert wheel_rows(page.section("GPU")) == [
        "| **2.1.0 windows** | ⊘ | ⊘ | ⊘ | ⊘ | ⊘",
        "| **2.1.0 linux** | sm_80 | sm_80 | sm_80 | sm_90 | ⊘",
    ]


@pytest.mark.parametrize(
    ("changes", "heading", "shown"),
    [
        ({"cpu": "Other CPU"}, "| Linux |", False),
        ({"os": "Windows 10.0.22631"}, "| Linux | Windows |", True),
    ],
    ids=["of one class", "of several"],
)
def test_cpu_rows_have_classes_if_there_are_several(
    tmp_path: Path, changes: dict[str, str], heading: str, shown: bool
) -> None:
    other = samples.record(host=samples.host(**changes))
    page = write_report(tmp_path, samples.record(), other)
    assert (heading in page.section("CPU")) == shown


def test_a_cell_in_which_no_call_was_verified_is_listed(tmp_path: Path) -> None:
    page = write_report(tmp_path, on_gpu([samples.result(outcome="unsupported", calls=0)]))
    said = ["no property verified a call" in shown for shown in (page.markdown, page.html)]
    assert said == [True, True]
