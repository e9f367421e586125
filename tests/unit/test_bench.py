"""From the timed properties to the lines that people read."""

from __future__ import annotations

from pathlib import Path

import pytest

from paddlecompat.records import study_results
from paddlecompat.records.study_results import Bench, PropertyKill, Timed

SLOW, QUICK = (PropertyKill(mutant="zeros", examples=2, seconds=s) for s in (0.7, 0.2))
TIMED = [
    Timed(
        property="where::test_a[x]", calls=300, examples=100, seconds=0.1, inside=0.5, kill=QUICK
    ),
    Timed(property="where::test_a[y]", calls=100, examples=100, seconds=0.3, inside=0.1, kill=SLOW),
    Timed(property="where::test_b", calls=400, examples=100, seconds=0.4, inside=0.2),
]
BENCH = Bench(release="2.6.2", cpu="a CPU", profile="standard", properties=TIMED)


def test_a_group_begins_with_its_whole() -> None:
    whole, *_ = study_results.lines_of(BENCH)["where"]
    assert (whole.property, whole.calls) == ("all", 800)
    assert whole.rate == pytest.approx(1000)


def test_a_propertys_parameters_are_one_line() -> None:
    _, first, _ = study_results.lines_of(BENCH)["where"]
    assert (first.property, first.calls) == ("test_a", 400)
    assert first.rate == pytest.approx(1000)


def test_the_share_inside_paddle_is_weighted_by_time() -> None:
    _, first, _ = study_results.lines_of(BENCH)["where"]
    assert first.inside == pytest.approx(0.2)


def test_a_line_has_the_kill_that_was_quickest() -> None:
    whole, first, second = study_results.lines_of(BENCH)["where"]
    assert (whole.kill, first.kill, second.kill) == (QUICK, QUICK, None)


def test_damaged_bench_figures_are_told_by_field(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"bench\.json: release: Field required"):
        study_results.read_bench(path)
