"""What the page about the advice shows, as plain data. Releases that agree share a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment

from paddlecompat.records.advice_results import (
    NO_ADVICE,
    Condition,
    Gathered,
    Measured,
    Piece,
    Range,
    Run,
    Targets,
    Verdict,
    gather,
    upgrade,
    verdicts_of,
)
from paddlecompat.report.grouping import grouped
from paddlecompat.report.view import release_span

FAULTY: tuple[Condition, ...] = ("unwritten", "unwritten, nonzero right")
SOUND: tuple[Condition, ...] = ("sound", "sound, boxes inside")
Tally = dict[str, str]
"""How many cases ended how in each of several releases: a number, or the least and the greatest."""
Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


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
    faulty: Tally


@dataclass(frozen=True)
class Detail:
    """One condition and content of the memory, in the releases that counted the same."""

    variant: str
    releases: str
    run: Run
    median_error: str


@dataclass(frozen=True)
class View:
    """All that the template shows."""

    measured: list[Measured]
    errors: list[str]

    @property
    def releases(self) -> str:
        return self.span(self.measured)

    def span(self, some: Iterable[Measured]) -> str:
        """'2.2.2-2.3.2, 3.3.1': neighbours among those measured are joined."""
        return release_span({one.release for one in some}, [one.release for one in self.measured])

    def group_rows(
        self, rows: Callable[[Measured], Iterable[Row]], key: Callable[[Row], Key]
    ) -> dict[Key, tuple[str, list[Row]]]:
        """The releases' rows by what they have in common, with the releases that they are of."""
        every = [(one, row) for one in self.measured for row in rows(one)]
        return {
            common: (self.span(one for one, _ in group), [row for _, row in group])
            for common, group in grouped(every, lambda pair: key(pair[1])).items()
        }

    @property
    def pieces(self) -> list[Piece]:
        return list(dict.fromkeys(run.piece for one in self.measured for run in one.losses))

    @property
    def lines(self) -> list[Line]:
        """Of each piece and fault, one for the releases in which the verdicts are the same."""
        return [
            Line(*piece, condition, self.span(group), verdicts, *tallies(piece, condition, group))
            for piece in self.pieces
            for condition in FAULTY
            for verdicts, group in grouped(
                (one for one in self.measured if one.runs(piece, condition)),
                partial(verdicts_in, piece, condition),
            ).items()
        ]

    @property
    def remedies(self) -> list[str]:
        """What gives the right loss in every release, whatever else the kernel serves."""
        lines = grouped(self.lines, lambda line: line.variant)
        wanted = ("restores the right loss",)
        return [v for v, some in lines.items() if all(line.verdicts == wanted for line in some)]

    @property
    def raising_releases(self) -> dict[str, str]:
        """The releases in which the fault raises where there is no advice, by memory."""
        runs = [(one, run) for one in self.measured for run in one.without if run.memory]
        return {
            memory: self.span(one for one, run in group if run.raised)
            for memory, group in grouped(runs, lambda pair: pair[1].memory).items()
        }

    @property
    def details(self) -> dict[str, list[Detail]]:
        """Every run, by the advice; those of several releases are one if they counted the same."""
        return {
            advice: [detail for piece in pieces for detail in self.details_of(piece)]
            for advice, pieces in grouped(self.pieces, lambda piece: piece[0]).items()
        }

    def details_of(self, piece: Piece) -> list[Detail]:
        found = self.group_rows(lambda one: one.runs(piece), counts_of)
        details = []
        for releases, runs in found.values():
            errors = [run.median_error for run in runs if run.median_error is not None]
            details.append(Detail(piece[1], releases, runs[0], span(errors, "{:.2g}")))
        order = list(dict.fromkeys((d.run.condition, d.run.memory) for d in details))
        return sorted(details, key=lambda d: order.index((d.run.condition, d.run.memory)))

    @property
    def accuracy(self) -> dict[tuple[str, str], dict[str, str]]:
        """The greatest error of the loss in any release, by range and targets, then by dtype."""
        rows = [row for one in self.measured for row in one.accuracy]
        by_range = grouped(rows, lambda row: (str(row.reg_range), str(row.targets)))
        return {
            key: {
                dtype: f"{max(row.greatest_error or 0 for row in alike):.0e}"
                for dtype, alike in grouped(some, lambda row: row.dtype).items()
            }
            for key, some in by_range.items()
        }

    @property
    def targets_outside(self) -> list[tuple[str, Targets]]:
        """Boxes whose targets leave the range, with the releases in which they do so alike."""
        found = self.group_rows(
            lambda one: (row for row in one.targets if not row.stay), lambda row: row
        )
        rows = [(releases, alike[0]) for releases, alike in found.values()]
        kinds = list(dict.fromkeys(kind_of(row) for _, row in rows))
        return sorted(rows, key=lambda pair: kinds.index(kind_of(pair[1])))

    @property
    def ranges_inside(self) -> dict[tuple[str, str], list[str]]:
        """The ranges in which, in every release, the targets stay: by dtype and box."""
        rows = grouped((row for one in self.measured for row in one.targets), kind_of)
        staying = [kind for kind, some in rows.items() if all(row.stay for row in some)]
        by_box = grouped(staying, lambda kind: kind[:2])
        return {box: [str(reg_range) for *_, reg_range in kinds] for box, kinds in by_box.items()}

    @property
    def upgrade(self) -> Verdict:
        return upgrade(self.measured)

    @property
    def commands(self) -> dict[tuple[int, int], str]:
        """The releases by the seed and the number of cases that they were measured with."""
        made = grouped(self.measured, lambda one: (one.seed, one.cases))
        return {key: self.span(group) for key, group in made.items()}


def render(folder: Path, templates: Environment) -> str:
    """The page about what was measured in `folder`."""
    return templates.get_template("advice.md.j2").render(view=view_of(gather(folder)))


def view_of(gathered: Gathered) -> View:
    return View(gathered.measured, gathered.errors)


def verdicts_in(piece: Piece, condition: Condition, one: Measured) -> tuple[Verdict, ...]:
    """The verdicts in one release, from the sound one and that fault; none without advice."""
    if piece[0] == NO_ADVICE:
        return ()
    return tuple(verdicts_of(one.runs(piece, *SOUND, condition), one.without))


def counts_of(run: Run) -> tuple[Hashable, ...]:
    """What two releases' runs have in common where they are shown as one."""
    ends = run.right, run.trains, run.wrong, run.not_finite, run.raised
    return run.condition, run.memory, *ends


def kind_of(row: Targets) -> tuple[str, str, Range]:
    return row.dtype, row.boxes, row.reg_range


def tallies(piece: Piece, condition: Condition, releases: Sequence[Measured]) -> Iterator[Tally]:
    """Of the cases as they are, of those with boxes inside the range, and with the fault."""
    for wanted in (*SOUND, condition):
        yield tally([one.runs(piece, wanted) for one in releases])


def tally(releases: Sequence[Sequence[Run]]) -> Tally:
    """The sums over each release's runs."""
    ends = ("cases", "right", "trains", "wrong", "not_finite", "raised")
    return {end: span(sum(getattr(run, end) for run in runs) for runs in releases) for end in ends}


def span(values: Iterable[float], form: str = "{}") -> str:
    """'40', or '38-40' where they differ; '' where there is none."""
    ends = sorted(set(values))
    return "-".join(dict.fromkeys(form.format(end) for end in (*ends[:1], *ends[-1:])))
