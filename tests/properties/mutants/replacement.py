"""A mutant put in place: the faulty function stands for the true one, for every caller.

Taken out again, it leaves the process as it was, so that one process can try one after the other.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import runpy
import sys
import traceback
from collections.abc import Collection, Iterator
from functools import lru_cache, partial, update_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any

import paddle

from properties.mutants import Reach, reach
from properties.mutants.adaptors import factories_of
from properties.mutants.faults import SELECT, Factory, Function
from properties.mutants.generated import GENERATED

HERE = Path(__file__)
WRAPPINGS = ("staticmethod", "classmethod", "property", "instancemethod")  # pybind11's is the last
CACHE = type(lru_cache(lambda: None))
OWNERS = ("paddle", "ppdet", "properties")  # packages whose callers are to see a faulty function


def install(name: str, target: str | None = None) -> None:
    """Put a mutant in place, until `remove` takes it out again.

    `name` is one of the catalogue's, which stands in place of those of its functions that the
    release has; or `path/to/file.py::name` of a function from the true function to a faulty one,
    which stands in place of `target`. What keeps the mutant from being put in place is raised, and
    noted in `reach` as its own error. LookupError: there is no such function; of the catalogue's
    mutants only where it is none of Paddle's own, which differ from release to release.
    """
    vars(reach).update(vars(Reach(name)))
    path, outside, function = name.rpartition("::")
    try:
        if target and not outside:
            raise ValueError(f"--target {target} is for a mutant from a file, not for {name}")
        fault = runpy.run_path(path)[function] if outside else None
        factories = {target or SELECT: fault} if fault else factories_by_name(name)
        file = fault.__code__.co_filename if fault else ""
        for place in factories if outside else filter(is_offered, factories):
            put_in_place(place, factories[place], file)
            reach.targets.append(place)
        for action in reach.later:
            action()
        forget()
    except Exception as error:
        reach.broken = f"{type(error).__name__}: {error}"
        remove()
        raise


def remove() -> None:
    """Take out what `install` put in place, and forget what was computed with it."""
    for back in reversed(reach.undo):
        back()
    vars(reach).update(vars(Reach(broken=reach.broken)))
    forget()


def forget() -> None:
    """Empty the caches of the properties: what they hold was computed by another Paddle."""
    for module in modules_of("properties"):
        for held in list(vars(module).values()):
            if isinstance(held, CACHE):
                held.cache_clear()


def factories_by_name(name: str) -> dict[str, Factory]:
    """A mutant of the catalogue: generated, or one that `@mutant` declares in a module `of_…`."""
    if name in GENERATED:
        return factories_of(name)
    paths = sorted(Path(__file__).parent.glob("of_*.py"))
    modules = [importlib.import_module(f"{__package__}.{path.stem}") for path in paths]
    for module in modules:
        declared: Any = vars(module).get(name)
        if hasattr(declared, "factories"):
            return dict(declared.factories)
    raise LookupError(f"there is no mutant {name}")


def put_in_place(target: str, factory: Factory, file: str = "") -> None:
    """Replace a function, by its dotted name, for all callers. Errors in `file` are the mutant's.

    Raises LookupError where there is no such function, or nothing that could hold another one.
    """
    owner_name, _, own_name = target.rpartition(".")
    found, owner = resolve(target), resolve(owner_name)
    true: Function = function_in(inspect.getattr_static(owner, own_name, found))
    if not callable(true):
        raise LookupError(f"{target} is no function, but of type {type(true).__name__}")

    def release(*given: Any, **named: Any) -> Any:
        return true(*given, **named)  # what it raises comes out of this file: see `watch`

    faulty = paddle.jit.not_to_static(watch(factory(release), file))
    if target.startswith("properties."):
        update_wrapper(faulty, true)  # scripts copy the source of the true one
    places = list(holders_of(true, owner))
    for holder, name in places:
        reach.put(holder, name, wrapped_as(vars(holder)[name], faulty))
    if not places:
        raise LookupError(f"{target}: nothing holds it under its own name, to hold another instead")
    reach.undo.append(partial(take_back, faulty, true, set(sys.modules)))


def take_back(faulty: Function, true: Function, before: set[str]) -> None:
    """Of modules that were imported in the meantime, too, and hold the faulty function."""
    for holder, name in list(holders_of(faulty, known=before)):
        setattr(holder, name, wrapped_as(vars(holder)[name], true))


def is_offered(target: str) -> bool:
    """Whether the release has the function: one of Paddle's that it has not cannot be faulty.

    Raises LookupError for any other that is not there.
    """
    try:
        resolve(target)
    except LookupError:
        if not target.startswith("paddle."):
            raise
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


def holders_of(
    function: Function, owner: Any = None, known: Collection[str] = ()
) -> Iterator[tuple[Any, str]]:
    """Every module and class that has the function, and its name there; `owner` among them.

    Paddle hands one function object to several modules and, as a method, to its tensors. Modules of
    the `known` names are left out.
    """
    modules = list(modules_of(*OWNERS, known=known))
    held_by_modules = [held for module in modules for held in list(vars(module).values())]
    classes = [held for held in held_by_modules if isinstance(held, type)]
    bases = owner.__mro__[:-1] if isinstance(owner, type) else ()
    for holder in {id(one): one for one in (*modules, *classes, *bases)}.values():
        for name, held in list(vars(holder).items()):
            wrapped = type(held).__name__ in WRAPPINGS and function_in(held) is function
            if held is function or wrapped:
                yield holder, name


def modules_of(*owners: str, known: Collection[str] = ()) -> Iterator[ModuleType]:
    """The modules that are loaded of these packages, but for those of the `known` names."""
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in owners and name not in known
        if ours and isinstance(module, ModuleType):
            yield module


def function_in(held: Any) -> Any:
    """The function that a class holds as its static or class method, or behind a property.

    Whatever is none of these stands for itself.
    """
    if type(held).__name__ not in WRAPPINGS:
        return held
    return held.fget if isinstance(held, property) else held.__func__


def wrapped_as(held: Any, faulty: Function) -> Any:
    """The faulty function, held as the true one is."""
    if isinstance(held, (staticmethod, classmethod)):
        return type(held)(faulty)
    return held.getter(faulty) if isinstance(held, property) else faulty


def watch(faulty: Function, file: str) -> Function:
    """The same function; its calls and its own errors are noted in `reach`.

    An error is its own if it arises in `file`, or in a module beside this one.

    A mutant that is to raise raises OSError, as a CUDA error does.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        reach.calls += 1
        try:
            return faulty(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, NameError, TypeError) as error:
            origin = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
            if str(origin) == file or (origin.parent == HERE.parent and origin != HERE):
                reach.broken = f"{type(error).__name__}: {error}"
            raise

    return call
