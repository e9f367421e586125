"""The verdict on what is installed, for who is about to train: plain data for `here.txt.j2`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from paddlecompat.records.advice_results import NO_ADVICE, Measured, Run
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import PropertyResult, Record
from paddlecompat.report import pages, terminal
from paddlecompat.report.findings import subject_of

NO_HEAD = "PaddleDetection"  # how the words begin with which the properties miss it


@dataclass(frozen=True)
class Broken:
    """Violations told in one sentence: what breaks, and what is known of it or was seen."""

    subjects: list[str]
    words: str
    words_zh: str


@dataclass(frozen=True)
class Advised:
    """How the head's loss fares as it is, and with each piece of advice."""

    without: Run
    followed: list[Run]

    @property
    def sound(self) -> bool:
        """Whether it trains as it is."""
        return self.without.trains == self.without.cases

    @property
    def restoring(self) -> list[Run]:
        """With these it trains in every case."""
        return [run for run in self.followed if run.trains == run.cases]

    @property
    def failing(self) -> list[Run]:
        """With these it does not, the best of them first."""
        failing = (run for run in self.followed if run.trains < run.cases)
        return sorted(failing, key=lambda run: -run.trains)


def render(
    record: Record, judgement: Judgement, advised: Measured | str | None, keyword: str | None
) -> str:
    """The verdict in plain English, and the same in Chinese below it.

    `advised` is what came of the advice, or why it could not be followed; None: it was left out.
    """
    templates = pages.environment()
    templates.filters["filled"] = filled
    unsupported = [r for r in record.properties if r.outcome == "unsupported"]
    return templates.get_template("here.txt.j2").render(
        record=record,
        keyword=keyword,
        known=together(((cause.means, cause.means_zh), r) for r, cause in judgement.known),
        new=together(((seen(r), seen(r)), r) for r in judgement.new),
        failed=len(judgement.known) + len(judgement.new),
        headless=[r for r in unsupported if r.message.startswith(NO_HEAD)],
        refused=[r for r in unsupported if not r.message.startswith(NO_HEAD)],
        advised=advised_of(advised) if isinstance(advised, Measured) else None,
        problem=advised if isinstance(advised, str) else None,
    )


def filled(text: str) -> str:
    """Each line broken where the terminal ends; of a list's item the rest is indented."""
    lines = (
        textwrap.fill(line, terminal.WIDTH, subsequent_indent="  " if line.startswith("- ") else "")
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)


def together(told: Iterable[tuple[tuple[str, str], PropertyResult]]) -> list[Broken]:
    """What is told in the same words, in order."""
    groups: dict[tuple[str, str], list[PropertyResult]] = {}
    for words, result in told:
        groups.setdefault(words, []).append(result)
    return [
        Broken(list(dict.fromkeys(map(subject_of, results))), *words)
        for words, results in groups.items()
    ]


def seen(result: PropertyResult) -> str:
    """What a property came to, in a line."""
    return " ".join(f"{result.outcome}: {result.message}".split())


def advised_of(measured: Measured) -> Advised:
    """The runs on the boxes as they are drawn."""
    runs = [run for run in measured.losses if run.condition == "sound"]
    (without,) = (run for run in runs if run.advice == NO_ADVICE)
    return Advised(without, [run for run in runs if run.advice != NO_ADVICE])
