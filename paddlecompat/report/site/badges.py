"""The badges: that of the scheduled run, and one for each release and use, for others' readmes.

Each is an SVG, and the JSON that shields.io reads. None is green above an answer that is not right.
"""

from __future__ import annotations

import json

from paddlecompat.records.judging import severity_of
from paddlecompat.report.facts import SEVERITIES
from paddlecompat.report.site.answers_file import Book, TellingAnswer
from paddlecompat.report.templates import answer_words, render_text
from paddlecompat.report.view import MatrixView

Badge = dict[str, object]
COLOURS = {
    "right": "brightgreen",
    "bits": "yellowgreen",
    "error": "orange",
    "crash": "orange",
    "silent": "red",
    "unknown": "lightgrey",
}
WORST_FIRST = (*SEVERITIES, "unknown", "right")


def scheduled_badge(view: MatrixView) -> Badge:
    """What the newest run says: whether anything fails that no bug explains.

    Only cells that were measured here count. A record that cannot be read may hide anything, and
    one of other properties says nothing of today's: both are told, and cost the green.
    """
    rows = [row for row in view.own_rows if row.judgement.standing]
    new = [result for row in rows for result in row.judgement.new]
    silent = any(severity_of(result, None) == "silent" for result in new)
    refused = sum(row.judgement.nothing for row in rows)
    outdated = sum(row.outdated for row in rows)
    asides = {"import or verify nothing": refused, "unreadable": len(view.errors)}
    asides["of other properties"] = outdated
    cells = f"{len(rows)} cell{'s' if len(rows) != 1 else ''}"
    first = f"{len(new)} new in {cells}" if new else f"no new violations in {cells}"
    parts = [first if rows else "nothing measured"]
    parts += [f"{count} {word}" for word, count in asides.items() if count]
    known = any(failure.cause for row in rows for failure in row.failures)
    colours = {
        "red": silent or refused,
        "orange": new,
        "yellow": view.errors or outdated,
        "lightgrey": not rows,
        "blue": known,
    }
    colour = next((colour for colour, is_it in colours.items() if is_it), "brightgreen")
    return badge("paddle matrix", ", ".join(parts), colour)


def badge(label: str, message: str, colour: str) -> Badge:
    """As shields.io reads it."""
    return {"schemaVersion": 1, "label": label, "message": message, "color": colour}


def use_badge(release: str, use: str, pinned: TellingAnswer, fresh: TellingAnswer) -> Badge:
    """What a release means for a use on the CPU: with the pins that fit, and by pip alone."""
    words = answer_words()
    first, second = (words.worst[answer.worst][0] for answer in (pinned, fresh))
    message = first if first == second else f"{first} with pins, {second} by pip"
    worst = min((pinned.worst, fresh.worst), key=WORST_FIRST.index)
    return badge(f"paddle {release} CPU, {use}", message, COLOURS[worst])


def render(book: Book) -> dict[str, str]:
    """Every badge, by its path."""
    badges = {"badge": scheduled_badge(book.view)}
    for release in book.releases:
        for use in book.uses:
            pinned, fresh = (book.ask(use.id, release, how, "linux") for how in ("pinned", "fresh"))
            badges[f"badges/{release}-{use.id}"] = use_badge(release, use.id, pinned, fresh)
    made: dict[str, str] = {}
    for path, shown in badges.items():
        made[f"{path}.json"] = json.dumps(shown, indent=1) + "\n"
        made[f"{path}.svg"] = render_text("badge.svg.j2", badge=shown)
    return made
