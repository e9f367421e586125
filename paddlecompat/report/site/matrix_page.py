"""The property matrix: a row for each property, a column for each cell, newest release first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from paddlecompat.fixtures.uses import Use
from paddlecompat.report.facts import SEVERITIES, grouped
from paddlecompat.report.site.answers_file import Book
from paddlecompat.report.templates import render_pages
from paddlecompat.report.view import Row, Sighting


@dataclass(frozen=True)
class Mark:
    """What a property came to in one cell, over all its parameters."""

    seen: Sequence[Sighting]

    @cached_property
    def failed(self) -> list[Sighting]:
        """Those that failed, the worst first."""
        found = (seen for seen in self.seen if seen.failed)
        return sorted(found, key=lambda seen: SEVERITIES.index(seen.severity))

    @property
    def word(self) -> str:
        """The worst severity, 'right', or 'unsupported'."""
        if self.failed:
            return self.failed[0].severity
        held = any(seen.result.outcome == "holds" for seen in self.seen)
        return "right" if held else "unsupported"


@dataclass(frozen=True)
class Line:
    """A property, whatever its parameter, in every cell."""

    subject: str
    marks: Sequence[Mark | None]
    """In the order of the columns; None where it was not asked."""
    uses: Sequence[Use]

    @property
    def severities(self) -> list[str]:
        """How it fails somewhere, the worst first; ['right'] where it does not."""
        found = {seen.severity for mark in self.marks if mark for seen in mark.failed}
        return [name for name in SEVERITIES if name in found] or ["right"]

    @property
    def failing(self) -> int:
        return sum(bool(mark and mark.failed) for mark in self.marks)


def lines_of(rows: Sequence[Row], uses: Sequence[Use]) -> list[Line]:
    """The lines, in the order in which the records list the properties."""
    by_row = [grouped(row.sightings, lambda seen: seen.subject) for row in rows]
    every = grouped((seen for row in rows for seen in row.sightings), lambda seen: seen.subject)
    return [
        Line(
            subject,
            [Mark(found[subject]) if subject in found else None for found in by_row],
            [use for use in uses if any(use.needs(one.result.key) for one in seen)],
        )
        for subject, seen in every.items()
    ]


def render(book: Book) -> dict[str, str]:
    """The page in each language, by its path."""
    rows = [row for row in book.view.all_rows if row.record and row.record.properties]
    return render_pages(
        "site/matrix.html.j2",
        "matrix.html",
        rows=rows,
        lines=lines_of(rows, book.uses),
        uses=book.uses,
        listed=book.releases,
        newest=book.view.newest,
    )
