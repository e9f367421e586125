"""A record is written whole or not at all, and a bad one is named by file and field."""

from __future__ import annotations

import json
from pathlib import Path

import drawn
import jsonschema
import pytest
import samples

from paddlecompat.fixtures.forms import schema_of, write_text
from paddlecompat.folders import ROOT
from paddlecompat.records import store
from paddlecompat.records.record import Record, verdict_of


def damaged(folder: Path, **changes: object) -> Path:
    data = json.loads(samples.record().model_dump_json())
    path = folder / "damaged.json"
    path.write_text(json.dumps(data | changes), encoding="utf-8")
    return path


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    record = samples.record()
    assert store.read(store.write(record, tmp_path)) == record


def test_a_write_that_fails_leaves_the_old_record(tmp_path: Path) -> None:
    path = store.write(samples.record(), tmp_path)
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half a record, then what no file can hold: \ud800")
    assert store.read(path) == samples.record()
    assert list(tmp_path.glob("*.json")) == [path]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"verdict": "fine"}, "verdict: Input should be"),
        ({"release": "2.3"}, "release: String should match"),
        ({"remark": "mine"}, "remark: Extra inputs are not permitted"),
        ({"properties": [{"name": "x"}]}, "properties.0.group: Field required"),
        ({"place": "gpu"}, "cell: 'cpu-2.3.2' is not '2.3.2' on the gpu"),
        ({"schema_version": 1}, "schema_version: Input should be 2"),
    ],
)
def test_a_damaged_record_is_named_by_file_and_field(
    tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    path = damaged(tmp_path, **changes)
    with pytest.raises(ValueError, match=problem) as caught:
        store.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff\xfe", b"[]", b"\0", b"[" * 10**5, b'{"a":' * 10**5),
        *(b'{"cell": "\\ud800"}', b'{"seed": NaN}', b'{"seed": Infinity}'),
        b'{"seed": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda content: f"{content[:10]!r} {len(content)}",
)
def test_a_foreign_file_costs_only_itself(tmp_path: Path, content: bytes) -> None:
    store.write(samples.record(), tmp_path)
    (tmp_path / "foreign.json").write_bytes(content)
    records, errors = store.gather(tmp_path)
    assert (len(records), len(errors)) == (1, 1)
    assert "foreign.json" in errors[0]


def test_another_host_has_another_file(tmp_path: Path) -> None:
    one = store.write(samples.record(), tmp_path)
    other = store.write(samples.record(host=samples.host(cpu="another")), tmp_path)
    assert one != other


def test_a_cell_without_verified_calls_is_not_sound() -> None:
    none = samples.result().model_copy(update={"calls": 0})
    assert verdict_of([none]) == "not run"
    assert verdict_of([samples.result(outcome="unsupported", calls=0)]) == "not run"


def test_a_record_is_of_the_form_that_is_published() -> None:
    form = json.loads(schema_of(Record))
    jsonschema.validate(json.loads(samples.record().model_dump_json()), form)


@drawn.AS_PUBLISHED
def test_the_published_form_is_that_of_the_code() -> None:
    published = (ROOT / "reports" / "record.schema.json").read_text(encoding="utf-8")
    assert published == schema_of(Record)


def test_every_committed_record_can_be_read() -> None:
    _, errors = store.gather(ROOT / "reports" / "cells")
    assert errors == []


def kept(folder: Path, *sent: Record) -> Record:
    for record in sent:
        store.keep(record, folder)
    return store.read(folder / sent[0].file_name)


def test_a_quick_record_gives_way_to_one_of_more_examples(tmp_path: Path) -> None:
    standard = samples.record()
    quick = samples.record(profile="quick", measured_at="2026-01-02T03:04:05Z")
    assert kept(tmp_path, standard, quick) == standard


def test_an_unchecked_build_gives_way_to_a_locked_one(tmp_path: Path) -> None:
    locked = samples.record()
    other = samples.record(build=samples.build(locked=False), measured_at="2026-01-02T03:04:05Z")
    assert kept(tmp_path, locked, other) == locked


def test_today_s_properties_give_way_to_newer_ones_alone(tmp_path: Path) -> None:
    thorough = samples.record(profile="thorough")
    later = samples.record(
        profile="quick",
        conditions={"suite": "0" * 64},
        measured_at="2026-01-02T03:04:05Z",
    )
    assert kept(tmp_path, thorough, later) == later
    assert kept(tmp_path, thorough) == later


STOPPED = {"reason": "import failed", "detail": "no such symbol"}


def test_a_release_that_stops_importing_loses_its_verdict(tmp_path: Path) -> None:
    later = samples.record([], not_run=STOPPED, measured_at="2026-01-02T03:04:05Z")
    assert kept(tmp_path, samples.record(), later) == later


def test_a_release_that_imports_again_has_a_verdict_again(tmp_path: Path) -> None:
    failed = samples.record([], not_run=STOPPED)
    later = samples.record(profile="quick", measured_at="2026-01-02T03:04:05Z")
    assert kept(tmp_path, failed, later) == later


def test_an_old_failure_to_import_replaces_nothing(tmp_path: Path) -> None:
    old = samples.record([], not_run=STOPPED, measured_at="2024-01-02T03:04:05Z")
    assert kept(tmp_path, samples.record(), old) == samples.record()


def test_a_record_of_another_host_is_not_written_over(tmp_path: Path) -> None:
    path = store.write(samples.record(host=samples.host(cpu="another")), tmp_path)
    path.replace(tmp_path / samples.record().file_name)
    with pytest.raises(ValueError, match="another host's record has this name"):
        store.keep(samples.record(), tmp_path)


def test_the_same_reason_not_to_run_is_not_written_again(tmp_path: Path) -> None:
    why = {"reason": "no CUDA device", "detail": "no NVIDIA driver"}
    first = samples.record([], not_run=why)
    later = samples.record([], not_run=why, measured_at="2026-01-02T03:04:05Z")
    assert kept(tmp_path, first, later) == first
