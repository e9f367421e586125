"""A mutant put in place: the faulty function stands for the true one, for every caller.

Paddle hands one function object to several modules and, as a method, to its tensors.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import paddle

from properties.mutants import faults, reach
from properties.mutants.faults import SELECT, Factory, Function

OWNERS = ("paddle", "ppdet")  # packages whose callers are to see a faulty function, beside ours
FOLDER = Path(__file__).parent


class NotThere(LookupError):
    """A function that the release does not offer."""


def install(name: str, target: str | None = None) -> None:
    """Put a mutant in place for the rest of the process.

    `name` is one of the catalogue's, or `path/to/file.py::name` of a function from the true
    function to a faulty one, which stands in place of `target`. A function that the release has
    not, or whose package cannot be imported, cannot be faulty. What keeps the mutant from being
    put in place is raised, and noted in `reach` as its own error.
    """
    reach.mutant = name
    try:
        for place, factory, file in places_of(name, target):
            with suppress(ImportError, NotThere):
                put_in_place(place, factory, file)
                reach.targets.append(place)
    except Exception as error:
        reach.broken = f"{type(error).__name__}: {error}"
        raise


def places_of(name: str, target: str | None) -> list[tuple[str, Factory, str]]:
    """Where a mutant stands, its factory there, and the file that it is written in."""
    path, outside, function = name.rpartition("::")
    fault = getattr(module_from(path), function) if outside else catalogue()[name]
    factories = {target or SELECT: fault} if outside else fault.factories
    return [(place, factory, fault.__code__.co_filename) for place, factory in factories.items()]


def catalogue() -> dict[str, Any]:
    """Every mutant by name: what `@mutant` declares in the modules `of_…` beside this one."""
    names = (f"{__package__}.{path.stem}" for path in sorted(FOLDER.glob("of_*.py")))
    held = (item for name in names for item in vars(importlib.import_module(name)).items())
    return {name: fault for name, fault in held if hasattr(fault, "factories")}


def module_from(path: str) -> ModuleType:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location("mutant_from_outside", path)
    assert spec is not None, f"{path} is not a Python file"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def replaced(target: str, factory: Factory) -> Iterator[None]:
    """The factory's function in the place of `target`, for the length of a `with` block."""
    true, holders = put_in_place(target, factory)
    try:
        yield
    finally:
        for holder, name in holders:
            setattr(holder, name, true)


def put_in_place(
    target: str, factory: Factory, file: str = ""
) -> tuple[Function, list[tuple[Any, str]]]:
    """Replace a function for all callers; returns the true one, and who holds it by which name.

    Errors that arise in `file` are the mutant's own. Raises as `find_function`.
    """
    true = find_function(target)
    faulty = paddle.jit.not_to_static(watch(factory(true), file))
    holders = list(holders_of(true))
    for holder, name in holders:
        setattr(holder, name, faulty)
    return true, holders


def find_function(target: str) -> Function:
    """The function of a dotted name, as `paddle.Tensor.clip`. Raises ImportError or NotThere."""
    parts = target.split(".")
    found: Any = importlib.import_module(parts[0])
    for depth, part in enumerate(parts[1:], start=2):
        if not hasattr(found, part) and isinstance(found, ModuleType):
            with suppress(ModuleNotFoundError):
                importlib.import_module(".".join(parts[:depth]))
        if not hasattr(found, part):
            raise NotThere(f"{target}: this release has none")
        found = getattr(found, part)
    function: Function = found
    return function


def holders_of(function: Function) -> Iterator[tuple[Any, str]]:
    """Every module and class that has the function, and its name there."""
    owners: dict[int, Any] = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and (
            name.partition(".")[0] in OWNERS
            or str(getattr(module, "__file__", "")).startswith(str(FOLDER.parent))
        ):
            owners[id(module)] = module
            classes = (held for held in vars(module).values() if isinstance(held, type))
            owners.update((id(held), held) for held in classes)
    for owner in owners.values():
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
