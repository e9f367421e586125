"""What is committed under reports/ is what the committed records give."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures import expectations, published, releases
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
    readmes, reported = [folder / name for name in READMES], published.FIELD_REPORTS
    pages.write(REPORTS / "cells", folder / "reports", known, fixture, readmes, reported)
    return folder


@pytest.mark.parametrize("name", [*READMES, *(f"reports/{made}" for made in MADE)])
def test_no_figure_was_edited_by_hand(made_anew: Path, name: str) -> None:
    assert (made_anew / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_cpu_cell_has_a_record_of_all_properties() -> None:
    gathered, _ = store.gather(REPORTS / "cells")
    measured = {record.cell: record for record in gathered if record.not_run is None}
    cells = {c.name for c in releases.cells(releases.load()) if c.place == "cpu"}
    assert cells <= measured.keys()
    names = {frozenset(r.key for r in measured[name].properties) for name in cells}
    assert len(names) == 1


@pytest.mark.parametrize(("changes", "status"), [({}, 0), ({"release": "2.3"}, 1)])
def test_the_command_fails_if_a_record_is_refused(
    tmp_path: Path, changes: dict[str, object], status: int
) -> None:
    for name in ("paddlecompat", "fixtures"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in READMES:
        shutil.copy(ROOT / name, tmp_path / name)
    sent = json.loads(samples.record().model_dump_json()) | changes
    (tmp_path / "sent.json").write_text(json.dumps(sent), encoding="utf-8")
    command = [sys.executable, "-m", "paddlecompat", "report", "sent.json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == status
    assert len(list((tmp_path / "reports" / "cells").glob("*.json"))) == (0 if status else 1)
    assert (tmp_path / "reports" / "index.html").exists()
    assert ("refused: sent.json: release: String should match" in ended.stderr) == bool(status)
