"""Filling one cell: what is recorded, where, and how it ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.cells import filling
from paddlecompat.cells.keeping import Filled
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.environments.environment import Prepared
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.releases import Cell
from paddlecompat.folders import RECORDS, ROOT
from paddlecompat.machine.choice import Machine
from paddlecompat.records import store, subject
from paddlecompat.records.build_answers import wheel_answer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun, PropertyResult, Record
from paddlecompat.records.subject import Device, Environment, Seconds

FIXTURE = releases.load()
CPU = releases.cell_named("cpu-2.3.2", FIXTURE)
GPU = releases.cell_named("gpu-2.3.2", FIXTURE)
NO_DEVICE = NotRun(reason="no CUDA device", detail="no NVIDIA driver")
MACHINE = Machine("linux", "7.5", "535.104.05", "12.2", frozenset({"pypi"}))


class Desk:
    """A cell whose environment, device and properties are what the test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.table = folder / "reports" / "cells"
        self.results = [samples.result()]
        self.known: Known | Exception = Known()
        self.device: Device | NotRun = samples.device()
        self.machine = MACHINE
        self.loaded: dict[str, str] | NotRun = {}
        self.problem: NotRun | Exception | None = None
        self.packages = {"numpy": "1.23.5"}
        self.kept: WheelAnswer | None = None
        self.read: WheelAnswer | None = None
        self.in_use: list[str] = []
        self.built: list[str | None] = []
        self.lacked: tuple[str, ...] = ()
        self.removed: list[str] = []
        stand_ins: dict[str, object] = {
            "environment.prepare": self.prepare,
            "environment.remove": lambda cell: self.removed.append(cell.name),
            "environment.held": self.hold,
            "environment.packages_of": lambda _: self.packages,
            "gpus.look": lambda _: self.device,
            "gpus.try_device": lambda *_: self.loaded,
            "machine_with": lambda _: self.machine,
            "cuda_libraries.settings": lambda _: {},
            "suite.run": self.run,
            "asking.known_answer": lambda *_: self.kept,
            "asking.ask_built": lambda *_: self.read,
            "bugs.load": self.load_known,
            "RUNS": folder / "work",
            "PUBLISHED": folder / "published",
        }
        for name, stand_in in stand_ins.items():
            patch.setattr(f"paddlecompat.cells.filling.{name}", stand_in)

    def load_known(self) -> Known:
        if isinstance(self.known, Exception):
            raise self.known
        return self.known

    def prepare(self, cell: Cell, fixture: object, wanted: Any) -> Prepared:
        self.built.append(wanted.build and wanted.build.version)
        if self.built[-1] in self.lacked:
            raise CannotRun(NotRun(reason="no build", detail=f"no wheel of {self.built[-1]}"))
        if isinstance(self.problem, Exception):
            raise self.problem
        if self.problem is not None:
            raise CannotRun(self.problem)
        return Prepared(
            version=3,
            made_from="",
            folder=self.folder / "env",
            build=samples.build(),
            environment=Environment(packages={"numpy": "1.23.5"}, mended=[]),
            seconds=Seconds(download=1.0, install=2.0, mend=3.0, imports=4.0),
        )

    def run(self, python: Path, request: Request, folder: Path) -> Ran:
        assert self.in_use, "the environment is this process's alone until the run has ended"
        ran, partial = samples.ran(self.results), {"partial": request.options.partial}
        return ran.model_copy(update={"conditions": ran.conditions.model_copy(update=partial)})

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        self.in_use.append(name)
        yield
        self.in_use.remove(name)

    def fill(self, cell: Cell = CPU, **asked: Any) -> Filled:
        options = Options(**{"seed": 7, "records": self.table, **asked})
        return filling.fill(cell, FIXTURE, options)

    @property
    def record(self) -> Record:
        (path,) = self.table.iterdir()
        return store.read(path)

    @property
    def why(self) -> NotRun:
        assert self.record.not_run is not None
        return self.record.not_run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def violated() -> PropertyResult:
    return samples.result(outcome="violated", evidence=samples.evidence(script="assert False\n"))


def test_the_record_is_of_the_cell_and_the_whole_suite(desk: Desk) -> None:
    assert desk.fill().judgement.standing == "as expected"
    assert (desk.record.cell, desk.record.verdict, desk.record.seed) == ("cpu-2.3.2", "sound", 7)


def test_the_record_splits_the_time(desk: Desk) -> None:
    desk.fill()
    split = desk.record.seconds
    assert (split.download, split.install, split.mend, split.imports) == (1.0, 2.0, 3.0, 4.0)
    assert split.test is not None


def test_a_violation_that_nobody_expects_is_worse(desk: Desk) -> None:
    desk.results = [violated()]
    assert (desk.fill().judgement.standing, desk.record.verdict) == ("worse", "unsound")


def test_a_violation_that_is_expected_is_as_expected(desk: Desk) -> None:
    desk.results, desk.known = [violated()], samples.known()
    assert desk.fill().judgement.standing == "as expected"


def test_an_expected_violation_that_is_gone_is_better(desk: Desk) -> None:
    desk.known = samples.known()
    assert desk.fill().judgement.standing == "better"


def test_each_violation_leaves_its_script_as_a_file(desk: Desk) -> None:
    desk.results = [violated()]
    (script,) = desk.fill().scripts.values()
    assert script.read_text() == "assert False\n"
    assert script.parent.parent.parent == desk.folder / "work" / "cpu-2.3.2"


def test_a_releases_words_name_no_folder_of_a_person(desk: Desk) -> None:
    words = f"cannot import name 'Head' from 'ppdet' ({Path.home() / 'PaddleDetection'})"
    unsupported = samples.result(name="b", outcome="unsupported", message=words)
    desk.results = [samples.result(), unsupported]
    desk.fill()
    told = desk.record.properties[1].message
    assert told == f"cannot import name 'Head' from 'ppdet' ({Path('~', 'PaddleDetection')})"


def test_a_release_that_does_not_import_leaves_its_reason(desk: Desk) -> None:
    desk.problem = NotRun(reason="import failed", detail="undefined symbol")
    desk.fill()
    assert desk.why == desk.problem


def test_a_machine_that_fails_leaves_no_record(desk: Desk) -> None:
    desk.problem = MachineFailed("the disk is full")
    with pytest.raises(MachineFailed, match="the disk is full"):
        desk.fill()
    assert not desk.table.exists()


def test_a_failed_import_names_what_is_installed_otherwise(desk: Desk) -> None:
    desk.fill()
    desk.problem = NotRun(reason="import failed", detail="undefined symbol")
    desk.packages = {"numpy": "2.2.6"}
    assert desk.fill().record.not_run == desk.problem.model_copy(
        update={"changed": ["numpy 1.23.5 -> 2.2.6"]}
    )


def test_a_bad_bug_is_named_before_measuring(desk: Desk) -> None:
    desk.known = ValueError("bugs.toml: bug.0.cause: Field required")
    with pytest.raises(ValueError, match=r"bug\.0\.cause"):
        desk.fill()
    assert desk.built == []


def test_a_measured_record_outlives_a_run_that_failed(desk: Desk) -> None:
    desk.fill()
    desk.problem = MachineFailed("the disk is full")
    with pytest.raises(MachineFailed):
        desk.fill()
    assert desk.record.verdict == "sound"


def test_a_gpu_cell_without_a_device_says_so(desk: Desk) -> None:
    desk.device = NO_DEVICE
    desk.fill(GPU)
    assert (desk.why.reason, desk.why.detail) == ("no CUDA device", "no NVIDIA driver")


def test_a_cell_without_a_device_tells_what_the_wheel_says(desk: Desk) -> None:
    desk.device = NO_DEVICE
    desk.kept = wheel_answer.read_all()[0]
    desk.fill(GPU)
    assert desk.record.wheel == desk.kept.said


def test_a_gpu_cell_tells_what_the_wheel_that_it_installed_says(desk: Desk) -> None:
    desk.read = wheel_answer.read_all()[-1]
    desk.fill(GPU)
    assert desk.record.wheel == desk.read.said


def test_a_cpu_cell_does_not_ask_the_wheel(desk: Desk) -> None:
    desk.kept = desk.read = wheel_answer.read_all()[0]
    desk.fill()
    assert desk.record.wheel is None


def test_without_a_device_nothing_is_installed(desk: Desk) -> None:
    desk.device = NO_DEVICE
    desk.fill(GPU)
    assert desk.built == []


def test_without_a_device_example_cards_get_builds(desk: Desk) -> None:
    desk.device = NO_DEVICE
    desk.fill(GPU)
    assert len(desk.why.builds) == 3


def test_another_releases_build_is_refused_first(desk: Desk) -> None:
    desk.device = NO_DEVICE
    with pytest.raises(ValueError, match=r"--build 2\.2\.2: not a build of 2\.3\.2"):
        desk.fill(GPU, build="2.2.2")


def test_a_build_that_fails_early_keeps_its_own_name(desk: Desk) -> None:
    desk.problem = NotRun(reason="import failed", detail="undefined symbol")
    desk.fill(GPU, build="2.3.2.post112")
    assert desk.record.file_name.startswith("gpu-2.3.2.post112@")


def test_the_build_is_the_one_for_the_device(desk: Desk) -> None:
    desk.fill(GPU)
    assert desk.built == ["2.3.2"]


def test_a_build_that_the_index_lacks_gives_way_to_the_next(desk: Desk) -> None:
    desk.machine = Machine("linux", "8.6", "535.104.05", "12.2")
    desk.lacked = ("2.3.2.post116",)
    desk.fill(GPU)
    assert desk.built == ["2.3.2.post116", "2.3.2.post112"]
    assert desk.record.chosen == "2.3.2.post112"


def test_when_the_indexes_have_no_build_the_last_is_named(desk: Desk) -> None:
    desk.machine = Machine("linux", "8.6", "535.104.05", "12.2")
    desk.lacked = tuple(build.version for build in GPU.release.gpu_builds)
    desk.fill(GPU)
    assert desk.why.reason == "no build"
    assert "cannot be reached from here, or has it not" in desk.why.detail


def test_a_named_build_that_the_index_lacks_is_not_replaced(desk: Desk) -> None:
    desk.machine = Machine("linux", "8.6", "535.104.05", "12.2")
    desk.lacked = ("2.3.2.post116",)
    desk.fill(GPU, build="2.3.2.post116")
    assert desk.built == ["2.3.2.post116"]


@pytest.mark.parametrize(
    ("asked", "capability", "build", "instead"),
    [
        ({"build": "2.3.2"}, "8.6", "2.3.2", "2.3.2.post116"),
        ({}, "9.0", "2.3.2", "2.6.2.post120"),
    ],
    ids=["the named one", "every one"],
)
def test_a_build_without_the_cards_code_is_not_installed(
    desk: Desk, asked: dict[str, Any], capability: str, build: str, instead: str
) -> None:
    desk.machine = Machine("linux", capability, "535.104.05", "12.2")
    desk.fill(GPU, **asked)
    assert desk.built == []
    assert desk.why.reason == "device not supported by the build"
    derived = desk.why.no_code
    assert derived is not None
    assert (derived.severity, derived.build, derived.instead) == ("silent", build, instead)
    assert f"paddlepaddle-gpu=={instead} " in derived.install


def test_a_build_that_is_named_and_has_code_is_measured(desk: Desk) -> None:
    desk.machine = Machine("linux", "8.6", "535.104.05", "12.2", frozenset({"pypi"}))
    desk.fill(GPU, build="2.3.2.post116")
    assert desk.built == ["2.3.2.post116"]


def test_a_wheel_of_ones_own_is_tried_whatever_the_card(desk: Desk) -> None:
    desk.machine = Machine("linux", "8.6", "535.104.05", "12.2")
    wheel = desk.folder / "paddlepaddle_gpu-2.3.2-cp310-cp310-linux_x86_64.whl"
    wheel.touch()
    desk.fill(GPU, wheel=wheel)
    assert desk.built == ["2.3.2"]


def test_the_record_has_the_device_and_what_it_loaded(desk: Desk) -> None:
    desk.loaded = {"cudnn": "7.6.5"}
    desk.fill(GPU)
    assert desk.record.device == samples.device(runtime={"cudnn": "7.6.5"})
    assert desk.record.host.gpu == "NVIDIA GeForce RTX 3090"


def test_a_device_that_refuses_the_build_is_the_reason(desk: Desk) -> None:
    desk.loaded = NotRun(reason="device in use", detail="busy")
    desk.fill(GPU)
    assert desk.why.reason == "device in use"


def test_a_reason_names_no_folder_of_this_machine(desk: Desk) -> None:
    words = f"error: {ROOT / 'work' / 'a.so'}: damaged"
    desk.problem = NotRun(reason="import failed", detail=words)
    desk.fill()
    assert str(ROOT) not in desk.why.detail
    assert "a.so: damaged" in desk.why.detail


def test_evidence_names_no_folder_of_this_machine(desk: Desk) -> None:
    words = f"OSError: {ROOT}/a.so"
    evidence = samples.evidence(actual=words, case=words)
    desk.results = [samples.result(outcome="violated", evidence=evidence, message=words)]
    desk.fill()
    assert str(ROOT) not in desk.record.model_dump_json()


@pytest.mark.parametrize(
    ("home", "temporary", "said"), [("a", "a/b", "TMP/x.so"), ("a/b", "a", "~/x.so")]
)
def test_of_folders_in_each_other_the_inner_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str, temporary: str, said: str
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / home))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / temporary))
    found = subject.impersonal(str(tmp_path / "a" / "b" / "x.so"))
    assert found.replace("\\", "/") == said


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_stand_ins_record_stays_out_of_the_table(desk: Desk, elsewhere: bool) -> None:
    folder = desk.folder / "elsewhere" if elsewhere else RECORDS
    desk.fill(GPU, stand_in="sound", records=folder)
    (kept,) = desk.folder.glob("elsewhere/*.json" if elsewhere else "work/gpu-2.3.2/*/*.json")
    assert store.read(kept).stand_in == "sound"


def test_a_bug_of_no_property_is_absent(desk: Desk) -> None:
    desk.known = known = samples.known(properties=["dfl_loss::test_value_matches"])
    (absent,) = desk.fill().judgement.absent
    assert absent == ("dfl_loss::test_value_matches", known.bug[0])


def test_what_was_not_asked_for_is_not_absent(desk: Desk) -> None:
    desk.known = samples.known(properties=["dfl_loss::test_value_matches"])
    assert desk.fill(keyword="select").judgement.absent == []


PARTS = [{"keyword": "nan"}, {"mutant": "zeros"}, {"timeout": 0.02}, {"memory_limit": 1.0}]


@pytest.mark.parametrize("asked", PARTS)
def test_a_part_of_the_suite_stays_out_of_the_table(desk: Desk, asked: dict[str, Any]) -> None:
    desk.fill(**asked)
    assert not desk.table.exists()


def test_a_pruned_environment_is_removed_after_measuring(desk: Desk) -> None:
    desk.fill(prune=True)
    assert desk.removed == ["cpu-2.3.2"]
    assert desk.record.verdict == "sound"
