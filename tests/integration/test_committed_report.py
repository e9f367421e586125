"""What is committed under reports/ is what the committed records give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paddlecompat.commands import view_on
from paddlecompat.fixtures import manifest, releases
from paddlecompat.folders import PUBLISHED, REPORTS, ROOT
from paddlecompat.records import store
from paddlecompat.report import pages
from paddlecompat.report.bug_pages import ledger
from paddlecompat.report.facts import SEVERITIES

READMES = ("README.md", "README.zh.md")
HANDED_ON = ("cells", "advice", "mutation.json", "bench.json", "reliability.md")
"""What the report is not made anew from: the records and results themselves."""


@pytest.fixture(scope="module")
def made_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout's reports, made from the committed records alone."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in READMES:
        shutil.copy(ROOT / name, folder / name)
    store.copy_studies(REPORTS, folder / "reports")
    readmes = [folder / name for name in READMES]
    pages.write(view_on([PUBLISHED], releases.load()), folder / "reports", readmes)
    return folder


def test_no_figure_was_edited_by_hand(made_anew: Path) -> None:
    names = [*READMES, *(f"reports/{name}" for name in files_in(made_anew / "reports"))]
    differ = [n for n in names if (made_anew / n).read_bytes() != (ROOT / n).read_bytes()]
    assert differ == []


def test_no_page_is_left_that_nothing_makes(made_anew: Path) -> None:
    assert files_in(REPORTS) - files_in(made_anew / "reports") == set()


def files_in(folder: Path) -> set[str]:
    """The pages and badges in a folder of reports."""
    found = (path.relative_to(folder) for path in folder.rglob("*.*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] not in HANDED_ON}


def test_every_script_is_made_from_the_records(made_anew: Path) -> None:
    made, committed = (
        {path.name: path.read_bytes() for path in folder.glob("*.py")}
        for folder in (made_anew / "reports/scripts", REPORTS / "scripts")
    )
    assert made == committed


@pytest.mark.parametrize("kind", ["fresh", "windows"])
def test_every_cell_of_a_kind_was_measured(kind: str) -> None:
    gathered, _ = store.gather(PUBLISHED)
    measured = {record.cell for record in gathered if record.not_run is None}
    assert {c.name for c in releases.cells(releases.load()) if c.kind == kind} <= measured


def test_every_cpu_cell_has_a_record_of_all_properties() -> None:
    gathered, _ = store.gather(PUBLISHED)
    measured = {record.cell: record for record in gathered if record.not_run is None}
    cells = {c.name for c in releases.cells(releases.load()) if c.kind == "cpu"}
    assert cells <= measured.keys()
    names = {frozenset(r.key for r in measured[name].properties) for name in cells}
    assert len(names) == 1


def test_a_bug_is_as_bad_as_the_worst_that_was_seen_of_it() -> None:
    found = [
        entry for entry in ledger.entries(view_on([PUBLISHED], releases.load())) if entry.shown
    ]
    assert found
    worst = {
        entry.bug.id: min((seen.severity for seen in entry.shown), key=SEVERITIES.index)
        for entry in found
    }
    assert worst == {entry.bug.id: entry.bug.severity for entry in found}


def test_every_committed_record_is_of_todays_properties() -> None:
    gathered, _ = store.gather(PUBLISHED)
    suites = {record.conditions.suite for record in gathered if record.conditions}
    assert suites == {manifest.load().digest}
