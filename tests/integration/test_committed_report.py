"""What is committed under reports/ is what the committed records give."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from paddlecompat.cells import option_set
from paddlecompat.fixtures import expectations, field_reports, releases
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.records import store
from paddlecompat.report import pages

REPORTS = ROOT / "reports"
READMES = ("README.md", "README.zh.md")
MADE = (
    *("compatibility.md", "index.html", "badge.json", "badge.svg", "record.schema.json"),
    *("advice.md", "mutation.md", "bench.md"),
)
MEASURED_BESIDE = ("advice", "mutation.json", "bench.json")


def measured_since() -> str:
    """The records that differ from the committed ones: whoever measures a cell here has some."""
    command = ["git", "status", "--porcelain", "--", "reports/cells"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def made_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if measured_since():
        pytest.skip("cells were measured here since: `nox -s report`, and commit both")
    folder = tmp_path_factory.mktemp("checkout")
    for name in READMES:
        shutil.copy(ROOT / name, folder / name)
    (folder / "reports").mkdir()
    for name in MEASURED_BESIDE:
        (folder / "reports" / name).symlink_to(REPORTS / name)
    fixture, known = releases.load(), expectations.EXPECTATIONS
    readmes, reported = [folder / name for name in READMES], field_reports.FIELD_REPORTS
    pages.write(option_set.RECORDS, folder / "reports", known, fixture, readmes, reported)
    return folder


@pytest.mark.parametrize("name", [*READMES, *(f"reports/{made}" for made in MADE)])
def test_no_figure_was_edited_by_hand(made_anew: Path, name: str) -> None:
    assert (made_anew / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_cpu_cell_has_a_record_of_all_its_properties() -> None:
    gathered = store.gather(REPORTS / "cells").records
    measured = {record.cell: record for record in gathered if record.not_run is None}
    cells = {c.name for c in releases.cells(releases.load()) if c.place == "cpu"}
    assert cells <= measured.keys()
    names = {frozenset(r.key for r in measured[name].properties) for name in cells}
    assert len(names) == 1
