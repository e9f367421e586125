"""TODO."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import UNSOUND, PropertyResult, Record
from paddlecompat.report.view import View

WIDTH = 100


POISON = ("-7.25e+77", "-1.3327127e+13", "-1.0270668e+10")  # as float64, and as float32


NEVER_WRITTEN = (
    "the output holds what its memory was filled with before the call: it was never written, as in "
    "PaddlePaddle/Paddle#44181; what restores the loss stands in reports/advice.md"
)


@dataclass(frozen=True)
class Summary:
    """How the records stand, for the terminal and for the exit code of whoever asked."""

    sound: int
    unsound: int
    not_run: int
    worse: list[str]
    better: list[str]
    errors: list[str]
    text: str


def summary(view: View, out_folder: Path) -> Summary:
    """The report in a paragraph."""
    count, worse, better = view.verdicts, view.standing("worse"), view.standing("better")
    said = [
        f"{len(view.measured)} cells: {count['sound']} sound, {count['unsound']} unsound, "
        f"{count['not run']} not run."
    ]
    said += [f"Worse than expected: {', '.join(worse)}."] if worse else []
    said += [f"Better than expected: {', '.join(better)}."] if better else []
    missing = [row.release for row in view.all_rows if row.record is None]
    said += [f"No record on the CPU: {', '.join(missing)}."] if missing else []
    said += [f"Records refused: {len(view.errors)}."] if view.errors else []
    said += [f"The report is {out_folder / 'index.html'}, and compatibility.md beside it."]
    text = textwrap.fill(" ".join(said), WIDTH, break_long_words=False, break_on_hyphens=False)
    verdicts = (count["sound"], count["unsound"], count["not run"])
    return Summary(*verdicts, worse, better, view.errors, text)


def verdict_lines(
    record: Record, judgement: Judgement, scripts: Mapping[str, Path] | None = None
) -> list[str]:
    """How a cell ended, for the terminal; `scripts` says where each violation's script lies."""
    if record.verdict == "not run":
        why = record.not_run
        told = f"{why.reason}: {why.detail}" if why else "no property verified a call"
        return wrapped(f"{record.cell}: not run: ", told, "  ")
    count = Counter(result.outcome for result in record.properties)
    holds = f"{count['holds']} propert{'y holds' if count['holds'] == 1 else 'ies hold'}"
    others = [f"{number} {outcome}" for outcome, number in count.items() if outcome != "holds"]
    named = f"{record.cell}, stand-in ({record.stand_in})" if record.stand_in else record.cell
    lines = [
        f"{named}: {record.verdict} ({', '.join([holds, *others])}; "
        f"{record.calls:,} calls verified) - {judgement.standing}"
    ]
    known = {result.key: cause for result, cause in judgement.known}
    for result in record.properties:
        if result.outcome in UNSOUND:
            lines += failure_lines(result, known.get(result.key), (scripts or {}).get(result.key))
    for expectation in judgement.gone:
        lines += wrapped("  gone: ", f"{expectation.property}: {expectation.cause}", "    ")
    for expectation in judgement.absent:
        lines += wrapped("  expected, but not among the properties: ", expectation.property, "    ")
    return lines


def build_lines(record: Record) -> list[str]:
    """Which build example cards would be given, where there is no device here."""
    examples = record.not_run.builds if record.not_run else []
    lines = ["  what it would measure on other machines:"] if examples else []
    for example in examples:
        told = f"{example.build}, {example.why}" if example.build else example.why
        lines += wrapped(f"  {example.card}: ", told, "    ")
    return lines


def failure_lines(
    result: PropertyResult, cause: Expectation | None, script: Path | None
) -> list[str]:
    """A property that failed: the case, what was expected, what came."""
    lines = [f"  {result.key} - {result.outcome}, {'known' if cause else 'new'}"]
    told = {"message": result.message, "case": result.case or ""}
    if result.evidence:
        evidence = result.evidence
        what = result.message.partition(": expected ")[0] if ": expected " in result.message else ""
        shown = {"case": evidence.case, "expected": evidence.expected, "actual": evidence.actual}
        told = {"what": what, **shown, "hint": NEVER_WRITTEN if stale(evidence.actual) else ""}
    if cause:
        told |= {"cause": cause.cause, "thread": cause.link}
    if script:
        told |= {"script": str(script)}
    for label, text in told.items():
        lines += wrapped(f"    {label + ':':<10}", text, " " * 14) if text else []
    return lines


def stale(actual: str) -> bool:
    """Whether it shows what `tests/properties/memory.py` fills memory with before each call."""
    return any(pattern in actual for pattern in POISON)


def wrapped(label: str, text: str, indent: str) -> list[str]:
    """`text` after `label`, in at most six lines; a path is left whole."""
    return textwrap.wrap(
        label + " ".join(text.split()),
        WIDTH,
        subsequent_indent=indent,
        max_lines=6,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
