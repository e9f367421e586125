"""`fixtures/releases.toml` is read whole, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from paddlecompat import builds, releases

TEN = (
    *("2.3.2", "2.4.0", "2.4.1", "2.4.2", "2.5.0", "2.5.1", "2.5.2"),
    *("2.6.0", "2.6.1", "2.6.2"),
)


def block(version: str, **more: str) -> str:
    lines = [f"{key} = {value}" for key, value in more.items()]
    distribution = '{ distribution = "paddlepaddle", version = "' + version + '" }'
    return "\n".join(
        ["[[release]]", f'version = "{version}"', f"builds = [{distribution}]", *lines]
    )


def written(folder: Path, text: str) -> Path:
    path = folder / "releases.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("place", ["cpu", "gpu"])
def test_the_ten_releases_have_a_cell_at_each_place(place: str) -> None:
    names = {cell.name for cell in releases.cells(releases.load())}
    assert names >= {f"{place}-{version}" for version in TEN}


def test_the_table_reaches_from_before_the_defect_to_the_3x_releases() -> None:
    names = {cell.name for cell in releases.cells(releases.load())}
    assert names >= {f"cpu-{v}" for v in ("2.2.2", "2.3.0", "2.3.1", "3.0.0", "3.3.1")}


def test_every_build_is_locked_with_the_hashes_of_its_wheels() -> None:
    listed = [build for release in releases.load().release for build in release.builds]
    assert [build.lock.name for build in listed if not builds.hashes(build)] == []


def test_every_locked_requirement_has_a_hash() -> None:
    locks = [b.lock for release in releases.load().release for b in release.builds]
    blocks = [text for lock in locks for text in builds.requirements(lock).values()]
    assert [text.splitlines()[0] for text in blocks if "--hash=sha256:" not in text] == []


def test_one_block_adds_a_release(tmp_path: Path) -> None:
    fixture = releases.load(written(tmp_path, block("9.8.7")))
    assert [cell.name for cell in releases.cells(fixture)] == ["cpu-9.8.7", "gpu-9.8.7"]


def test_the_newest_release_is_so_by_number_not_by_letter(tmp_path: Path) -> None:
    fixture = releases.load(written(tmp_path, f"{block('2.9.0')}\n{block('2.10.0')}"))
    assert releases.newest(fixture).version == "2.10.0"


def test_an_unknown_cell_is_an_error_that_says_where_the_known_ones_are() -> None:
    with pytest.raises(ValueError, match=r"no cell 'cpu-1.0.0'; `nox -l` lists them"):
        releases.cell_named("cpu-1.0.0", releases.load())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[release]", "line 1"),
        (block("2.3"), "release.0.version"),
        (block("2.3.2", pyhton='"3.9"'), "release.0.pyhton"),
        (block("2.3.2", python='"310"'), "release.0.python"),
        (block("2.3.2", gaps='["dlsym"]'), "release 2.3.2 names unknown gaps"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=problem) as caught:
        releases.load(path)
    assert str(path) in str(caught.value)
