"""Commands, and options that are the fields of one frozen dataclass.

A field made by `option` carries its flag, its help, and how it is handed to a child process. So an
option is declared once, and no list of arguments is copied field by field. (The pattern is that of
Nox's own `_option_set.py`.)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

Form = TypeVar("Form")


@dataclass(frozen=True)
class Command:
    """What `nox -s NAME -- [options]` and `python -m paddlecompat NAME [options]` both run."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], object]
    run: Callable[..., Any]
    operands: str = ""
    """What stands behind the options, as '[RELEASE ...]'."""
    epilog: str = ""

    def parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            usage=usage(self.name, f"[options] {self.operands}".strip()),
            description=self.help,
            epilog=self.epilog or None,
        )
        self.add_arguments(parser)
        return parser


def usage(name: str, arguments: str) -> str:
    """A command's two doors."""
    return f"nox -s {name} -- {arguments}\n   or: python -m paddlecompat {name} {arguments}"


def option(*flags: str, to: str, help: str, pytest: str = "", **settings: Any) -> Any:
    """A field that is an option of the commands named in `to`, separated by spaces.

    `pytest` is the flag by which the properties' own pytest run takes it; empty: it does not.
    `settings` are those of argparse: `default`, `type`, `choices`, `metavar`, `action`.
    """
    default = settings.pop("default", False if settings.get("action") == "store_true" else None)
    settings |= {"help": help, "default": default}
    carried = {"flags": flags, "to": to.split(), "pytest": pytest, "settings": settings}
    return field(default=default, metadata=carried)


def add_options(parser: argparse.ArgumentParser, form: type, command: str) -> None:
    """Add those options of `form` that `command` takes."""
    for one in fields(form):
        if command in one.metadata.get("to", ()):
            parser.add_argument(*one.metadata["flags"], dest=one.name, **one.metadata["settings"])


def options_from(form: type[Form], parsed: argparse.Namespace) -> Form:
    """The options that were parsed; those that the command does not take have their defaults."""
    asked = {name: value for name, value in vars(parsed).items() if name in form.__annotations__}
    return form(**asked)


def arguments_of(options: Any) -> list[str]:
    """The command line that makes the same options again; defaults are left out."""
    return [part for one, value in changed(options) for part in as_arguments(one, value)]


def changed(options: Any) -> Iterator[tuple[Any, Any]]:
    """Each field that is an option and is not at its default, with its value."""
    for one in fields(options):
        value = getattr(options, one.name)
        if "flags" in one.metadata and (one.default is MISSING or value != one.default):
            yield one, value


def as_arguments(one: Any, value: Any) -> list[str]:
    """['--seed', '7'], or the flag alone where that says it. A path is made absolute."""
    if value is True:
        return [one.metadata["flags"][-1]]
    return [one.metadata["flags"][-1], str(value.absolute() if isinstance(value, Path) else value)]


def pytest_arguments(options: Any) -> list[str]:
    """The options of the properties' pytest run: '--profile=quick', '--hypothesis-seed=7'."""
    taken = ((one.metadata.get("pytest"), getattr(options, one.name)) for one in fields(options))
    return [f"{flag}={value}" for flag, value in taken if flag and value is not None]
