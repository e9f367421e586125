"""The scripts that go into bug reports: they need paddle and numpy alone.

What a property ran is copied from its source, so what ran and what is handed on are the same lines.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Callable, TypeVar

import paddle

Function = TypeVar("Function", bound=Callable[..., Any])
OURS = __name__.partition(".")[0] + "."  # what the modules of the properties are called


def script_form(other: Callable[..., Any]) -> Callable[[Function], Function]:
    """Decorate a function that needs PaddleDetection: scripts have `other` in its place."""

    def decorate(function: Function) -> Function:
        vars(function)["in_scripts"] = other
        return function

    return decorate


def form_in_script(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that stands for this one in scripts: mostly itself."""
    other: Callable[..., Any] = getattr(function, "in_scripts", function)
    return other


def program(title: str, body: str, scope: Mapping[str, Any]) -> str:
    """A program around `body`, on the place of this process.

    `scope` says what the names in `body` stand for. The functions, classes and constants among
    them are copied, with those that they need in turn.
    """
    imports = {"import paddle": {""}}
    constants: dict[str, str] = {}
    sources: dict[str, str] = {}
    left = [(body, scope)]
    while left:
        for name, held in names_in(*left.pop()):
            if name in sources:
                continue
            if str(getattr(held, "__module__", "")).startswith(OURS):
                sources[name] = inspect.getsource(held)
                left.append((sources[name], vars(sys.modules[held.__module__])))
            elif name.isupper():
                constants[name] = f"{name} = {held!r}"
            elif line := import_of(name, held):
                imports.setdefault(line[0], set()).add(line[1])
    lines = sorted(start + ", ".join(sorted(names)) for start, names in imports.items())
    parts = ["\n".join(lines), f"paddle.set_device({paddle.get_device()!r})"]
    parts += ["\n".join(constants.values()), *sources.values()]
    text = "".join(f"{part.strip()}\n\n\n" for part in parts if part)
    return f'"""{title}"""\n\nfrom __future__ import annotations\n\n{text}{body}'


def names_in(code: str, scope: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names in the code that the scope holds, and what they stand for."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and node.id in scope:
            yield node.id, scope[node.id]


def import_of(name: str, held: Any) -> tuple[str, str] | None:
    """The beginning of the line that imports it, and what it imports.

    None for an alias, which only annotations name.
    """
    if isinstance(held, ModuleType):
        alias = "" if held.__name__ == name else f" as {name}"
        return f"import {held.__name__}{alias}", ""
    module = getattr(held, "__module__", "")
    is_there = getattr(sys.modules.get(module), name, None) is held
    return (f"from {module} import ", name) if is_there else None
