"""The first page: a choice and its answer, and a table of the releases below it.

Its script reads the answers out of the page itself, so the page works as a file on a disk, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from paddlecompat.fixtures.published import thread_of
from paddlecompat.report.answers import major
from paddlecompat.report.bug_pages.ledger import Entry
from paddlecompat.report.site.answers_file import Book, ListedAnswer, TellingAnswer, compact
from paddlecompat.report.templates import answer_words, render_pages


def render(book: Book, entries: Sequence[Entry], pictures: Sequence[str]) -> dict[str, str]:
    """The first page in each language, by its path."""
    first = book.uses[0].id
    rows = [
        (release, *(book.ask(first, release, how, "linux") for how in ("pinned", "fresh")))
        for release in book.releases
    ]
    data = [Markup(compact(data_of(book, zh)).replace("<", "\\u003c")) for zh in (False, True)]
    return render_pages(
        "site/first.html.j2",
        "index.html",
        book=book,
        data=data,
        rows=rows,
        entries=entries,
        link_of=link_of,
        errors=book.view.errors,
        pictures=pictures,
        newest=book.view.newest,
    )


def link_of(answer: TellingAnswer, release: str) -> str:
    """Where the evidence is: the script of the worst bug, else the release's page."""
    if answer.bugs:
        return f"bugs/{answer.bugs[0]}.html#script"
    place = "unmeasured" if answer.worst == "unknown" else "answers"
    return f"releases/{release}.html#{place}"


def data_of(book: Book, zh: bool) -> dict[str, Any]:
    """What the page's script reads: the answers in one language, each text once."""
    file, texts = book.file, dict[str, int]()

    def at(text: str) -> int:
        return texts.setdefault(text, len(texts))

    def answer(listed: ListedAnswer) -> dict[str, Any]:
        count = listed.wrong if listed.worst == "silent" else listed.right
        install = "" if listed.install is None else file.commands[listed.install]
        told = {
            "basis": words.basis(listed, int(zh)).strip(),
            "says": listed.sentence_zh if zh else listed.sentence,
            "install": install,
            "instead": listed.instead,
            "finds": listed.finds_out,
            "cuda": f"CUDA {major(listed.cuda)}" if listed.basis == "reported" else "",
        }
        lists = {
            "bugs": listed.bugs,
            "threads": [f"{link} {thread_of(link)}" for link in listed.threads],
        }
        return {
            "worst": listed.worst,
            **{name: at(text) for name, text in told.items() if text},
            **{name: [at(each) for each in some] for name, some in lists.items() if some},
            **({"reported": count} if listed.basis == "reported" else {}),
        }

    words = answer_words()
    answers = [answer(listed) for listed in file.answers]
    bugs = {bug.id: bug.title_zh if zh else bug.title for bug in book.facts.known.bug}
    return {
        "uses": [use.id for use in file.uses],
        "releases": file.releases,
        "hows": file.hows,
        "systems": file.systems,
        "places": [place.capability or "" for place in file.places],
        "texts": list(texts),
        "answers": answers,
        "bugs": {name: title for name, title in bugs.items() if name in texts},
        "index": file.index,
    }
