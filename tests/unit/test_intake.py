"""What is sent in may be anything, and displaces nothing that was measured here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import samples
from written_report import violated, write_report

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.manifest import Manifest, ManifestProperty
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.records import store
from paddlecompat.records.record import NotRun, Record
from paddlecompat.records.subject import MeasuredBuild

FIXTURE = Fixture(
    release=[
        Release(
            version="2.3.2",
            builds=[
                Build(distribution="paddlepaddle-gpu", version="2.3.2.post101", index="paddle")
            ],
        )
    ]
)
HIDING = f"import paddle{' ' * 300}; import os; os.system('stolen')\n"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def send(folder: Path, record: Record | None = None, **changes: object) -> Path:
    """A file as somebody may send it: the sample record, with its data changed so."""
    data = json.loads((record or samples.record()).model_dump_json())
    folder.mkdir(exist_ok=True)
    path = folder / "sent.json"
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return path


def take(path: Path, suite: Manifest = samples.SUITE) -> tuple[list[Record], list[str]]:
    """The records that are taken from there, and the lines on what was refused."""
    folder = path.parent / "taken"
    _, refused = store.merge([path], folder, FIXTURE, suite)
    return store.gather(folder)[0], refused


# How a file is opened.


@posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    _, refused = take(tmp_path / "zero.json")
    assert refused == [
        f"{tmp_path / 'zero.json'}: a link, which is not followed: name the file or folder itself"
    ]


@posix
def test_a_link_in_a_folder_costs_only_itself(tmp_path: Path) -> None:
    path = send(tmp_path / "sent")
    (path.parent / "linked.json").symlink_to(path)
    taken, refused = take(path.parent)
    assert (len(taken), len(refused)) == (1, 1)
    assert refused[0].startswith(f"{path.parent / 'linked.json'}: a link")


@posix
def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(send(tmp_path / "sent").parent)
    taken, refused = take(tmp_path / "linked")
    assert (taken, len(refused)) == ([], 1)


@posix
@pytest.mark.parametrize("named", ["pipe.json", "."])
def test_a_pipe_does_not_hang_the_reader(tmp_path: Path, named: str) -> None:
    (tmp_path / "sent").mkdir()
    pipe = tmp_path / "sent" / "pipe.json"
    os.mkfifo(pipe)
    taken, refused = take(tmp_path / "sent" / named)
    assert taken == []
    assert refused == [f"{pipe}: no regular file: name a file, or the folder that holds it"]


def test_a_folder_in_the_place_of_a_record_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "sent" / "odd.json").mkdir(parents=True)
    assert [len(lines) for lines in take(tmp_path / "sent")] == [0, 1]


def test_a_field_of_30_mb_costs_one_line(tmp_path: Path) -> None:
    path = send(tmp_path / "sent", seed="x" * 30 * 2**20)
    assert take(path) == ([], [f"{path}: more than 4 MB, which no record takes: measure anew"])


def test_a_field_longer_than_a_record_has_costs_one_line(tmp_path: Path) -> None:
    host = samples.host().model_dump() | {"cpu": "x" * 401}
    _, (refused,) = take(send(tmp_path / "sent", host=host))
    assert "host.cpu: String should have at most 400 characters" in refused
    assert len(refused) < 400


def test_a_million_properties_cost_one_line(tmp_path: Path) -> None:
    path = send(tmp_path / "sent")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[{", "[" + "{}," * 10**6 + "{", 1), encoding="utf-8")
    assert [len(lines) for lines in take(path)] == [0, 1]


def test_a_folder_of_too_many_files_costs_one_line(tmp_path: Path) -> None:
    for number in range(store.MOST_FILES + 1):
        (tmp_path / f"{number}.json").touch()
    taken, refused = take(tmp_path)
    assert (taken, len(refused)) == ([], 1)
    assert "name those that are records" in refused[0]


# What is believed.


def test_the_record_measured_here_stays(tmp_path: Path) -> None:
    own = violated()
    path = store.write(own, tmp_path / "cells")
    before = path.read_bytes()
    due = [samples.result(due=50)]  # of a thorough one
    forged = samples.record(due, profile="thorough", measured_at=datetime.now(UTC))
    store.merge([send(tmp_path / "sent", forged)], tmp_path / "cells", FIXTURE, samples.SUITE)
    assert path.read_bytes() == before
    assert sorted(r.provenance for r in store.gather(tmp_path / "cells")[0]) == ["own", "sent in"]


def test_a_record_measured_here_is_not_kept_out_by_one_sent_in(tmp_path: Path) -> None:
    thorough = samples.record([samples.result(due=50)], profile="thorough")
    store.merge([send(tmp_path / "sent", thorough)], tmp_path / "cells", FIXTURE, samples.SUITE)
    assert store.keep(samples.record(profile="quick"), tmp_path / "cells")


RESULT = json.loads(samples.result().model_dump_json())
CONDITIONS = json.loads(samples.conditions().model_dump_json())
BUILD = json.loads(samples.build().model_dump_json())
FORGED: dict[str, tuple[dict[str, object], str]] = {
    "another year": ({"measured_at": "2999-01-01T00:00:00Z"}, "measured_at: 2999-01-01 is no day"),
    "before there was any": ({"measured_at": "2021-12-31T00:00:00Z"}, "measured_at: 2021-12-31"),
    "no such release": ({"release": "7.7.7", "cell": "cpu-7.7.7"}, "release: fixtures/releases"),
    "no such build": ({"build": BUILD | {"version": "2.3.3"}}, "build.version: no build"),
    "a build of its own": ({"build": BUILD | {"version": "2.3.2.evil"}}, "build.version: no build"),
    "no build at all": ({"build": None}, "build: has to say which build was measured"),
    "no such choice": ({"chosen": "2.4.0"}, "chosen: no build paddlepaddle-gpu 2.4.0 of 2.3.2"),
    "other properties": (
        {"conditions": CONDITIONS | {"suite": "0" * 64}},
        "conditions.suite: other properties than today's: measure anew with `nox -s cpu-2.3.2`",
    ),
    "a part of them": (
        {"conditions": CONDITIONS | {"partial": "-k mask"}},
        "conditions.partial: not the whole suite (-k mask): measure anew with",
    ),
    "another count of them": (
        {"conditions": CONDITIONS | {"properties": 2}},
        "conditions.properties: there are 1",
    ),
    "a property too many": (
        {
            "conditions": CONDITIONS | {"outcomes": {"holds": 2}},
            "properties": [RESULT, RESULT | {"name": "test_other"}],
        },
        "properties: 1 are missing or too many, as masked_select::test_other",
    ),
    "a property renamed": (
        {"properties": [RESULT | {"name": "test_other"}]},
        "properties: 2 are missing or too many",
    ),
    "fewer calls due": (
        {"properties": [RESULT | {"calls": 1, "due": 1}]},
        "30 calls are due: measure anew",
    ),
    "a refusal of a GPU": (
        {"properties": [RESULT | {"calls": 1, "asserted": True}]},
        "no kernel has to assert there",
    ),
    "no calls": (
        {"properties": [RESULT | {"calls": 0}]},
        "calls: 0 verified, fewer than the 30 that are due",
    ),
    "more calls than any run makes": (
        {"properties": [RESULT | {"calls": 10**30}]},
        "properties.0.calls: ",
    ),
    "nothing, without a reason": (
        {"properties": [], "conditions": None, "verdict": "not run"},
        "not_run: has to say why",
    ),
}


@pytest.mark.parametrize(("changes", "problem"), FORGED.values(), ids=FORGED)
def test_a_forged_record_costs_one_line(
    tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    path = send(tmp_path / "sent", None, **changes)
    taken, refused = take(path)
    assert (taken, len(refused)) == ([], 1)
    assert refused[0].startswith(f"{path}: ")
    assert problem in refused[0]


@pytest.mark.parametrize(
    ("version", "known"),
    [("2.3.2", True), ("2.3.2.post101", True), ("2.3.2.post116", True), ("2.3.2.post1", False)],
)
def test_a_build_of_the_release_is_taken(tmp_path: Path, version: str, known: bool) -> None:
    taken, _ = take(send(tmp_path / "sent", build=BUILD | {"version": version}))
    assert len(taken) == known


def test_a_clock_that_is_an_hour_fast_is_tolerated(tmp_path: Path) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    assert len(take(send(tmp_path / "sent", measured_at=moment.isoformat()))[0]) == 1


def test_the_calls_due_are_those_of_the_manifest(tmp_path: Path) -> None:
    (named,) = samples.SUITE.properties
    suite = Manifest(
        digest=samples.SUITE.digest,
        properties=[ManifestProperty(key=named.key, calls=None, places=("cpu",))],
    )
    due_60 = RESULT | {"calls": 100, "due": 60}
    assert len(take(send(tmp_path / "a"), suite)[1]) == 1
    assert take(send(tmp_path / "b", properties=[due_60]), suite)[1] == []


def test_others_may_say_why_nothing_ran(tmp_path: Path) -> None:
    why = NotRun(reason="no build", detail="no wheel for this platform")
    ((taken,), _) = take(send(tmp_path / "sent", samples.record([], not_run=why)))
    assert taken.not_run == why


def test_an_import_that_failed_elsewhere_displaces_nothing(tmp_path: Path) -> None:
    why = NotRun(reason="import failed", detail="undefined symbol")
    assert take(send(tmp_path / "sent", samples.record([], not_run=why)))[0] == []


def test_a_gpu_cell_of_no_device_is_refused(tmp_path: Path) -> None:
    suite = samples.SUITE
    (refused,) = take(send(tmp_path / "sent", samples.record(place="gpu", device=None)), suite)[1]
    assert "device: a GPU cell has one" in refused


def test_many_files_leave_none_open(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.json").write_text("{}")
    before = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
    store.gather(tmp_path)
    assert not before or psutil.Process().num_fds() == before


def real_build(sha256: Callable[[Build], str]) -> MeasuredBuild:
    """A build that the fixtures lock, with that hash, said to be locked."""
    build = releases.load().release[0].builds[0]
    return samples.build(version=build.version, sha256=sha256(build), locked=True)


@pytest.mark.parametrize(
    ("sha256", "locked"),
    [(lambda build: min(build.hashes), True), (lambda build: "0" * 64, False)],
    ids=["of the lock", "another"],
)
def test_whether_a_build_is_locked_is_looked_up(
    tmp_path: Path, sha256: Callable[[Build], str], locked: bool
) -> None:
    build = real_build(sha256)
    record = samples.record(release=build.version, build=build)
    path = send(tmp_path / "sent", record)
    store.merge([path], tmp_path / "cells", releases.load(), samples.SUITE)
    ((taken,), _) = store.gather(tmp_path / "cells")
    assert taken.build is not None
    assert taken.build.locked == locked


def test_what_others_say_of_a_wheel_is_not_taken(tmp_path: Path) -> None:
    said = {"version": "2.3.2", "system": "linux", "sha256": "0" * 64, "answer": "absent"}
    sent = send(tmp_path / "sent", wheel={**said, "counts": {"absent": 14}, "reason": "as told"})
    (taken,), _ = take(sent)
    assert taken.wheel is None


# What becomes of it on the pages.


def test_a_script_of_others_stands_on_no_page(tmp_path: Path) -> None:
    sent = send(tmp_path / "sent", violated(script=HIDING))
    store.merge([sent], tmp_path / "cells", FIXTURE, samples.SUITE)
    page = write_report(tmp_path)
    command = "nox -s cpu-2.3.2 -- -k test_selection_is_bit_exact --profile standard --seed 7"
    assert ["stolen" in shown for shown in (page.markdown, page.html)] == [False, False]
    assert command in page.html


def test_spaces_of_others_hide_nothing_on_a_page(tmp_path: Path) -> None:
    sent = send(tmp_path / "sent", violated(case=HIDING))
    store.merge([sent], tmp_path / "cells", FIXTURE, samples.SUITE)
    page = write_report(tmp_path)
    assert [" " * 300 in shown for shown in (page.markdown, page.html)] == [False, False]


def test_a_script_of_our_own_stands_on_the_pages(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(script="print('ours')\n"))
    assert "print('ours')" in page.markdown


def test_what_others_measured_is_not_counted_as_ours(tmp_path: Path) -> None:
    sent = samples.record().model_copy(update={"provenance": "sent in"})
    page = write_report(tmp_path, violated(), sent)
    badge = json.loads(page.read("badge.json"))
    assert badge["message"] == "1 new in 1 cell"
    assert page.summary.startswith("1 cells: 1 measured, 0 not run.")
