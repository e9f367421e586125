"""One mutant in one release: what each property saw of it, with each seed.

The properties run under the plugin `tests/properties/programs/run_mutants.py`. What they saw is
kept under `.nox/mutation`, and read again as long as nothing that it depends on has changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from paddlecompat.cells import option_set, suite
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.suite import Request
from paddlecompat.fixtures.forms import Model, read_kept, write_kept
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import MUTATION
from paddlecompat.records.profiles import PROFILES

QUICKEST = 20  # properties that run with every seed
# No run depends on these programs.
OTHER_PROGRAMS = ("advised", "follow_advice", "reg_ranges", "time_properties")
PLUGIN = ("-p", "properties.programs.run_mutants")


@dataclass(frozen=True)
class Attempt:
    """One mutant in one release; without a mutant it shows what the release itself violates."""

    release: str
    mutant: str | None = None
    only: tuple[str, ...] | None = None
    """The properties that are asked, by their node ids; None: all."""
    poisoned: bool = True

    @property
    def name(self) -> str:
        mutant = (self.mutant or "none").rpartition("::")[2]
        return f"{self.release}-{mutant}{'' if self.poisoned else '-unpoisoned'}"


class Sight(Model):
    """What a property, with one seed, saw of a mutant."""

    nodeid: str
    """The property's."""
    seed: int
    outcome: Literal["killed", "died", "survived", "unsupported", "not reached", "broken"]
    """`died`: the process did, which kills the mutant, too."""
    examples: int = 0
    seconds: float = 0.0
    message: str = ""
    targets: list[str] = []
    """The functions that the mutant stands for in this release."""

    @property
    def kills(self) -> bool:
        return self.outcome in ("killed", "died")

    @property
    def key(self) -> str:
        """The property's name in the records."""
        return suite.key_of(self.nodeid)


class Sights(Model):
    """The form in which they are kept."""

    version: Literal[1]
    seen: list[Sight]


def try_mutant(
    attempt: Attempt,
    python: Path,
    asked: Request,
    seeds: int,
    fresh: bool = False,
    folder: Path = MUTATION,
) -> list[Sight]:
    """Run all with the first seed; with the others the quickest to kill, or all if none kills.

    Without a mutant all that hold with the first seed run with the others, too: what fails with one
    of them fails by itself. What was kept and cannot be read is made anew.

    Raises as `suite.run_pytest`.
    """
    kept = folder / f"{attempt.name}-{fingerprint(attempt, asked.options, seeds)}.json"
    if not fresh and (before := read_kept(Sights, kept)):
        return before.seen
    options = replace(asked.options, mutant=attempt.mutant)
    asked = replace(asked, options=options)
    plugin = [*PLUGIN, *([] if attempt.poisoned else ["--unpoisoned"])]

    def see(seeds: Sequence[int], only: Sequence[str]) -> list[Sight]:
        more = [*plugin, f"--seeds={json.dumps(list(seeds))}"]
        limit = asked.limit * len(seeds)  # a property runs with all of them, one after the other
        longer = replace(asked, options=replace(options, timeout=limit))
        reports = suite.run_pytest(python, longer, folder / attempt.name, more, only).reports
        seen: dict[tuple[str, int], Sight] = {}
        for report in reports:
            found = report.found.get("mutation")
            # A death names no seed: it stands for all those that were not reported before.
            for seed in [found["seed"]] if found else seeds:
                sight = Sight(nodeid=report.nodeid, **(found or {"seed": seed, "outcome": "died"}))
                seen.setdefault((report.nodeid, seed), sight)
        return list(seen.values())

    seen = see([0], attempt.only or ()) if attempt.only != () else []
    others = range(1, seeds)
    if attempt.mutant is None:
        held = [sight.nodeid for sight in seen if sight.outcome == "survived"]
        seen += see(others, held) if others and held else []
    elif others and any(sight.targets for sight in seen):
        dead = [sight for sight in seen if sight.outcome == "died"]
        seen += [sight.model_copy(update={"seed": seed}) for sight in dead for seed in others]
        killing = [sight for sight in seen if sight.outcome == "killed"]
        quickest = sorted(killing, key=lambda sight: sight.examples)[:QUICKEST]
        seen += see(others, [sight.nodeid for sight in quickest] or attempt.only or ())
    write_kept(kept, Sights(version=1, seen=seen))
    return seen


def fingerprint(attempt: Attempt, options: Options, seeds: int) -> str:
    """In a few letters what a run depends on: what is asked, and the sources of the properties.

    Of the catalogue's modules it is the one that the mutant is in.
    """
    digest = sha256(repr((attempt, options, PROFILES[options.profile], seeds)).encode())
    catalogue, mutant = option_set.mutants(), attempt.mutant or ""
    elsewhere = {path for path in catalogue.values() if path != catalogue.get(mutant)}
    every = sorted(PROPERTIES.rglob("*.py"))
    sources = [p for p in every if p not in elsewhere and p.stem not in OTHER_PROGRAMS]
    outside, separator, _ = mutant.rpartition("::")
    for source in [*sources, Path(outside)] if separator else sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
