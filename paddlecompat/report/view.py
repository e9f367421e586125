"""What the report shows, as plain data: the records judged and laid out.

The date is that of the newest record, so the same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.forms import PLACES, Place, in_order
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import store
from paddlecompat.records.judging import Standing, judge, pattern_explaining
from paddlecompat.records.record import Host, Record, class_order
from paddlecompat.report.tables import ReleaseLine, Row, Sighting, grouped, parts_of


def badge_of(standings: Iterable[Standing | None], unreadable: int = 0) -> dict[str, object]:
    """The badge for these cells, as shields.io reads it: None stands for one that was not measured.

    Only cells that were measured count; where none was, there is nothing to be green about. A
    record that cannot be read may hide anything, so it costs the green too.
    """
    count = Counter(standings)
    measured = count.total() - count[None]
    parts = [f"{count['as expected']} of {measured} measured as expected"]
    if not measured:
        parts = ["nothing measured"]
    parts += [f"{count[word]} {word}" for word in ("worse", "better") if count[word]]
    parts += [f"{count[None]} not measured"] if measured and count[None] else []
    parts += [f"{unreadable} unreadable"] if unreadable else []
    colors = {
        "red": count["worse"],
        "yellow": unreadable,
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
    expectations: Sequence[Expectation]
    fixture: Fixture
    reports: Sequence[FieldReport]
    stand_ins: bool
    """Whether the records were made with a stand-in device."""

    @cached_property
    def letters(self) -> dict[Host, str]:
        """H1, H2, ... for each host, the one with the most records first."""
        count = Counter(record.host for record in self.records)
        ranked = sorted(count, key=lambda host: (-count[host], host.slug))
        return {host: f"H{number}" for number, host in enumerate(ranked, start=1)}

    @cached_property
    def rows(self) -> dict[Place, list[Row]]:
        """Of each place, newest release first; on the CPU also the releases without a record."""
        count, known = Counter(record.cell for record in self.records), self.expectations
        rows = [
            Row(r.release, r.place, r, self.letters[r.host], judge(r, known), count[r.cell] > 1)
            for r in self.records
        ]
        listed = [Row(r.version, "cpu") for r in self.fixture.release if "cpu" in r.places]
        rows += [row for row in listed if row.cell not in count]
        rows.sort(key=lambda row: ([-part for part in in_order(row.release)], row.source))
        return {place: [row for row in rows if row.place == place] for place in PLACES}

    @property
    def all_rows(self) -> list[Row]:
        return [row for place in PLACES for row in self.rows[place]]

    @property
    def measured(self) -> list[Row]:
        """The rows that have a record, be it one that says why nothing ran."""
        return [row for row in self.all_rows if row.record]

    def shown(self, place: Place) -> list[Row]:
        """The rows of the tables: on the GPU those that were measured; the rest is `not run`."""
        return [row for row in self.rows[place] if place == "cpu" or row.judgement.measured]

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(row.verdict for row in self.all_rows)

    @property
    def badge(self) -> dict[str, object]:
        return badge_of((row.judgement.standing for row in self.all_rows), len(self.errors))

    @property
    def newest(self) -> Record | None:
        measured = (record for record in self.records if record.not_run is None)
        return max(measured, key=lambda record: record.measured_at, default=None)

    def groups(self, place: Place) -> dict[str, dict[str, dict[str, str]]]:
        """The table of each group: the titles of its properties, each with the keys of its results.

        A key comes with its parameter, or ''. All are in the order of the records.
        """
        groups: dict[str, dict[str, dict[str, str]]] = {}
        for result in (result for row in self.rows[place] for result in row.results.values()):
            title, parameter = parts_of(result.name)
            groups.setdefault(result.group, {}).setdefault(title, {})[result.key] = parameter
        return groups

    def classes(self, place: Place) -> list[str]:
        """The classes of host of a place, each a column."""
        found = {row.record.host_class for row in self.rows[place] if row.record}
        return sorted((name for name in found if name), key=class_order)

    def lines(self, place: Place) -> dict[str, ReleaseLine]:
        """The releases that have a row here, a build or a field report; the newest first."""
        rows = grouped(self.rows[place], lambda row: row.release)
        named, reports = set(rows), self.reports if place == "gpu" else ()
        if place == "gpu":
            named |= {release.version for release in self.fixture.release if release.gpu_builds}
            named |= {release for report in reports for release in report.exact}
        return {
            release: ReleaseLine(rows.get(release, []), [r for r in reports if r.concerns(release)])
            for release in sorted(named, key=in_order, reverse=True)
        }

    @cached_property
    def failures(self) -> list[Sighting]:
        return [failure for row in self.all_rows for failure in row.failures.values()]

    @property
    def refusals(self) -> list[Sighting]:
        """What the releases do not offer."""
        return [
            Sighting(row.record, row.source, result)
            for row in self.measured
            for result in row.results.values()
            if row.record and result.outcome == "unsupported"
        ]

    @property
    def mended(self) -> dict[str, list[str]]:
        """What was mended, with the cells in which it was."""
        cells: dict[str, list[str]] = {}
        for row in self.measured:
            environment = row.record.environment if row.record else None
            for line in environment.mended if environment else ():
                cells.setdefault(line, []).append(row.cell)
        return {line: list(dict.fromkeys(found)) for line, found in cells.items()}

    def explained_by(self, expectation: Expectation, pattern: str) -> list[Sighting]:
        """The failures that one pattern of an expectation explains."""
        known = (failure for failure in self.failures if failure.cause == expectation)
        return [f for f in known if pattern_explaining(expectation, f.result) == pattern]

    def cells_of(self, failures: Sequence[Sighting]) -> str:
        """'cpu 2.2.2-2.3.2, 3.3.1': where these were seen."""
        parts = []
        for place in PLACES:
            seen = {f.record.release for f in failures if f.record.place == place}
            ordered = dict.fromkeys(row.release for row in reversed(self.rows[place]))
            parts += [f"{place} {release_span(seen, list(ordered))}"] if seen else []
        return "; ".join(parts)

    def span(self, failures: Sequence[Sighting]) -> str:
        """`cells_of` several; of a single failure its cell and host, 'cpu-2.2.2 H1'."""
        first, *others = failures
        return self.cells_of(failures) if others else f"{first.record.cell} {first.source}"


def view_of(
    folder: Path,
    known: Sequence[Expectation],
    fixture: Fixture,
    reports: Sequence[FieldReport] = (),
    stand_ins: bool = False,
) -> MatrixView:
    """The records of a folder, judged and laid out, with what others reported beside them.

    Of the records of one cell, host and build, the one that stays.
    """
    found, refused = store.gather(folder, stand_ins)
    staying = {r.file_name: r for r in sorted(found, key=store.standing)}
    records = [staying[name] for name in sorted(staying)]
    errors = [re.sub(rf"{re.escape(str(folder))}[/\\]+", "", line) for line in refused]
    return MatrixView(records, errors, known, fixture, reports, stand_ins)
