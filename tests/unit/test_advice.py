"""The advice's verdicts follow from the counts by the written rules, and the page shows them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.forms import write_text
from paddlecompat.fixtures.releases import Cell, Fixture
from paddlecompat.records import advice_results
from paddlecompat.records.advice_results import Accuracy, Measured, Run, Targets
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun
from paddlecompat.report.studied.advice_page import View, render, span
from paddlecompat.studies import advice


def sound(**ends: object) -> Run:
    """Ten cases on the sound release, all of them right unless told otherwise."""
    return run(condition="sound", memory="", **{"right": 10, "trains": 10, **ends})


def faulty(**ends: object) -> Run:
    """Ten cases with the defect."""
    return run(condition="unwritten", memory="28, reported", **ends)


def run(**fields: object) -> Run:
    return Run.model_validate({"advice": "filter the values", "variant": "clip", **fields})


WITHOUT = [
    sound(advice=advice_results.NO_ADVICE),
    faulty(advice=advice_results.NO_ADVICE, raised=10),
]


def measured(release: str, *runs: Run, **changes: object) -> Measured:
    """A release in which these are the runs beside those without advice."""
    known = {"release": release, "place": "cpu", "seed": 0, "cases": 10, "accuracy": []}
    targets = Targets(
        boxes="with a NaN",
        dtype="float32",
        reg_range=(0, 17),
        clipped_by="Paddle",
        inside=30,
        nan=10,
        dfl="not finite",
    )
    known |= {"losses": [*WITHOUT, *runs], "targets": [targets], **changes}
    return Measured.model_validate(known)


def keep(folder: Path, *releases: Measured) -> Path:
    for one in releases:
        write_text(folder / f"{one.name}.json", one.model_dump_json(exclude_defaults=True))
    return folder


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([sound(), faulty(raised=10)], ["no effect"]),
        ([sound(), faulty(not_finite=10)], ["no effect"]),
        ([sound(), faulty(right=10, trains=10)], ["restores the right loss"]),
        ([sound(), faulty(right=9, trains=9, raised=1)], ["no effect"]),
        ([sound(), faulty(wrong=1, raised=9)], ["hides the error"]),
        ([sound(right=9, trains=9, wrong=1), faulty(raised=10)], ["changes a right loss"]),
        (
            [sound(right=9, trains=9, wrong=1), faulty(right=10, trains=10)],
            ["changes a right loss"],
        ),
        (
            [sound(right=9, trains=9, wrong=1), faulty(wrong=10)],
            ["changes a right loss", "hides the error"],
        ),
        (
            [sound(trains=0), faulty(right=10)],
            ["restores the right loss", "loses the gradient"],
        ),
    ],
)
def test_verdicts_follow_the_rules(runs: list[Run], expected: list[str]) -> None:
    assert advice_results.verdicts_of(runs, WITHOUT) == expected


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ([10, 10], "no effect"),
        ([9, 9], "no effect"),
        ([9, 10], "restores the right loss"),
        ([10, 9, 10], "changes a right loss"),
    ],
)
def test_an_upgrade_is_judged_by_the_releases_as_they_are(right: list[int], expected: str) -> None:
    found = [
        measured(
            f"2.{minor}.0",
            losses=[sound(advice=advice_results.NO_ADVICE, right=n, trains=n, wrong=10 - n)],
        )
        for minor, n in enumerate(right)
    ]
    assert advice_results.upgrade(found) == expected


def test_releases_that_agree_share_a_line(tmp_path: Path) -> None:
    hiding, restoring = [sound(), faulty(wrong=10)], [sound(), faulty(right=10, trains=10)]
    known = {"2.10.0": restoring, "2.3.2": hiding, "2.2.2": hiding, "2.6.2": restoring}
    folder = keep(tmp_path, *(measured(release, *runs) for release, runs in known.items()))
    view = View(*advice_results.gather(folder))
    assert [(view.span(line.measured), line.verdicts) for line in view.lines] == [
        ("2.2.2-2.10.0", ()),
        ("2.2.2-2.3.2", ("hides the error",)),
        ("2.6.2-2.10.0", ("restores the right loss",)),
    ]


def test_only_what_restores_everywhere_is_put_first(tmp_path: Path) -> None:
    good = [run.model_copy(update={"variant": "sort"}) for run in (sound(), faulty(right=10))]
    good[1] = good[1].model_copy(update={"trains": 10})
    once = measured("2.2.2", sound(), faulty(right=10, trains=10), *good)
    not_again = measured("2.3.2", sound(), faulty(wrong=10), *good)
    assert View(*advice_results.gather(keep(tmp_path, once, not_again))).remedies == ["sort"]


def test_the_page_says_what_was_counted_in_both_languages(tmp_path: Path) -> None:
    accuracy = Accuracy(reg_range=(0, 33), dtype="float32", targets=(0, 17), greatest_error=3e-7)
    wider = [
        one.model_copy(update={"advice": "widen reg_range", "variant": "(0, 33)"})
        for one in (sound(), faulty(wrong=10, median_error=0.25))
    ]
    repaired = [
        one.model_copy(update={"advice": "repair the boxes"})
        for one in (sound(), faulty(raised=10))
    ]
    release = measured("2.3.2", *wider, *repaired, accuracy=[accuracy])
    page = render(keep(tmp_path, release))
    for told in (
        "hides the error 掩盖错误",
        "0 / 10",
        "| 0.25 |",
        "| 3e-07 |",
        "no effect 没有效果",
    ):
        assert told in page
    assert (
        "| with a NaN | float32 | (0, 17) | Paddle | 2.3.2 | 30 | 0 | 0 | 10 | not finite |" in page
    )
    assert "| 28, reported 曾报告的 28 | 2.3.2 |" in page


def test_a_damaged_file_costs_one_line_that_names_it(tmp_path: Path) -> None:
    keep(tmp_path, measured("2.3.2", sound(), faulty(raised=10)))
    (tmp_path / "cpu-2.4.2.json").write_text("{", encoding="utf-8")
    miscounted = measured("2.6.2").model_dump_json().replace('"cases":10', '"cases":11')
    (tmp_path / "cpu-2.6.2.json").write_text(miscounted, encoding="utf-8")
    found, errors = advice_results.gather(tmp_path)
    assert [one.name for one in found] == ["cpu-2.3.2"]
    assert [error.split(": ")[0] for error in errors] == [
        "cpu-2.4.2.json",
        "cpu-2.6.2.json",
    ]
    page = render(tmp_path)
    assert all(f"- <code>{name}" in page for name in ("cpu-2.4.2.json", "cpu-2.6.2.json"))


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    assert "Nothing measured yet" in render(tmp_path)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    release = measured("2.3.2", sound(), faulty(raised=10))
    assert advice_results.write(release, tmp_path) == tmp_path / "cpu-2.3.2.json"
    assert advice_results.gather(tmp_path) == ([release], [])


@pytest.mark.parametrize(
    ("problem", "words", "status"),
    [
        (ValueError("exit status 1: no paddle"), "exit status 1: no paddle", 1),
        (CannotRun(NotRun(reason="import failed", detail="no so")), "import failed: no so", 1),
        (MachineFailed("the disk is full"), "the disk is full", 3),
    ],
)
def test_a_release_that_cannot_be_measured_costs_itself(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    words: str,
    status: int,
) -> None:
    def prepare(cell: Cell, fixture: Fixture) -> SimpleNamespace:
        if cell.release.version == "2.3.2":
            raise problem
        return SimpleNamespace(python=cell.release.version)

    monkeypatch.setattr(advice, "prepare", prepare)
    monkeypatch.setattr(advice, "follow_advice", lambda python, *_: measured(python))
    asked = releases.load(), ["2.3.2", "2.2.2"]
    assert advice.run(*asked, seed=0, count=10, folder=tmp_path) == status
    assert [path.name for path in tmp_path.iterdir()] == ["cpu-2.2.2.json"]
    assert capsys.readouterr().err == f"error: cpu-2.3.2: {words}\n"


def test_no_case_is_no_advice_that_helps() -> None:
    with pytest.raises(ValueError, match="--cases 0: at least 1"):
        advice.run(releases.load(), [], seed=0, count=0)


def test_a_release_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"no cell 'cpu-1\.0\.0'"):
        advice.run(releases.load(), ["1.0.0"], seed=0, count=10)


@pytest.mark.parametrize(
    ("values", "expected"), [([], ""), ([40, 40], "40"), ([40, 38, 39], "38-40")]
)
def test_a_span_is_one_number_or_two(values: list[float], expected: str) -> None:
    assert span(values) == expected


def test_every_cpu_release_was_measured_alike() -> None:
    every, errors = advice_results.gather(advice_results.PUBLISHED)
    cells = {cell.name for cell in releases.cells(releases.load()) if cell.kind == "cpu"}
    assert errors == []
    assert {one.name for one in every} == cells
    asked = {tuple((r.variant, r.condition, r.memory) for r in one.losses) for one in every}
    assert len(asked) == 1
