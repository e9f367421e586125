"""A package index on loopback, with a Paddle of a few lines and what the properties need beside it.

NumPy, pytest and Hypothesis are wheels that lend those of this process, whatever they call
themselves: an environment of small wheels is made in a second, and asks numbers for real.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from served_index import Served, serving
from small_wheels import make_wheel

from paddlecompat.environments import installer
from paddlecompat.environments.environment import STAMP
from paddlecompat.environments.fresh import Hands
from paddlecompat.fixtures.builds import REQUIREMENTS, Build, requirements
from paddlecompat.fixtures.releases import Cell, Release
from paddlecompat.machine.interpreters import UV

OWN = Path(pytest.__file__).parents[1]  # where this process has its packages
PYTHON = "{}.{}".format(*sys.version_info[:2])
LENDS = f"""
import importlib, sys
del sys.modules[__name__]
sys.path.insert(0, {str(OWN)!r})
importlib.import_module(__name__)
del sys.path[0]
"""
NEEDS_MORE = f"sys.path.append({str(OWN)!r})\n"  # of this process, later
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
    """What the index offers, besides the answers that a test gives for it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served, self.folder = served, folder
        for version in ("2.0.0", "1.26.4", "1.23.5"):
            self.offer("numpy", version, LENDS)
        for name in ("pytest", "hypothesis"):
            self.offer(name, "9.0.0", LENDS + NEEDS_MORE)
        for name in ("protobuf", "setuptools"):
            for version in ("99.0.0", "3.20.3"):
                self.offer(name, version)
        for block in requirements(REQUIREMENTS / "suite.in").values():
            asked = Requirement(block.partition("#")[0])
            if not (folder / asked.name).exists():
                exact = [each.version for each in asked.specifier if each.operator == "=="]
                self.offer(asked.name, *(exact or ["1.0.0"]))

    def offer(self, name: str, version: str, code: str = "") -> None:
        """A wheel of that distribution, with a module of its name."""
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        self.add(name, make_wheel(self.folder / name, wheel, {f"{name}.py": code.encode()}))

    def offer_paddle(self, code: str = "", requires: Sequence[str] = ("numpy",)) -> None:
        """The only build of Paddle: one that ends in this code."""
        files = {"paddle/__init__.py": (PADDLE + code).encode()}
        name = f"paddlepaddle_gpu-2.6.9-cp{PYTHON.replace('.', '')}-none-any.whl"
        wheel = make_wheel(self.folder / "paddlepaddle-gpu", name, files, requires)
        self.add("paddlepaddle-gpu", wheel)

    def add(self, project: str, wheel: Path) -> None:
        """The wheel, and a page that lists it with the project's others."""
        self.served.handler.pages[wheel.name] = (200, "application/zip", wheel.read_bytes())
        self.list(project)

    def list(self, project: str, version: str = "") -> None:
        """Have the project's page list its wheels, or those of that version alone."""
        files = sorted((self.folder / project).glob(f"*-{version}*"))
        page = "".join(f'<a href="{file.name}">{file.name}</a>\n' for file in files)
        self.served.answer(canonicalize_name(project), page)


@contextmanager
def served_wheels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIndex]:
    """Have pip and uv take wheels from a new index, and from nowhere else."""
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with serving(monkeypatch) as served:
        yield SmallIndex(served, folder / "offered")


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
