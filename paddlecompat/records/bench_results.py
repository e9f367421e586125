"""How fast the properties are: the form of `reports/bench.json`, and its sums."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import Model, read_as, write_text

REPORT = ROOT / "reports" / "bench.json"


class Timed(Model):
    """A property that holds: what it verified, in how many CPU seconds, and where they went."""

    property: str
    calls: int
    examples: int
    seconds: float
    inside: float
    """The share of time inside Paddle, a lower bound."""


class Bench(Model):
    """The form of `reports/bench.json`."""

    release: str
    cpu: str
    profile: str
    properties: list[Timed]


@dataclass(frozen=True)
class Sum:
    """A property's parameters taken together, or a whole group."""

    name: str
    calls: int
    seconds: float
    inside: float

    @property
    def rate(self) -> float:
        """Verified calls per CPU second."""
        return self.calls / self.seconds if self.seconds else 0.0


def lines_of(bench: Bench) -> dict[str, list[Sum]]:
    """For each group its whole, then its properties."""
    groups: dict[str, dict[str, list[Timed]]] = defaultdict(lambda: defaultdict(list))
    for timed in bench.properties:
        group, _, name = timed.property.partition("::")
        groups[group][name.partition("[")[0]].append(timed)
    return {
        group: [
            sum_of("all", [timed for found in properties.values() for timed in found]),
            *(sum_of(name, found) for name, found in properties.items()),
        ]
        for group, properties in groups.items()
    }


def sum_of(name: str, found: list[Timed]) -> Sum:
    seconds = sum(timed.seconds for timed in found)
    inside_ = sum(timed.seconds * timed.inside for timed in found)
    return Sum(name, sum(t.calls for t in found), seconds, inside_ / seconds if seconds else 0.0)


def read(path: Path = REPORT) -> Bench:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Bench, path, "; make it anew with nox -s bench")


def write(bench: Bench, path: Path = REPORT) -> None:
    write_text(path, bench.model_dump_json(indent=1) + "\n")
