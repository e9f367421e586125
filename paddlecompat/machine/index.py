"""The package index that pip is set to on this machine: whether it is well, and what it has.

To pip an index that answers 500, 403 or a login page is one without the project.
"""

from __future__ import annotations

import ast
import base64
import functools
import os
import re
import shutil
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import Request, urlopen

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from paddlecompat.fixtures.releases import Fixture
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import MachineFailed

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PYPI = "https://pypi.org/simple"
IN_EVERY_INDEX = "pip"
SECTIONS = ("global", "download", ":env:")  # of pip's settings, the last of which counts
SETTING = re.compile(rf"^({'|'.join(SECTIONS)})\.([\w-]+)=('.*'|\".*\")$", re.MULTILINE)
FILES = re.compile(r"[\w.+-]+\.(?:whl|tar\.gz|zip)\b")
JSON_OR_HTML = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
ABSENT = (404, 410)
OLDEST = Version("2.2.0")  # the first release that is a cell


def pip_settings() -> dict[str, str]:
    """What pip is set to, by its options' names, in its files and by variables."""
    return read_settings(tuple((k, v) for k, v in os.environ.items() if k.startswith("PIP_")))


@functools.cache
def read_settings(variables: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """As `pip_settings`; asked once for each set of variables."""
    listed = SETTING.findall(run_checked([*PIP, "config", "list"]).output)
    in_order = sorted(listed, key=lambda setting: SECTIONS.index(setting[0]))
    return {name: ast.literal_eval(value) for _, name, value in in_order}


def settings_for_uv() -> dict[str, str]:
    """uv reads its own settings only: give it the index (a mirror, say) that pip is set to."""
    mirror = pip_settings().get("index-url")
    own = {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & os.environ.keys()
    return {"UV_DEFAULT_INDEX": mirror} if mirror and not own else {}


def check(project: str, options: Sequence[str]) -> None:
    """Raises MachineFailed where an index or a page of links that pip asks is ill; no folder's."""
    settings = pip_settings()
    given = [option.partition("=")[::2] for option in options]
    more = [value for name, value in given if name == "--extra-index-url"]
    indexes = [settings.get("index-url", PYPI), *settings.get("extra-index-url", "").split(), *more]
    if settings.get("no-index", "0").lower() in ("1", "true", "yes", "on"):
        indexes = []
    for number, index in enumerate(indexes):
        if index.startswith("http"):
            check_index(index.rstrip("/"), project, has_everything=number == 0)
    for page in (value for name, value in given if name == "--find-links"):
        status, words, listed = ask(page)
        if not listed and status not in ABSENT:
            raise ill(words, page)


def check_index(index: str, project: str, has_everything: bool) -> None:
    """Raises MachineFailed where its answer for the project is not that of an index."""
    status, words, listed = ask(f"{index}/{project}/")
    if listed or (status in ABSENT and not has_everything):
        return
    if status not in (200, *ABSENT) or not ask(f"{index}/{IN_EVERY_INDEX}/")[2]:
        raise ill(words, f"{index}/{project}/")


def unknown_builds(fixture: Fixture) -> list[str]:
    """The builds from 2.2.0 on that the fixture lacks; MachineFailed without an answer."""
    listed = {(b.distribution, Version(b.version)) for r in fixture.release for b in r.builds}
    return [
        f"{project} {version}"
        for project in ("paddlepaddle", "paddlepaddle-gpu")
        for version in versions_of(project)
        if version >= OLDEST and not version.is_prerelease and (project, version) not in listed
    ]


def versions_of(project: str) -> list[Version]:
    """The versions that the index has wheels of, the oldest first. Raises as `unknown_builds`."""
    address = f"{pip_settings().get('index-url', PYPI).rstrip('/')}/{project}/"
    _, words, files = ask(address)
    if not files:
        raise ill(words, address)
    versions = set()
    for file in files:
        with suppress(InvalidWheelFilename):
            versions.add(parse_wheel_filename(file)[1])
    return sorted(versions)


def ill(words: str, address: str) -> MachineFailed:
    return MachineFailed(f"the package index answered {words} for {plain(urlsplit(address))}")


def ask(address: str, seconds: float = 60) -> tuple[int, str, frozenset[str]]:
    """Its status, the same in words, and the files that it lists; MachineFailed without answer."""
    parts = urlsplit(address)
    request = Request(plain(parts), headers={"Accept": JSON_OR_HTML})
    if parts.username is not None:
        given = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        login = f"Basic {base64.b64encode(given).decode()}"
        request.add_unredirected_header("Authorization", login)  # not for wherever it leads to
    try:
        with urlopen(request, timeout=seconds, context=trust(parts)) as response:
            files = frozenset(FILES.findall(response.read().decode(errors="replace")))
            words = "200 OK" if files else "a page that lists no files (one to log in, perhaps)"
            return 200, words, files
    except HTTPError as error:
        return error.code, f"{error.code} {error.reason}", frozenset()
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise MachineFailed(f"the package index {plain(parts)} does not answer: {reason}") from None


def download(address: str, folder: Path, seconds: float = 60) -> Path:
    """The file at an address, in a folder. Raises MachineFailed where it cannot be had."""
    path = folder / address.rpartition("/")[2]
    parts = urlsplit(address)
    try:
        with (
            urlopen(address, timeout=seconds, context=trust(parts)) as response,
            path.open("wb") as file,
        ):
            shutil.copyfileobj(response, file)
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise MachineFailed(f"{address} cannot be fetched: {reason}") from None
    return path


def plain(parts: SplitResult) -> str:
    """The address without what a person logs in with."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def trust(parts: SplitResult) -> ssl.SSLContext | None:
    """Whom to trust, as pip is told to."""
    if parts.scheme != "https":
        return None
    settings = pip_settings()
    context = ssl.create_default_context(cafile=settings.get("cert"))
    trusted = settings.get("trusted-host", "").split()
    if parts.hostname in trusted or parts.netloc.rpartition("@")[2] in trusted:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
