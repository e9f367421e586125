"""What is published of the wheels fits together, and the page and the lines say it."""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures import bugs, published, releases
from paddlecompat.fixtures.builds import SYSTEMS
from paddlecompat.records import store
from paddlecompat.records.build_answers import wheel_answer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.report import pages, wheel_pages
from paddlecompat.report.view import view_of

ANSWERS = wheel_answer.read_all()
WANTED = [
    (build.version, system)
    for release in releases.load().release
    for build in release.gpu_builds
    if build.index == "pypi"
    for system in SYSTEMS
    if build.on(system)
]


def answer(**changes: object) -> WheelAnswer:
    """One of the published, with other fields."""
    return WheelAnswer.model_validate({**ANSWERS[0].model_dump(), **changes})


@pytest.mark.parametrize(("version", "system"), WANTED)
def test_every_gpu_build_on_pypi_has_its_answer(version: str, system: str) -> None:
    assert [one for one in ANSWERS if (one.version, one.system) == (version, system)]


def test_an_answer_has_the_code_that_is_listed() -> None:
    listed = {(b.version, s): b.on(s) for r in releases.load().release
              for b in r.gpu_builds for s in SYSTEMS}  # fmt: skip
    for one in ANSWERS:
        code = listed[one.version, one.system]
        assert code is not None
        assert (one.sm, one.ptx) == (code.sm, code.ptx)


def test_each_answer_but_not_read_has_its_proof() -> None:
    for function in (function for one in ANSWERS for function in one.functions):
        copies = [step for step in function.steps if step.does == "copies the count"]
        assert copies or function.answer == "not read" or "copies no count" in function.reason


def test_the_page_has_a_block_for_each_family() -> None:
    text = wheel_pages.render(ANSWERS)
    for family in wheel_pages.families(ANSWERS):
        assert f"## {family.name}: {family.answer.answer} " in text
        assert all(one.sha256 in text for one in family.answers)


def test_wheels_that_do_otherwise_are_no_family() -> None:
    one = answer()
    other = answer(version="2.9.9", toolchain="GCC 9.9.9")
    assert len(wheel_pages.families([one, other])) == 2
    assert len(wheel_pages.families([one, answer(version="2.9.9")])) == 1


def test_of_several_wheels_of_a_build_the_worst_counts() -> None:
    worse = answer(functions=[], answer="not read")
    (found,) = wheel_answer.by_build([answer(), worse]).values()
    assert found[worse.system].answer == "not read"


def test_what_was_read_here_is_taken_into_the_reports(tmp_path: Path) -> None:
    wheel_answer.write(ANSWERS[0], tmp_path / "studies" / "wheels")
    assert store.copy_studies(tmp_path / "studies", tmp_path / "reports") == []
    assert wheel_answer.read_all(tmp_path / "reports" / "wheels") == [ANSWERS[0]]


def test_a_report_without_build_and_cuda_has_both_causes() -> None:
    for report in published.load_field_reports():
        told = report.build or report.cuda or "unwritten output" not in report.cause
        if (
            report.seen == "wrong"
            and not told
            and any(r.startswith("2.3") for r in report.releases)
        ):
            assert "no code for the card" in report.cause, report.link


def test_the_page_shows_what_the_wheels_say(tmp_path: Path) -> None:
    for one in ANSWERS:
        wheel_answer.write(one, tmp_path / "wheels")
    pages.write(view_of([], bugs.load(), releases.load(), samples.SUITE), tmp_path)
    page = (tmp_path / "compatibility.md").read_text(encoding="utf-8")
    assert "| **2.3.2** | 🔍💤 dormant | 🔍💤 dormant |" in page
    assert (tmp_path / "wheels.md").exists()


def test_a_cell_of_a_build_that_nobody_read_says_how_to_ask(tmp_path: Path) -> None:
    unseen = samples.record(place="gpu", cell="gpu-2.3.2", chosen="2.3.2.post112")
    said = " ".join(wheel_pages.said_lines(unseen))
    assert "was not seen yet: `nox -s wheel -- 2.3.2.post112`" in said
    assert wheel_pages.said_lines(samples.record()) == []
