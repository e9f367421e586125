"""A release that PyPI has and fixtures/releases.toml does not is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from served_index import Served, serving

from paddlecompat.__main__ import run
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.machine import index
from paddlecompat.records.judging import Status
from paddlecompat.records.record import MachineFailed

KNOWN = Fixture(
    release=[Release(version="2.6.2", builds=[Build(distribution="paddlepaddle", version="2.6.2")])]
)
NOTHING_NEW = "paddlepaddle_gpu-2.1.3-cp39-cp39-win_amd64.whl"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with serving(monkeypatch) as served:
        served.answer("paddlepaddle-gpu", f"<a>{NOTHING_NEW}</a>")
        yield served


def wheel(version: str) -> str:
    return f"paddlepaddle-{version}-cp310-cp310-manylinux1_x86_64.whl"


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_release_without_a_block_is_named(served: Served, form: str) -> None:
    files = [wheel("3.10.0"), wheel("2.6.2"), wheel("3.4.0"), wheel("3.4.0")]
    links = "".join(f'<a href="/{name}#sha256=0">{name}</a><br/>' for name in files)
    listed = json.dumps({"files": [{"filename": name, "url": f"/{name}"} for name in files]})
    served.answer("paddlepaddle", links if form == "html" else listed)
    assert index.unknown_builds(KNOWN) == ["paddlepaddle 3.4.0", "paddlepaddle 3.10.0"]


@pytest.mark.parametrize("version", ["3.4.0rc1", "3.4.0b2", "3.4.0.dev20260101", "2.1.3", "2.6.2"])
def test_what_needs_no_block_is_not_named(served: Served, version: str) -> None:
    served.answer("paddlepaddle", f"<a>{wheel(version)}</a>")
    assert index.unknown_builds(KNOWN) == []


def test_a_known_release_of_the_other_name_is_named(served: Served) -> None:
    served.answer("paddlepaddle", f"<a>{wheel('2.6.2')}</a>")
    served.answer("paddlepaddle-gpu", "<a>paddlepaddle_gpu-2.6.2-cp310-cp310-win_amd64.whl</a>")
    assert index.unknown_builds(KNOWN) == ["paddlepaddle-gpu 2.6.2"]


def test_the_command_fails_and_names_it(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.answer("paddlepaddle", f"<a>{wheel('99.0.0')}</a>")
    assert run(["releases"]).status == Status.WORSE
    assert "paddlepaddle 99.0.0: on PyPI, and not in" in capsys.readouterr().out


def test_an_index_that_is_ill_names_nothing(served: Served) -> None:
    served.answer("paddlepaddle", "", status=503)
    assert run(["releases"]).status == Status.MACHINE_FAILED


def test_every_release_on_pypi_has_a_block() -> None:
    try:
        unknown = index.unknown_builds(releases.load())
    except MachineFailed as error:
        pytest.skip(f"the index cannot be asked: {error}")
    assert unknown == []
