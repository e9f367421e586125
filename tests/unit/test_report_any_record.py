"""Whatever the reader of records accepts can be shown."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import samples
from drawn import drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_report import FIXTURE, Written, violated, write_report

from paddlecompat.fixtures import uses
from paddlecompat.fixtures.bugs import Known
from paddlecompat.records import store
from paddlecompat.records.judging import judge
from paddlecompat.records.record import PropertyResult, Record, verdict_of
from paddlecompat.report import asked, terminal
from paddlecompat.report.facts import Facts
from paddlecompat.report.templates import NOT_SHOWN

FORM = Record.model_json_schema()
ANY = {"releases": ["2.*", "3.*"], "properties": ["*::*", "none::none"]}
KNOWN = [samples.known(**ANY), samples.not_offered(**ANY)]


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record of the published form, its fields made to agree, as its reader gives it."""
    data: dict[str, Any] = draw(drawn(FORM, FORM["$defs"]))
    data.pop("stand_in", None)
    data.pop("resolution", None)
    data["release"] = draw(st.sampled_from(["2.3.2", "3.3.1", "0.0.0"]))
    if data.get("resolution"):
        data["place"] = "cpu"
    data["cell"] = f"{'fresh' if data.get('resolution') else data['place']}-{data['release']}"
    for number, result in enumerate(data.setdefault("properties", [])):
        result["name"] = f"{result['name'][:300]} {number}"
        result["calls"] = max(result["calls"], result["due"])
        if result["outcome"] != "violated":
            result.pop("severity", None)
    results = [PropertyResult.model_validate(result) for result in data["properties"]]
    data["verdict"] = verdict_of(results)
    told = FORM["$defs"]["Conditions"], FORM["$defs"]["NotRun"]
    conditions, why = (draw(drawn(schema, FORM["$defs"])) for schema in told)
    outcomes = Counter(result.outcome for result in results)
    ended = {"partial": "", "not_asked": 0, "outcomes": outcomes, "suite": samples.SUITE.digest}
    data["conditions"] = {**conditions, **ended} if results else None
    data["not_run"] = None if results else why
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.json"
        path.write_text(json.dumps(data, default=str), encoding="utf-8")
        return store.read(path)


def shown(some: Sequence[Record], bugs: Known) -> Written:
    """The report on these records; its pages are read before the folder goes."""
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(Path(folder), *some, bugs=bugs)
        assert page.errors == []
        for made in page.folder.rglob("*.*"):
            assert made.stat().st_size < 2**20
        ElementTree.fromstring(page.read("badge.svg"))
        for record in store.staying(some):
            text = unescape(page.read(f"releases/{record.release}.html"))
            said = record.not_run.detail if record.not_run else quote(record.file_name)
            assert " ".join(said.translate(NOT_SHOWN).split()) in " ".join(text.split())
        return page


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(records(), min_size=1, max_size=3), st.sampled_from(KNOWN))
def test_any_record_that_is_read_is_shown(some: list[Record], known: Known) -> None:
    shown(some, known)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(records())
def test_any_record_that_is_read_is_told_on_a_terminal(record: Record) -> None:
    known = samples.known(properties=["*::*"])
    judgement = judge(record, known)
    told = terminal.verdict_lines(record, judgement) + terminal.build_lines(record)
    told += terminal.here_lines(record, judgement, None, None, "en")
    if record.properties:
        facts = Facts([record], known, FIXTURE, (), uses.load_uses())
        told += asked.record_lines(record, facts, "zh")
    assert record.cell in "\n".join(told)


def test_the_longest_texts_make_no_large_page(tmp_path: Path) -> None:
    longest = '"' * 8000
    texts = samples.evidence(case=longest, expected=longest, actual=longest, script="")
    some = [
        samples.result(name=f"test_{n}", outcome="violated", message=longest, evidence=texts)
        for n in range(60)
    ]
    page = write_report(tmp_path, samples.record(some))
    assert page.errors == []
    assert max(path.stat().st_size for path in page.pages) < 2**20
    assert len(page.markdown) < 2**20


def test_a_cell_that_refused_all_calls_is_worse(tmp_path: Path) -> None:
    record = samples.record([samples.result(outcome="unsupported", calls=0)])
    page = write_report(tmp_path, record, violated("2.4.0"))
    assert "Worse than expected: cpu-2.4.0, cpu-2.3.2." in " ".join(page.summary.split())
