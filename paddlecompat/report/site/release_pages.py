"""A page for each release: what it means for each use, its bugs, builds, records and gaps.

And one for each bug.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from paddlecompat.fixtures.bugs import Bug, Explanation
from paddlecompat.fixtures.builds import SYSTEMS, System
from paddlecompat.fixtures.releases import Release
from paddlecompat.fixtures.uses import Card, Use
from paddlecompat.report.bug_pages.bug_scripts import script_for
from paddlecompat.report.bug_pages.ledger import Entry
from paddlecompat.report.facts import HOWS, How, grouped
from paddlecompat.report.site.answers_file import Book, TellingAnswer
from paddlecompat.report.templates import render_pages
from paddlecompat.report.view import Row, Sighting

Told = list[tuple[Use, TellingAnswer]]
"""The answer for each use."""


@dataclass(frozen=True)
class ReleaseView:
    """One release, with all that is known of it."""

    release: Release
    book: Book
    rows: Sequence[Row]
    """Its cells, those on the CPU first; a cell without a record has none."""

    def told(self, how: How, system: System, capability: str | None = None) -> Told:
        """The answer for each use."""
        asked = self.release.version, how, system, capability
        return [(use, self.book.ask(use.id, *asked)) for use in self.book.uses]

    def cards(self, system: System) -> list[tuple[list[Card], dict[How, Told]]]:
        """The cards that have the same answers for each way of installing, and these."""

        def answers(card: Card) -> dict[How, Told]:
            return {how: self.told(how, system, card.capability) for how in HOWS}

        alike = grouped(self.book.cards, lambda card: str(answers(card)))
        return [(cards, answers(cards[0])) for cards in alike.values()]

    @property
    def measured(self) -> list[Row]:
        return [row for row in self.rows if row.record and row.record.properties]

    @cached_property
    def failures(self) -> dict[Explanation | None, dict[str, list[Sighting]]]:
        """What failed: by the bug, the new ones first, and by the property, in all its cells."""
        found = [seen for row in self.measured for seen in row.failures]
        causes = grouped(found, lambda seen: seen.cause)
        ordered = sorted(causes, key=lambda cause: isinstance(cause, Bug))
        return {cause: grouped(causes[cause], lambda seen: seen.subject) for cause in ordered}

    @property
    def refusals(self) -> dict[tuple[Explanation | None, str], list[Sighting]]:
        """What it does not offer, by what explains that and by its words."""
        refused = [
            s for r in self.measured for s in r.sightings if s.result.outcome == "unsupported"
        ]
        return grouped(refused, lambda seen: (seen.cause, seen.words[0]))

    @property
    def unmeasured(self) -> Iterator[str]:
        """The commands that would measure what nobody has measured of it."""
        answers = [
            answer
            for system in SYSTEMS
            for capability in (None, *(card.capability for card in self.book.cards))
            for how in HOWS
            for _, answer in self.told(how, system, capability)
        ]
        yield from dict.fromkeys(answer.finds_out for answer in answers if answer.finds_out)


def render(book: Book, entries: Sequence[Entry]) -> dict[str, str]:
    """The pages, by their paths."""
    pages: dict[str, str] = {}
    newest = book.view.newest
    for entry in entries:
        path = f"bugs/{entry.bug.id}.html"
        pages |= render_pages("site/bug.html.j2", path, entry=entry, newest=newest)
    scripts = partial(script_for, fixture=book.facts.fixture)
    for version in book.releases:
        rows = [row for row in book.view.all_rows if row.release == version]
        shows = ReleaseView(book.facts.release(version), book, rows)
        about = {"shows": shows, "script_for": scripts, "newest": newest}
        pages |= render_pages("site/release.html.j2", f"releases/{version}.html", **about)
    return pages
