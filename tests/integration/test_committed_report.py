"""What is committed under reports/ is what the committed records give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paddlecompat.fixtures import bugs, manifest, published, releases
from paddlecompat.fixtures.folders import PUBLISHED, REPORTS, ROOT
from paddlecompat.records import store
from paddlecompat.report import pages

READMES = ("README.md", "README.zh.md")
MADE = (
    *("compatibility.md", "index.html", "badge.json", "badge.svg", "record.schema.json"),
    *("bugs.md", "bugs.zh.md", "advice.md", "mutation.md", "bench.md"),
)


@pytest.fixture(scope="module")
def made_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout's reports, made from the committed records alone."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in READMES:
        shutil.copy(ROOT / name, folder / name)
    store.copy_studies(REPORTS, folder / "reports")
    readmes = [folder / name for name in READMES]
    about = (bugs.BUGS, releases.load(), manifest.load().digest)
    more = (readmes, published.FIELD_REPORTS)
    pages.write([PUBLISHED], folder / "reports", *about, *more)
    return folder


@pytest.mark.parametrize("name", [*READMES, *(f"reports/{made}" for made in MADE)])
def test_no_figure_was_edited_by_hand(made_anew: Path, name: str) -> None:
    assert (made_anew / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_script_is_made_from_the_records(made_anew: Path) -> None:
    made, committed = (
        {path.name: path.read_bytes() for path in folder.glob("*.py")}
        for folder in (made_anew / "reports/scripts", REPORTS / "scripts")
    )
    assert made == committed


def test_every_cpu_cell_has_a_record_of_all_properties() -> None:
    gathered, _ = store.gather(PUBLISHED)
    measured = {record.cell: record for record in gathered if record.not_run is None}
    cells = {c.name for c in releases.cells(releases.load()) if c.kind == "cpu"}
    assert cells <= measured.keys()
    names = {frozenset(r.key for r in measured[name].properties) for name in cells}
    assert len(names) == 1


def test_every_committed_record_is_of_todays_properties() -> None:
    gathered, _ = store.gather(PUBLISHED)
    suites = {record.conditions.suite for record in gathered if record.conditions}
    assert suites == {manifest.load().digest}
