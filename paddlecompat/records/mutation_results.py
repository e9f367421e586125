"""Which properties killed which mutant, in a few releases: the form of `reports/mutation.json`."""

from __future__ import annotations

from pathlib import Path

from paddlecompat.fixtures.folders import REPORTS, STUDIES
from paddlecompat.fixtures.forms import Model, in_order, read_as, write_text

REPORT = STUDIES / "mutation.json"
PUBLISHED = REPORTS / "mutation.json"
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


def read(path: Path = PUBLISHED) -> MutationResults:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(MutationResults, path, "; make it anew with nox -s mutation")


def write(trials: list[Trial], path: Path = REPORT) -> None:
    """Keep the figures of these releases, beside those of others that are there already."""
    kept = {trial.release: trial for trial in (read(path).trials if path.exists() else [])}
    kept |= {trial.release: trial for trial in trials}
    ordered = sorted(kept.values(), key=lambda trial: in_order(trial.release))
    write_text(path, MutationResults(trials=ordered).model_dump_json(indent=1) + "\n")
