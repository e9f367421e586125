"""A page for each bug."""

from __future__ import annotations

from collections.abc import Sequence

from paddlecompat.report.ledger import Entry
from paddlecompat.report.site.answers_file import Book
from paddlecompat.report.templates import render_pages


def render(book: Book, entries: Sequence[Entry], **shown: object) -> dict[str, str]:
    """The pages, by their paths."""
    pages: dict[str, str] = {}
    for entry in entries:
        keys = {failure.result.key for failure in entry.shown}
        uses = [use for use in book.uses if any(map(use.needs, keys))]
        path = f"bugs/{entry.bug.id}.html"
        pages |= render_pages("site/bug.html.j2", path, entry=entry, uses=uses, **shown)
    return pages
