"""What a person may ask of a cell: one frozen dataclass, from command line to pytest run."""

from __future__ import annotations

import ast
import re
import secrets
import sys
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from paddlecompat.fixtures.forms import Kind, Language, Place
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import RECORDS, TESTS
from paddlecompat.machine import gpus, host
from paddlecompat.machine.command_line import flag_of, option
from paddlecompat.records.profiles import PROFILES, ProfileName
from paddlecompat.records.subject import SanitizerTool

GENERATED = PROPERTIES / "mutants" / "generated.py"
ABOUT_MUTANTS = (
    "A mutant is one of those of reports/mutation.md by name, or FILE::NAME for one of your own: a "
    "function of any Python file that is given the true function and returns a faulty one. It "
    "stands in for paddle.masked_select, or for the --target, such as "
    "paddle.nn.functional.cross_entropy."
)


@dataclass(frozen=True)
class Options:
    """What is measured, how often, and what becomes of it."""

    profile: ProfileName = option(
        "cell here mutation bench",
        "quick, standard (the default), thorough: 10, 100, 1000 examples a property; ci: 100, the "
        "same ones each time",
        "standard",
        pytest="--profile",
    )
    seed: int | None = option(
        "cell here",
        "repeat a run (default: a new one, kept in the record)",
        pytest="--hypothesis-seed",
    )
    keyword: str | None = option(
        "cell here mutation bench", "only properties whose names match", flag="-k", pytest="-k"
    )
    mutant: str | None = option(
        "cell", "put a fault in on purpose, to see it found: see below", pytest="--mutant"
    )
    target: str | None = option(
        "cell mutation", "what a mutant of your own stands in for: see below", pytest="--target"
    )
    timeout: float | None = option("cell", "seconds for one property")
    workers: int | None = option(
        "cell here", "processes side by side (default: one a core, and one on a GPU)"
    )
    memory_limit: float | None = option(
        "cell", "CPU: address space of the process, in GiB", pytest="--memory-limit"
    )
    require_device: bool = option("cell", "a GPU cell without a device is a failure", False)
    strict: bool = option("cell", "a violation that is gone is a failure, too", False)
    cpython: str | None = option(
        "cell", "fresh: on this CPython, as 3.8 (default: the newest)", flag="--python"
    )
    from_record: Path | None = option("cell", "fresh: in the environment that a record tells of")
    wheel: Path | None = option("cell", "measure this file, a wheel of the release")
    build: str | None = option("cell", "GPU: measure this build, as 2.3.2.post112 or 3.3.1+cu126")
    sanitize: SanitizerTool | None = option("cell", "GPU: under NVIDIA's compute-sanitizer")
    stand_in: str | None = option(
        "cell",
        f"GPU: a device that is not there, for tests: {', '.join(gpus.STAND_INS)}",
        pytest="--stand-in",
    )
    records: Path = option(
        "cell here", "folder of the record (default: .nox/records, or .nox/here)", RECORDS
    )
    lang: Language | None = option("cell here", "the language of the answer (default: by LANG)")
    prune: bool = option("cell", "remove the environment once there is a record", False)

    @property
    def partial(self) -> str:
        """What makes a run another than that of the whole suite on the release as it is."""
        changing = ("keyword", "mutant", "timeout", "memory_limit")
        asked = (one for one in fields(self) if one.name in changing)
        return " ".join(flag_of(one) for one in asked if getattr(self, one.name) is not None)


def check(options: Options, kind: Kind) -> Options:
    """The options with a seed, unless the profile is derandomised.

    Raises ValueError with the flag of what makes no sense for a cell of that kind.
    """
    if options.stand_in not in (None, *gpus.STAND_INS):
        raise ValueError(f"--stand-in {options.stand_in}: not one of {', '.join(gpus.STAND_INS)}")
    for name in ("build", "sanitize", "stand_in"):
        if getattr(options, name) and kind != "gpu":
            raise ValueError(f"--{name.replace('_', '-')} is for GPU cells")
    for flag, value in (("--python", options.cpython), ("--from-record", options.from_record)):
        if value and kind != "fresh":
            raise ValueError(f"{flag} is for fresh cells")
    if options.cpython and not re.fullmatch(r"3\.\d{1,2}", options.cpython):
        raise ValueError(f"--python {options.cpython}: write it as 3.8")
    if options.cpython and options.from_record:
        raise ValueError("--python: the record of --from-record says which")
    if options.wheel is not None and kind == "fresh":
        raise ValueError("--wheel is not for fresh cells: pip takes the wheel of its index")
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"--workers {options.workers}: at least one has to run")
    if options.memory_limit is not None and kind == "gpu":
        raise ValueError("--memory-limit is for CPU cells: CUDA reserves more than any machine has")
    if options.target is not None and "::" not in (options.mutant or ""):
        raise ValueError(f"--target {options.target}: is for a --mutant FILE::NAME of your own")
    if options.mutant is not None:
        options = replace(options, mutant=known_mutant(options.mutant))
    if PROFILES[options.profile].derandomized:
        if options.seed is not None:
            raise ValueError("--seed has no effect in the ci profile, which is derandomised")
        return options
    return replace(options, seed=secrets.randbelow(2**32)) if options.seed is None else options


def workers_at(place: Place, options: Options) -> int:
    """How many processes run properties side by side; on a GPU they would share its memory."""
    return options.workers or (1 if place == "gpu" else host.cores())


@cache
def mutants() -> dict[str, Path]:
    """The suite's mutants by name, each with the module that generates or declares it."""
    return dict.fromkeys(generated_mutants(), GENERATED) | {
        name: path
        for path in sorted(PROPERTIES.glob("mutants/of_*.py"))
        for name, function in functions(path).items()
        if any(ast.unparse(mark).startswith("mutant(") for mark in function.decorator_list)
    }


@cache
def generated_mutants() -> dict[str, str]:
    """By name, what each does."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from properties.mutants import generated  # NumPy is not loaded for others

    return {name: made.about for name, made in generated.GENERATED.items()}


def known_mutant(name: str) -> str:
    """A mutant of the suite, or `FILE::NAME` by its full path. Raises ValueError for any other."""
    path, separator, function = name.rpartition("::")
    if separator and not Path(path).is_file():
        raise ValueError(f"--mutant {name}: there is no file {path}")
    if separator and function not in (there := functions(Path(path))):
        raise ValueError(f"--mutant {name}: {path} has no such function, but {', '.join(there)}")
    if not separator and name not in (known := mutants()):
        near = get_close_matches(name, known, 5, 0) or known
        raise ValueError(f"--mutant {name}: not FILE::NAME; the nearest are {', '.join(near)}")
    return f"{Path(path).absolute()}::{function}" if separator else name


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions that a file of Python defines. Raises ValueError where it is none."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"--mutant: {path}: {error}") from None
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
