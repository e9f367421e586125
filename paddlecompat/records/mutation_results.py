"""TODO."""

from __future__ import annotations

from pathlib import Path

from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import Model, in_order, read_as, write_text

REPORT = ROOT / "reports" / "sensitivity.json"


STALE = "unwritten_when_asked_again"  # tried without poison, too: it shows what the poison is for


class Catch(Model):
    """A property that caught a defect: with how many seeds, after how much (medians)."""

    seeds: int
    examples: float
    seconds: float


class Tried(Model):
    """What a defect came to in a release."""

    defect: str
    targets: list[str]
    """The functions that it stands in for, as far as the release has them."""
    about: str
    seeds: int
    caught_with: int
    """The number of seeds with which at least one property caught it."""
    caught: dict[str, Catch]
    missed: list[str]

    @property
    def escaped(self) -> bool:
        """Whether a seed went by with something to catch, and nothing caught."""
        return bool(self.targets) and self.caught_with < self.seeds

    @property
    def quickest(self) -> float | None:
        """The fewest examples, in the median over seeds, that a property took."""
        return min((catch.examples for catch in self.caught.values()), default=None)


class Trial(Model):
    """Every defect in one release."""

    release: str
    profile: str
    seeds: int
    whole: bool
    """Whether all its properties were asked, or those alone that hold in no trial before it."""
    properties: list[str]
    """Those that hold without a defect: a failure of theirs is the defect's."""
    violated_without: list[str]
    defects: list[Tried]
    unpoisoned: Tried | None = None
    """One of the defects again, where no memory was filled before a call."""

    def of(self, defect: str) -> Tried | None:
        return next((tried for tried in self.defects if tried.defect == defect), None)


class Sensitivity(Model):
    """The form of `reports/sensitivity.json`."""

    trials: list[Trial]

    @property
    def vacuous(self) -> list[str]:
        """Properties that hold somewhere and that no defect made fail anywhere."""
        able = {name for trial in self.trials for name in trial.properties}
        caught = {name for t in self.trials for tried in t.defects for name in tried.caught}
        return sorted(able - caught)

    @property
    def missed(self) -> list[tuple[str, Tried]]:
        """Release and defect, where a seed went by without anything being caught."""
        return [
            (trial.release, tried)
            for trial in self.trials
            if trial.whole
            for tried in trial.defects
            if tried.escaped and not self.hidden(trial, tried)
        ]

    def shy(self, trial: Trial) -> list[Tried]:
        """The defects that a release asked everything cannot show."""
        escaped = [tried for tried in trial.defects if tried.escaped]
        return [tried for tried in escaped if trial.whole and self.hidden(trial, tried)]

    def hidden(self, trial: Trial, tried: Tried) -> list[str]:
        """Why this release cannot show the defect: what catches it elsewhere, none of which holds.

        The release is faulty in this way itself, or does not offer what the fault is in. Empty
        where something that could catch it holds, or where nothing caught it anywhere.
        """
        others = (other.of(tried.defect) for other in self.trials)
        able = {name for other in others if other for name in other.caught}
        return [] if able & set(trial.properties) else sorted(able)


def read(path: Path = REPORT) -> Sensitivity:
    """The committed figures. Raises ValueError with one line that names the file and the field."""
    return read_as(Sensitivity, path, "; make it anew with nox -s sensitivity")


def write(trials: list[Trial], path: Path = REPORT) -> None:
    """Keep the figures of these releases, beside those of others that are there already."""
    kept = {trial.release: trial for trial in (read(path).trials if path.exists() else [])}
    kept |= {trial.release: trial for trial in trials}
    ordered = sorted(kept.values(), key=lambda trial: in_order(trial.release))
    write_text(path, Sensitivity(trials=ordered).model_dump_json(indent=1) + "\n")
