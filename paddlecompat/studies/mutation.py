"""What the properties can see: which of them kill which mutant, in a few releases."""

from __future__ import annotations

import argparse
import ast
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.cells import option_set, suite
from paddlecompat.cells.matrix import what_is_left
from paddlecompat.cells.option_set import Options, known_mutant, mutants
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Fixture, cell_named
from paddlecompat.machine.command_line import options_from
from paddlecompat.records import study_results
from paddlecompat.records.study_results import Kill, MutantResult, MutationResults, Trial
from paddlecompat.studies.mutant_runs import Attempt, Sight, try_mutant

RELEASES = ("2.2.2", "2.6.2", "3.3.1")  # an old and the newest 2.x, and the newest of all
WHOLE = 2  # of them, from the first, are asked every property
Seen = list[Sight]
See = Callable[[Attempt], Seen]


@dataclass(frozen=True)
class Request:
    """What to try."""

    mutants: Sequence[str]
    options: Options
    """How the properties run: the profile, which of them, the target of a mutant from a file."""
    seeds: int = 10
    jobs: int = 1
    fresh: bool = False


def measure(fixture: Fixture, releases: Sequence[str], request: Request) -> list[Trial]:
    """Try every mutant in every release. CannotRun: no environment; ValueError: a broken mutant."""
    cells = [cell_named(f"cpu-{release}", fixture) for release in releases]
    pythons = {cell.release.version: prepare(cell, fixture).python for cell in cells}

    def see(attempt: Attempt) -> Seen:
        seeds = request.seeds if attempt.poisoned else 1
        python = pythons[attempt.release]
        return try_mutant(
            attempt, python, suite.Request("cpu", request.options), seeds, request.fresh
        )

    return trials_of(list(pythons), request, see)


def trials_of(releases: Sequence[str], request: Request, see: See) -> list[Trial]:
    """Every release's trial, by what `see` finds of an attempt."""
    plain = dict(see_all([Attempt(release) for release in releases], request, see))
    held = {release: holding(plain[Attempt(release)]) for release in releases}
    alone = {
        release: dict.fromkeys(sight.key for sight in plain[Attempt(release)] if sight.kills)
        for release in releases
    }
    for release in releases:
        count = f"{len(held[release])} properties hold, {len(alone[release])} fail without a mutant"
        print(f"{release}: {count} and kill none", flush=True)
    asked = properties_to_ask(held)
    attempts = [
        Attempt(release, mutant, only, poisoned)
        for release, only in asked.items()
        for poisoned in (True, False)
        for mutant in request.mutants
        if poisoned or mutant == study_results.STALE  # this one shows what the poison is for
    ]
    results: dict[Attempt, MutantResult] = {}
    for attempt, seen in see_all(attempts, request, see):
        able = list(map(suite.key_of, held[attempt.release]))
        results[attempt] = result_of(attempt, seen, able, request.seeds)
        words = words_on(results[attempt]) if attempt.only != () else "no property to ask"
        print(f"  {words}", flush=True)
    return [
        Trial(
            release=release,
            profile=request.options.profile,
            seeds=request.seeds,
            whole=only is None,
            properties=[suite.key_of(p) for p in held[release] if only is None or p in only],
            violated_without=list(alone[release]),
            mutants=[results[a] for a in attempts if a.release == release and a.poisoned],
            unpoisoned=next(
                (results[a] for a in attempts if a.release == release and not a.poisoned), None
            ),
        )
        for release, only in asked.items()
    ]


def holding(seen: Seen) -> list[str]:
    """The properties, by their node ids, that hold with every seed: there was no mutant."""
    failing = {sight.nodeid for sight in seen if sight.outcome != "survived"}
    return [p for p in dict.fromkeys(sight.nodeid for sight in seen) if p not in failing]


def properties_to_ask(holds: dict[str, list[str]]) -> dict[str, tuple[str, ...] | None]:
    """Which properties each release is asked, by those that hold in each without a mutant.

    All (None) in the first releases; in a later one those that hold in none before it, as those of
    float16 do.
    """
    asked: dict[str, tuple[str, ...] | None] = {}
    before: set[str] = set()
    for number, (release, held) in enumerate(holds.items()):
        asked[release] = None if number < WHOLE else tuple(p for p in held if p not in before)
        before.update(held)
    return asked


def see_all(
    attempts: Sequence[Attempt], request: Request, see: See
) -> Iterator[tuple[Attempt, Seen]]:
    """What was seen in every attempt, as they end; some run side by side. Raises as `see`."""
    started = time.monotonic()
    with ThreadPoolExecutor(request.jobs) as pool:
        futures = {pool.submit(see, attempt): attempt for attempt in attempts}
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                ahead = what_is_left(started, number, len(attempts))
                print(f"[{number}/{len(attempts)}] {futures[future].name}; {ahead}", flush=True)
                yield futures[future], future.result()
        finally:  # an error starts nothing more
            pool.shutdown(cancel_futures=True)


def result_of(
    attempt: Attempt, seen: Sequence[Sight], holding: Collection[str], seeds: int
) -> MutantResult:
    """What came of a mutant, by the properties that hold without it.

    Raises ValueError where it is broken: in one of these, or because it was put in place nowhere.
    """
    assert attempt.mutant is not None
    sights: dict[str, list[Sight]] = {key: [] for key in holding}
    for sight in seen:
        if sight.outcome == "broken" and (sight.key in sights or not sight.targets):
            where = f"{attempt.mutant} in {attempt.release}, {sight.key}"
            raise ValueError(f"mutant {where}: {sight.message}")
        if sight.key in sights:
            sights[sight.key].append(sight)
    kills = {key: [s for s in group if s.kills] for key, group in sights.items()}
    survived = {key for key, group in sights.items() for s in group if s.outcome == "survived"}
    return MutantResult(
        mutant=attempt.mutant.rpartition("::")[2],
        targets=next((sight.targets for sight in seen if sight.targets), []),
        about=about(attempt.mutant),
        seeds=seeds if attempt.poisoned else 1,
        killed_with=len({sight.seed for group in kills.values() for sight in group}),
        killed_by={
            key: Kill(
                seeds=len({sight.seed for sight in group}),
                examples=statistics.median(sight.examples for sight in group),
                seconds=round(statistics.median(sight.seconds for sight in group), 3),
            )
            for key, group in kills.items()
            if group
        },
        survived=[key for key in sights if key in survived and not kills[key]],
    )


def about(mutant: str) -> str:
    """A mutant's docstring, in one line."""
    path, _, name = mutant.rpartition("::")
    source = Path(path) if path else option_set.mutants()[name]
    return " ".join((ast.get_docstring(option_set.functions(source)[name]) or "").split())


def run(fixture: Fixture, parsed: argparse.Namespace) -> tuple[int, bool]:
    """Try what was asked for: 1 where a mutant survives, and whether the figures were kept.

    They are kept where every mutant met every property. Raises ValueError for wrong options.
    """
    if min(parsed.seeds, parsed.jobs) < 1:
        raise ValueError("--seeds and --jobs: at least 1")
    named = [known_mutant(name) for name in parsed.mutants or mutants()]
    whole = not (parsed.mutants or parsed.keyword)
    options = options_from(Options, parsed)
    if options.target and not all("::" in name for name in named):
        raise ValueError("--target is for a --mutant FILE::NAME: those of the suite have their own")
    request = Request(named, options, parsed.seeds, parsed.jobs, parsed.fresh)
    trials = measure(fixture, parsed.releases or RELEASES, request)
    return conclude(trials, study_results.MUTATION if whole else None), whole


def words_on(result: MutantResult) -> str:
    """What came of a mutant, for the terminal."""
    if not result.stands:
        return "not in this release"
    best = sorted(result.killed_by.items(), key=lambda item: item[1].examples)
    quickest = f"{best[0][0]} after {best[0][1].examples:g} examples" if best else "nothing"
    seeds = f"{result.killed_with} of {result.seeds} seeds"
    return f"killed with {seeds}, by {len(best)} properties; quickest: {quickest}"


def conclude(trials: list[Trial], path: Path | None) -> int:
    """Say what survived, and keep all where there is a path. Returns 1 where a mutant survives.

    Raises ValueError where no release has the function of any mutant: then nothing was tried.
    """
    found = MutationResults(trials=trials)
    asked = [trial for trial in trials if trial.whole or trial.properties]
    tried = [(trial.release, result) for trial in asked for result in trial.mutants]
    absent = [f"{result.mutant} in {rel}" for rel, result in tried if not result.stands]
    if len(absent) == len(tried):
        raise ValueError(f"nothing was tried: not in the release: {', '.join(absent)}")
    if path is not None:
        study_results.write_mutation(trials, path)
        found = study_results.all_trials(path)  # other releases tell what one of them cannot show
    now = {trial.release for trial in trials}
    left = [f"{result.mutant} in {rel}" for rel, result in found.survivors if rel in now]
    if absent:
        print(f"not in the release: {', '.join(absent)}")
    every = "all others" if absent else "all"
    print(f"not killed with every seed: {', '.join(left)}" if left else f"{every} were killed")
    return int(bool(left))
