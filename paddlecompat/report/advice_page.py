"""What the page about the advice shows, as plain data. Releases that agree share a line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment

from paddlecompat.records.advice_results import (
    NO_ADVICE,
    Condition,
    Gathered,
    Measured,
    Range,
    Run,
    Targets,
    Verdict,
    gather,
    upgrade,
    verdicts_of,
)
from paddlecompat.report.view import release_span

DEFECTS: tuple[Condition, ...] = ("unwritten", "unwritten, nonzero right")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Tally:
    """How cases ended in each of several releases: a number, or the least and the greatest."""

    cases: str
    right: str
    trains: str
    wrong: str
    not_finite: str
    raised: str


@dataclass(frozen=True)
class Line:
    """One piece of advice, in the releases in which it earns the same verdicts."""

    advice: str
    variant: str
    condition: Condition
    releases: str
    verdicts: tuple[Verdict, ...]
    sound: Tally
    inside: Tally
    defect: Tally


@dataclass(frozen=True)
class Detail:
    """One condition and content of the memory, in the releases that counted the same."""

    variant: str
    releases: str
    run: Run
    median_error: str


@dataclass(frozen=True)
class Leaving:
    """Boxes whose targets are not all in the range, in the releases that agree."""

    releases: str
    targets: Targets


@dataclass(frozen=True)
class View:
    """All that the template shows."""

    measured: list[Measured]
    errors: list[str]
    lines: list[Line]
    details: dict[str, list[Detail]]
    accuracy: dict[tuple[str, str], dict[str, str]]
    leaving: list[Leaving]
    staying: dict[tuple[str, str], list[str]]
    upgrade: Verdict
    made: dict[tuple[int, int], str]

    @property
    def releases(self) -> str:
        return span_of(self.measured, self.measured)

    @property
    def restoring(self) -> list[str]:
        """What gives the right loss in every release, whatever else the kernel serves."""
        wanted = ("restores the right loss",)
        failing = {line.variant for line in self.lines if line.verdicts != wanted}
        return [v for v in dict.fromkeys(line.variant for line in self.lines) if v not in failing]

    @property
    def raising(self) -> dict[str, str]:
        """The releases in which the defect raises where there is no advice, by memory."""
        runs = [(one, run) for one in self.measured for run in one.without if run.memory]
        return {
            memory: span_of([o for o, r in runs if r.memory == memory and r.raised], self.measured)
            for memory in dict.fromkeys(run.memory for _, run in runs)
        }


def render(folder: Path, templates: Environment) -> str:
    """The page about what was measured in `folder`."""
    return templates.get_template("advice.md.j2").render(view=view_of(gather(folder)))


def view_of(gathered: Gathered) -> View:
    measured = gathered.measured
    pieces = dict.fromkeys((run.advice, run.variant) for one in measured for run in one.losses)
    details: dict[str, list[Detail]] = {}
    for advice, variant in pieces:
        details.setdefault(advice, []).extend(details_of(measured, advice, variant))
    return View(
        measured=measured,
        errors=gathered.errors,
        lines=[line for piece in pieces for line in lines_of(measured, *piece)],
        details=details,
        accuracy=accuracy_of(measured),
        leaving=leaving_of(measured),
        staying=staying_of(measured),
        upgrade=upgrade(measured),
        made={
            key: span_of(group, measured)
            for key, group in agreeing((one, (one.seed, one.cases)) for one in measured).items()
        },
    )


def lines_of(measured: Sequence[Measured], advice: str, variant: str) -> list[Line]:
    """For each defect, one line for the releases in which the verdicts are the same."""
    found = []
    for condition in DEFECTS:
        judged = (
            (one, judged_in(one, advice, variant, condition))
            for one in measured
            if having(one.runs(advice, variant), condition)
        )
        for verdicts, group in agreeing(judged).items():
            tallies = (
                tally([having(one.runs(advice, variant), wanted) for one in group])
                for wanted in ("sound", "sound, boxes inside", condition)
            )
            releases = span_of(group, measured)
            found.append(Line(advice, variant, condition, releases, verdicts, *tallies))
    return found


def judged_in(
    one: Measured, advice: str, variant: str, condition: Condition
) -> tuple[Verdict, ...]:
    """The verdicts in one release, from the sound one and that defect; none without advice."""
    if advice == NO_ADVICE:
        return ()
    runs = one.runs(advice, variant)
    sound = [run for run in runs if not run.memory]
    return tuple(verdicts_of(sound + having(runs, condition), one.without))


def details_of(measured: Sequence[Measured], advice: str, variant: str) -> list[Detail]:
    """Every run; those of several releases are one where their counts are the same."""
    runs = [(one, run) for one in measured for run in one.runs(advice, variant)]
    found = []
    for key, group in agreeing((one, counts_of(run)) for one, run in runs).items():
        alike = [run for one, run in runs if one in group and counts_of(run) == key]
        errors = [run.median_error for run in alike if run.median_error is not None]
        found.append(Detail(variant, span_of(group, measured), alike[0], span(errors, "{:.2g}")))
    order = list(dict.fromkeys((run.condition, run.memory) for _, run in runs))
    return sorted(found, key=lambda one: order.index((one.run.condition, one.run.memory)))


def counts_of(run: Run) -> tuple[Hashable, ...]:
    """What two releases' runs have in common where they are shown as one."""
    ends = run.right, run.trains, run.wrong, run.not_finite, run.raised
    return run.condition, run.memory, *ends


def accuracy_of(measured: Sequence[Measured]) -> dict[tuple[str, str], dict[str, str]]:
    """The greatest error of the loss in any release, by range and targets, then by dtype."""
    errors: dict[tuple[str, str], dict[str, float]] = {}
    for row in (row for one in measured for row in one.accuracy):
        by_dtype = errors.setdefault((str(row.reg_range), str(row.targets)), {})
        by_dtype[row.dtype] = max(by_dtype.get(row.dtype, 0), row.greatest_error or 0)
    return {
        key: {dtype: f"{error:.0e}" for dtype, error in by_dtype.items()}
        for key, by_dtype in errors.items()
    }


def leaving_of(measured: Sequence[Measured]) -> list[Leaving]:
    """The boxes whose targets leave the range in a release."""
    rows = ((one, row) for one in measured for row in one.targets if not row.stay)
    found = [Leaving(span_of(group, measured), row) for row, group in agreeing(rows).items()]
    kinds = list(dict.fromkeys(asked_of(one.targets) for one in found))
    return sorted(found, key=lambda one: kinds.index(asked_of(one.targets)))


def staying_of(measured: Sequence[Measured]) -> dict[tuple[str, str], list[str]]:
    """The ranges in which, in every release, the targets stay: by dtype and box."""
    rows = [row for one in measured for row in one.targets]
    left = {asked_of(row) for row in rows if not row.stay}
    staying: dict[tuple[str, str], list[str]] = {}
    for dtype, boxes, reg_range in dict.fromkeys(map(asked_of, rows)):
        if (dtype, boxes, reg_range) not in left:
            staying.setdefault((dtype, boxes), []).append(str(reg_range))
    return staying


def asked_of(row: Targets) -> tuple[str, str, Range]:
    return row.dtype, row.boxes, row.reg_range


def having(runs: Iterable[Run], condition: str) -> list[Run]:
    return [run for run in runs if run.condition == condition]


def tally(releases: Sequence[Sequence[Run]]) -> Tally:
    """The sums over each release's runs."""

    def summed(name: str) -> str:
        return span(sum(getattr(run, name) for run in runs) for runs in releases)

    return Tally(**{name: summed(name) for name in Tally.__dataclass_fields__})


def agreeing(judged: Iterable[tuple[Measured, Key]]) -> dict[Key, list[Measured]]:
    """The releases that came to the same, by what they came to."""
    groups: dict[Key, list[Measured]] = {}
    for one, key in judged:
        groups.setdefault(key, []).append(one)
    return groups


def span(values: Iterable[float], form: str = "{}") -> str:
    """'40', or '38-40' where they differ; '' where there is none."""
    ends = sorted(set(values))
    return "-".join(dict.fromkeys(form.format(end) for end in (*ends[:1], *ends[-1:])))


def span_of(some: Sequence[Measured], measured: Sequence[Measured]) -> str:
    """'2.2.2-2.3.2, 3.3.1': neighbours among those measured are joined."""
    return release_span({one.release for one in some}, [one.release for one in measured])
