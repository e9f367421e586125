"""TODO."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paddlecompat.cells import option_set
from paddlecompat.cells.sanitizer import Watch
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import Place

PROPERTIES = ROOT / "tests" / "properties"


TIMEOUT = {"quick": 60, "standard": 180, "thorough": 1800, "ci": 180}


@dataclass(frozen=True)
class Request:
    """How the properties are to be run."""

    place: Place
    profile: str = "standard"
    seed: int | None = None
    keyword: str | None = None
    mutant: str | None = None
    target: str | None = None
    memory_limit: float | None = None
    timeout: float | None = None
    restarts: int = 100
    properties: Path = PROPERTIES
    stand_in: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the build needs."""
    watch: Watch | None = None

    @property
    def whole(self) -> bool:
        """Whether this is the whole suite on the release as it is, so that it may be recorded."""
        return self.keyword is None and self.mutant is None and self.properties == PROPERTIES


def mutants() -> dict[str, Path]:
    """The catalogue of mutants by name, each with the module that declares it by `@mutant(...)`."""
    return {
        name: path
        for path in sorted(PROPERTIES.glob("mutants/of_*.py"))
        for name, function in functions(path).items()
        if any(ast.unparse(mark).startswith("mutant(") for mark in function.decorator_list)
    }


def known_mutant(name: str) -> str:
    """The name of a mutant in the catalogue, or `FILE::NAME` of one in a file, by its full path.

    Raises ValueError for any other.
    """
    path, separator, function = name.rpartition("::")
    if separator and not Path(path).is_file():
        raise ValueError(f"--mutant {name}: there is no file {path}")
    if separator and function not in (known := functions(Path(path))):
        raise ValueError(f"--mutant {name}: {path} has no such function, but {', '.join(known)}")
    if not separator and name not in mutants():
        raise ValueError(f"--mutant {name}: not FILE::NAME, and not one of {', '.join(mutants())}")
    return f"{Path(path).absolute()}::{function}" if separator else name


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions that a file of Python defines. Raises ValueError where it is none."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"--mutant: {path}: {error}") from None
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


RECORDS = ROOT / "reports" / "cells"


WORK = ROOT / ".nox" / "cells"


@dataclass(frozen=True)
class Options:
    """What a person may ask of a cell's session."""

    request: option_set.Request
    require_device: bool = False
    strict: bool = False
    prune: bool = False
    wheel: Path | None = None
    build: str | None = None
    records: Path = RECORDS

    @property
    def published(self) -> bool:
        """Whether the record goes into the table: not with a stand-in, but beside, on demand."""
        stands_in = self.request.stand_in is not None and self.records == RECORDS
        return self.request.whole and not stands_in
