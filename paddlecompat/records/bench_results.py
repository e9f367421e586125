"""How fast the properties are: the form of `reports/bench.json`, and its sums."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from paddlecompat.fixtures.folders import REPORTS, STUDIES
from paddlecompat.fixtures.forms import Model, read_as, write_text

REPORT = STUDIES / "bench.json"
PUBLISHED = REPORTS / "bench.json"


class Timed(Model):
    """A property that holds, or several: what was verified, in how many CPU seconds, and where."""

    property: str
    calls: int
    examples: int
    seconds: float
    inside: float
    """The share of time inside Paddle, a lower bound."""

    @cached_property
    def rate(self) -> float:
        """Verified calls per CPU second."""
        return self.calls / self.seconds if self.seconds else 0.0


class Bench(Model):
    """The form of `reports/bench.json`."""

    release: str
    cpu: str
    profile: str
    properties: list[Timed]


def lines_of(bench: Bench) -> dict[str, list[Timed]]:
    """For each group its whole, then its properties, each with all of its parameters."""
    lines = {}
    for group, some in groupby(bench.properties, lambda timed: timed.property.partition("::")[0]):
        found = list(some)
        by_name = groupby(found, lambda timed: timed.property.partition("[")[0])
        properties = [sum_of(key.partition("::")[2], list(alike)) for key, alike in by_name]
        lines[group] = [sum_of("all", found), *properties]
    return lines


def sum_of(name: str, found: Sequence[Timed]) -> Timed:
    seconds = sum(timed.seconds for timed in found)
    inside = sum(timed.seconds * timed.inside for timed in found)
    return Timed(
        property=name,
        calls=sum(timed.calls for timed in found),
        examples=sum(timed.examples for timed in found),
        seconds=seconds,
        inside=inside / seconds if seconds else 0.0,
    )


def read(path: Path = PUBLISHED) -> Bench:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Bench, path, "; make it anew with nox -s bench")


def write(bench: Bench, path: Path = REPORT) -> None:
    write_text(path, bench.model_dump_json(indent=1) + "\n")
