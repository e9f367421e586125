"""What the page about the advice shows, as plain data. Releases that agree share a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from paddlecompat.records import advice_results
from paddlecompat.records.advice_results import Condition, Measured, Piece, Run, Targets, Verdict
from paddlecompat.report.facts import grouped
from paddlecompat.report.templates import render_text

FAULTY: tuple[Condition, ...] = ("unwritten", "unwritten, nonzero right")


class Line(NamedTuple):
    """One piece of advice, in the releases in which it earns the same verdicts."""

    piece: Piece
    condition: Condition
    verdicts: tuple[Verdict, ...]
    measured: list[Measured]

    def tally(self, condition: Condition) -> dict[str, str]:
        """How many cases ended how in each release: a number, or the least and the greatest."""
        releases = [one.runs(self.piece, condition) for one in self.measured]
        return {
            end: span(sum(getattr(run, end) for run in runs) for runs in releases)
            for end in ("cases", "right", "wrong", "not_finite", "raised")
        }


@dataclass(frozen=True)
class View:
    """All that the template shows."""

    measured: list[Measured]
    errors: list[str]

    def span(self, some: Iterable[Measured]) -> str:
        """'2.2.2-2.3.2, 3.3.1': neighbours among those measured are joined."""
        chosen = {one.release for one in some}
        ordered = groupby((one.release for one in self.measured), lambda name: name in chosen)
        runs = [list(run) for there, run in ordered if there]
        return ", ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs)

    def group_rows(
        self,
        rows: Callable[[Measured], Iterable[Any]],
        kind: Callable[[Any], Hashable],
        counts: Callable[[Any], Hashable],
    ) -> list[tuple[str, list[Any]]]:
        """The releases' rows, kind by kind; those that count the same together, and in which."""
        every = [(one, row) for one in self.measured for row in rows(one)]
        return [
            (self.span(one for one, _ in alike), [row for _, row in alike])
            for some in grouped(every, lambda pair: kind(pair[1])).values()
            for alike in grouped(some, lambda pair: counts(pair[1])).values()
        ]

    @property
    def pieces(self) -> dict[str, list[Piece]]:
        """By the advice that they are of."""
        pieces = dict.fromkeys(run.piece for one in self.measured for run in one.losses)
        return grouped(pieces, lambda piece: piece[0])

    @property
    def lines(self) -> list[Line]:
        """Of each piece and fault, one for the releases in which the verdicts are the same."""
        return [
            Line(piece, condition, verdicts, group)
            for pieces in self.pieces.values()
            for piece in pieces
            for condition in FAULTY
            for verdicts, group in grouped(
                (one for one in self.measured if one.runs(piece, condition)),
                partial(verdicts_in, piece, condition),
            ).items()
        ]

    @property
    def remedies(self) -> list[str]:
        """What gives the right loss in every release, whatever else the kernel serves."""
        lines = grouped(self.lines, lambda line: line.piece[1])
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

    def details(self, piece: Piece) -> list[tuple[str, list[Run]]]:
        """Every run; those of several releases are together if they counted the same."""
        return self.group_rows(
            partial(Measured.runs, piece=piece),
            lambda run: (run.condition, run.memory),
            lambda run: (run.right, run.trains, run.wrong, run.not_finite, run.raised),
        )

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
    def targets_outside(self) -> list[tuple[str, list[Targets]]]:
        """Boxes whose targets leave the range, with the releases in which they do so alike."""
        return self.group_rows(
            lambda one: (row for row in one.targets if not row.stay), kind_of, lambda row: row
        )

    @property
    def ranges_inside(self) -> dict[tuple[str, str], list[str]]:
        """The ranges in which, in every release, the targets stay: by dtype and box."""
        rows = grouped((row for one in self.measured for row in one.targets), kind_of)
        staying = [some[0] for some in rows.values() if all(row.stay for row in some)]
        by_box = grouped(staying, lambda row: (row.dtype, row.boxes))
        return {box: [str(row.reg_range) for row in some] for box, some in by_box.items()}

    @property
    def commands(self) -> dict[tuple[int, int], str]:
        """The releases by the seed and the number of cases that they were measured with."""
        made = grouped(self.measured, lambda one: (one.seed, one.cases))
        return {key: self.span(group) for key, group in made.items()}


def render(folder: Path) -> str:
    """The page about what was measured in `folder`."""
    view = View(*advice_results.gather(folder))
    upgrade = advice_results.upgrade(view.measured)
    return render_text("advice.md.j2", view=view, upgrade=upgrade, error_span=error_span)


def verdicts_in(piece: Piece, condition: Condition, one: Measured) -> tuple[Verdict, ...]:
    """The verdicts in one release, from the sound one and that fault; none without advice."""
    if piece[0] == advice_results.NO_ADVICE:
        return ()
    runs = one.runs(piece, "sound", "sound, boxes inside", condition)
    return tuple(advice_results.verdicts_of(runs, one.without))


def kind_of(row: Targets) -> Hashable:
    return row.dtype, row.boxes, row.reg_range


def error_span(runs: Sequence[Run]) -> str:
    """The median errors of these runs; '' where none was wrong."""
    return span((r.median_error for r in runs if r.median_error is not None), "{:.2g}")


def span(values: Iterable[float], form: str = "{}") -> str:
    """'40', or '38-40' where they differ; '' where there is none."""
    ends = sorted(set(values))
    return "-".join(dict.fromkeys(form.format(end) for end in (*ends[:1], *ends[-1:])))
