"""What wheels answer by their own code, and host halves on the made-up driver: lines and pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paddlecompat.fixtures.builds import SYSTEMS, System, sm
from paddlecompat.fixtures.forms import in_order
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.uses import load_cards
from paddlecompat.records.build_answers.host_answer import HostAnswer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer, by_build
from paddlecompat.records.record import Record
from paddlecompat.report.facts import grouped
from paddlecompat.report.templates import render_text


def answer_lines(answer: WheelAnswer, fixture: Fixture) -> list[str]:
    """What a wheel answers, in plain English, and the same in Chinese below it.

    Of the cards that people have, those that its code runs on are told, and the others.
    """
    release = next((r for r in fixture.release if r.version == answer.release), None)
    cards = grouped(load_cards(), lambda card: answer.code.runs_on(card.capability))
    text = render_text(
        "wheel.txt.j2",
        answer=answer,
        runs=[f"{card.group} ({card.capability})" for card in cards.get(True, ())],
        without=[f"{card.group} ({card.capability})" for card in cards.get(False, ())],
        said=answer.said,
        code=[*map(sm, answer.sm), *(f"PTX {ptx}" for ptx in answer.ptx)],
        notices=release.failed_launches if release else None,
    )
    return text.strip().splitlines()


def said_lines(record: Record) -> list[str]:
    """What the wheel of a GPU cell's build answers, or how to ask it; in English and in Chinese.

    Nothing where the record names no such build.
    """
    if record.wheel is None and record.chosen is None:
        return []
    text = render_text("wheel_said.txt.j2", said=record.wheel, chosen=record.chosen)
    return text.strip().splitlines()


@dataclass(frozen=True)
class Family:
    """Wheels of one system whose functions do the same with the count."""

    system: System
    answers: list[WheelAnswer]

    @property
    def answer(self) -> WheelAnswer:
        """The newest of them, whose instructions are shown."""
        return self.answers[-1]

    @property
    def name(self) -> str:
        """'2.3.0, 2.3.1, 2.3.2 (Windows)'."""
        return f"{', '.join(a.version for a in self.answers)} ({self.system.title()})"

    @property
    def anchor(self) -> str:
        return f"{self.system}-{self.answers[0].version}"


def families(answers: Iterable[WheelAnswer]) -> list[Family]:
    """The wheels by system and by what they do: CUDA, what made them, copy, count, answer."""
    alike = grouped(
        answers,
        lambda answer: (
            *(answer.system, answer.toolchain, answer.answer),
            frozenset((f.function, f.copied, f.count, f.answer) for f in answer.functions),
        ),
    )
    found = [Family(some[0].system, some) for some in alike.values()]
    return sorted(found, key=lambda one: (in_order(one.answer.release), one.system), reverse=True)


def render(answers: Sequence[WheelAnswer]) -> str:
    """The page for maintainers."""
    about = {"families": families(answers), "lines": by_build(answers), "systems": SYSTEMS}
    return render_text("wheels.md.j2", **about)


def host_lines(answer: HostAnswer) -> list[str]:
    """What a host half did, in plain English."""
    return render_text("host.txt.j2", one=answer).strip().splitlines()


def render_host(answers: Sequence[HostAnswer], wheels: Sequence[WheelAnswer] = ()) -> str:
    """The page on host halves, in both languages, the newest release first.

    Of the wheels that were asked, it names those in reach that were not measured so.
    """
    newest = sorted(answers, key=lambda one: in_order(one.release), reverse=True)
    done = {(one.build.version, one.system) for one in answers}
    in_reach = {(w.version, w.system) for w in wheels if in_order(w.cuda or "0") < [11, 2]}
    left = [f"{version} {system.title()}" for version, system in sorted(in_reach - done)]
    return render_text("host.md.j2", answers=newest, left=left)
