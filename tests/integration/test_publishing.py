"""Measuring changes no tracked file; publishing does, and is a command of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures import manifest
from paddlecompat.folders import ROOT
from paddlecompat.records import advice_results, store
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import NotRun, Record

WHY = NotRun(reason="no build", detail="no wheel for this platform")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nothing was published yet."""
    for name in ("paddlecompat", "fixtures", "tests/properties"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "README.zh.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What a command says in a checkout."""
    asked = [sys.executable, "-B", "-m", "paddlecompat", *command]
    return subprocess.run(asked, cwd=checkout, capture_output=True, text=True, encoding="utf-8")


def tracked(checkout: Path) -> dict[Path, bytes]:
    """All files but those under .nox."""
    files = (path for path in checkout.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if ".nox" not in path.parts}


def whole(**changes: object) -> Record:
    """A record of today's properties, all of which hold."""
    today = manifest.load()
    due = {p.key: today.due(p.key, PROFILES["quick"].due) for p in today.properties_at("cpu")}
    keys = [(*key.split("::", 1), calls) for key, calls in due.items()]
    results = [samples.result(group=g, name=n, calls=calls, due=calls) for g, n, calls in keys]
    conditions = {"suite": today.digest, "properties": len(results)}
    return samples.record(results, profile="quick", conditions=conditions, **changes)


def published(checkout: Path) -> list[Record]:
    records, errors = store.gather(checkout / "reports" / "cells")
    assert errors == []
    return records


def test_the_report_on_what_was_measured_here_changes_no_tracked_file(checkout: Path) -> None:
    store.write(whole(), checkout / ".nox" / "records")
    before = tracked(checkout)
    ended = run(checkout, "report")
    assert ended.returncode == 0, ended.stderr
    assert tracked(checkout) == before
    page = (checkout / ".nox" / "report" / "compatibility.md").read_text(encoding="utf-8")
    assert "| **2.3.2** | ✅ right" in page
    said = " ".join(ended.stdout.split())
    assert ".nox/report/index.html" in said
    assert "nox -s publish takes it into reports/" in said


def test_what_was_measured_here_stays_before_what_is_published(checkout: Path) -> None:
    store.write(whole(), checkout / "reports" / "cells")
    later = whole(measured_at="2025-06-07T08:09:10Z")
    store.write(later, checkout / ".nox" / "records")
    run(checkout, "report")
    page = (checkout / ".nox" / "report" / "compatibility.md").read_text(encoding="utf-8")
    assert "2025-06-07 08:09 UTC" in page
    assert "2025-01-02" not in page


def test_publishing_takes_what_was_measured_here(checkout: Path) -> None:
    record = whole()
    store.write(record, checkout / ".nox" / "records")
    ended = run(checkout, "publish")
    assert ended.returncode == 0, ended.stderr
    assert f"{record.file_name}: taken" in ended.stdout
    assert published(checkout) == [record]
    assert "| **2.3.2** | ✅ right" in (checkout / "README.md").read_text(encoding="utf-8")
    assert (checkout / "reports" / "index.html").exists()


def test_publishing_takes_what_others_sent_as_theirs(checkout: Path) -> None:
    store.write(whole(), checkout / "sent")
    assert run(checkout, "publish", "sent").returncode == 0
    assert [record.provenance for record in published(checkout)] == ["sent in"]


def test_publishing_takes_the_studies_results(checkout: Path) -> None:
    shutil.copytree(ROOT / "reports" / "advice", checkout / ".nox" / "studies" / "advice")
    run(checkout, "publish")
    found, errors = advice_results.gather(checkout / "reports" / "advice")
    assert (bool(found), errors) == (True, [])
    assert (checkout / "reports" / "advice.md").exists()


@pytest.mark.parametrize(
    "record",
    [
        whole(stand_in="sound"),
        whole().model_copy(update={"provenance": "sent in"}),
        samples.record(conditions={"partial": "-k mask"}),
    ],
    ids=["of a stand-in", "of others", "of some properties"],
)
def test_what_is_no_whole_record_of_ours_is_not_published(checkout: Path, record: Record) -> None:
    store.write(record, checkout / ".nox" / "records")
    ended = run(checkout, "publish")
    assert ended.returncode == 1
    assert "refused: " in ended.stderr
    assert published(checkout) == []


@pytest.mark.parametrize(("changes", "status"), [({}, 0), ({"release": "2.3"}, 1)])
def test_the_command_fails_if_a_record_is_refused(
    checkout: Path, changes: dict[str, object], status: int
) -> None:
    sent = json.loads(samples.record([], not_run=WHY).model_dump_json()) | changes
    (checkout / "sent.json").write_text(json.dumps(sent), encoding="utf-8")
    ended = run(checkout, "publish", "sent.json")
    assert ended.returncode == status, ended.stderr
    assert len(published(checkout)) == (0 if status else 1)
    assert (checkout / "reports" / "index.html").exists()
    assert ("refused: sent.json: release: String should match" in ended.stderr) == bool(status)
