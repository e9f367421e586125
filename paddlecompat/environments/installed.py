"""The Paddle that is installed in an interpreter already: which interpreter, which build.

The interpreter is only read: no bytecode is written, either.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from paddlecompat.environments.beside import OLDEST, READ_ONLY
from paddlecompat.environments.environment import import_once
from paddlecompat.fixtures.forms import Model
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import CannotRun, MeasuredBuild

LOOK = """
import importlib.util, json, sys
has_paddle = importlib.util.find_spec("paddle") is not None
found = {"path": sys.executable, "version": sys.version_info[:2], "has_paddle": has_paddle}
print(json.dumps(found))
"""


class Interpreter(Model):
    """What an interpreter says of itself."""

    path: Path
    version: tuple[int, int]
    has_paddle: bool

    @property
    def python(self) -> str:
        """Its version, as '3.10'."""
        return "{}.{}".format(*self.version)


@dataclass(frozen=True)
class Installed:
    """The build that an interpreter has, and all that stands beside it."""

    interpreter: Interpreter
    release: str
    build: MeasuredBuild
    packages: dict[str, str]


def chosen(named: Path | None) -> Interpreter:
    """The interpreter that a person named, else the first of the candidates that has Paddle.

    Raises ValueError where there is none, or where it is too old for the test tools.
    """
    found = look(named) if named else first_with_paddle()
    if isinstance(found, str):
        raise ValueError(f"--python {named}: {found}")
    if found.version < OLDEST:
        oldest = "{}.{}".format(*OLDEST)
        raise ValueError(
            f"the properties need CPython {oldest} or newer; this is {found.python} ({found.path})"
        )
    return found


def first_with_paddle() -> Interpreter:
    for candidate in candidates():
        found = look(candidate)
        if isinstance(found, Interpreter) and found.has_paddle:
            return found
    raise ValueError(
        "neither the active environment nor any Python on the PATH has Paddle; "
        "name the interpreter that has it: nox -s here -- --python PATH"
    )


def candidates() -> Iterator[Path]:
    """The interpreters of the active virtual or Conda environment, then those on the PATH.

    Nox may run in an environment of its own, which hides the active one but leaves it on the PATH.
    """
    active = (os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    inside = [str(Path(a, folder)) for a in active if a for folder in ("bin", "Scripts", "")]
    for folder in (*inside, *os.get_exec_path()):
        for name in ("python", "python3"):
            if found := shutil.which(name, path=folder):
                yield Path(found)


def look(python: Path) -> Interpreter | str:
    """What it says of itself, or in words why it says nothing. Paddle is not imported."""
    try:
        ended = run_checked([str(python), "-c", LOOK], READ_ONLY)
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    if ended.problem is not None:
        return f"cannot be run: {ended.problem}"
    return Interpreter.model_validate_json(ended.said)


def read(interpreter: Interpreter) -> Installed:
    """Import its Paddle once. Raises ValueError with the release's words where that fails."""
    try:
        about = import_once(interpreter.path, READ_ONLY)
    except CannotRun as error:
        words = error.not_run.detail
        raise ValueError(f"Paddle cannot be imported in {interpreter.path}: {words}") from None
    release = ".".join(re.findall(r"\d+", about["version"])[:3])
    return Installed(interpreter, release, build_of(about), about["packages"])


def build_of(about: Mapping[str, Any]) -> MeasuredBuild:
    """The build by its distribution's metadata, which keep the tag ('2.3.2.post112')."""
    packages: dict[str, str] = about["packages"]
    versions = {str(canonicalize_name(name)): packages[name] for name in packages}
    names = sorted(("paddlepaddle", "paddlepaddle-gpu"), reverse=bool(about["cuda"]))
    distribution = next((name for name in names if name in versions), names[0])
    version = versions.get(distribution, "")
    return MeasuredBuild.model_validate(
        {
            "distribution": distribution,
            "version": version if version.startswith(about["version"]) else about["version"],
            "cuda": about["cuda"],
            "cudnn": about["cudnn"],
            "wheel": "",
            "sha256": None,
            "locked": False,
            "source": "installed",
        }
    )
