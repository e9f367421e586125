"""What a record may say of a fresh environment, and of properties that were not asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.cells import filling
from paddlecompat.cells.option_set import Options
from paddlecompat.environments import fresh
from paddlecompat.environments.environment import Prepared, Wanted
from paddlecompat.fixtures.manifest import Manifest, ManifestProperty
from paddlecompat.fixtures.releases import Cell, Fixture, Release
from paddlecompat.records import store
from paddlecompat.records.record import IMPORTS, MachineFailed, PropertyResult, Record
from paddlecompat.records.subject import Resolution

RELEASE = Release(version="2.3.2", newest_python="3.11", builds=[])
FRESH = Cell(RELEASE, "fresh")
LOCK = [
    f"numpy==2.2.6 --hash=sha256:{'0' * 64}",
    f"paddlepaddle-gpu==2.3.2 --hash=sha256:{'1' * 64}",
]
RESOLUTION = {
    "asked": "paddlepaddle-gpu==2.3.2",
    "python": "3.10",
    "pip": "26.3",
    "on": "2026-11-30",
    "lock": LOCK,
}
GROUP, _, NAME = IMPORTS.partition("::")
IMPORTED = samples.result(group=GROUP, name=NAME, calls=1, due=1)
NOT_IMPORTED = samples.result(group=GROUP, name=NAME, due=1, calls=0, outcome="violated")
LOST = samples.result(group="round_trip", name="test_a", outcome="violated")
BACK = samples.result(group="round_trip", name="test_b")
SUITE = Manifest(
    digest=samples.SUITE.digest,
    properties=[
        *samples.SUITE.properties,
        *(ManifestProperty(key=each.key, calls=50, places=("cpu",)) for each in (LOST, BACK)),
    ],
)


def record(properties: Sequence[PropertyResult] = (LOST, BACK, IMPORTED), **changes: Any) -> Record:
    """A fresh cell in which numbers do not come back, and one property was not asked."""
    known = {"properties": len(SUITE.properties), "not_asked": 1, **changes.pop("conditions", {})}
    changes = {"resolution": RESOLUTION, **changes}
    return samples.record(properties, cell="fresh-2.3.2", conditions=known, **changes)


def take(folder: Path, sent: Record) -> tuple[list[Record], list[str]]:
    """What is taken of a record that was sent in, and the lines on what is refused."""
    path = store.write(sent, folder / "sent")
    _, refused = store.merge([path], folder / "taken", Fixture(release=[RELEASE]), SUITE)
    return store.gather(folder / "taken")[0], refused


# What was not asked.


@pytest.mark.parametrize(
    "properties",
    [[IMPORTED], [BACK, IMPORTED], [BACK, NOT_IMPORTED]],
    ids=["none", "holds", "other"],
)
def test_nothing_is_left_out_unless_a_round_trip_fails(properties: list[PropertyResult]) -> None:
    with pytest.raises(ValueError, match=r"conditions\.not_asked: no round trip failed"):
        record(properties)


def test_a_round_trip_that_fails_is_taken_alone(tmp_path: Path) -> None:
    taken, refused = take(tmp_path, record())
    assert (len(taken), refused) == (1, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"properties": [LOST, IMPORTED]}, "1 are missing or too many, as round_trip::test_b"),
        (
            {"properties": [LOST, BACK, IMPORTED, samples.result()]},
            "1 are missing or too many, as masked_select::",
        ),
        ({"conditions": {"not_asked": 2}}, "conditions.not_asked: 1 were not asked"),
    ],
    ids=["a round trip less", "a property more", "another number"],
)
def test_a_forged_round_trip_costs_one_line(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    taken, refused = take(tmp_path, record(**changes))
    assert (taken, len(refused)) == ([], 1)
    assert problem in refused[0]


# The lock.


def test_the_lock_lies_beside_the_record(tmp_path: Path) -> None:
    path = store.write(record(), tmp_path)
    lock = path.with_name(path.name.replace(".json", ".lock.txt"))
    head = "# paddlepaddle-gpu==2.3.2 as pip 26.3 resolved it on 2026-11-30, CPython 3.10"
    assert lock.read_text(encoding="utf-8").splitlines() == [head, *LOCK]


def test_the_lock_is_published_with_the_record(tmp_path: Path) -> None:
    lock = store.write(record(), tmp_path / "measured").with_suffix(".lock.txt")
    store.take([tmp_path / "measured"], tmp_path / "published", store.as_own)
    assert (tmp_path / "published" / lock.name).read_bytes() == lock.read_bytes()


def test_what_others_send_is_not_there_to_be_installed(tmp_path: Path) -> None:
    take(tmp_path, record())
    assert [path.suffix for path in (tmp_path / "taken").iterdir()] == [".json"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lock": ["numpy"]}, "resolution.lock.0: String should match"),
        ({"lock": ["--index-url==1 --hash=sha256:" + "0" * 64]}, "resolution.lock.0: String"),
        ({"lock": []}, "resolution.lock: List should have at least 1 item"),
        ({"pip": "26.3\nevil==1"}, "resolution.pip: String should match"),
        ({"asked": "evil==2.3.2"}, "resolution.asked: String should match"),
        ({"asked": "paddlepaddle==2.3.1"}, "resolution.asked: of another release than 2.3.2"),
        ({"pins": ["evil<2"]}, "resolution.pins.0: String should match"),
    ],
)
def test_a_forged_resolution_is_named_by_its_field(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    data = json.loads(record().model_dump_json())
    data["resolution"] |= changes
    (tmp_path / "forged.json").write_text(json.dumps(data), encoding="utf-8")
    _, (refused,) = store.gather(tmp_path)
    assert field in refused


def test_a_pinned_environment_was_not_resolved_today() -> None:
    with pytest.raises(ValueError, match="resolution: only a fresh environment has one"):
        samples.record(resolution=RESOLUTION)


# A record whose environment is made again.


def test_a_record_tells_what_pip_resolved(tmp_path: Path) -> None:
    path = store.write(record(), tmp_path)
    assert fresh.resolution_in(path, FRESH) == Resolution.model_validate(RESOLUTION)


@pytest.mark.parametrize(
    ("options", "python", "resolution"),
    [
        ({}, "3.11", None),
        ({"cpython": "3.8"}, "3.8", None),
        ({"from_record": "fresh-2.3.2"}, "3.10", Resolution.model_validate(RESOLUTION)),
    ],
    ids=["the newest", "named", "of a record"],
)
def test_an_environment_is_asked_for_as_a_person_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    python: str,
    resolution: Resolution | None,
) -> None:
    if "from_record" in options:
        options = {"from_record": store.write(record(), tmp_path)}
    asked = []

    def prepare(cell: Cell, fixture: Fixture, wanted: Wanted) -> Prepared:
        asked.append((cell.release.python, wanted.resolution))
        raise MachineFailed("this is enough")

    monkeypatch.setattr(fresh, "prepare", prepare)
    monkeypatch.setattr("paddlecompat.cells.filling.environment.held", nullcontext)
    monkeypatch.setattr(filling, "RUNS", tmp_path)
    with pytest.raises(MachineFailed):
        filling.fill(FRESH, Fixture(release=[RELEASE]), Options(**options))
    assert asked == [(python, resolution)]


def test_a_record_without_a_resolution_says_so(tmp_path: Path) -> None:
    path = store.write(record(resolution=None), tmp_path)
    with pytest.raises(
        ValueError, match=r"^--from-record .*: it says nothing of what pip resolved"
    ):
        fresh.resolution_in(path, FRESH)


def test_a_record_of_another_cell_is_refused(tmp_path: Path) -> None:
    path = store.write(samples.record(), tmp_path)
    with pytest.raises(ValueError, match=r"a record of cpu-2\.3\.2, not of fresh-2\.3\.2"):
        fresh.resolution_in(path, FRESH)


def test_a_record_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--from-record .*gone\.json: No such file"):
        fresh.resolution_in(tmp_path / "gone.json", FRESH)
