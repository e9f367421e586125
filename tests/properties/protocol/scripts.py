"""The scripts that go into bug reports: they need paddle and numpy alone.

What a property ran is copied from its source, so what ran and what is handed on are the same lines.
"""

from __future__ import annotations

import ast
import inspect
from types import ModuleType
from typing import Any, Callable

import paddle

Helpers = dict[str, Callable[..., Any]]


def helpers_of(*modules: ModuleType) -> Helpers:
    """The functions and classes that the modules define, by name."""
    return {
        name: helper
        for module in modules
        for name, helper in vars(module).items()
        if getattr(helper, "__module__", "") == module.__name__
    }


def program(title: str, body: str, helpers: Helpers) -> str:
    """A program around `body`, with those helpers that it needs, on the place of this process."""
    needed = needed_by(body, helpers).values()
    sources = "".join(f"{inspect.getsource(helper)}\n\n" for helper in needed)
    return f'''"""{title}"""

from __future__ import annotations

from math import log
from typing import Any, NamedTuple

import numpy as np
import paddle

paddle.set_device({paddle.get_device()!r})


{sources}{body}'''


def needed_by(code: str, helpers: Helpers) -> Helpers:
    """The helpers that `code` names, and those that they name in turn."""
    found: Helpers = {}
    left = [code]
    while left:
        for node in ast.walk(ast.parse(left.pop())):
            if isinstance(node, ast.Name) and node.id in helpers and node.id not in found:
                found[node.id] = helpers[node.id]
                left.append(inspect.getsource(found[node.id]))
    return found
