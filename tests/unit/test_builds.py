"""Which build fills a cell, where its wheel comes from, and that it is the one that was locked."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from paddlecompat.environments import wheels
from paddlecompat.fixtures.releases import Build, Cell, Release
from paddlecompat.records.record import CannotRun

CPU = Build(distribution="paddlepaddle", version="2.6.2")
GPU = Build(distribution="paddlepaddle-gpu", version="2.6.2")
OWN = Build(distribution="paddlepaddle-gpu", version="2.6.2.post120", index="paddle")


def release(*listed: Build) -> Release:
    return Release(version="2.6.2", builds=list(listed))


class Index:
    """Stands in for pip: hands out the wheels that it has, and remembers what it was asked."""

    def __init__(self, **wheels: bytes) -> None:
        self.wheels = {name.replace("_", "-"): content for name, content in wheels.items()}
        self.asked: list[str] = []
        self.trouble = ""

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        requirement = Path(command[-1]).read_text(encoding="utf-8")
        name, _sign, rest = requirement.partition("==")
        self.asked.append(requirement.strip())
        if self.trouble:
            return subprocess.CompletedProcess(command, 1, stderr=self.trouble)
        if name not in self.wheels:
            none = f"ERROR: No matching distribution found for {name}"
            return subprocess.CompletedProcess(command, 1, stderr=none)
        folder = Path(command[command.index("--dest") + 1])
        file = f"{name.replace('-', '_')}-{rest.split()[0]}-cp310-cp310-any.whl"
        (folder / file).write_bytes(self.wheels[name])
        return subprocess.CompletedProcess(command, 0, stderr="")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Index], Index]:
    def put(index: Index) -> Index:
        monkeypatch.setattr(wheels, "CACHE", tmp_path / "wheels")
        monkeypatch.setattr(
            wheels, "locked_requirement", lambda build: f"{build.distribution}=={build.version}\n"
        )
        monkeypatch.setattr(subprocess, "run", index)
        return index

    return put


def test_a_cpu_cell_prefers_the_cpu_build() -> None:
    assert wheels.choices(Cell(release(GPU, CPU), "cpu")) == [CPU, GPU]


def test_a_cpu_cell_asks_the_index_for_a_cpu_build_that_the_fixture_does_not_list() -> None:
    assert wheels.choices(Cell(release(GPU), "cpu")) == [CPU, GPU]


def test_a_cpu_cell_takes_no_build_of_paddles_own_index() -> None:
    assert wheels.choices(Cell(release(OWN, GPU, CPU), "cpu")) == [CPU, GPU]


def test_a_gpu_cell_never_takes_the_cpu_build() -> None:
    assert wheels.choices(Cell(release(CPU, GPU), "gpu")) == [GPU]


def test_the_gpu_build_fills_a_cpu_cell_where_the_index_has_no_other(
    serve: Callable[[Index], Index],
) -> None:
    serve(Index(paddlepaddle_gpu=b"wheel"))
    wheel = wheels.fetch(Cell(release(GPU), "cpu"))
    assert (wheel.build, wheel.source) == (GPU, "index")
    assert wheel.sha256 == hashlib.sha256(b"wheel").hexdigest()


def test_a_fetched_wheel_is_not_fetched_again(serve: Callable[[Index], Index]) -> None:
    index = serve(Index(paddlepaddle=b"wheel"))
    wheels.fetch(Cell(release(CPU), "cpu"))
    wheels.fetch(Cell(release(CPU), "cpu"))
    assert index.asked == ["paddlepaddle==2.6.2"]


def test_a_cached_wheel_that_is_not_the_locked_one_is_fetched_again(
    serve: Callable[[Index], Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = serve(Index(paddlepaddle=b"right"))
    right = hashlib.sha256(b"right").hexdigest()
    locked = f"paddlepaddle==2.6.2 --hash=sha256:{right}\n"
    monkeypatch.setattr(wheels, "locked_requirement", lambda build: locked)
    wheels.CACHE.mkdir()
    (wheels.CACHE / "paddlepaddle-2.6.2-cp310-cp310-any.whl").write_bytes(b"wrong")
    wheel = wheels.fetch(Cell(release(CPU), "cpu"))
    assert (wheel.sha256, wheel.locked, index.asked) == (right, True, [locked.strip()])


def test_where_no_index_has_a_wheel_the_cell_is_not_run_for_want_of_a_build(
    serve: Callable[[Index], Index],
) -> None:
    serve(Index())
    with pytest.raises(CannotRun, match=r"no build: no wheel of paddlepaddle-gpu==2\.6\.2 for"):
        wheels.fetch(Cell(release(GPU), "gpu"))


def test_an_index_out_of_reach_is_told_apart_from_one_without_the_build(
    serve: Callable[[Index], Index],
) -> None:
    serve(Index()).trouble = "WARNING: retrying\nERROR: connection refused\n"
    with pytest.raises(CannotRun, match="install failed: ERROR: connection refused"):
        wheels.fetch(Cell(release(GPU), "gpu"))


def test_an_index_that_does_not_answer_is_not_taken_for_one_without_the_build(
    serve: Callable[[Index], Index],
) -> None:
    broken = "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
    serve(Index()).trouble = f"{broken}ERROR: No matching distribution found for paddlepaddle-gpu"
    with pytest.raises(CannotRun, match=r"install failed: .*connection broken by"):
        wheels.fetch(Cell(release(GPU), "gpu"))


def test_a_wheel_that_a_person_names_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "paddlepaddle_gpu-2.6.2.post117-cp310-cp310-linux_x86_64.whl"
    path.write_bytes(b"wheel")
    wheel = wheels.given(Cell(release(GPU), "gpu"), path)
    assert (wheel.build.version, wheel.source, wheel.locked) == ("2.6.2.post117", "file", False)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("numpy-1.23.5-cp310-cp310-linux_x86_64.whl", "not a wheel of PaddlePaddle"),
        ("paddlepaddle.zip", "not a wheel of PaddlePaddle"),
        ("paddlepaddle_gpu-2.5.2-cp310-cp310-linux_x86_64.whl", "gpu-2.6.2 measures 2.6.2"),
    ],
)
def test_a_file_that_is_no_wheel_of_the_release_is_refused(
    tmp_path: Path, name: str, problem: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=problem):
        wheels.given(Cell(release(GPU), "gpu"), tmp_path / name)


def test_a_lock_is_read_block_by_block(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    six, pillow = "six==1.0 \\\n    --hash=sha256:a\n", "Pillow==2.0 \\\n    --hash=sha256:b\n"
    lock.write_text(f"# by hand\n{six}{pillow}")
    assert wheels.requirements(lock) == {"six": six, "pillow": pillow}
