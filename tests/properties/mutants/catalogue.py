"""Faults put in on purpose, to see that the properties find them.

A defect is a factory: it is given the true function and returns a faulty one; its docstring says
where the fault comes from and what it does. The catalogue lies in `selection_defects`,
`gradient_defects`, `loss_defects` and `family_defects`. Here a defect is put in place: the faulty
function takes the true one's place for every caller.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import paddle

from properties.mutants import faults, of_family, of_gradient, of_loss, of_selection

Function = Callable[..., Any]
Factory = Callable[[Function], Function]
MASKED_SELECT = "paddle.masked_select"
OWNERS = ("paddle", "ppdet")  # packages whose callers are to see a faulty function, beside ours
FOLDER = str(Path(__file__).parents[1])


class NotThere(LookupError):
    """A function that the release does not offer."""


@dataclass
class Reach:
    """How often a faulty function was called: a property that never does cannot judge it.

    `broken` is an error of the defect's own making, such as a misspelt name: no fault to be caught.
    """

    calls: int = 0
    broken: str = ""


@dataclass(frozen=True)
class Defect:
    """A factory, and the dotted names of the functions in whose place its faulty ones stand."""

    factories: dict[str, Factory]
    about: str


reach = Reach()


def catalogue() -> dict[str, Defect]:
    """Every defect by name, in the order of the modules."""
    found = {}
    for module in (of_selection, of_gradient, of_loss, of_family):
        for target, factories in module.DEFECTS.items():
            for factory in factories:
                found[factory.__name__] = Defect({target: factory}, str(factory.__doc__))
    for name, factory in of_loss.IN_THE_HEAD.items():
        found[name].factories[of_loss.DF_LOSS] = factory
    return found


def defect_of(name: str, target: str | None = None) -> Defect:
    """A defect of the catalogue, or `path/to/file.py::name` from outside, put in place of `target`.

    Raises KeyError for a name that the catalogue has not, OSError for a file that is not there,
    AttributeError for a factory that is not in it.
    """
    path, separator, outside = name.partition("::")
    if not separator:
        return catalogue()[name]
    factory: Factory = getattr(module_from(path), outside)
    return Defect({target or MASKED_SELECT: factory}, str(factory.__doc__))


def module_from(path: str) -> ModuleType:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location("defect_from_outside", path)
    assert spec is not None, f"{path} is not a Python file"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install(name: str, target: str | None = None) -> list[str]:
    """Put a defect in for the rest of the process; returns the functions that it stands in for.

    A function that the release has not, or whose package cannot be imported, cannot be faulty.
    Raises as `defect_of`.
    """
    placed = []
    for function, factory in defect_of(name, target).factories.items():
        with suppress(ImportError, NotThere):
            put_in_place(function, factory)
            placed.append(function)
    return placed


@contextmanager
def in_place(name: str) -> Iterator[None]:
    """A defect of the catalogue, for the length of a `with` block."""
    (target, factory), *_ = defect_of(name).factories.items()
    with replaced(target, factory):
        yield


@contextmanager
def replaced(target: str, factory: Factory) -> Iterator[None]:
    """The factory's function in the place of `target`, for the length of a `with` block."""
    true, holders = put_in_place(target, factory)
    try:
        yield
    finally:
        for holder, name in holders:
            setattr(holder, name, true)


def put_in_place(target: str, factory: Factory) -> tuple[Function, list[tuple[Any, str]]]:
    """Replace a function for all callers; returns the true one, and who holds it by which name.

    Paddle hands one function object to several modules and, as a method, to its tensors.
    """
    true = found_at(target)
    faulty = paddle.jit.not_to_static(watched(factory(true), factory.__code__.co_filename))
    holders = list(holders_of(true))
    for holder, name in holders:
        setattr(holder, name, faulty)
    return true, holders


def found_at(target: str) -> Function:
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
            or str(getattr(module, "__file__", "")).startswith(FOLDER)
        ):
            owners[id(module)] = module
            classes = (held for held in vars(module).values() if isinstance(held, type))
            owners.update((id(held), held) for held in classes)
    for owner in owners.values():
        for name, held in list(vars(owner).items()):
            if held is function:
                yield owner, name


def watched(faulty: Function, file: str) -> Function:
    """The same, with its calls, and errors that come from the defect's own file, in `reach`.

    A defect that is to raise raises OSError, as a CUDA error does.
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
