"""Filling one cell: what is recorded, where, and how the session ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.cells import filling, option_set, suite
from paddlecompat.cells.option_set import Options
from paddlecompat.environments import cuda_libraries, environment, installer, loader, wheels
from paddlecompat.environments.environment import Prepared
from paddlecompat.environments.wheels import Wheel
from paddlecompat.fixtures import expectations, releases
from paddlecompat.fixtures.releases import Build, Cell
from paddlecompat.machine import gpus
from paddlecompat.machine.choice import Machine
from paddlecompat.records import store
from paddlecompat.records.record import (
    CannotRun,
    Environment,
    NotRun,
    PropertyResult,
    Record,
    Seconds,
)

FIXTURE = releases.load()
CPU = releases.cell_named("cpu-2.3.2", FIXTURE)
GPU = releases.cell_named("gpu-2.3.2", FIXTURE)


class Desk:
    """A cell whose environment and properties are what the test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.results = [samples.result()]
        self.folder = folder
        self.patch = monkeypatch
        monkeypatch.setattr(filling, "ROOT", folder)
        monkeypatch.setattr(option_set, "WORK", folder / "work")
        monkeypatch.setattr(filling, "prepare", lambda *_: prepared())
        monkeypatch.setattr(expectations, "load", list)
        monkeypatch.setattr(suite, "run", lambda *_: self.results)

    def fill(
        self,
        what: Cell = CPU,
        environment: Path | None = Path("env"),
        *,
        require_device: bool = False,
        strict: bool = False,
        prune: bool = False,
    ) -> int:
        request = option_set.Request(place=what.place, seed=7)
        folder = self.folder / "reports" / "cells"
        options = Options(request, require_device, strict, prune, records=folder)
        return filling.fill(what, FIXTURE, environment, options)

    def with_device(self, loaded: dict[str, str] | NotRun | None = None) -> None:
        """A GPU, and what came of a first calculation on it."""
        machine = Machine("linux", "7.5", "535.104.05", "12.2", frozenset({"pypi"}))
        self.patch.setattr(gpus, "look", lambda _: samples.device())
        self.patch.setattr(filling, "machine_with", lambda _: machine)
        self.patch.setattr(cuda_libraries, "settings", lambda _: {})
        self.patch.setattr(gpus, "tried", lambda *_: loaded or {})

    @property
    def record(self) -> Record:
        (path,) = (self.folder / "reports" / "cells").iterdir()
        return store.read(path)


def prepared() -> Prepared:
    return Prepared(
        made_from="",
        build=samples.build(),
        environment=Environment(packages={"numpy": "1.23.5"}, mended=[]),
        seconds=Seconds(download=1.0, install=2.0, mend=3.0, imports=4.0),
    )


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def violated() -> PropertyResult:
    return samples.result(outcome="violated", evidence=samples.evidence(script="assert False\n"))


def test_a_sound_cell_ends_well_with_a_record_of_the_whole_suite(desk: Desk) -> None:
    assert desk.fill() == 0
    assert (desk.record.cell, desk.record.verdict, desk.record.seed) == ("cpu-2.3.2", "sound", 7)


def test_the_record_splits_the_time(desk: Desk) -> None:
    desk.fill()
    split = desk.record.seconds
    assert (split.download, split.install, split.mend, split.imports) == (1.0, 2.0, 3.0, 4.0)
    assert split.test is not None


def test_a_violation_that_nobody_expects_fails_the_session(desk: Desk) -> None:
    desk.results = [violated()]
    assert (desk.fill(), desk.record.verdict) == (1, "unsound")


def test_a_violation_that_is_expected_does_not_fail_the_session(desk: Desk) -> None:
    desk.results = [violated()]
    desk.patch.setattr(expectations, "load", lambda: [samples.expectation()])
    assert desk.fill() == 0


@pytest.mark.parametrize(("strict", "status"), [(False, 0), (True, 1)])
def test_an_expected_violation_that_is_gone_fails_only_when_strict(
    desk: Desk, strict: bool, status: int
) -> None:
    desk.patch.setattr(expectations, "load", lambda: [samples.expectation()])
    assert desk.fill(strict=strict) == status


def test_each_violation_leaves_its_script_as_a_file(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.results = [violated()]
    desk.fill()
    (script,) = (desk.folder / "work" / "cpu-2.3.2" / "scripts").iterdir()
    assert script.read_text() == "assert False\n"
    assert script.name in capsys.readouterr().out.replace("\n", "")


def test_the_words_of_a_release_name_no_folder_of_a_person(desk: Desk) -> None:
    words = f"cannot import name 'Head' from 'ppdet' ({Path.home() / 'PaddleDetection'})"
    desk.results = [
        samples.result(),
        samples.result(name="b", outcome="unsupported", message=words),
    ]
    desk.fill()
    told = desk.record.properties[1].message
    assert told == f"cannot import name 'Head' from 'ppdet' ({Path('~', 'PaddleDetection')})"


def test_without_an_interpreter_the_record_says_so_and_how_to_get_one(desk: Desk) -> None:
    assert desk.fill(environment=None) == 0
    assert desk.record.not_run is not None
    assert desk.record.not_run.reason == "no interpreter"
    assert "uv python install 3.10" in desk.record.not_run.detail


def test_an_environment_that_cannot_be_made_leaves_its_reason(desk: Desk) -> None:
    def fail(*_: object) -> Prepared:
        raise CannotRun(NotRun(reason="install failed", detail="the disk is full"))

    desk.patch.setattr(filling, "prepare", fail)
    assert desk.fill() == 0
    assert desk.record.not_run == NotRun(reason="install failed", detail="the disk is full")


def test_a_mistake_in_the_expectations_is_named_before_anything_is_measured(desk: Desk) -> None:
    def fail() -> list[object]:
        raise ValueError("expectations.toml: expectation.0.cause: Field required")

    desk.patch.setattr(expectations, "load", fail)
    desk.patch.setattr(filling, "measure", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(ValueError, match=r"expectation\.0\.cause"):
        desk.fill()


def test_what_was_measured_is_not_lost_to_a_run_that_could_not(desk: Desk) -> None:
    desk.fill()
    desk.fill(environment=None)
    assert desk.record.verdict == "sound"


NO_DEVICE = NotRun(reason="no CUDA device", detail="no NVIDIA driver")


@pytest.mark.parametrize(("required", "status"), [(False, 0), (True, 1)])
def test_a_gpu_cell_without_a_device_is_not_run_and_fails_only_where_one_is_required(
    desk: Desk, required: bool, status: int
) -> None:
    desk.patch.setattr(gpus, "look", lambda _: NO_DEVICE)
    assert desk.fill(GPU, require_device=required) == status
    assert desk.record.not_run is not None
    assert desk.record.not_run.reason == "no CUDA device"
    assert desk.record.not_run.detail == "no NVIDIA driver"


def test_without_a_device_nothing_is_installed_and_example_cards_are_told_their_build(
    desk: Desk,
) -> None:
    desk.patch.setattr(gpus, "look", lambda _: NO_DEVICE)
    desk.patch.setattr(filling, "prepare", lambda *_: pytest.fail("it was installed"))
    desk.fill(GPU)
    assert desk.record.not_run is not None
    assert len(desk.record.not_run.builds) == 3


def test_a_build_of_another_release_is_refused_also_without_a_device(desk: Desk) -> None:
    desk.patch.setattr(gpus, "look", lambda _: NO_DEVICE)
    options = Options(option_set.Request(place="gpu"), build="2.2.2", records=desk.folder)
    with pytest.raises(ValueError, match=r"--build 2\.2\.2: not a build of 2\.3\.2"):
        filling.fill(GPU, FIXTURE, Path("env"), options)


def test_a_build_that_fails_early_does_not_take_anothers_place(desk: Desk) -> None:
    failed = CannotRun(NotRun(reason="install failed", detail="out of reach"))
    desk.with_device()
    desk.patch.setattr(filling, "prepare", lambda *_: (_ for _ in ()).throw(failed))
    options = Options(option_set.Request(place="gpu"), build="2.3.2.post112", records=desk.folder)
    filling.fill(GPU, FIXTURE, Path("env"), options)
    (path,) = desk.folder.glob("*.json")
    assert path.name.startswith("gpu-2.3.2.post112@")


def test_the_build_is_the_one_for_the_device(desk: Desk) -> None:
    chosen: list[Build] = []

    def prepare(*asked: Any) -> Prepared:
        chosen.append(asked[-1].build)
        return prepared()

    desk.with_device()
    desk.patch.setattr(filling, "prepare", prepare)
    desk.fill(GPU)
    assert [build.version for build in chosen] == ["2.3.2"]


def test_the_record_keeps_the_device_and_what_it_loaded(desk: Desk) -> None:
    desk.with_device(loaded={"cudnn": "7.6.5"})
    desk.fill(GPU)
    assert desk.record.device == samples.device(runtime={"cudnn": "7.6.5"})
    assert desk.record.host.gpu == "NVIDIA GeForce RTX 3090"


def test_a_build_that_cannot_use_the_device_is_not_run_for_the_probes_reason(desk: Desk) -> None:
    desk.with_device(NotRun(reason="device in use", detail="busy"))
    desk.fill(GPU)
    assert desk.record.not_run is not None
    assert desk.record.not_run.reason == "device in use"


def test_no_folder_of_this_machine_comes_into_a_record(desk: Desk) -> None:
    words = f"error: {desk.folder / 'work' / 'a.so'}: damaged"
    failed = CannotRun(NotRun(reason="import failed", detail=words))
    desk.patch.setattr(filling, "prepare", lambda *_: (_ for _ in ()).throw(failed))
    desk.fill()
    assert desk.record.not_run is not None
    assert str(desk.folder) not in desk.record.not_run.detail
    assert "a.so: damaged" in desk.record.not_run.detail


def test_no_folder_of_this_machine_comes_into_a_violations_evidence(desk: Desk) -> None:
    words = f"OSError: {desk.folder}/a.so"
    evidence = samples.evidence(actual=words, case=words)
    desk.results = [samples.result(outcome="violated", evidence=evidence, message=words)]
    desk.fill()
    assert str(desk.folder) not in desk.record.model_dump_json()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_stand_ins_record_says_so_and_stays_out_of_the_table(desk: Desk, elsewhere: bool) -> None:
    desk.with_device()
    table = desk.folder / "reports" / "cells"
    desk.patch.setattr(option_set, "RECORDS", table)
    request = option_set.Request(place="gpu", stand_in="sound")
    options = Options(request, records=desk.folder / "elsewhere" if elsewhere else table)
    filling.fill(GPU, FIXTURE, Path("env"), options)
    assert not table.exists()
    (kept,) = desk.folder.glob("elsewhere/*.json" if elsewhere else "work/gpu-2.3.2/*.json")
    assert store.read(kept).stand_in == "sound"


def test_what_was_left_out_on_purpose_is_not_called_missing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = samples.expectation(property="dfl_loss::test_value_matches")
    desk.patch.setattr(expectations, "load", lambda: [elsewhere])
    desk.fill()
    assert "not among the properties" in capsys.readouterr().out
    filling.fill(
        CPU, FIXTURE, Path("env"), Options(option_set.Request(place="cpu", keyword="select"))
    )
    assert "not among the properties" not in capsys.readouterr().out


@pytest.mark.parametrize("asked", [{"keyword": "nan"}, {"mutant": "zeros"}])
def test_what_is_not_the_whole_suite_as_it_is_stays_out_of_the_table(
    desk: Desk, asked: dict[str, str]
) -> None:
    request = option_set.Request(place="cpu", **asked)  # type: ignore[arg-type]  # both are strings
    options = Options(request, records=desk.folder / "reports" / "cells")
    filling.fill(CPU, FIXTURE, Path("env"), options)
    assert not (desk.folder / "reports").exists()


def test_a_pruned_environment_is_gone_once_there_is_a_record(desk: Desk) -> None:
    made = desk.folder / "env"
    made.mkdir()
    desk.fill(environment=made, prune=True)
    assert not made.exists()
    assert desk.record.verdict == "sound"


def test_an_environment_is_made_once_and_then_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making(tmp_path, monkeypatch)
    first = environment.prepare(CPU, FIXTURE, tmp_path / "env")
    second = environment.prepare(CPU, FIXTURE, tmp_path / "env")
    assert made == ["cpu-2.3.2"]
    assert (first.seconds.environment_reused, second.seconds.environment_reused) == (False, True)


def test_an_environment_made_from_something_else_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making(tmp_path, monkeypatch)
    environment.prepare(CPU, FIXTURE, tmp_path / "env")
    changed = CPU.release.model_copy(update={"requires": ["numpy<1.20"]})
    environment.prepare(Cell(changed, "cpu"), FIXTURE, tmp_path / "env")
    assert made == ["cpu-2.3.2"] * 2


def test_what_is_told_of_a_builds_gpu_code_makes_no_environment_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making(tmp_path, monkeypatch)
    environment.prepare(CPU, FIXTURE, tmp_path / "env")
    bare = [build.model_copy(update={"linux": None}) for build in CPU.release.builds]
    own = bare[0].model_copy(update={"version": "2.3.2.post999", "index": "paddle"})
    told = CPU.release.model_copy(update={"builds": [*bare, own]})
    environment.prepare(Cell(told, "cpu"), FIXTURE, tmp_path / "env")
    assert made == ["cpu-2.3.2"]


def test_a_build_without_a_lock_is_installed_beside_what_another_of_its_release_has_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(installer, "install", lambda _, *arguments: installed.append(arguments))
    own = next(build for build in GPU.release.builds if build.index == "paddle")
    path = tmp_path / f"paddlepaddle_gpu-{own.version}-cp310-cp310-linux_x86_64.whl"
    environment.install_all(GPU, Wheel(own, path, "0" * 64, "file"), tmp_path)
    beside = (tmp_path / "requirements.txt").read_text(encoding="utf-8")
    assert "numpy==" in beside
    assert "paddlepaddle" not in beside
    assert installed[-1][-1] == str(path)


def test_an_environment_serves_until_there_is_a_wheel_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making(tmp_path, monkeypatch)
    environment.prepare(CPU, FIXTURE, tmp_path / "env")
    unreachable = CannotRun(NotRun(reason="install failed", detail="connection broken by"))
    with monkeypatch.context() as offline:
        offline.setattr(wheels, "fetch", lambda *_: (_ for _ in ()).throw(unreachable))
        changed = CPU.release.model_copy(update={"requires": ["numpy<1.20"]})
        with pytest.raises(CannotRun):
            environment.prepare(Cell(changed, "cpu"), FIXTURE, tmp_path / "env")
    environment.prepare(CPU, FIXTURE, tmp_path / "env")
    assert made == ["cpu-2.3.2"]


def test_what_an_earlier_build_left_is_gone_before_the_next_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / loader.SITE_PACKAGES.replace("*", ".10") / "paddle" / "libs"
    left.mkdir(parents=True)
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(installer, "install", lambda _, *asked: installed.append(asked))
    wheel = Wheel(CPU.release.builds[0], tmp_path / "some.whl", "0" * 64, "index")
    environment.install_all(CPU, wheel, tmp_path)
    assert not left.exists()
    assert "--force-reinstall" in installed[-1]


def making(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the cells whose environments are made from now on."""
    made: list[str] = []

    def make(what: Cell, *rest: object) -> Prepared:
        made.append(what.name)
        return prepared().model_copy(update={"made_from": rest[-1]})

    def fetch(what: Cell, chosen: Build | None = None) -> Wheel:
        path = folder / "some.whl"
        path.touch()
        return Wheel(what.release.builds[0], path, "0" * 64, "index")

    monkeypatch.setattr(environment, "make", make)
    monkeypatch.setattr(wheels, "fetch", fetch)
    return made
