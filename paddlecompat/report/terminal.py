"""What the terminal says of a cell, as lines: its verdict, and what to do about it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from paddlecompat.fixtures.forms import Language
from paddlecompat.records.advice_results import NO_ADVICE, Measured
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, NoCode, Record
from paddlecompat.report.answers import bugs_in, lacks_the_head, mending
from paddlecompat.report.templates import NOT_SHOWN, WIDTH, render_text
from paddlecompat.report.view import Sighting, parts_of

POISON = ("-7.25e+77", "-1.3327127e+13", "-1.0270668e+10")
"""What memory is filled with before a call, read as float64 and as float32."""


def verdict_lines(
    record: Record, judgement: Judgement, scripts: Mapping[str, Path] | None = None
) -> list[str]:
    """How a cell ended; `scripts` gives the path of each violation's script, by property."""
    lost = record.lost
    text = render_text(
        "verdict.txt.j2",
        record=record,
        judgement=judgement,
        scripts=scripts or {},
        count=Counter(result.outcome for result in record.properties),
        lost=lost,
        dtypes=", ".join(parts_of(result.name)[1] for result in lost),
        install=mending(record, bugs_in(judgement, lost[:1])),
        failed=[r for r in record.properties if r.outcome in UNSOUND or r in judgement.new],
        poison=POISON,
        no_code=no_code_lines,
        wrapped=lambda *parts: "\n".join(wrap(*parts)),
    )
    return text.splitlines()


def no_code_lines(found: NoCode) -> list[str]:
    """What a build comes to on a card that it has no code for: in English, and in Chinese."""
    return render_text("no_code.txt.j2", found=found).strip().splitlines()


def build_lines(record: Record) -> list[str]:
    """In Chinese what a build without code for the card comes to, and which build to take.

    For a GPU cell without a device, which build each example card would be given.
    """
    why = record.not_run
    lines = wrap("  ", no_code_lines(why.no_code)[1], "  ") if why and why.no_code else []
    examples = why.builds if why else []
    lines += ["  what it would measure on other machines:"] if examples else []
    for example in examples:
        words = f"{example.build}, {example.why}" if example.build else example.why
        lines += wrap(f"  {example.card}: ", words, "    ")
    return lines


def here_lines(
    record: Record,
    judgement: Judgement,
    advised: Measured | str | None,
    keyword: str | None,
    language: Language,
) -> list[str]:
    """What else to say of an installed Paddle: what is new, was not tested, and the advice.

    `advised` is what came of the advice, or why it could not be followed; None if it was left out.
    """
    unsupported = [r for r in record.properties if r.outcome == "unsupported"]
    text = render_text(
        "here.txt.j2",
        zh=language == "zh",
        keyword=keyword,
        new=[Sighting(record, r) for r in judgement.new if r.outcome in UNSOUND],
        headless=[r for r in unsupported if lacks_the_head(r)],
        withdrawn=[r for r in judgement.new if r in unsupported],
        refused=[r for r in unsupported if r.key in judgement.causes],
        once=[r for r in record.properties if r.once],
        advised=advice_runs(advised) if isinstance(advised, Measured) else None,
        problem=advised if isinstance(advised, str) else None,
    )
    return text.splitlines()


def advice_runs(measured: Measured) -> dict[str, object]:
    """How the head's loss does on the boxes as drawn, without advice and with each piece of it.

    In the runs `restoring` every case trains; in those `failing`, the best first, some do not.
    """
    runs = [run for run in measured.losses if run.condition == "sound"]
    followed = sorted(runs, key=lambda run: (run.advice != NO_ADVICE, -run.trains))
    return {
        "without": followed[0],
        "restoring": [run for run in followed[1:] if run.trains == run.cases],
        "failing": [run for run in followed[1:] if run.trains < run.cases],
    }


def wrap(label: str, text: str, indent: str, most: int | None = 6) -> list[str]:
    """`text` after `label`, without what a terminal obeys, in at most so many lines."""
    return textwrap.wrap(
        (label + " ".join(text.split())).translate(NOT_SHOWN),
        WIDTH,
        subsequent_indent=indent,
        max_lines=most,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
