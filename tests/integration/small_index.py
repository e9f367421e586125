"""A package index on loopback, with a Paddle of a few lines and what the properties need beside it.

NumPy, pytest and Hypothesis are wheels that lend those of this process, whatever they call
themselves: an environment of small wheels is made in a second, and asks numbers for real.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from packaging.requirements import Requirement
from small_wheels import make_wheel

from paddlecompat.environments import installer
from paddlecompat.environments.environment import STAMP
from paddlecompat.environments.fresh import Hands
from paddlecompat.fixtures.releases import REQUIREMENTS, Build, Cell, Release, requirements
from paddlecompat.machine.interpreters import UV

OWN = Path(pytest.__file__).parents[1]  # where this process has its packages
PYTHON = "{}.{}".format(*sys.version_info[:2])
LENDS = f"""
import importlib, sys
del sys.modules[__name__]
sys.path.insert(0, {str(OWN)!r})
importlib.import_module(__name__)
sys.path.append(sys.path.pop(0))
"""
PADDLE = """
from importlib.metadata import PackageNotFoundError, version as version_of
import numpy as np

def is_at_least(name, least):
    try:
        return tuple(map(int, version_of(name).split("."))) >= least
    except PackageNotFoundError:
        return False

__version__ = "2.6.9"
class version:
    cuda = staticmethod(lambda: "10.2")

class Tensor(np.ndarray):
    def numpy(self):
        return np.asarray(self)

def to_tensor(values):
    return np.array(values).view(Tensor)
"""
GARBAGE = """
def to_tensor(values):
    return np.array(values * (not is_at_least("numpy", (2,)))).view(Tensor)
"""
"""Of a release that was built against NumPy 1, added to the above."""


class SmallIndex:
    """The index that pip and uv are set to. One project is a folder of wheels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for version in ("2.0.0", "1.26.4", "1.23.5"):
            self.offer("numpy", version, {"numpy/__init__.py": LENDS.encode()})
        for name in ("pytest", "hypothesis"):
            self.offer(name, "9.0.0", {f"{name}/__init__.py": LENDS.encode()})
        for name in ("protobuf", "setuptools"):
            for version in ("99.0.0", "3.20.3"):
                self.offer(name, version)
        for block in requirements(REQUIREMENTS / "suite.in").values():
            asked = Requirement(block.partition("#")[0])
            if not (folder / asked.name).exists():
                exact = [each.version for each in asked.specifier if each.operator == "=="]
                self.offer(asked.name, *(exact or ["1.0.0"]))

    def offer(
        self,
        name: str,
        version: str,
        files: Mapping[str, bytes] | None = None,
        requires: Sequence[str] = (),
    ) -> None:
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        make_wheel(self.folder / name.lower(), wheel, files, requires)

    def offer_paddle(self, code: str = "", requires: Sequence[str] = ("numpy",)) -> None:
        """A Paddle that ends in this code."""
        files = {"paddle/__init__.py": (PADDLE + code).encode()}
        wheel = f"paddlepaddle_gpu-2.6.9-cp{PYTHON.replace('.', '')}-none-any.whl"
        make_wheel(self.folder / "paddlepaddle-gpu", wheel, files, requires)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIndex]:
    """Have pip and uv take wheels from a new index, which lies in `folder`, and nowhere else."""
    index = SmallIndex(folder / "simple")
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(folder / "cache"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for name in ("PIP_RETRIES", "UV_HTTP_RETRIES"):
            monkeypatch.setenv(name, "0")
        yield index
        server.shutdown()


def make_empty(cell: Cell, folder: Path, uv: str) -> None:
    """An environment with the pip of this process: `python -m venv` takes many seconds."""
    installer.discard(folder, STAMP)
    installer.run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    (inside,) = folder.glob("lib/python3*/site-packages")
    for path in (OWN / "pip", *OWN.glob("pip-*.dist-info")):
        (inside / path.name).symlink_to(path)


def hands(folder: Path) -> Hands:
    """What makes an environment quickly, and keeps to that folder."""
    return Hands(make_empty, UV, folder / "wheels")


def cell() -> Cell:
    """The fresh cell of the release that the index offers, on this CPython."""
    build = Build(distribution="paddlepaddle-gpu", version="2.6.9")
    release = Release(version="2.6.9", python=PYTHON, builds=[build])
    return Cell(release, "fresh")
