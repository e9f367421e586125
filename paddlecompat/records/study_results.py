"""What two studies found: which properties kill which mutants, and how fast the properties are.

The forms of `reports/mutation.json` and `reports/bench.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from paddlecompat.fixtures.forms import Model, in_order, read_as, write_text
from paddlecompat.folders import REPORTS, STUDIES

MUTATION = STUDIES / "mutation.json"
BENCH = STUDIES / "bench.json"
STALE = "unwritten_when_asked_again"  # runs without poison, too: it shows what the poison is for


class Kill(Model):
    """A property that killed a mutant: with how many seeds, after how much (medians)."""

    seeds: int
    examples: float
    seconds: float


class MutantResult(Model):
    """What came of a mutant in a release."""

    mutant: str
    targets: list[str]
    """The functions that it stands for, as far as the release has them."""
    about: str
    seeds: int
    killed_with: int
    """The number of seeds with which at least one property killed it."""
    killed_by: dict[str, Kill]
    survived: list[str]
    """The properties that called it and held."""

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


class Trial(Model):
    """Every mutant in one release."""

    release: str
    profile: str
    seeds: int
    whole: bool
    """Whether all its properties were asked, or those alone that hold in no trial before it."""
    properties: list[str]
    """Those that hold without a mutant: where they fail, it is the mutant that they notice."""
    violated_without: list[str]
    mutants: list[MutantResult]
    unpoisoned: MutantResult | None = None
    """One of the mutants again, where no memory was filled before a call."""

    @property
    def survivors(self) -> list[MutantResult]:
        """None where not everything was asked."""
        return [result for result in self.mutants if self.whole and result.survives]

    def of(self, mutant: str) -> MutantResult | None:
        return next((result for result in self.mutants if result.mutant == mutant), None)


class MutationResults(Model):
    """The form of `reports/mutation.json`."""

    trials: list[Trial]

    @property
    def vacuous(self) -> list[str]:
        """Properties that hold somewhere and that killed no mutant anywhere."""
        able = {name for trial in self.trials for name in trial.properties}
        killers = {name for t in self.trials for result in t.mutants for name in result.killed_by}
        return sorted(able - killers)

    @property
    def survivors(self) -> list[tuple[str, MutantResult]]:
        """Release and mutant, where the mutant survives though the release could show it.

        A trial that did not ask everything counts for what stands in none that did.
        """
        whole = {r.mutant for t in self.trials if t.whole for r in t.mutants if r.stands}
        return [
            (trial.release, result)
            for trial in self.trials
            for result in trial.mutants
            if result.survives and (trial.whole or result.mutant not in whole)
            if not self.able_elsewhere(trial, result)
        ]

    def not_shown(self, trial: Trial) -> list[MutantResult]:
        """The mutants that a release which was asked everything cannot show."""
        return [result for result in trial.survivors if self.able_elsewhere(trial, result)]

    def able_elsewhere(self, trial: Trial, result: MutantResult) -> list[str]:
        """The properties that kill the mutant in other releases, where none of them holds here.

        This release is faulty in the same way itself, or does not offer what the fault is in.
        Empty where one of them holds here, or where nothing killed the mutant anywhere.
        """
        others = (other.of(result.mutant) for other in self.trials)
        able = {name for other in others if other for name in other.killed_by}
        return [] if able & set(trial.properties) else sorted(able)


def read_mutation(path: Path = REPORTS / MUTATION.name) -> MutationResults:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(MutationResults, path, "; make it anew with nox -s mutation")


def write_mutation(trials: list[Trial], path: Path = MUTATION) -> None:
    """Keep the figures of these releases, beside those of others that are there already."""
    there = read_mutation(path).trials if path.exists() else []
    write_text(path, latest([*there, *trials]).model_dump_json(indent=1) + "\n")


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


def read_bench(path: Path = REPORTS / BENCH.name) -> Bench:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Bench, path, "; make it anew with nox -s bench")


def write_bench(bench: Bench, path: Path = BENCH) -> None:
    write_text(path, bench.model_dump_json(indent=1) + "\n")
