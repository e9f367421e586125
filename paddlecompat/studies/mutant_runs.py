"""Mutants in one release: with each seed, which property kills each, and after how much.

The properties run under the plugin `tests/properties/programs/run_mutants.py`. What they saw is
kept under `.nox/mutation`, and read again as long as nothing that it depends on has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from paddlecompat.cells import option_set, suite
from paddlecompat.cells.suite import Request
from paddlecompat.cells.workers import last_words
from paddlecompat.fixtures.forms import Model, read_kept, write_kept
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import MUTATION
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.study_results import PropertyKill

BATCH = 100  # mutants of one process; after each batch what it saw is kept
LIMIT = 3600  # seconds for one mutant: all its properties, with all its seeds
# No run depends on these programs.
OTHER_PROGRAMS = ("advised", "follow_advice", "reg_ranges", "time_properties", "short_scripts")
PLUGIN = ("-p", "properties.programs.run_mutants")


class Sight(Model):
    """What came of a mutant with one seed."""

    seed: int
    outcome: Literal["killed", "died", "survived", "not reached", "absent", "broken"]
    """`died`: the process did, which kills the mutant, too. `not reached`: nothing calls the
    function; `absent`: the release has not got it; `broken`: an error of the mutant's own."""
    killer: str | None = None
    """The property, by its node id, as are all here."""
    examples: float = 0
    seconds: float = 0.0
    """Examples and CPU seconds of the killer, until it failed."""
    spent: float = 0.0
    """CPU seconds in all, with the properties that were asked before, and without the mutant."""
    message: str = ""
    targets: list[str] = []
    """The functions that the mutant stands for in this release."""

    @property
    def kills(self) -> bool:
        return self.outcome in ("killed", "died")


class Judged(Model, extra="ignore"):
    """What came of a property: without a mutant, and then under one after the other."""

    plain: str
    """How it ends without a mutant, as in a record; `died`: its process did."""
    calls: int = 0
    examples: int = 0
    seconds: float = 0.0
    """Of CPU, without a mutant."""
    kill: PropertyKill | None = None
    """None: no mutant made it fail."""


class Sights(Model):
    """The form in which they are kept."""

    version: Literal[2]
    seen: list[Sight]


class Judgements(Model):
    """The form in which they are kept, by the properties' node ids."""

    version: Literal[2]
    seen: dict[str, Judged]


@dataclass(frozen=True)
class Runs:
    """How mutants are tried in a release."""

    python: Path
    asked: Request
    seeds: int = 10
    fresh: bool = False
    """Whether also what was kept is made anew."""
    poisoned: bool = True
    folder: Path = MUTATION

    def try_mutants(self, names: Sequence[str]) -> Iterator[tuple[str, list[Sight]]]:
        """What each mutant came to with each seed; after the first that it survives no other runs.

        Raises as `suite.run_pytest`.
        """
        waiting = []
        for name in names:
            before = None if self.fresh else read_kept(Sights, self.kept(name))
            if before:
                yield name, before.seen
            else:
                waiting.append(name)
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            found = self.run(batch, [f"mutants::{name}" for name in batch], mutants=True)
            for name in batch:
                seen = list(sights_of(found.get(f"mutants::{name}", []), self.seeds))
                write_kept(self.kept(name), Sights(version=2, seen=seen))
                yield name, seen

    def judge_properties(self, names: Sequence[str], only: Sequence[str] = ()) -> dict[str, Judged]:
        """Every property, or only these: whether it holds without a mutant, and fails with one."""
        kept = self.kept("", *names, *only)
        if not self.fresh and (before := read_kept(Judgements, kept)):
            return before.seen
        found = self.run(names, only, mutants=False)
        seen = {nodeid: Judged.model_validate(last) for nodeid, (*_, last) in found.items()}
        write_kept(kept, Judgements(version=2, seen=seen))
        return seen

    def run(
        self, names: Sequence[str], only: Sequence[str], mutants: bool
    ) -> dict[str, list[dict[str, Any]]]:
        """What was reported of each node id, a mutant's or a property's; or its death."""
        folder = self.folder / "runs" / self.python.parent.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / "mutants.json"
        listed.write_text(json.dumps(list(names)), encoding="utf-8")
        plugin = [*PLUGIN, f"--mutants={listed.absolute()}", f"--seeds={self.seeds}"]
        plugin += [] if self.poisoned else ["--unpoisoned"]
        plugin += [] if mutants else ["--judge"]
        options = replace(self.asked.options, timeout=LIMIT)
        asked = replace(self.asked, options=options)
        found: dict[str, list[dict[str, Any]]] = {}
        for report in suite.run_pytest(self.python, asked, folder, plugin, only).reports:
            said = report.found.get("mutation")
            killer = last_words(report.log.with_suffix(".journal")).get("property")
            died = {"outcome": "died", "killer": killer, "plain": "died"}
            message = report.found["property"].get("message", "")
            found.setdefault(report.nodeid, []).append(said or {**died, "message": message})
        return found

    def kept(self, mutant: str, *more: str) -> Path:
        """The file for what a mutant came to, by all that this depends on."""
        options, seeds = self.asked.options, self.seeds
        depends = (str(self.python), mutant, more, options, PROFILES[options.profile], seeds)
        digest = sha256(repr((*depends, self.poisoned)).encode())
        for source in sources_of(mutant):
            digest.update(source.read_bytes())
        return self.folder / f"{digest.hexdigest()[:20]}.json"


def sources_of(mutant: str) -> list[Path]:
    """The sources that a run depends on; of the catalogue's modules the one that the mutant is in.

    Without a mutant all of them.
    """
    path, separator, _ = mutant.rpartition("::")
    mine = option_set.mutants().get(mutant)
    every = [p for p in sorted(PROPERTIES.rglob("*.py")) if p.stem not in OTHER_PROGRAMS]
    others = {p for p in PROPERTIES.glob("mutants/of_*.py") if mutant and p != mine}
    return [*(p for p in every if p not in others), *([Path(path)] if separator else [])]


def sights_of(reports: Sequence[dict[str, Any]], seeds: int) -> Iterator[Sight]:
    """A mutant's sights. A death names no seed: it stands for all those that came to nothing."""
    number = 0
    for said in reports:
        if said["outcome"] != "died":
            yield Sight.model_validate({"seed": number, **said})
            number += 1
            continue
        shown = {name: said[name] for name in ("outcome", "killer", "message")}
        for seed in range(number, seeds):
            yield Sight(seed=seed, **shown)
        return
