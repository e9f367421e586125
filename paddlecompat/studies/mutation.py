"""What the properties can see: which mutants they kill, in a few releases, and at what cost."""

from __future__ import annotations

import argparse
import ast
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from paddlecompat.cells import option_set, suite
from paddlecompat.cells.option_set import Options, known_mutant, mutants
from paddlecompat.cells.suite import Request
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Fixture, cell_named
from paddlecompat.machine.command_line import options_from
from paddlecompat.records import study_results
from paddlecompat.records.study_results import Kill, MutantResult, MutationResults, Trial
from paddlecompat.studies.mutant_runs import Runs, Sight

RELEASES = ("2.2.2", "2.6.2", "3.3.1")  # an old and the newest 2.x, and the newest of all


def try_release(release: str, names: Sequence[str], runs: Runs, unpoisoned: Runs) -> Trial:
    """Every mutant in a release; then every property. Raises ValueError as `result_of`."""
    results = []
    for name, seen in runs.try_mutants(names):
        results.append(result_of(release, name, seen))
        count = f"[{len(results)}/{len(names)}]"
        print(f"{count} {name}: {words_on(results[-1])}", flush=True)
    print(f"{release}: every property, without a mutant and with one that it notices", flush=True)
    found = runs.judge_properties(names)
    stale = [name for name in names if name == study_results.STALE]
    return Trial(
        release=release,
        profile=runs.asked.options.profile,
        seeds=runs.seeds,
        properties={
            suite.key_of(nodeid): judged.kill
            for nodeid, judged in found.items()
            if judged.plain == "holds"
        },
        violated_without=[
            suite.key_of(nodeid)
            for nodeid, judged in found.items()
            if judged.plain in ("violated", "died")
        ],
        mutants=sorted(results, key=lambda result: names.index(result.mutant)),
        unpoisoned=next(
            (result_of(release, name, seen) for name, seen in unpoisoned.try_mutants(stale)), None
        ),
    )


def result_of(release: str, mutant: str, seen: Sequence[Sight]) -> MutantResult:
    """What came of a mutant. Raises ValueError where it is broken, or where nothing calls it."""
    for sight in seen:
        if sight.outcome == "broken":
            raise ValueError(f"mutant {mutant} in {release}: {sight.message}")
        if sight.outcome == "not reached":
            named = ", ".join(sight.targets)
            raise ValueError(f"mutant {mutant} in {release}: no property calls {named}")
    killers: dict[str, list[Sight]] = {}
    for sight in seen:
        if sight.kills:
            key = suite.key_of(sight.killer) if sight.killer else "the process"
            killers.setdefault(key, []).append(sight)
    return MutantResult(
        mutant=mutant.rpartition("::")[2],
        targets=next((sight.targets for sight in seen if sight.targets), []),
        about=about(mutant),
        seeds=len(seen),
        killed_with=sum(sight.kills for sight in seen),
        killed_by={
            key: Kill(
                seeds=len(sights),
                examples=statistics.median(sight.examples for sight in sights),
                seconds=round(statistics.median(sight.seconds for sight in sights), 3),
            )
            for key, sights in killers.items()
        },
        spent=round(statistics.median(sight.spent for sight in seen), 3),
    )


def about(mutant: str) -> str:
    """A mutant's docstring, in one line; what is generated says what it does."""
    if (made := option_set.generated_mutants().get(mutant)) is not None:
        return made
    path, _, name = mutant.rpartition("::")
    source = Path(path) if path else mutants()[name]
    return " ".join((ast.get_docstring(option_set.functions(source)[name]) or "").split())


def run(fixture: Fixture, parsed: argparse.Namespace) -> tuple[int, bool]:
    """Try what was asked for: 1 where a mutant survives, and whether the figures were kept.

    They are kept where every mutant met every property, release by release. Raises ValueError for
    wrong options, and as `result_of`; CannotRun where there is no environment.
    """
    if min(parsed.seeds, parsed.jobs) < 1:
        raise ValueError("--seeds and --jobs: at least 1")
    named = [known_mutant(name) for name in parsed.mutants or mutants()]
    whole = not (parsed.mutants or parsed.keyword)
    options = options_from(Options, parsed)
    if options.target and not all("::" in name for name in named):
        raise ValueError("--target is for a --mutant FILE::NAME: those of the suite have their own")
    asked = Request("cpu", options, workers=parsed.jobs)
    trials = []
    for release in parsed.releases or RELEASES:
        python = prepare(cell_named(f"cpu-{release}", fixture), fixture).python
        runs = Runs(python, asked, parsed.seeds, parsed.fresh)
        unpoisoned = replace(runs, seeds=1, poisoned=False)
        trials.append(try_release(release, named, runs, unpoisoned))
        if whole:
            study_results.write_mutation(trials[-1:])
    return conclude(trials, study_results.MUTATION if whole else None), whole


def words_on(result: MutantResult) -> str:
    """What came of a mutant, for the terminal."""
    if not result.stands:
        return "not in this release"
    best = sorted(result.killed_by.items(), key=lambda item: -item[1].seeds)
    by = f"{best[0][0]} after {best[0][1].examples:g} examples" if best else "nothing"
    seeds = f"{result.killed_with} of {result.seeds} seeds"
    return f"killed with {seeds}, by {by}, in {result.spent:.1f} CPU s"


def conclude(trials: Sequence[Trial], path: Path | None) -> int:
    """Say what survived; `path` has the figures of other releases, too. Returns 1 where one does.

    Raises ValueError for a mutant that stands in no release: its function cannot be replaced.
    """
    found = MutationResults(trials=list(trials))
    if path is not None:
        found = study_results.all_trials(path)  # other releases tell what one of them cannot show
    absent = [
        result.mutant
        for result in trials[0].mutants
        if not any(there.stands for trial in found.trials if (there := trial.of(result.mutant)))
    ]
    if absent:
        raise ValueError(f"no release has the function of: {', '.join(absent)}")
    now = {trial.release for trial in trials}
    left = [f"{result.mutant} in {rel}" for rel, result in found.survivors if rel in now]
    print(f"not killed with every seed: {', '.join(left)}" if left else "all were killed")
    return int(bool(left))
