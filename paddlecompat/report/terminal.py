"""What the terminal says of a cell, as lines: its verdict, and what to do about it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from paddlecompat.fixtures.bugs import Bug, Explanation
from paddlecompat.fixtures.forms import Language
from paddlecompat.records.advice_results import NO_ADVICE, Measured
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, NoCode, PropertyResult, Record
from paddlecompat.report.answers import lacks_the_head, mending
from paddlecompat.report.templates import NOT_SHOWN, WIDTH, environment
from paddlecompat.report.view import Sighting, parts_of

POISON = ("-7.25e+77", "-1.3327127e+13", "-1.0270668e+10")
"""What memory is filled with before a call, read as float64 and as float32."""
NEVER_WRITTEN = (
    "the output holds what its memory was filled with before the call: it was never written, as in "
    "PaddlePaddle/Paddle#44181; what restores the loss stands in reports/advice.md"
)


def verdict_lines(
    record: Record, judgement: Judgement, scripts: Mapping[str, Path] | None = None
) -> list[str]:
    """How a cell ended; `scripts` gives the path of each violation's script, by property."""
    if record.verdict == "not run":
        why = record.not_run
        if why and why.no_code:
            english, _ = no_code_lines(why.no_code)
            install = [f"  {why.no_code.install}"] if why.no_code.install else []
            return wrap(f"{record.cell}: not run: ", english, "  ") + install
        words = f"{why.reason}: {why.detail}" if why else "no property verified a call"
        lines = wrap(f"{record.cell}: not run: ", words, "  ")
        for line in why.changed if why else ():
            lines += wrap("  changed since it imported: ", line, "    ")
        return lines
    count = Counter(result.outcome for result in record.properties)
    holds = f"{count['holds']} propert{'y holds' if count['holds'] == 1 else 'ies hold'}"
    others = [f"{number} {outcome}" for outcome, number in count.items() if outcome != "holds"]
    name = f"{record.cell}, stand-in ({record.stand_in})" if record.stand_in else record.cell
    lines = [
        f"{name}: {', '.join([holds, *others])}; {record.calls:,} calls verified - "
        f"{judgement.standing}"
    ]
    if record.lost:
        lines += lost_lines(record, judgement)
    lost, causes = record.lost, judgement.causes
    for result in (each for each in record.properties if each not in lost):
        cause = causes.get(result.key)
        if result.outcome in UNSOUND or result in judgement.new:
            lines += failure_lines(result, cause, (scripts or {}).get(result.key))
        elif result.once:
            lines += wrap(f"  {result.key} - died once, not when alone: ", result.once, "    ")
    for pattern, gone in judgement.gone:
        lines += wrap("  gone: ", f"{pattern}: {gone.cause}", "    ")
    for pattern, _ in judgement.absent:
        lines += wrap("  expected, but not among the properties: ", pattern, "    ")
    return lines


def lost_lines(record: Record, judgement: Judgement) -> list[str]:
    """The one thing to know where numbers do not come back, and what to install instead."""
    assert record.conditions is not None
    lost = record.lost
    bug = judgement.causes.get(lost[0].key)
    dtypes = ", ".join(parts_of(result.name)[1] for result in lost)
    parts = {
        "": f"numbers do not come back from Paddle as they were sent ({dtypes}), "
        f"beside NumPy {record.numpy}: {record.conditions.not_asked} properties were not asked",
        "message: ": lost[0].message,
    }
    if isinstance(bug, Bug):
        parts |= {"means: ": bug.means, "thread: ": bug.link}
    lines = [line for label, text in parts.items() for line in wrap(f"  {label}", text, "    ")]
    install = mending(record, [bug] if isinstance(bug, Bug) else [])
    return [*lines, f"  install: {install}"] if install else lines


def failure_lines(
    result: PropertyResult, cause: Explanation | None, script: Path | None
) -> list[str]:
    """A property that failed, or is no longer offered: the case, what was expected, what came."""
    outcome = "no longer offered" if result.outcome == "unsupported" else result.outcome
    bug = cause if isinstance(cause, Bug) else None
    outcome += f" ({result.severity})" if result.severity else ""
    lines = wrap("  ", f"{result.key} - {outcome}, {f'known ({bug.id})' if bug else 'new'}", "    ")
    parts = {"message": result.message, "case": result.case or ""}
    if shown := result.evidence:
        what, expected, _ = result.message.partition(": expected ")
        parts = {"what": what if expected else "", **shown.model_dump(exclude={"script"})}
        poisoned = any(pattern in shown.actual for pattern in POISON)
        parts |= {"hint": NEVER_WRITTEN if poisoned else ""}
    if bug:
        parts |= {"cause": bug.cause, "advice": bug.advice, "thread": bug.link}
    parts |= {"script": str(script or ""), "once": result.once}
    for label, text in parts.items():
        lines += wrap(f"    {label + ':':<10}", text, " " * 14) if text else []
    return lines


def no_code_lines(found: NoCode) -> list[str]:
    """What a build comes to on a card that it has no code for: in English, and in Chinese."""
    template = environment().get_template("no_code.txt.j2")
    return template.render(found=found).strip().splitlines()


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
    causes = judgement.causes
    explained = [r for r in unsupported if r.key in causes]
    template = environment().get_template("here.txt.j2")
    text = template.render(
        zh=language == "zh",
        keyword=keyword,
        new=[Sighting(record, "", r) for r in judgement.new if r.outcome in UNSOUND],
        headless=[r for r in unsupported if lacks_the_head(r)],
        withdrawn=[r for r in judgement.new if r in unsupported],
        refused=explained,
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


def wrap(label: str, text: str, indent: str) -> list[str]:
    """`text` after `label`, without what a terminal obeys, in at most six lines."""
    return textwrap.wrap(
        (label + " ".join(text.split())).translate(NOT_SHOWN),
        WIDTH,
        subsequent_indent=indent,
        max_lines=6,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
