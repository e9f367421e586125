"""Records from elsewhere are data: taken in under names of our own, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import samples

from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.records import store
from paddlecompat.records.record import NotRun, Record

SAMPLE = samples.record()
FIXTURE = Fixture(release=[Release(version=version, builds=[]) for version in ("2.3.2", "2.4.0")])


def merge(sent: list[Path], folder: Path) -> tuple[list[str], list[str]]:
    return store.merge(sent, folder, FIXTURE, samples.SUITE)


def send(
    folder: Path,
    record: Record = SAMPLE,
    name: str = "sent.json",
    changes: Mapping[str, object] = MappingProxyType({}),
) -> Path:
    """A file that holds the record as somebody may send it: with its data changed so."""
    folder.mkdir(exist_ok=True)
    data = json.loads(record.model_dump_json())
    (folder / name).write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return folder / name


def idle(**changes: object) -> Record:
    why = NotRun(reason="no CUDA device", detail="No GPU was found.")
    return samples.record(properties=[], not_run=why, **changes)


def kept(folder: Path) -> list[Record]:
    records, _ = store.gather(folder)
    return records


def test_files_and_folders_are_taken_in(tmp_path: Path) -> None:
    one = send(tmp_path / "a", samples.record())
    send(tmp_path / "b", samples.record(release="2.4.0", build=samples.build(version="2.4.0")))
    taken, refused = merge([one, tmp_path / "b"], tmp_path / "cells")
    assert {record.release for record in kept(tmp_path / "cells")} == {"2.3.2", "2.4.0"}
    assert (len(taken), refused) == (2, [])


def test_the_file_is_named_by_the_record(tmp_path: Path) -> None:
    merge([send(tmp_path / "sent", SAMPLE, "; rm -rf .json")], tmp_path / "cells")
    named = SAMPLE.file_name.replace(".json", "~sent.json")
    assert [path.name for path in (tmp_path / "cells").iterdir()] == [named]


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        (samples.record(seed=1), samples.record(seed=2, measured_at="2025-02-01T00:00:00Z"), 2),
        (samples.record(seed=1), samples.record(seed=2, measured_at="2024-02-01T00:00:00Z"), 1),
        (samples.record(seed=1), idle(seed=2, measured_at="2025-02-01T00:00:00Z"), 1),
        (idle(seed=1), samples.record(seed=2, measured_at="2024-02-01T00:00:00Z"), 2),
    ],
    ids=["newer", "older", "a later not run", "measured before a not run"],
)
def test_what_was_measured_last_stays(
    tmp_path: Path, first: Record, second: Record, stays: int
) -> None:
    for number, record in enumerate((first, second)):
        merge([send(tmp_path / "sent", record, f"{number}.json")], tmp_path / "cells")
    assert [record.seed for record in kept(tmp_path / "cells")] == [stays]


def test_a_record_that_is_here_is_not_written_again(tmp_path: Path) -> None:
    sent = send(tmp_path / "sent")
    merge([sent], tmp_path / "cells")
    (path,) = (tmp_path / "cells").iterdir()
    path.write_text(path.read_text() + "\n\n")
    before = path.read_bytes()
    merge([sent], tmp_path / "cells")
    assert path.read_bytes() == before


def test_another_host_and_another_build_stand_beside(tmp_path: Path) -> None:
    sent = [
        samples.record(),
        samples.record(host=samples.host(cpu="another")),
        samples.record(build=samples.build(version="2.3.2.post112")),
    ]
    paths = [send(tmp_path / "sent", record, f"{i}.json") for i, record in enumerate(sent)]
    merge(paths, tmp_path / "cells")
    assert len(kept(tmp_path / "cells")) == 3


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"verdict": "unsound"}, "verdict: 'unsound', but its properties are 'sound'"),
        ({"remark": "mine"}, "remark: Extra inputs are not permitted"),
        ({"stand_in": "output unwritten"}, "stand_in: made with a stand-in device"),
        ({"seed": 10**30}, "seed: Input should be less than"),
        ({"measured_at": "0001-01-01T00:00:00+23:00"}, "measured_at: no such moment"),
        ({"release": "9" * 5000 + ".0.0"}, "release: String should match"),
        ({"seconds": {"test": float("inf")}}, "seconds.test: Input should be a finite number"),
    ],
)
def test_a_bad_record_costs_one_line_and_is_not_copied(
    tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    path = send(tmp_path / "sent", changes=changes)
    taken, refused = merge([path], tmp_path / "cells")
    assert taken == []
    assert len(refused) == 1
    assert refused[0].startswith(f"{path}: ")
    assert problem in refused[0]
    assert kept(tmp_path / "cells") == []


def test_a_bad_record_does_not_cost_the_others(tmp_path: Path) -> None:
    send(tmp_path / "sent", samples.record(), "a.json")
    (tmp_path / "sent" / "b.json").write_bytes(b"\xff")
    assert [len(lines) for lines in merge([tmp_path / "sent"], tmp_path / "cells")] == [1, 1]


@pytest.mark.parametrize("name", ["nowhere.json", "empty"])
def test_a_path_without_a_record_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    _, refused = merge([tmp_path / name], tmp_path / "cells")
    assert len(refused) == 1
    assert refused[0].startswith(f"{tmp_path / name}: ")


@pytest.mark.parametrize(
    "version", ["2.3.2./../../../escaped", "2.3.2.\\..\\escaped", "2.3.2.C:escaped", "2.3.2.\n"]
)
def test_a_version_that_is_a_path_is_refused(tmp_path: Path, version: str) -> None:
    data = json.loads(samples.record().model_dump_json())
    build = data["build"] | {"version": version}
    path = send(tmp_path / "sent", changes={"build": build})
    _, refused = merge([path], tmp_path / "cells")
    assert "build.version: String should match" in refused[0]


@pytest.mark.parametrize("hostile", ["../../escaped", "..\\escaped", "/etc/escaped", "x" * 400])
def test_no_name_of_a_host_leads_out_of_the_folder(tmp_path: Path, hostile: str) -> None:
    host = samples.host(os=hostile, machine=hostile, libc=hostile, gpu=hostile)
    _, refused = merge([send(tmp_path / "sent", samples.record(host=host))], tmp_path / "cells")
    assert refused == []
    assert len(list((tmp_path / "cells").glob("*.json"))) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells", "sent"]


def test_a_refusal_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    path = send(tmp_path / "sent", changes={"\x1b[2J\r" + "x" * 5000: 1})
    _, refused = merge([path], tmp_path / "cells")
    assert refused[0].isprintable()
    assert len(refused[0]) <= len(str(path)) + 400


def test_no_command_of_others_is_kept(tmp_path: Path) -> None:
    why = samples.unsupported()
    record = samples.record([], place="gpu", build=None, not_run=why)
    merge([send(tmp_path / "sent", record)], tmp_path / "cells")
    (taken,) = kept(tmp_path / "cells")
    assert taken.not_run == why.model_copy(update={"no_code": None})
