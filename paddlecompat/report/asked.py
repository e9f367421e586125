"""What is asked on the command line, and the answer in words: `nox -s ask`, and a cell's end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from paddlecompat.fixtures.builds import SYSTEM_NAMED, System
from paddlecompat.fixtures.forms import Language
from paddlecompat.fixtures.uses import Card, Use, capability_of
from paddlecompat.records.judging import is_among
from paddlecompat.records.record import Record
from paddlecompat.report.answers import answer, answer_of
from paddlecompat.report.facts import Answer, Facts, How, Question, runs
from paddlecompat.report.templates import render_text


@dataclass(frozen=True)
class Asked:
    """What somebody asks about: a release on a machine."""

    release: str
    system: System
    card: str = ""
    """As it was named; empty: on the CPU."""
    capability: str | None = None
    build: str | None = None
    """The build that is installed, as '2.4.2.post112'; None: none is named."""
    numpy: str | None = None
    """The NumPy that is installed beside it."""


def language_of(asked: str | None, variables: Mapping[str, str]) -> Language:
    """The reader's language: as asked, else that of the locale's messages."""
    names = (variables.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if (asked or next(filter(None, names), "")).startswith("zh") else "en"


def read_words(
    words: Sequence[str], releases: Iterable[str], cards: Sequence[Card], system: System
) -> Asked:
    """What is asked by '2.4.2', 'RTX 3090' and 'windows', in any order; `system` where none is.

    Raises ValueError where a word is none of these.
    """
    release, named, card, known = "", system, "", set(releases)
    for word in words:
        if word in known:
            release = word
        elif word.lower() in SYSTEM_NAMED:
            named = SYSTEM_NAMED[word.lower()]
        elif word.lower() == "cpu":
            card = ""
        elif capability_of(word, cards):
            card = word
        elif re.fullmatch(r"\d+\.\d+\.\d+", word):
            raise ValueError(f"{word}: fixtures/releases.toml has no such release")
        else:
            raise ValueError(
                f"{word!r}: neither a release, nor linux or windows, nor a card of "
                "fixtures/cards.toml; write a card as 'RTX 3090', or by its capability, '8.6'"
            )
    if not release:
        raise ValueError('name a release: nox -s ask -- 2.4.2 "RTX 3090" windows')
    return Asked(release, named, card, capability_of(card, cards) if card else None)


@dataclass(frozen=True)
class Part:
    """The answers for one way of installing."""

    how: Literal["installed", "by pip", "fitting", "no build", "cell"]
    build: str
    answers: list[tuple[Use, Question, Answer]]


def answer_lines(asked: Asked, facts: Facts, language: Language) -> list[str]:
    """The answer for each use, as lines for a terminal; the last ones are the commands."""
    return lines_of(asked, list(parts_of(asked, facts)), facts, language)


def record_lines(record: Record, facts: Facts, language: Language) -> list[str]:
    """What a cell that was measured means for each use, as lines for a terminal."""
    system, device = runs(record.host) or "linux", record.device
    card = (device.name, device.capability) if device else ("", None)
    asked = Asked(record.release, system, *card)
    how: How = "fresh" if record.resolution else "pinned"
    answers = [
        (use, question_about(use, asked, how), answer_of(record, use, facts)) for use in facts.uses
    ]
    return lines_of(asked, [Part("cell", record.cell, answers)], facts, language)


def lines_of(asked: Asked, parts: list[Part], facts: Facts, language: Language) -> list[str]:
    """The parts in words; then what to install, and what finds out, by the last of them."""
    answers = [answer for _, _, answer in parts[-1].answers]
    installing = (answer for answer in answers if answer.install)
    text = render_text(
        "asked.txt.j2",
        asked=asked,
        parts=parts,
        facts=facts,
        zh=int(language == "zh"),
        taken=max(installing, key=lambda answer: answer.instead is not None, default=None),
        finds_out=next((answer.finds_out for answer in answers if answer.finds_out), ""),
    )
    return text.splitlines()


def parts_of(asked: Asked, facts: Facts) -> Iterable[Part]:
    """As it is installed; else as pip installs it today, and as it should be installed."""
    if asked.build:
        how: How = "fresh" if spoils_numbers(asked, facts) else "pinned"
        yield Part("installed", asked.build, answers_of(asked, how, facts))
        return
    yield Part("by pip", asked.release, answers_of(asked, "fresh", facts))
    fitting = answers_of(asked, "pinned", facts)
    first = fitting[0][2]
    there = first.reason != "no build"
    yield Part("fitting" if there else "no build", first.build or asked.release, fitting)


def answers_of(asked: Asked, how: How, facts: Facts) -> list[tuple[Use, Question, Answer]]:
    """The answer for each use."""
    questions = [(use, question_about(use, asked, how)) for use in facts.uses]
    return [(use, question, answer(question, facts)) for use, question in questions]


def question_about(use: Use, asked: Asked, how: How) -> Question:
    """The question for one use."""
    return Question(
        use=use.id,
        release=asked.release,
        how=how,
        system=asked.system,
        capability=asked.capability,
        build=asked.build if asked.capability else None,
    )


def spoils_numbers(asked: Asked, facts: Facts) -> bool:
    """Whether a bug of the release shows beside the NumPy that is installed."""
    wheres = (w for bug in facts.known.bug for w in bug.expected if "numpy" in w.packages)
    return any(
        where.concerns(asked.release) and is_among(asked.numpy or "", where.packages["numpy"])
        for where in wheres
    )
