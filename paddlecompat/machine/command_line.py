"""Commands, and options that are the fields of one frozen dataclass.

A field made by `option` carries its help and the commands that take it; its name is its flag, and
its annotation its type. (The pattern is that of Nox's own `_option_set.py`.)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Form = TypeVar("Form")
Run = TypeVar("Run", bound=Callable[..., Any])


READ_AS: dict[str, Callable[[str], object]] = {"int": int, "path": Path}
"""The types that a declared argument may name."""


@dataclass(frozen=True)
class Command:
    """What `nox -s NAME -- [options]` and `python -m paddlecompat NAME [options]` both run."""

    name: str
    run: Callable[..., Any]
    form: type
    """The dataclass of its options."""
    help: str
    options: str = ""
    """Which of these it takes: those that name this."""
    arguments: Sequence[Mapping[str, Any]] = ()
    operands: str = ""
    """What stands behind the options, as '[RELEASE ...]'."""
    epilog: str = ""

    def parser(self) -> argparse.ArgumentParser:
        rest = f"[options] {self.operands}".strip()
        usage = f"nox -s {self.name} -- {rest}\n   or: python -m paddlecompat {self.name} {rest}"
        parser = argparse.ArgumentParser(usage=usage, description=self.help, epilog=self.epilog)
        for declared in self.arguments:
            how = {"help": argparse.SUPPRESS, **declared}
            names = how.pop("name").split()
            if "type" in how:
                how["type"] = READ_AS[how["type"]]
            parser.add_argument(*names, **how)
        add_options(parser, self.form, self.options)
        return parser


def option(to: str, help: str, default: Any = None, *, flag: str = "", pytest: str = "") -> Any:
    """A field that is an option of the commands in `to`, and of pytest by the flag `pytest`."""
    carried = {"to": to.split(), "help": help, "flag": flag, "pytest": pytest}
    return field(default=default, metadata=carried)


def flag_of(one: Field[Any]) -> str:
    """'--memory-limit' for the field `memory_limit`."""
    return str(one.metadata["flag"] or f"--{one.name.replace('_', '-')}")


def add_options(parser: argparse.ArgumentParser, form: type, command: str) -> None:
    """Add those options of `form` that `command` takes."""
    hints = get_type_hints(form)
    for one in fields(form):
        if command in one.metadata["to"]:
            common = {"dest": one.name, "default": one.default, "help": one.metadata["help"]}
            parser.add_argument(flag_of(one), **common, **reading_of(hints[one.name]))


def reading_of(hint: Any) -> dict[str, Any]:
    """How argparse reads an annotation: `bool`, a type, a Literal, or one of these or None."""
    if hint is bool:
        return {"action": "store_true"}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    return reading_of(get_args(hint)[0]) if get_args(hint) else {"type": hint}


def options_from(form: type[Form], parsed: argparse.Namespace) -> Form:
    """The options that were parsed; those that the command does not take have their defaults."""
    names = {one.name for one in fields(form)}  # type: ignore[arg-type]  # a dataclass, as said
    return form(**{name: value for name, value in vars(parsed).items() if name in names})


def arguments_of(options: Any) -> list[str]:
    """The command line that makes the same options again; defaults are left out."""
    arguments = []
    for one in fields(options):
        value = getattr(options, one.name)
        if value != one.default:
            value = value.absolute() if isinstance(value, Path) else value
            arguments += [flag_of(one)] if value is True else [f"{flag_of(one)}={value}"]
    return arguments


def pytest_arguments(options: Any) -> list[str]:
    """The options of the properties' pytest run: '--profile=quick', '--hypothesis-seed=7'."""
    taken = ((one.metadata["pytest"], getattr(options, one.name)) for one in fields(options))
    return [f"{flag}={value}" for flag, value in taken if flag and value is not None]
