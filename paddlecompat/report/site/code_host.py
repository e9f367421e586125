"""The answers as Markdown, for those who read on a code host, and the table in the readmes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paddlecompat.records.build_answers.wheel_answer import by_build
from paddlecompat.report.bug_pages.bug_scripts import script_for
from paddlecompat.report.site.answers_file import Book
from paddlecompat.report.templates import CHOOSE, render_text

EXCERPT = ("<!-- table: made by `nox -s publish` -->", "<!-- end of table -->")
PAGES = ("compatibility.md", "compatibility.zh.md")
SHOWN = ("7.5", "8.6", "8.9", "9.0")
"""The cards of the tables, which are no wider than five columns."""


def render(book: Book) -> dict[str, str]:
    """The page in each language, by its path."""
    failures = (seen for row in book.view.own_rows for seen in row.failures)
    fixture = book.facts.fixture
    new = [(seen, script_for(seen, fixture)) for seen in failures if seen.cause is None]
    about = {"view": book.view, "new": new, "wheels": by_build(book.facts.wheels), "folder": ""}
    return {
        name: text_of("compatibility.md.j2", zh, book, **about) for zh, name in enumerate(PAGES)
    }


def text_of(template: str, zh: int, book: Book, **shown: object) -> str:
    """A template's text in one language."""
    cards = [card for card in book.cards if card.capability in SHOWN]
    about = {"book": book, "shown_cards": cards, "zh": zh, "say": CHOOSE[zh]}
    return render_text(template, **about, **shown)


def with_excerpts(readmes: Sequence[Path], book: Book, folder: str) -> dict[Path, str]:
    """The readmes' texts, with the table in their language between its two marks.

    One named .zh.md is Chinese. `folder` leads from them to the pages. Raises ValueError where a
    readme has no marks.
    """
    (start, end), made = EXCERPT, {}
    for readme in readmes:
        before, found, rest = readme.read_text(encoding="utf-8").partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{readme}: put {start} and {end} where the table is to stand")
        zh = int(readme.name.endswith(".zh.md"))
        table = text_of("excerpt.md.j2", zh, book, folder=f"{folder}/")
        made[readme] = f"{before}{start}\n\n{table.strip()}\n\n{end}{after}"
    return made
