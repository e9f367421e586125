"""An index that is ill is never 'no build', and its answer is told: real pip, on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_index import Served, serving
from small_wheels import make_wheel, serve

from paddlecompat.environments import wheels
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.releases import Cell, Release
from paddlecompat.records.record import CannotRun, MachineFailed

CELL = Cell(
    Release(version="2.6.9", builds=[Build(distribution="paddlepaddle", version="2.6.9")]), "cpu"
)
WHEEL = "paddlepaddle-2.6.9-cp310-none-any.whl"
LINK = '<a href="pip-24.0-py3-none-any.whl">pip</a>'
LOGIN = '<form action="/login">Who are you? <a href="/forgot">I forgot.</a></form>'
JSON = '{"name": "paddlepaddle", "files": [{"filename": "paddlepaddle-1.0.tar.gz", "url": "x"}]}'


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    serve(tmp_path / "links", monkeypatch)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    with serving(monkeypatch) as served:
        yield served


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "401 Unauthorized"), (403, "403 Forbidden"), (500, "500 Internal Server Error")],
)
def test_an_index_that_refuses_is_told_with_its_answer(
    index: Served, cache: Path, status: int, words: str
) -> None:
    index.answer("*", "", status)
    address = f"http://{index.address}/paddlepaddle/"
    with pytest.raises(MachineFailed, match=f"index answered {words} for {address}"):
        wheels.fetch(CELL, cache=cache)


def test_a_login_page_is_no_index(index: Served, cache: Path) -> None:
    index.answer("*", LOGIN)
    with pytest.raises(MachineFailed, match=r"answered a page that lists no files \(one to log in"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_that_knows_no_project_is_at_a_wrong_address(index: Served, cache: Path) -> None:
    with pytest.raises(MachineFailed, match="index answered 404 Not Found for"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_that_nobody_serves_does_not_answer(
    index: Served, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
        with pytest.raises(
            MachineFailed, match=r"/simple/paddlepaddle/ does not answer: .*refused"
        ):
            wheels.fetch(CELL, cache=cache)


def test_a_name_that_leads_nowhere_is_told(
    index: Served, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://nowhere.invalid/simple")
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(MachineFailed, match=r"nowhere\.invalid/simple/paddlepaddle/ does not ans"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_without_tls_is_told(index: Served, cache: Path) -> None:
    index.patch.setenv("PIP_INDEX_URL", f"https://{index.address}")
    with pytest.raises(MachineFailed, match=r"does not answer: .*SSL"):
        wheels.fetch(CELL, cache=cache)


def test_who_logs_in_is_not_told(index: Served, cache: Path) -> None:
    index.use("someone:secret@")
    index.answer("*", "", 403)
    with pytest.raises(MachineFailed) as caught:
        wheels.fetch(CELL, cache=cache)
    assert "someone" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_ill_index_is_asked_as_pip_asks_it(index: Served, cache: Path) -> None:
    index.use("someone:secret@")
    index.answer("*", "", 403)
    with pytest.raises(MachineFailed):
        wheels.fetch(CELL, cache=cache)
    assert index.handler.asked[-1] == ("/simple/paddlepaddle/", "Basic c29tZW9uZTpzZWNyZXQ=")


@pytest.mark.parametrize(
    ("page", "kind"),
    [(LINK, "text/html"), (JSON, "application/vnd.pypi.simple.v1+json")],
    ids=["links", "json"],
)
def test_an_index_that_lists_other_files_has_no_build(
    index: Served, cache: Path, page: str, kind: str
) -> None:
    index.answer("paddlepaddle", page, kind=kind)
    with pytest.raises(CannotRun, match=r"no build: no wheel of paddlepaddle==2\.6\.9 for"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_that_knows_others_has_no_build(index: Served, cache: Path) -> None:
    index.answer("pip", LINK)
    with pytest.raises(CannotRun, match="no build"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_beside_it_may_lack_the_project(
    index: Served, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.answer("pip", LINK)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://{index.address}/beside")
    with pytest.raises(CannotRun, match="no build"):
        wheels.fetch(CELL, cache=cache)


def test_an_index_beside_it_that_is_ill_is_told(
    index: Served, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.answer("pip", LINK)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/")
        with pytest.raises(MachineFailed, match="does not answer"):
            wheels.fetch(CELL, cache=cache)


def test_a_folder_of_wheels_is_not_asked_over_the_network(
    index: Served, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "folder").as_uri())
    with pytest.raises(CannotRun, match="no build"):
        wheels.fetch(CELL, cache=cache)
    assert index.handler.asked == []


def test_a_wheel_that_ends_too_soon_is_not_kept(index: Served, cache: Path, tmp_path: Path) -> None:
    whole = make_wheel(tmp_path, WHEEL).read_bytes()
    index.answer("paddlepaddle", f'<a href="{WHEEL}">wheel</a>')
    index.handler.pages[WHEEL] = (200, "application/zip", whole[: len(whole) // 2])
    with pytest.raises(MachineFailed, match="invalid"):
        wheels.fetch(CELL, cache=cache)
    assert list(cache.glob("*.whl")) == []


def test_a_killed_download_leaves_nothing_for_good(
    index: Served, cache: Path, tmp_path: Path
) -> None:
    make_wheel(cache / "paddlepaddle-2.6.9.part", WHEEL)
    index.answer("paddlepaddle", f'<a href="{WHEEL}">wheel</a>')
    whole = make_wheel(tmp_path, WHEEL).read_bytes()
    index.handler.pages[WHEEL] = (200, "application/zip", whole)
    wheels.fetch(CELL, cache=cache)
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == [WHEEL]


def test_half_a_wheel_in_the_cache_is_fetched_anew(
    index: Served, cache: Path, tmp_path: Path
) -> None:
    whole = make_wheel(tmp_path, WHEEL).read_bytes()
    index.answer("paddlepaddle", f'<a href="{WHEEL}">wheel</a>')
    index.handler.pages[WHEEL] = (200, "application/zip", whole)
    cache.mkdir()
    (cache / WHEEL).write_bytes(whole[: len(whole) // 2])
    assert wheels.fetch(CELL, cache=cache).path.read_bytes() == whole
