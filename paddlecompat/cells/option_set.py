"""What a person may ask of a cell: one frozen dataclass, from command line to pytest run."""

from __future__ import annotations

import ast
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from paddlecompat.fixtures.folders import RECORDS, TESTS
from paddlecompat.fixtures.forms import Place
from paddlecompat.machine import gpus
from paddlecompat.machine.command_line import option
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import SanitizerTool

PROPERTIES = TESTS / "properties"
ABOUT_MUTANTS = (
    "A mutant is one of those of reports/mutation.md by name, or FILE::NAME for one of your own: a "
    "function of any Python file that is given the true function and returns a faulty one. It "
    "stands in for paddle.masked_select, or for the --target, such as "
    "paddle.nn.functional.cross_entropy."
)


@dataclass(frozen=True)
class Options:
    """What is measured, how often, and what becomes of it."""

    profile: str = option(
        "--profile",
        to="cell here mutation bench",
        choices=tuple(PROFILES),
        default="standard",
        help="quick, standard (the default) or thorough: 10, 100 or 1000 examples a property; ci: "
        "100, the same ones each time",
        pytest="--profile",
    )
    seed: int | None = option(
        "--seed",
        to="cell here",
        type=int,
        help="repeat a run (default: drawn, and kept in the record)",
        pytest="--hypothesis-seed",
    )
    keyword: str | None = option(
        "-k",
        to="cell here mutation bench",
        metavar="EXPRESSION",
        help="only the properties whose names match",
        pytest="-k",
    )
    mutant: str | None = option(
        "--mutant",
        to="cell",
        metavar="NAME",
        help="put a fault in on purpose, to see it found: see below",
        pytest="--mutant",
    )
    target: str | None = option(
        "--target",
        to="cell mutation",
        metavar="FUNCTION",
        help="what a mutant of your own stands in for: see below",
        pytest="--target",
    )
    timeout: float | None = option(
        "--timeout", to="cell", type=float, metavar="SECONDS", help="for one property"
    )
    memory_limit: float | None = option(
        "--memory-limit",
        to="cell",
        type=float,
        metavar="GIB",
        help="CPU: address space of the process",
        pytest="--memory-limit",
    )
    require_device: bool = option(
        "--require-device",
        to="cell",
        action="store_true",
        help="a GPU cell without a device is a failure",
    )
    strict: bool = option(
        "--strict",
        to="cell",
        action="store_true",
        help="a violation that is gone is a failure, too",
    )
    wheel: Path | None = option(
        "--wheel",
        to="cell",
        type=Path,
        metavar="FILE",
        help="measure this wheel of the release",
    )
    build: str | None = option(
        "--build", to="cell", metavar="VERSION", help="GPU: measure this build, as 2.3.2.post112"
    )
    sanitize: SanitizerTool | None = option(
        "--sanitize",
        to="cell",
        choices=get_args(SanitizerTool),
        help="GPU: under NVIDIA's compute-sanitizer",
    )
    stand_in: str | None = option(
        "--stand-in",
        to="cell",
        choices=gpus.STAND_INS,
        help="GPU: a device that is not there, for tests",
        pytest="--stand-in",
    )
    records: Path = option(
        "--records",
        to="cell",
        type=Path,
        metavar="FOLDER",
        default=RECORDS,
        help="where the record of the whole suite goes (default: reports/cells)",
    )
    prune: bool = option(
        "--prune",
        to="cell",
        action="store_true",
        help="remove the environment once there is a record",
    )

    @property
    def whole(self) -> bool:
        """Whether this is the whole suite on the release as it is, so that it may be recorded."""
        return self.keyword is None and self.mutant is None

    @property
    def published(self) -> bool:
        """Whether the record goes into the table: not with a stand-in, but beside, on demand."""
        return self.whole and (self.stand_in is None or self.records != RECORDS)


def check(options: Options, place: Place) -> Options:
    """The options with a seed, if they make sense at that place.

    The seed is the one asked for, none for the derandomised profile, else a new one. Raises
    ValueError with the flag and what is wrong.
    """
    for name in ("build", "sanitize", "stand_in"):
        if getattr(options, name) and place == "cpu":
            raise ValueError(f"--{name.replace('_', '-')} is for GPU cells")
    if options.memory_limit is not None and place == "gpu":
        raise ValueError("--memory-limit is for CPU cells: CUDA reserves more than any machine has")
    if options.mutant is not None:
        check_mutant(options.mutant)
    if PROFILES[options.profile].derandomized:
        if options.seed is not None:
            raise ValueError("--seed has no effect in the ci profile, which is derandomised")
        return options
    return replace(options, seed=secrets.randbelow(2**32)) if options.seed is None else options


def mutants() -> list[str]:
    """The names of the mutants in `tests/properties/mutants`: what `@mutant` decorates there."""
    files = sorted((PROPERTIES / "mutants").glob("of_*.py"))
    return [name for file in files for name in functions(file, decorated="mutant")]


def check_mutant(name: str) -> str:
    """The name of a mutant of the suite, or `FILE::NAME` of one in a file.

    Raises ValueError for any other.
    """
    path, separator, function = name.partition("::")
    if separator and not Path(path).is_file():
        raise ValueError(f"--mutant {name}: there is no file {path}")
    if separator and function not in (known := functions(Path(path))):
        raise ValueError(f"--mutant {name}: {path} has no such function, but {', '.join(known)}")
    if not separator and name not in mutants():
        raise ValueError(f"--mutant {name}: not FILE::NAME, and not one of {', '.join(mutants())}")
    return name


def functions(path: Path, decorated: str = "") -> list[str]:
    """The functions that a file of Python defines, or those that this decorator stands before.

    The file is read and not imported: it may need Paddle. Raises ValueError where it is no Python.
    """
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"--mutant: {path}: {error}") from None
    defined = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    return [node.name for node in defined if not decorated or decorated in decorators(node)]


def decorators(function: ast.FunctionDef) -> set[str]:
    """The names of a function's decorators, called or not."""
    called = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    return {node.id for node in called if isinstance(node, ast.Name)}
