"""TODO."""

from __future__ import annotations

import ast
import re
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
    defect: str | None = None
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
        return self.keyword is None and self.defect is None and self.properties == PROPERTIES


def defects() -> list[str]:
    """The catalogue of defects: the factories of `tests/properties/*_defects.py`, by name."""
    texts = (
        path.read_text(encoding="utf-8") for path in sorted(PROPERTIES.glob("mutants/of_*.py"))
    )
    return [
        name
        for text in texts
        for name in re.findall(r"^def (\w+)\(true: Function\)", text, re.MULTILINE)
    ]


def known_defect(name: str) -> str:
    """The name of a defect in the catalogue, or `FILE::NAME` of one in a file.

    Raises ValueError for any other.
    """
    path, separator, function = name.partition("::")
    if separator and not Path(path).is_file():
        raise ValueError(f"--defect {name}: there is no file {path}")
    if separator and function not in (known := functions(Path(path))):
        raise ValueError(f"--defect {name}: {path} has no such function, but {', '.join(known)}")
    if not separator and name not in defects():
        raise ValueError(f"--defect {name}: not FILE::NAME, and not one of {', '.join(defects())}")
    return name


def functions(path: Path) -> list[str]:
    """The functions that a file of Python defines. Raises ValueError where it is none."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"--defect: {path}: {error}") from None
    return [node.name for node in module.body if isinstance(node, ast.FunctionDef)]


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
