"""What the ledger of bugs shows: where each was measured, the way around it, and a report on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from paddlecompat.fixtures.bugs import Bug
from paddlecompat.fixtures.forms import Kind, in_order
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.fixtures.uses import Use, names
from paddlecompat.report.bug_pages import bug_scripts as scripts
from paddlecompat.report.facts import grouped
from paddlecompat.report.templates import render_text
from paddlecompat.report.view import MatrixView, Row, Sighting

SHOWN = "shown"


class Neighbour(NamedTuple):
    """A release that was measured and does not show the bug."""

    release: str
    outcome: str
    """What its properties come to: 'holds', 'unsupported', or how they fail for another reason."""


class Range(NamedTuple):
    """The releases that show a bug, the first and the last of them."""

    since: str
    until: str
    before: Neighbour | None
    """The release measured before the first; None where there is none."""
    after: Neighbour | None
    within: tuple[str, ...]
    """Releases between the two that do not show it."""


@dataclass(frozen=True)
class Entry:
    """One bug, with all that was measured of it here."""

    bug: Bug
    view: MatrixView

    @cached_property
    def shown(self) -> list[Sighting]:
        """The failures that it explains."""
        seen = (failure for row in self.view.own_rows for failure in row.failures)
        return [failure for failure in seen if failure.cause == self.bug]

    @cached_property
    def uses(self) -> list[Use]:
        """The uses that need what it makes fail."""
        keys = {failure.result.key for failure in self.shown}
        return [use for use in self.view.facts.uses if any(map(use.needs, keys))]

    @cached_property
    def ranges(self) -> list[tuple[list[tuple[Kind, str]], Range]]:
        """Where it shows: kinds of cells and their systems, together where the releases agree."""
        rows = [row for row in self.view.own_rows if row.record and row.judgement.measured]
        places = grouped(rows, lambda row: (row.kind, row.record.host.system if row.record else ""))
        found = [(place, self.range_in(there)) for place, there in places.items()]
        alike = grouped([(place, span) for place, span in found if span], lambda pair: pair[1])
        return [([place for place, _ in pairs], span) for span, pairs in alike.items() if span]

    def range_in(self, rows: list[Row]) -> Range | None:
        """The releases that show it in these rows; None where none does."""
        outcomes: dict[str, str] = {}
        for row in sorted(rows, key=lambda row: in_order(row.release)):
            if outcomes.get(row.release) != SHOWN and (outcome := self.outcome_in(row)):
                outcomes[row.release] = outcome
        releases = list(outcomes)
        shows = [release for release in releases if outcomes[release] == SHOWN]
        if not shows:
            return None
        first, last = releases.index(shows[0]), releases.index(shows[-1])
        others = [Neighbour(release, outcomes[release]) for release in releases]
        return Range(
            since=shows[0],
            until=shows[-1],
            before=others[first - 1] if first else None,
            after=others[last + 1] if last + 1 < len(others) else None,
            within=tuple(r for r in releases[first : last + 1] if r not in shows),
        )

    def outcome_in(self, row: Row) -> str:
        """SHOWN, or what its properties come to in a cell; '' where they were not asked there."""
        if any(seen.cause == self.bug for seen in row.failures):
            return SHOWN
        if any(where.sometimes and where.concerns(row.release) for where in self.bug.expected):
            return ""  # that it did not show once says nothing
        patterns = [pattern for where in self.bug.expected for pattern in where.properties]
        found = [r for r in row.results.values() if any(names(p, r.key) for p in patterns)]
        order = ("holds", "violated", "crashed", "timed out", "unsupported")
        return next((word for word in order for r in found if r.outcome == word), "")

    @property
    def newest(self) -> str:
        """The newest release that shows it; '' where none does."""
        return max((seen.record.release for seen in self.shown), key=in_order, default="")

    @property
    def since(self) -> str:
        return min((span.since for _, span in self.ranges), key=in_order, default="")

    @cached_property
    def evidence(self) -> Sighting | None:
        """Of the newest release that shows it, the failure with the shortest script.

        It fails as the severity says: one that raises is no picture of a wrong value.
        """
        there = [seen for seen in self.shown if seen.record.release == self.newest]
        return min(there, key=self.rank, default=None)

    def rank(self, seen: Sighting) -> tuple[bool, bool, bool, bool, int]:
        """The best evidence first: of a pinned cell, whose packages serve other releases, too."""
        short = scripts.short_script(seen, self.view.facts.fixture)
        script, fits = short or seen.script, seen.severity == self.bug.severity
        return not script, seen.record.kind != "cpu", not short, not fits, len(script)

    @cached_property
    def script(self) -> str:
        """What shows it in its newest release; '' where no record has one."""
        fixture = self.view.facts.fixture
        return scripts.script_for(self.evidence, fixture) if self.evidence else ""

    @property
    def right(self) -> str:
        """The next release in which the property that showed it holds, in the same kind of cell.

        Else the one with the fix, else the last before; '' where there is none.
        """
        if self.evidence is None:
            return ""
        kind, key = self.evidence.record.kind, self.evidence.result.key
        rows = [row for row in self.view.own_rows if row.kind == kind and key in row.results]
        held = {row.release for row in rows if row.results[key].outcome == "holds"}
        listed = self.view.facts.fixture.release
        fixed = {r.version for r in listed if r.version == self.bug.fixed_in}
        later = {release for release in held if in_order(release) > in_order(self.newest)}
        return min(later or fixed, key=in_order, default="") or max(held, key=in_order, default="")

    @cached_property
    def code(self) -> str:
        """The way around it; '' where there is none."""
        return code_of(self.bug.workaround) if self.bug.workaround else ""

    @property
    def unseen(self) -> Iterator[tuple[str, str, str]]:
        """Patterns that do not show where they are expected: why, the pattern, and the cells."""
        for why in ("gone", "absent"):
            cells = [
                (pattern, row.where)
                for row in self.view.all_rows
                for pattern, cause in getattr(row.judgement, why)
                if cause == self.bug
            ]
            for pattern, pairs in grouped(cells, lambda pair: pair[0]).items():
                yield why, pattern, ", ".join(where for _, where in pairs)


def entries(view: MatrixView) -> list[Entry]:
    """Every bug, those of the newest release first, those that nothing shows yet last."""
    found = (Entry(bug, view) for bug in view.facts.known.bug)
    return sorted(found, key=lambda entry: in_order(entry.newest or "0"), reverse=True)


def render(found: Sequence[Entry]) -> dict[str, str]:
    """The ledger in each language, by the name of its page."""
    pages = {"bugs.md": False, "bugs.zh.md": True}
    return {name: render_text("bugs.md.j2", entries=found, zh=zh) for name, zh in pages.items()}


def report_of(view: MatrixView, name: str) -> str:
    """The body of Paddle's bug form for this bug, or why there is nothing to report.

    Raises ValueError, which lists the bugs, where there is none of this id.
    """
    found = {entry.bug.id: entry for entry in entries(view)}
    if name not in found:
        raise ValueError(f"there is no bug {name!r}; there are {', '.join(found)}")
    newest = max((release.version for release in view.facts.fixture.release), key=in_order)
    entry = found[name]
    here = [seen for seen in entry.shown if seen.record.release == newest]
    template = "bug-report.md.j2" if here else "no-bug-report.txt.j2"
    return render_text(template, entry=entry, bug=entry.bug, newest=newest)


def code_of(workaround: str, suite: Path = PROPERTIES) -> str:
    """The functions that the property of a workaround proves, as they stand in the suite.

    Raises ValueError where there is no such property.
    """
    group, _, name = workaround.partition("::")
    properties = ast.parse((suite / "kernel" / f"test_{group}.py").read_text(encoding="utf-8"))
    source = (suite / "questions" / f"{group}.py").read_text(encoding="utf-8")
    assigned = (node for node in properties.body if isinstance(node, ast.Assign))
    made = [node for node in assigned if name in map(ast.unparse, node.targets)]
    if not made:
        raise ValueError(f"workaround: {workaround!r} is no property of the suite")
    asked = {node.attr for node in ast.walk(made[0]) if isinstance(node, ast.Attribute)}
    functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    questions = [function for name, function in functions.items() if name in asked]
    used = {n.id for q in questions for n in ast.walk(q) if isinstance(n, ast.Name)}
    code = "\n\n\n".join(
        ast.get_source_segment(source, function) or ""
        for name, function in functions.items()
        if name in used
    )
    imports = "import numpy as np\n" if "np." in code else ""
    return f"{imports}import paddle\n\n\n{code}\n"
