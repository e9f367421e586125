"""A mutant put in place: the faulty function stands for the true one, for every caller."""

from __future__ import annotations

import difflib
import importlib
import inspect
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

    `name` is one of the catalogue's, which stands in place of those of its functions that the
    release has; or `path/to/file.py::name` of a function from the true function to a faulty one,
    which stands in place of `target`. What keeps the mutant from being put in place is raised, and
    noted in `reach` as its own error: LookupError where the release has no such function.
    """
    reach.mutant = name
    path, outside, function = name.rpartition("::")
    try:
        fault = runpy.run_path(path)[function] if outside else catalogue()[name]
        if target and not outside:
            raise ValueError(f"--target {target} is for a mutant from a file, not for {name}")
        factories = {target or SELECT: fault} if outside else fault.factories
        for place in factories if outside else filter(is_offered, factories):
            put_in_place(place, factories[place], fault.__code__.co_filename)
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


def put_in_place(target: str, factory: Factory, file: str = "") -> None:
    """Replace a function, by its dotted name, for all callers. Errors in `file` are the mutant's.

    Raises LookupError where there is no such function, or nothing that could hold another one.
    """
    owner_name, _, own_name = target.rpartition(".")
    found, owner = resolve(target), resolve(owner_name)
    true: Function = function_in(inspect.getattr_static(owner, own_name, found))
    if not callable(true):
        raise LookupError(f"{target} is no function, but of type {type(true).__name__}")
    faulty = paddle.jit.not_to_static(watch(factory(true), file))
    if target.startswith("properties."):
        update_wrapper(faulty, true)  # scripts copy the source of the true one
    places = list(holders_of(true, owner))
    for holder, name in places:
        setattr(holder, name, wrapped_as(vars(holder)[name], faulty))
    if not places:
        raise LookupError(f"{target}: nothing holds it under its own name, to hold another instead")


def is_offered(target: str) -> bool:
    """Whether the release has the function: one that it has not cannot be faulty."""
    try:
        resolve(target)
    except LookupError:
        return False
    return True


def resolve(target: str) -> Any:
    """What has this dotted name. Raises LookupError with what is missing, and the nearest name."""
    owner_name, _, name = target.rpartition(".")
    owner = resolve(owner_name) if owner_name else None
    if owner is not None and hasattr(owner, name):
        return getattr(owner, name)
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError as error:
        if error.name is None or not target.startswith(error.name):  # one that it imports itself
            raise LookupError(f"{target} cannot be imported: {error}") from None
    except ImportError as error:
        raise LookupError(f"{target} cannot be imported: {error}") from None
    near = difflib.get_close_matches(name, dir(owner), 1)
    nearest = f"; the nearest is {near[0]}" if near else ""
    raise LookupError(f"{target}: the release has no such function{nearest}")


def holders_of(function: Function, owner: Any = None) -> Iterator[tuple[Any, str]]:
    """Every module and class that has the function, and its name there; `owner` among them.

    Paddle hands one function object to several modules and, as a method, to its tensors.
    """
    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in OWNERS and isinstance(module, ModuleType)
    ]
    held_by_modules = [held for module in modules for held in list(vars(module).values())]
    classes = [held for held in held_by_modules if isinstance(held, type)]
    bases = owner.__mro__[:-1] if isinstance(owner, type) else ()
    for holder in {id(one): one for one in (*modules, *classes, *bases)}.values():
        for name, held in list(vars(holder).items()):
            if function_in(held) is function:
                yield holder, name


def function_in(held: Any) -> Any:
    """The function that a class holds as its static or class method, or behind a property.

    Whatever is none of these stands for itself.
    """
    if isinstance(held, (staticmethod, classmethod)) or type(held).__name__ == "instancemethod":
        return held.__func__  # the last is how pybind11 holds a method
    return held.fget if isinstance(held, property) else held


def wrapped_as(held: Any, faulty: Function) -> Any:
    """The faulty function, held as the true one is."""
    if isinstance(held, (staticmethod, classmethod)):
        return type(held)(faulty)
    return held.getter(faulty) if isinstance(held, property) else faulty


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
