"""What others reported is read strictly, and told as far as the thread tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures.published import load_field_reports

BLOCK = """
[[report]]
releases = ["2.3.0"]
groups = ["nonzero"]
seen = "wrong"
what = "nonzero gives [[0], [0]]"
what_zh = "nonzero 得到 [[0], [0]]"
link = "https://github.com/PaddlePaddle/Paddle/issues/43420"
date = 2022-06-10
"""


def written(folder: Path, toml: str) -> Path:
    path = folder / "field-reports.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def test_the_committed_field_reports_can_be_read() -> None:
    assert load_field_reports()


@pytest.mark.parametrize("release", ["2.3.0", "2.3.1", "2.3.2"])
def test_2_3_is_reported_wrong_on_windows_and_right_elsewhere(release: str) -> None:
    known = [r for r in load_field_reports() if r.concerns(release)]
    known = [report for report in known if report.cause == ["unwritten output"]]
    assert {report.os for report in known if report.seen == "wrong"} <= {"Windows", None}
    assert "Linux" in {report.os for report in known if report.seen == "right"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('seen = "wrong"', 'seen = "odd"', r"block 2: seen: Input should be 'wrong' or 'right'"),
        ('["2.3.0"]', '["2.3"]', r"block 2: releases\.0: '2\.3' is no release: write it as '2\.4"),
        ("https://github.com", "javascript:", r"block 2: link: 'javascript.*write the thread's"),
        ('what = "', 'remark = "', "block 2: what: Field required"),
        ('["nonzero"]', '["cumsum"]', r"block 2: groups\.0: Input should be 'masked_select'"),
        ('["nonzero"]', "[]", r"block 2: groups: List should have at least 1 item"),
        ("2022-06-10", '"June"', "block 2: date: Input should be a valid date"),
        (
            'seen = "wrong"',
            'seen = "wrong"\ncause = ["bug"]',
            r"block 2: cause\.0: Input should be",
        ),
        (
            'seen = "wrong"',
            'seen = "wrong"\ninferred = ["os"]',
            "block 2: inferred: os is not given: give it, or take it out",
        ),
    ],
)
def test_a_mistake_is_named_by_file_block_and_field(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = written(tmp_path, BLOCK + BLOCK.replace(old, new))
    with pytest.raises(ValueError, match=problem) as caught:
        load_field_reports(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("toml", ["[[report", "\udcff"])
def test_what_is_no_toml_is_named_by_file(tmp_path: Path, toml: str) -> None:
    path = tmp_path / "field-reports.toml"
    path.write_bytes(toml.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"field-reports\.toml: "):
        load_field_reports(path)


def test_a_series_concerns_each_of_its_releases() -> None:
    report = samples.field_report(releases=["2.3.*"])
    assert report.concerns("2.3.2")
    assert not report.concerns("2.4.0")


def test_what_a_thread_does_not_tell_is_not_told() -> None:
    assert samples.field_report(os=None, cuda=[], gpus=[]).where == "machine not told"


def test_what_a_thread_tells_of_the_machine_stands_in_one_line() -> None:
    report = samples.field_report(gpus=["GeForce RTX 3080"], python="3.8", numpy="2.0.0")
    assert report.where == "Windows, CUDA 11.2, GeForce RTX 3080, Python 3.8, NumPy 2.0.0"


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://github.com/PaddlePaddle/Paddle/issues/43420", "Paddle#43420"),
        ("https://github.com/PaddlePaddle/Paddle/pull/44181", "Paddle#44181"),
        ("https://example.org/thread/1", "example.org"),
    ],
)
def test_a_thread_has_a_short_name(link: str, name: str) -> None:
    assert samples.field_report(link=link).thread == name
