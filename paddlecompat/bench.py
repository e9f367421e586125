"""How fast the properties are, and how soon they catch a defect: `reports/bench.md`."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from paddlecompat import inside, sensitivity
from paddlecompat.matrix import NOX
from paddlecompat.records import Model, read_as, write_text
from paddlecompat.releases import ROOT, Fixture
from paddlecompat.sensitivity import Line, Sensitivity

RELEASE = "2.6.2"
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


def measure(fixture: Fixture, release: str, profile: str, keyword: str | None, cpu: str) -> Bench:
    """Time the properties in a release's environment, one process, nothing beside it."""
    (cell,) = inside.cpu_cells(fixture, [release])
    print(f"making {cell.name} ready", flush=True)
    python = inside.interpreter_of(cell)
    only = [f"-k={keyword}"] if keyword else []
    print("every property, timed: a minute or two", flush=True)
    timed = lines_from(python, f"{cell.name}-timed", [f"--profile={profile}", *only])
    print("every property, profiled, a few examples each: half a minute", flush=True)
    profiled = lines_from(python, f"{cell.name}-profiled", ["--profile=quick", "--profiled", *only])
    found = [
        Timed(**{**line, "property": name, "inside": profiled[name]["inside"]})
        for name, line in timed.items()
        if name in profiled
    ]
    return Bench(release=release, cpu=cpu, profile=profile, properties=found)


def lines_from(python: Path, name: str, arguments: list[str]) -> dict[str, Line]:
    """What the program said of each property. Raises ValueError where it failed."""
    out = NOX / "bench" / f"{name}.jsonl"
    log = out.with_suffix(".log")
    if inside.run_program(python, "bench.py", [f"--out={out}", *arguments], log):
        raise ValueError(f"the program failed, see {log.relative_to(ROOT)}")
    return {sensitivity.key_of(line): line for line in sensitivity.read_lines(out) if line}


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


def examples_to_catch(measured: Sensitivity) -> float:
    """The median over defects and releases of the quickest property's median examples."""
    quickest = [tried.quickest for trial in measured.trials for tried in trial.defects]
    return statistics.median(number for number in quickest if number is not None)


def conclude(bench: Bench, path: Path | None) -> None:
    """Say each group's speed, and keep the figures where there is a path."""
    for group, lines in lines_of(bench).items():
        print(
            f"{group}: {lines[0].calls:,} calls in {lines[0].seconds:.1f} CPU seconds, "
            f"{lines[0].rate:,.0f} a second, {100 * lines[0].inside:.0f} % of it inside Paddle"
        )
    if path is not None:
        write(bench, path)


def read(path: Path = REPORT) -> Bench:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Bench, path, "; make it anew with nox -s bench")


def write(bench: Bench, path: Path = REPORT) -> None:
    write_text(path, bench.model_dump_json(indent=1) + "\n")
