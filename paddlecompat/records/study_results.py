"""What two studies found: which properties kill which mutants, and how fast the properties are.

The forms of `reports/mutation.json` and `reports/bench.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from paddlecompat.fixtures.forms import Model, in_order, read_as, write_json
from paddlecompat.folders import REPORTS, STUDIES

MUTATION = STUDIES / "mutation.json"
BENCH = STUDIES / "bench.json"
STALE = "unwritten_when_asked_again"  # runs without poison, too: it shows what the poison is for


class Kill(Model):
    """A property that killed a mutant: with how many seeds, after how much (medians)."""

    seeds: int
    examples: float
    seconds: float
    """Of CPU, of this property alone."""


class MutantResult(Model):
    """What came of a mutant in a release."""

    mutant: str
    targets: list[str]
    """The functions that it stands for, as far as the release has them."""
    about: str
    seeds: int
    """Those that were tried: none after the first with which it survived."""
    killed_with: int
    """The number of seeds with which a property killed it."""
    killed_by: dict[str, Kill]
    """The first property to kill it, of each seed."""
    spent: float = 0.0
    """CPU seconds until it was killed, of all that was asked (median)."""

    @property
    def stands(self) -> bool:
        """Whether it was in place: the release has a function of it, or it killed the process."""
        return bool(self.targets or self.killed_by)

    @property
    def survives(self) -> bool:
        """Whether with some seed there was something to notice, and no property did."""
        return self.stands and self.killed_with < self.seeds

    @property
    def quickest(self) -> float | None:
        """The fewest examples, in the median over seeds, that a property took."""
        return min((kill.examples for kill in self.killed_by.values()), default=None)


class PropertyKill(Model):
    """The first mutant that made a property fail, and after how much; seconds are of CPU."""

    mutant: str
    examples: int
    seconds: float


class Trial(Model):
    """Every mutant in one release."""

    release: str
    profile: str
    seeds: int
    properties: dict[str, PropertyKill | None]
    """Those that hold without a mutant. None: no mutant made it fail."""
    violated_without: list[str]
    mutants: list[MutantResult]
    unpoisoned: MutantResult | None = None
    """One of the mutants again, where no memory was filled before a call."""

    def of(self, mutant: str) -> MutantResult | None:
        return next((result for result in self.mutants if result.mutant == mutant), None)

    @property
    def standing(self) -> list[MutantResult]:
        """The mutants whose function the release has."""
        return [result for result in self.mutants if result.stands]


class MutationResults(Model):
    """The form of `reports/mutation.json`."""

    trials: list[Trial]

    @property
    def vacuous(self) -> list[str]:
        """Properties that hold somewhere, and that no mutant made fail anywhere."""
        able = {name for trial in self.trials for name in trial.properties}
        killing = {n for trial in self.trials for n, kill in trial.properties.items() if kill}
        killing |= {name for t in self.trials for result in t.mutants for name in result.killed_by}
        return sorted(able - killing)

    @property
    def survivors(self) -> list[tuple[str, MutantResult]]:
        """Release and mutant, where the mutant survives though the release could show it."""
        return [
            (trial.release, result)
            for trial in self.trials
            for result in trial.mutants
            if result.survives and not self.able_elsewhere(trial, result)
        ]

    def not_shown(self, trial: Trial) -> list[MutantResult]:
        """The mutants that a release cannot show."""
        surviving = (result for result in trial.mutants if result.survives)
        return [result for result in surviving if self.able_elsewhere(trial, result)]

    def able_elsewhere(self, trial: Trial, result: MutantResult) -> list[str]:
        """The properties that kill the mutant in other releases, where none of them holds here.

        This release is faulty in the same way itself, or does not offer what the fault is in.
        Empty where one of them holds here, or where nothing kills it anywhere.
        """
        others = (other.of(result.mutant) for other in self.trials if other is not trial)
        able = {n for other in others if other for n in other.killed_by}
        return [] if able & set(trial.properties) else sorted(able)


def read_mutation(path: Path = REPORTS / MUTATION.name) -> MutationResults:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(MutationResults, path, "; make it anew with nox -s mutation")


def write_mutation(trials: Sequence[Trial], path: Path = MUTATION) -> None:
    """Keep the figures of these releases, beside those of others that are there already."""
    there = read_mutation(path).trials if path.exists() else []
    write_json(path, latest([*there, *trials]))


def all_trials(path: Path) -> MutationResults:
    """The trials of this file, and the published ones of other releases."""
    published = REPORTS / MUTATION.name
    others = read_mutation(published).trials if published.exists() else []
    return latest([*others, *read_mutation(path).trials])


def latest(trials: Sequence[Trial]) -> MutationResults:
    """Of the trials of each release the last, the oldest release first."""
    kept = {trial.release: trial for trial in trials}
    return MutationResults(trials=[kept[release] for release in sorted(kept, key=in_order)])


class Timed(Model):
    """A property that holds, or several: what was verified, in how many CPU seconds, and where."""

    property: str
    calls: int
    examples: int
    seconds: float
    inside: float
    """The share of time inside Paddle, a lower bound."""
    kill: PropertyKill | None = None
    """The first mutant that makes it fail; of several properties the one that is quickest."""

    @cached_property
    def rate(self) -> float:
        """Verified calls per CPU second."""
        return self.calls / self.seconds if self.seconds else 0.0


class Duel(Model):
    """One change of what a mask selects, and after how much it is noticed; None: it is not."""

    change: str
    ours: PropertyKill | None
    """Of `x[mask]` in Paddle."""
    theirs: PropertyKill | None
    """Of `x[mask]` in NumPy."""


class Contest(Model):
    """Beside the masking test of data-apis/array-api-tests on NumPy, in the same run."""

    commit: str
    numpy: str
    calls: int
    examples: int
    seconds: float
    duels: list[Duel]


class Bench(Model):
    """The form of `reports/bench.json`."""

    release: str
    cpu: str
    profile: str
    properties: list[Timed]
    contest: Contest | None = None
    """None: there was no checkout of array-api-tests, which is in no package registry."""


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
    kills = [timed.kill for timed in found if timed.kill]
    return Timed(
        property=name,
        calls=sum(timed.calls for timed in found),
        examples=sum(timed.examples for timed in found),
        seconds=seconds,
        inside=inside / seconds if seconds else 0.0,
        kill=min(kills, key=lambda kill: kill.seconds, default=None),
    )


def read_bench(path: Path = REPORTS / BENCH.name) -> Bench:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Bench, path, "; make it anew with nox -s bench")


def write_bench(bench: Bench, path: Path = BENCH) -> None:
    write_json(path, bench)
