"""`reports/answers.json`: every answer that there is, as data for the pages and for others.

Its form is published as `reports/answers.schema.json`. An answer that serves several questions
stands there once, and a table of positions leads from a question to its answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Literal

import numpy as np
from pydantic import Field

from paddlecompat.fixtures.builds import SYSTEMS, Capability, System
from paddlecompat.fixtures.forms import Model, Version, in_order
from paddlecompat.fixtures.uses import Card, Use
from paddlecompat.report.answers import answer
from paddlecompat.report.facts import HOWS, Answer, Facts, Finding, How, Question
from paddlecompat.report.templates import answer_words
from paddlecompat.report.view import MatrixView


class NamedUse(Model):
    """Something that people do."""

    id: str = Field(description="Its name, which stays.")
    title: str = Field(description="In a few words; title_zh: the same in Chinese.")
    title_zh: str
    what: str = Field(description="In a sentence; what_zh: the same in Chinese.")
    what_zh: str


class Place(Model):
    """The CPU, or the cards of one compute capability."""

    capability: Capability | None = Field(description="As '8.6'; null: the CPU.")
    group: str = Field(description="What people call the cards together; 'CPU'.")
    names: list[str] = Field(default=[], description="The cards as drivers name them, in short.")


class TellingAnswer(Answer):
    """An answer with its sentence: what happens, and to whom."""

    sentence: str
    sentence_zh: str


class ListedAnswer(Finding):
    """An answer as the file has it."""

    sentence: str = Field(description="What happens, and to whom; sentence_zh: in Chinese.")
    sentence_zh: str
    install: int | None = Field(default=None, description="A position in `commands`.")


class AnswersFile(Model):
    """What every release means for every use, on the CPU and on cards."""

    schema_version: Literal[1] = 1
    uses: list[NamedUse]
    releases: list[Version] = Field(description="The newest first.")
    hows: list[How] = Field(description="'fresh': by pip alone; 'pinned': with what fits.")
    systems: list[System]
    places: list[Place] = Field(description="The CPU first.")
    commands: list[str] = Field(description="What installs a build.")
    answers: list[ListedAnswer] = Field(description="Each once; fields at their default left out.")
    index: list[list[list[list[list[int]]]]] = Field(
        description="index[use][release][how][system][place] is a position in `answers`; each "
        "number is a position in the list of that name."
    )


@dataclass(frozen=True)
class Book:
    """What the report shows, and every question that its pages can be asked, with its answer."""

    view: MatrixView
    cards: Sequence[Card]

    @property
    def facts(self) -> Facts:
        return self.view.facts

    @property
    def uses(self) -> Sequence[Use]:
        return self.facts.uses

    @cached_property
    def releases(self) -> list[str]:
        """The newest first."""
        known = (release.version for release in self.facts.fixture.release)
        return sorted(known, key=in_order, reverse=True)

    @property
    def places(self) -> list[Place]:
        cards = [
            Place(capability=c.capability, group=c.group, names=[*c.names]) for c in self.cards
        ]
        return [Place(capability=None, group="CPU"), *cards]

    def ask(
        self, use: str, release: str, how: How, system: System, capability: str | None = None
    ) -> TellingAnswer:
        """The answer to a question, in words too."""
        question = Question(use=use, release=release, how=how, system=system, capability=capability)
        return tell(question, self.facts)

    @cached_property
    def file(self) -> AnswersFile:
        """All of it, as it is published."""
        commands: dict[str, int] = {}
        positions: dict[str, int] = {}
        answers: list[ListedAnswer] = []

        def position(told: TellingAnswer) -> int:
            at = commands.setdefault(told.install, len(commands)) if told.install else None
            listed = ListedAnswer(**told.model_dump(exclude={"install"}), install=at)
            if (key := listed.model_dump_json()) not in positions:
                positions[key] = len(answers)
                answers.append(listed)
            return positions[key]

        lists = (self.uses, self.releases, HOWS, SYSTEMS, self.places)
        flat = [
            position(self.ask(u.id, r, h, s, p.capability)) for u, r, h, s, p in product(*lists)
        ]
        fields = set(NamedUse.model_fields)
        return AnswersFile(
            uses=[NamedUse.model_validate(u.model_dump(include=fields)) for u in self.uses],
            releases=self.releases,
            hows=list(HOWS),
            systems=list(SYSTEMS),
            places=self.places,
            commands=list(commands),
            answers=answers,
            index=np.reshape(flat, [len(some) for some in lists]).tolist(),
        )


@cache
def tell(question: Question, facts: Facts) -> TellingAnswer:
    """The answer to a question, with its sentence in both languages."""
    found = answer(question, facts)
    words = answer_words()
    told = (words.sentence(found, question, facts, zh) for zh in (0, 1))
    english, chinese = (" ".join(sentence.split()) for sentence in told)
    return TellingAnswer(**found.model_dump(), sentence=english, sentence_zh=chinese)


def as_json(file: AnswersFile) -> str:
    """The file's text: an item of each list on a line, what is at its default left out."""
    data = file.model_dump(mode="json", exclude_defaults=True)
    fields = (f'"{name}":[\n' + ",\n".join(map(compact, some)) + "]" for name, some in data.items())
    return "{" + ",\n".join(['"schema_version":1', *fields]) + "}\n"


def compact(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
