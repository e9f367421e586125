"""Which build fills a cell, where its wheel comes from, and that it is the one that was locked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from small_wheels import make_wheel, serve

from paddlecompat.environments import wheels
from paddlecompat.fixtures.builds import Build, requirements
from paddlecompat.fixtures.forms import Kind
from paddlecompat.fixtures.releases import Cell, Release
from paddlecompat.records.record import CannotRun, MachineFailed

CPU = Build(distribution="paddlepaddle", version="2.6.9")
GPU = Build(distribution="paddlepaddle-gpu", version="2.6.9")
OWN = Build(distribution="paddlepaddle-gpu", version="2.6.9.post120", index="paddle")
CPU_WHEEL = "paddlepaddle-2.6.9-cp310-none-any.whl"
GPU_WHEEL = "paddlepaddle_gpu-2.6.9-cp310-none-any.whl"
PINNED = "bundle-1.0-py3-none-manylinux2014_x86_64.whl"


class LockedBuild(Build):
    """A build with a lock of the test's own."""

    file: Path

    @property
    def lock(self) -> Path:
        return self.file


def cell(*listed: Build, kind: Kind = "cpu") -> Cell:
    return Cell(Release(version="2.6.9", builds=list(listed)), kind)


def locked(folder: Path, sha256: str) -> LockedBuild:
    """The CPU build, of which this very wheel is allowed."""
    lock = folder / "lock.txt"
    lock.write_text(f"paddlepaddle==2.6.9 --hash=sha256:{sha256}\n")
    return LockedBuild(distribution="paddlepaddle", version="2.6.9", file=lock)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    serve(tmp_path / "index", monkeypatch)
    return tmp_path / "index"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_cpu_cell_prefers_the_cpu_build() -> None:
    assert wheels.choices(cell(GPU, CPU)) == [CPU, GPU]


def test_a_cpu_build_that_is_not_listed_is_asked_for() -> None:
    assert wheels.choices(cell(GPU)) == [CPU, GPU]


def test_a_cpu_cell_takes_no_build_of_paddles_own_index() -> None:
    assert wheels.choices(cell(OWN, GPU, CPU)) == [CPU, GPU]


def test_a_gpu_cell_never_takes_the_cpu_build() -> None:
    assert wheels.choices(cell(CPU, GPU, kind="gpu")) == [GPU]


def test_the_gpu_build_fills_a_cpu_cell_for_want_of_another(index: Path, cache: Path) -> None:
    served = make_wheel(index, GPU_WHEEL)
    wheel = wheels.fetch(cell(GPU), cache=cache)
    assert (wheel.build, wheel.source, wheel.sha256) == (GPU, "index", sha256_of(served))
    assert wheel.path.parent == cache


def test_a_fetched_wheel_is_not_fetched_again(index: Path, cache: Path) -> None:
    served = make_wheel(index, CPU_WHEEL)
    first = wheels.fetch(cell(CPU), cache=cache)
    served.unlink()
    assert wheels.fetch(cell(CPU), cache=cache) == first


def test_a_windows_cell_takes_the_wheel_for_windows(index: Path, cache: Path) -> None:
    make_wheel(cache, CPU_WHEEL.replace("-any", "-manylinux1_x86_64"))
    make_wheel(index, name := CPU_WHEEL.replace("-any", "-win_amd64"))
    assert wheels.fetch(cell(CPU, kind="windows"), cache=cache).path == cache / name


def test_a_cached_wheel_that_is_not_the_locked_one_is_replaced(
    index: Path, cache: Path, tmp_path: Path
) -> None:
    build = locked(tmp_path, right := sha256_of(make_wheel(index, CPU_WHEEL)))
    make_wheel(cache, CPU_WHEEL, {"wrong.py": b""})
    wheel = wheels.fetch(cell(build), cache=cache)
    assert (wheel.sha256, wheel.locked, sha256_of(wheel.path)) == (right, True, right)


def test_a_wheel_that_the_lock_does_not_allow_is_refused(
    index: Path, cache: Path, tmp_path: Path
) -> None:
    make_wheel(index, CPU_WHEEL)
    with pytest.raises(MachineFailed, match="HASHES"):
        wheels.fetch(cell(locked(tmp_path, "0" * 64)), cache=cache)
    assert list(cache.glob("*.whl")) == []


@pytest.mark.usefixtures("index")
def test_where_no_index_has_a_wheel_there_is_no_build(cache: Path) -> None:
    with pytest.raises(CannotRun, match=r"no build: no wheel of paddlepaddle-gpu==2\.6\.9 for"):
        wheels.fetch(cell(GPU, kind="gpu"), cache=cache)


def test_a_wheel_that_a_person_names_is_measured(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "paddlepaddle_gpu-2.6.9.post117-cp310-cp310-linux_x86_64.whl")
    build = wheels.given_build(cell(GPU, kind="gpu"), path)
    assert (build.version, build.cuda, build.index) == ("2.6.9.post117", "11.7", "paddle")


def test_a_named_wheel_is_for_the_cuda_that_it_requires(tmp_path: Path) -> None:
    requires = ["numpy", "nvidia-cuda-runtime-cu12==12.6.77; platform_system == 'Linux'"]
    path = make_wheel(
        tmp_path, "paddlepaddle_gpu-2.6.9-cp310-cp310-linux_x86_64.whl", requires=requires
    )
    build = wheels.given_build(cell(OWN, kind="gpu"), path)
    assert (build.version, build.cuda) == ("2.6.9+cu126", "12.6")


def test_a_wheel_of_the_same_name_for_another_cuda_is_not_taken(index: Path, cache: Path) -> None:
    build = Build(distribution="paddlepaddle-gpu", version="2.6.9+cu126")
    make_wheel(cache / "2.6.9+cu118", GPU_WHEEL, {"of": b"11.8"})
    wanted = sha256_of(make_wheel(index, GPU_WHEEL, {"of": b"12.6"}))
    assert wheels.fetch(cell(build, kind="gpu"), cache=cache).sha256 == wanted
    assert wheels.fetch(cell(build, kind="gpu"), cache=cache).sha256 == wanted


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("numpy-1.23.5-cp310-cp310-linux_x86_64.whl", "not a wheel of PaddlePaddle"),
        ("paddlepaddle.zip", "not a wheel of PaddlePaddle"),
        ("paddlepaddle_gpu-2.5.2-cp310-cp310-linux_x86_64.whl", r"gpu-2\.6\.9 measures 2\.6\.9"),
    ],
)
def test_a_file_that_is_no_wheel_of_the_release_is_refused(
    tmp_path: Path, name: str, problem: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=problem):
        wheels.given_build(cell(GPU, kind="gpu"), tmp_path / name)


def test_a_wheel_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--wheel .*absent\.whl: no such file"):
        wheels.given_build(cell(GPU, kind="gpu"), tmp_path / "absent.whl")


def test_a_lock_is_read_block_by_block(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    six, pillow = "six==1.0 \\\n    --hash=sha256:a\n", "Pillow==2.0 \\\n    --hash=sha256:b\n"
    lock.write_text(f"# by hand\n{six}{pillow}")
    assert requirements(lock) == {"six": six, "pillow": pillow}


@pytest.mark.parametrize(
    "name", [PINNED, "bundle-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"]
)
def test_a_pinned_wheel_of_any_python_comes_from_pips_index(
    name: str, index: Path, tmp_path: Path
) -> None:
    served = make_wheel(index, name)
    assert wheels.download_pinned(name, tmp_path).read_bytes() == served.read_bytes()


@pytest.mark.usefixtures("index")
def test_a_pinned_wheel_that_the_index_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match=f"{PINNED}: the index has no such wheel or archive"):
        wheels.download_pinned(PINNED, tmp_path)


def test_files_are_taken_out_of_a_pinned_wheel(index: Path, tmp_path: Path) -> None:
    served = make_wheel(index, PINNED, {"a/libx-0a.so": b"x", "a/b/y.so": b"y", "z.so": b"z"})
    folder = tmp_path / "libs"
    folder.mkdir()
    members = {"x.so": "a/libx-*.so", "y.so": "*/y.so"}
    assert wheels.take(PINNED, sha256_of(served), members, folder) == "bundle 1.0"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "x.so": b"x",
        "y.so": b"y",
    }


@pytest.mark.parametrize(
    ("members", "sha256", "problem"),
    [
        ({"x.so": "x.so", "gone.so": "gone.so"}, None, r"gone\.so is 0 files in it, not one"),
        ({"x.so": "*.so"}, None, r"\*\.so is 2 files in it, not one"),
        ({"x.so": "x.so"}, "0" * 64, "its sha256 is [0-9a-f]{64}, not 0{64} as pinned"),
    ],
)
def test_where_one_file_cannot_be_taken_none_is(
    index: Path, tmp_path: Path, members: dict[str, str], sha256: str | None, problem: str
) -> None:
    served = make_wheel(index, PINNED, {"x.so": b"x", "y.so": b"y"})
    folder = tmp_path / "libs"
    folder.mkdir()
    with pytest.raises(MachineFailed, match=f"{PINNED}: {problem}"):
        wheels.take(PINNED, sha256 or sha256_of(served), members, folder)
    assert list(folder.iterdir()) == []
