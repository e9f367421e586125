"""What the report shows, as plain data: the records judged and laid out.

The date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from pathlib import Path

from paddlecompat.fixtures.bugs import Bug, Explanation, Known
from paddlecompat.fixtures.forms import KINDS, Kind, in_order
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture, System
from paddlecompat.records import store
from paddlecompat.records.judging import Standing, judge
from paddlecompat.records.record import Record
from paddlecompat.records.subject import Answer, Host, class_order
from paddlecompat.records.wheel_answer import WheelAnswer, by_build
from paddlecompat.report.tables import (
    BY_OTHERS,
    ReleaseLine,
    Row,
    Sighting,
    WheelLine,
    grouped,
    parts_of,
    wheel_lines,
)


def badge_of(
    standings: Iterable[Standing | None], unreadable: int = 0, outdated: int = 0, by_others: int = 0
) -> dict[str, object]:
    """The badge for these cells, as shields.io reads it: None stands for one that was not measured.

    Only cells that were measured here count; where none was, there is nothing to be green about. A
    record that cannot be read may hide anything, and one of other properties says nothing of
    today's, so they cost the green too.
    """
    count = Counter(standings)
    measured = count.total() - count[None]
    parts = [f"{count['as expected']} of {measured} measured as expected"]
    if not measured:
        parts = ["nothing measured"]
    parts += [f"{count[word]} {word}" for word in ("worse", "better") if count[word]]
    parts += [f"{count[None]} not measured"] if measured and count[None] else []
    parts += [f"{unreadable} unreadable"] if unreadable else []
    parts += [f"{outdated} with other properties"] if outdated else []
    parts += [f"{by_others} by others"] if by_others else []
    colors = {
        "red": count["worse"],
        "yellow": unreadable or outdated,
        "lightgrey": not measured,
        "blue": count["better"],
    }
    color = next((color for color, is_it in colors.items() if is_it), "brightgreen")
    badge = {"label": "paddle matrix", "message": ", ".join(parts), "color": color}
    return {"schemaVersion": 1, **badge}


def release_span(chosen: Collection[str], ordered: Sequence[str]) -> str:
    """'2.2.2-2.3.2, 3.3.1': those of the ordered that are chosen; neighbours are joined."""
    runs = [list(run) for there, run in groupby(ordered, lambda name: name in chosen) if there]
    return ", ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs)


@dataclass(frozen=True)
class MatrixView:
    """All that the templates show."""

    records: list[Record]
    errors: list[str]
    """One line for each file that is not a record to show."""
    known: Known
    fixture: Fixture
    suite: str
    """The digest of today's properties."""
    reports: Sequence[FieldReport]
    stand_ins: bool
    """Whether the records were made with a stand-in device."""
    answers: Sequence[WheelAnswer] = ()
    """What wheels say by their own code."""

    @cached_property
    def letters(self) -> dict[Host, str]:
        """H1, H2, ... for each host, the one with the most records first."""
        count = Counter(record.host for record in self.records)
        ranked = sorted(count, key=lambda host: (-count[host], host.slug))
        return {host: f"H{number}" for number, host in enumerate(ranked, start=1)}

    @cached_property
    def rows(self) -> dict[Kind, list[Row]]:
        """Of each kind, newest release first; on the CPU also the releases without a record."""
        count = Counter(record.cell for record in self.records)
        rows = [
            Row(
                *(r.release, r.kind, r, self.letters[r.host], judge(r, self.known)),
                several=count[r.cell] > 1 or r.provenance == "sent in",
                outdated=r.conditions is not None and r.conditions.suite != self.suite,
            )
            for r in self.records
        ]
        listed = [Row(r.version, "cpu") for r in self.fixture.release if "cpu" in r.places]
        rows += [row for row in listed if row.cell not in count]
        rows.sort(key=lambda row: ([-part for part in in_order(row.release)], row.source))
        return {kind: [row for row in rows if row.kind == kind] for kind in KINDS}

    @property
    def all_rows(self) -> list[Row]:
        return [row for kind in KINDS for row in self.rows[kind]]

    @property
    def own_rows(self) -> list[Row]:
        return [row for row in self.all_rows if not row.by_others]

    @property
    def by_others(self) -> list[Row]:
        return [row for row in self.all_rows if row.by_others]

    @property
    def outdated(self) -> list[Row]:
        return [row for row in self.all_rows if row.outdated]

    @property
    def measured(self) -> list[Row]:
        """The rows that have a record, be it one that says why nothing ran."""
        return [row for row in self.all_rows if row.record]

    @property
    def resolved(self) -> list[Row]:
        """The rows of fresh environments, of which it is told what pip resolved."""
        return [row for row in self.rows["fresh"] if row.record and row.record.resolution]

    def shown(self, kind: Kind) -> list[Row]:
        """The rows of the tables: on the GPU those that are judged; the rest is `not run`."""
        return [row for row in self.rows[kind] if kind != "gpu" or row.judgement.standing]

    @property
    def verdicts(self) -> Counter[str]:
        """How many cells came to what; those of others are not among them."""
        return Counter(row.verdict for row in self.own_rows)

    @property
    def badge(self) -> dict[str, object]:
        standings = [row.judgement.standing for row in self.own_rows]
        outdated = sum(row.outdated for row in self.own_rows)
        return badge_of(standings, len(self.errors), outdated, len(self.by_others))

    @property
    def newest(self) -> Record | None:
        measured = (record for record in self.records if record.not_run is None)
        return max(measured, key=lambda record: record.measured_at, default=None)

    def groups(self, kind: Kind) -> dict[str, dict[str, dict[str, str]]]:
        """The table of each group: the titles of its properties, each with the keys of its results.

        A key comes with its parameter, or ''. All are in the order of the records.
        """
        groups: dict[str, dict[str, dict[str, str]]] = {}
        for result in (result for row in self.rows[kind] for result in row.results.values()):
            title, parameter = parts_of(result.name)
            groups.setdefault(result.group, {}).setdefault(title, {})[result.key] = parameter
        return groups

    def classes(self, kind: Kind) -> list[str]:
        """The classes of host of a kind of cell, each a column."""
        found = {row.record.host_class for row in self.rows[kind] if row.record}
        return sorted((name for name in found if name), key=class_order)

    def lines(self, kind: Kind) -> dict[str, ReleaseLine]:
        """The releases that have a row here, a build or a field report; the newest first."""
        rows = grouped(self.rows[kind], lambda row: row.release)
        named, reports = set(rows), self.reports if kind == "gpu" else ()
        if kind == "gpu":
            named |= {release.version for release in self.fixture.release if release.gpu_builds}
            named |= {release for report in reports for release in report.exact}
        return {
            release: ReleaseLine(rows.get(release, []), [r for r in reports if r.concerns(release)])
            for release in sorted(named, key=in_order, reverse=True)
        }

    @property
    def wheels(self) -> dict[str, WheelLine]:
        """What the wheels on PyPI have for each card, by the releases that have the same."""
        lines = wheel_lines(self.fixture)
        alike = grouped(lines, lines.__getitem__)
        spans = {release_span(some, list(lines)): line for line, some in alike.items()}
        return dict(reversed(spans.items()))

    @property
    def asked(self) -> dict[str, dict[System, Answer]]:
        """What the builds' own code says of the reported defect, by system; alike ones together."""
        found = {
            build: tuple((system, one.answer) for system, one in sorted(answers.items()))
            for build, answers in reversed(by_build(self.answers).items())
        }
        alike = grouped(found, found.__getitem__)
        spans = {release_span(some, list(found)): dict(pairs) for pairs, some in alike.items()}
        return dict(reversed(spans.items()))

    def asked_of(self, release: str) -> dict[System, Answer]:
        """What the build of PyPI says by system, of a release that has one."""
        found = by_build(self.answers).get(release, {})
        return {system: answer.answer for system, answer in sorted(found.items())}

    @cached_property
    def failures(self) -> list[Sighting]:
        return [failure for row in self.all_rows for failure in row.failures.values()]

    @property
    def explained(self) -> dict[Bug, list[Sighting]]:
        """The failures that a bug explains, by the bug."""
        return {
            cause: failures
            for cause, failures in grouped(self.failures, lambda seen: seen.cause).items()
            if isinstance(cause, Bug)
        }

    @property
    def sightings(self) -> list[Sighting]:
        return [seen for row in self.measured for seen in row.sightings]

    @property
    def refusals(self) -> dict[tuple[Explanation | None, str], list[Sighting]]:
        """What the releases do not offer, by what explains it and by their words."""
        refused = [seen for seen in self.sightings if seen.result.outcome == "unsupported"]
        return grouped(refused, lambda seen: (seen.cause, seen.words[0]))

    @property
    def once(self) -> dict[str, list[Sighting]]:
        """What died once and not when alone, by its words."""
        return grouped([s for s in self.sightings if s.once], lambda seen: seen.once)

    @property
    def conditions(self) -> list[list[Row]]:
        """The rows that were measured, those under the same conditions together."""
        told = [(row.record.conditions, row) for row in self.measured if row.record]
        alike = grouped(
            [(c.model_dump_json(exclude={"outcomes"}), row) for c, row in told if c],
            lambda pair: pair[0],
        )
        return [[row for _, row in pairs] for pairs in alike.values()]

    @property
    def not_refused(self) -> list[tuple[str, list[str], list[str]]]:
        """What releases are said not to offer: the cells where it holds, or is no property."""
        patterns = [(p, refusal) for refusal in self.known.not_offered for p in refusal.properties]
        found = [
            (
                pair[0],
                [row.where for row in self.measured if pair in row.judgement.gone],
                [row.where for row in self.measured if pair in row.judgement.absent],
            )
            for pair in patterns
        ]
        return [
            (pattern, holding, absent) for pattern, holding, absent in found if holding or absent
        ]

    @property
    def mended(self) -> dict[str, list[str]]:
        """What was mended, with the cells in which it was."""
        cells: dict[str, list[str]] = {}
        for row in self.measured:
            environment = row.record.environment if row.record else None
            for line in environment.mended if environment else ():
                cells.setdefault(line, []).append(row.where)
        return {line: list(dict.fromkeys(found)) for line, found in cells.items()}

    def cells_of(self, failures: Sequence[Sighting]) -> str:
        """'cpu 2.2.2-2.3.2, 3.3.1': where these were seen; what others saw by itself."""
        parts = []
        for kind, mark in product(KINDS, ("", f" {BY_OTHERS}")):
            here = [f.record for f in failures if f.where == f"{f.record.cell}{mark}"]
            seen = {record.release for record in here if record.kind == kind}
            ordered = dict.fromkeys(row.release for row in reversed(self.rows[kind]))
            parts += [f"{kind} {release_span(seen, list(ordered))}{mark}"] if seen else []
        return "; ".join(parts)

    def span(self, failures: Sequence[Sighting]) -> str:
        """`cells_of` several; of a single failure its cell and host, 'cpu-2.2.2 H1'."""
        first, *others = failures
        return self.cells_of(failures) if others else f"{first.record.cell} {first.source}"


def view_of(
    folders: Sequence[Path],
    known: Known,
    fixture: Fixture,
    suite: str,
    reports: Sequence[FieldReport] = (),
    stand_ins: bool = False,
) -> MatrixView:
    """The records of these folders, judged and laid out, with what others reported beside them.

    Of the records of one cell, host, build and provenance, the one that stays.
    """
    records: list[Record] = []
    errors: list[str] = []
    for folder in folders:
        found, refused = store.gather(folder, stand_ins)
        records += found
        errors += [re.sub(rf"{re.escape(str(folder))}[/\\]+", "", line) for line in refused]
    shown = store.staying(records)
    return MatrixView(shown, errors, known, fixture, suite, reports, stand_ins)
