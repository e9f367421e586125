"""`fixtures/releases.toml` is read whole, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import requirements

TEN = (
    *("2.3.2", "2.4.0", "2.4.1", "2.4.2", "2.5.0", "2.5.1", "2.5.2"),
    *("2.6.0", "2.6.1", "2.6.2"),
)


def block(version: str, **more: str) -> str:
    lines = [f"{key} = {value}" for key, value in more.items()]
    build = ["[[release.builds]]", 'distribution = "paddlepaddle"', f'version = "{version}"']
    return "\n".join(["[[release]]", f'version = "{version}"', *lines, *build])


def gpu_code(**changes: str) -> str:
    """A table for the block's build."""
    known = {"sm": '["7.5"]', "source": '"wheel"'} | changes
    return "\n".join(["", "[release.builds.linux]", *(f"{k} = {v}" for k, v in known.items())])


def written(folder: Path, text: str) -> Path:
    path = folder / "releases.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("place", ["cpu", "gpu"])
def test_the_ten_releases_have_a_cell_at_each_place(place: str) -> None:
    names = {cell.name for cell in releases.cells(releases.load())}
    assert names >= {f"{place}-{version}" for version in TEN}


def test_the_table_reaches_from_2_2_to_the_3x_releases() -> None:
    names = {cell.name for cell in releases.cells(releases.load())}
    assert names >= {f"cpu-{v}" for v in ("2.2.0", "2.3.0", "2.3.1", "3.0.0", "3.3.1")}


def test_every_build_on_pypi_is_locked_with_hashes() -> None:
    listed = [build for release in releases.load().release for build in release.builds]
    on_pypi = [build for build in listed if build.index == "pypi"]
    assert [build.lock.name for build in on_pypi if not build.hashes] == []


def test_every_locked_requirement_has_a_hash() -> None:
    listed = [b.lock for release in releases.load().release for b in release.builds]
    existing = [lock for lock in listed if lock.exists()]
    blocks = [text for lock in existing for text in requirements(lock).values()]
    assert [text.splitlines()[0] for text in blocks if "--hash=sha256:" not in text] == []


def test_gpu_code_on_pypi_was_read_out_of_the_wheels() -> None:
    listed = [build for release in releases.load().release for build in release.builds]
    on_pypi = [b for b in listed if b.index == "pypi" and b.distribution == "paddlepaddle-gpu"]
    sources = {code.source for b in on_pypi for code in (b.linux, b.windows) if code}
    assert (len(on_pypi), sources) == (15, {"wheel"})


def test_gpu_code_of_paddles_own_index_has_its_source() -> None:
    listed = [build for release in releases.load().release for build in release.builds]
    own = [build for build in listed if build.index == "paddle"]
    unsaid = [b.version for b in own if not (b.cuda and b.cudnn and (b.linux or b.windows))]
    assert own
    assert unsaid == []
    assert "wheel" not in {code.source for b in own for code in (b.linux, b.windows) if code}


def test_one_block_adds_a_release(tmp_path: Path) -> None:
    fixture = releases.load(written(tmp_path, block("9.8.7")))
    assert [cell.name for cell in releases.cells(fixture)] == [
        f"{kind}-9.8.7" for kind in ("cpu", "gpu", "fresh", "windows")
    ]


def test_an_unknown_cell_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no cell 'cpu-1.0.0'; the nearest are cpu-2.2.0, "):
        releases.cell_named("cpu-1.0.0", releases.load())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[release]", "line 1"),
        (block("2.3"), "block 1: version"),
        (block("2.3.2", pyhton='"3.9"'), "block 1: pyhton"),
        (block("2.3.2", python='"310"'), "block 1: python"),
        (block("2.3.2", gaps='["dlsym"]'), "release 2.3.2 names unknown gaps"),
        (block("2.3.2") + gpu_code(arch='["7.5"]'), "block 1: builds.0.linux.arch"),
        (block("2.3.2") + gpu_code(sm='["75"]'), "block 1: builds.0.linux.sm.0"),
        (block("2.3.2") + gpu_code(source='"hearsay"'), "block 1: builds.0.linux.source"),
    ],
)
def test_a_mistake_is_named_with_file_and_block(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=problem) as caught:
        releases.load(path)
    assert str(path) in str(caught.value)
