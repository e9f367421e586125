"""The templates, and what they may use: all that people read is worded in them."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from paddlecompat.report.facts import grouped
from paddlecompat.report.view import BY_OTHERS, LONGEST

TEMPLATES = Path(__file__).parent
WIDTH = 100  # of the terminal
NOT_SHOWN = dict.fromkeys(
    [*(set(range(32)) - {9, 10}), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
"""What a terminal obeys or what turns the order of words: no page has it."""
SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
CHOOSE = (lambda english, chinese: english, lambda english, chinese: chinese)
"""What a template calls `say`, in each language."""


@cache
def environment() -> Environment:
    """The templates. What they put into HTML or SVG is escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        finalize=lambda value: value.translate(NOT_SHOWN) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(by_others=BY_OTHERS, longest=LONGEST)
    made.filters.update(filled=fill, fenced=fence, inline=escape)
    made.filters["stamp"] = lambda record: f"{record.measured_at:%Y-%m-%d %H:%M} UTC"
    made.filters["grouped"] = lambda items, name: grouped(items, attrgetter(name))
    return made


def render_text(template: str, **shown: object) -> str:
    """A template's text."""
    return environment().get_template(template).render(**shown)


def answer_words() -> Any:
    """The words of answers, and the macros that make sentences of them: `answers.j2`."""
    return environment().get_template("answers.j2").module


def render_pages(template: str, path: str, **shown: object) -> dict[str, str]:
    """The page in English at `path`, and in Chinese below zh/; each leads to the other."""
    made = {}
    for zh, folder in ((False, ""), (True, "zh/")):
        home = "../" * path.count("/")
        root = f"{home}../" if zh else home
        other = f"{root}{path}" if zh else f"{root}zh/{path}"
        about = {"zh": int(zh), "home": home, "root": root, "other": other, "say": CHOOSE[zh]}
        made[f"{folder}{path}"] = render_text(template, **about, **shown)
    return made


def fill(text: str) -> str:
    """Break each line where the terminal ends; in an item of a list, indent what follows."""
    lines = (
        textwrap.fill(line, WIDTH, subsequent_indent="  " if line.startswith("- ") else "")
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)


def fence(text: str, language: str = "") -> str:
    """A fenced block of Markdown that nothing in `text` can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


def escape(text: str) -> str:
    """`text` on one line, as Markdown that means nothing but itself, in a table too."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", " ".join(text.split()))
