"""The Paddle that is installed in an interpreter already, and the test tools for it.

The interpreter is only read: the tools go into a folder of their own, and no bytecode is written.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from pydantic import Field

from paddlecompat.environments.environment import held, import_once
from paddlecompat.environments.installer import OLDEST, TOOLS, discard, install
from paddlecompat.fixtures.forms import Model, in_order, write_text
from paddlecompat.folders import HERE
from paddlecompat.machine.host import check_room
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import CannotRun
from paddlecompat.records.subject import MeasuredBuild

READ_ONLY = {"PYTHONDONTWRITEBYTECODE": "1"}
PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "_hypothesis_pytestplugin",
}
"""Pytest's plugins are those of the test tools: what else is installed may bring more (anyio)."""
LOOK = """
import importlib.util, json, re, sys
spec = importlib.util.find_spec("paddle")
versions = {}
if sys.version_info >= (3, 8):
    from importlib.metadata import distributions
    for found in distributions():
        name = re.sub("[-_.]+", "-", found.metadata["Name"] or "").lower()
        if name in ("paddlepaddle", "paddlepaddle-gpu", "numpy"):
            versions.setdefault(name, found.version)
print(json.dumps({"path": sys.executable, "python": "%d.%d" % sys.version_info[:2],
    "paddle": spec.origin if spec else None, "versions": versions}))
"""


class Interpreter(Model):
    """What an interpreter says of itself; nothing is imported there."""

    path: Path
    python: str = Field(description="Its version, as '3.10'.")
    paddle: Path | None = Field(default=None, description="Its package's first file.")
    versions: dict[str, str] = Field(default={}, description="Of Paddle and NumPy, as installed.")

    @property
    def build(self) -> str:
        """The version of Paddle's build, by its metadata. Raises ValueError without."""
        for name in ("paddlepaddle-gpu", "paddlepaddle"):
            if name in self.versions:
                return self.versions[name]
        raise ValueError(f"{self.path}: nothing says which build of Paddle this is")


def release_of(build: str) -> str:
    """'2.3.2' of '2.3.2.post112'."""
    return ".".join(re.findall(r"\d+", build)[:3])


@dataclass(frozen=True)
class Installed:
    """The build that an interpreter has, and all that stands beside it."""

    interpreter: Interpreter
    release: str
    build: MeasuredBuild
    packages: dict[str, str]


class NotImported(ValueError):
    """The interpreter has Paddle, which cannot be imported there."""

    def __init__(self, python: Path, words: str) -> None:
        super().__init__(f"Paddle cannot be imported in {python}: {words}")
        self.python, self.words = python, words


def read_interpreter(named: Path | None) -> Installed:
    """What this interpreter, or the first that has Paddle, imports. ValueError: it does not."""
    found = look(named) if named else first_with_paddle()
    if in_order(found.python) < in_order(OLDEST):
        needed = f"the properties need CPython {OLDEST} or newer"
        raise ValueError(f"{needed}; this is {found.python} ({found.path})")
    try:
        about = import_once(found.path, READ_ONLY)
    except CannotRun as error:
        raise NotImported(found.path, error.not_run.detail) from None
    return Installed(found, release_of(about["version"]), build_of(about), about["packages"])


def first_with_paddle() -> Interpreter:
    """Of the active virtual or Conda environment, then of the PATH. ValueError: none has Paddle.

    Nox may run in an environment of its own, which hides the active one but leaves it on the PATH.
    """
    active = (os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    inside = [str(Path(a, folder)) for a in active if a for folder in ("bin", "Scripts", "")]
    for folder, name in product((*inside, *os.get_exec_path()), ("python", "python3")):
        if python := shutil.which(name, path=folder):
            with suppress(ValueError):
                if (found := look(Path(python))).paddle:
                    return found
    raise ValueError(
        "neither the active environment nor any Python on the PATH has Paddle; "
        "name the interpreter that has it: nox -s here -- --python PATH"
    )


def look(python: Path) -> Interpreter:
    """What it says of itself; Paddle is not imported. Raises ValueError where it cannot be run."""
    ended = run_checked([python, "-c", LOOK], READ_ONLY)
    if ended.problem is not None:
        raise ValueError(f"--python {python}: cannot be run: {ended.problem}")
    return Interpreter.model_validate_json(ended.said)


def build_of(about: Mapping[str, Any]) -> MeasuredBuild:
    """The build by its distribution's metadata, which keep the tag ('2.3.2.post112')."""
    versions = {str(canonicalize_name(name)): v for name, v in about["packages"].items()}
    names = sorted(("paddlepaddle", "paddlepaddle-gpu"), reverse=bool(about["cuda"]))
    distribution = next((name for name in names if name in versions), names[0])
    listed = versions.get(distribution, "")
    version = listed if listed.startswith(about["version"]) else about["version"]
    made_for = {"cuda": about["cuda"], "cudnn": about["cudnn"], "wheel": "", "sha256": None}
    build = {"distribution": distribution, "version": version, **made_for}
    return MeasuredBuild.model_validate({**build, "locked": False, "source": "installed"})


def settings_for(found: Installed, tools: Path | None = None) -> dict[str, str]:
    """The variables with which a process of the interpreter has pytest and its plugins, and theirs.

    Raises MachineFailed where they cannot be installed.
    """
    path = str(tools or install_tools(found.interpreter))
    return {**READ_ONLY, "PYTHONPATH": path, **PLUGINS}


def install_tools(
    interpreter: Interpreter, parent: Path = HERE, lock: Path = TOOLS, uv: str = UV
) -> Path:
    """The folder of the test tools for the interpreter's version: made once, then reused."""
    folder = parent / f"py{interpreter.python.replace('.', '')}"
    wanted = lock.read_text(encoding="utf-8")
    with held(f"the test tools for CPython {interpreter.python}", folder):
        made = ""
        with suppress(OSError, UnicodeError):  # a stamp that cannot be read says nothing
            made = (folder / lock.name).read_text(encoding="utf-8")
        if made != wanted:
            print(
                f"putting the test tools for CPython {interpreter.python} into {folder}", flush=True
            )
            check_room(folder)
            discard(folder, lock.name)
            locked = ("--require-hashes", "--only-binary=:all:", f"--requirement={lock}")
            install(interpreter.path, *locked, f"--target={folder}", uv=uv)
            write_text(folder / lock.name, wanted)
    return folder
