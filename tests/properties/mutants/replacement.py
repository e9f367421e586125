"""A mutant put in place: the faulty function stands for the true one, for every caller."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import sys
import traceback
from collections.abc import Iterator
from functools import update_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any

import paddle

from properties.mutants import faults, reach
from properties.mutants.faults import SELECT, Factory, Function

OWNERS = ("paddle", "ppdet", "properties")  # packages whose callers are to see a faulty function


def install(name: str, target: str | None = None) -> None:
    """Put a mutant in place for the rest of the process.

    `name` is one of the catalogue's, or `path/to/file.py::name` of a function from the true
    function to a faulty one, which stands in place of `target`. What keeps the mutant from being
    put in place is raised, and noted in `reach` as its own error.
    """
    reach.mutant = name
    path, outside, function = name.rpartition("::")
    try:
        fault = runpy.run_path(path)[function] if outside else catalogue()[name]
        factories = {target or SELECT: fault} if outside else fault.factories
        for place, factory in factories.items():
            if put_in_place(place, factory, fault.__code__.co_filename):
                reach.targets.append(place)
    except Exception as error:
        reach.broken = f"{type(error).__name__}: {error}"
        raise


def catalogue() -> dict[str, Any]:
    """Every mutant by name: what `@mutant` declares in the modules `of_…` beside this one."""
    paths = sorted(Path(__file__).parent.glob("of_*.py"))
    modules = [importlib.import_module(f"{__package__}.{path.stem}") for path in paths]
    held = {name: value for module in modules for name, value in vars(module).items()}
    return {name: value for name, value in held.items() if hasattr(value, "factories")}


def put_in_place(target: str, factory: Factory, file: str = "") -> bool:
    """Replace a function, by its dotted name, for all callers. Errors in `file` are the mutant's.

    Returns whether it is there: a function that the release has not, or whose package cannot be
    imported, cannot be faulty.
    """
    try:
        true: Function = pkgutil.resolve_name(target)
    except (ImportError, AttributeError):
        return False
    faulty = paddle.jit.not_to_static(watch(factory(true), file))
    if target.startswith("properties."):
        update_wrapper(faulty, true)  # scripts copy the source of the true one
    for holder, name in list(holders_of(true)):
        setattr(holder, name, faulty)
    return True


def holders_of(function: Function) -> Iterator[tuple[Any, str]]:
    """Every module and class that has the function, and its name there.

    Paddle hands one function object to several modules and, as a method, to its tensors.
    """
    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in OWNERS and isinstance(module, ModuleType)
    ]
    classes = [held for m in modules for held in list(vars(m).values()) if isinstance(held, type)]
    for owner in {id(owner): owner for owner in (*modules, *classes)}.values():
        for name, held in list(vars(owner).items()):
            if held is function:
                yield owner, name


def watch(faulty: Function, file: str) -> Function:
    """The same function, with its calls, and the errors that arise in `file`, in `reach`.

    A mutant that is to raise raises OSError, as a CUDA error does.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        reach.calls += 1
        try:
            return faulty(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, NameError, TypeError) as error:
            if traceback.extract_tb(error.__traceback__)[-1].filename in (file, faults.__file__):
                reach.broken = f"{type(error).__name__}: {error}"
            raise

    return call
