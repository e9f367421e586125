"""From what properties saw of a mutant to what is said of it; and the figures committed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from paddlecompat.__main__ import COMMANDS
from paddlecompat.cells.option_set import (
    Options,
    known_mutant,
    mutants,
)
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import PUBLISHED, ROOT
from paddlecompat.records import store, study_results
from paddlecompat.records.study_results import Kill, MutantResult, MutationResults, Trial
from paddlecompat.studies import mutation
from paddlecompat.studies.mutant_runs import Attempt, Sight
from paddlecompat.studies.mutation import Request, result_of, trials_of

ZEROS = Attempt("2.6.2", "zeros")
HOLDING = ["masked_select::test_a", "masked_select::test_b"]
SELECT = ["paddle.masked_select"]


def sight(name: str, seed: int, outcome: str, examples: int = 1, **changes: object) -> Sight:
    """What a property of the selection saw in so many examples."""
    known: dict[str, object] = {"seconds": 0.1, "message": "words", "targets": SELECT}
    node = f"kernel/test_masked_select.py::{name}"
    known |= {"nodeid": node, "seed": seed, "outcome": outcome, "examples": examples}
    return Sight.model_validate(known | changes)


def result(*seen: Sight, holding: list[str] = HOLDING) -> MutantResult:
    """What came of `zeros` with two seeds."""
    return result_of(ZEROS, seen, holding, 2)


def test_a_mutant_is_killed_with_the_seeds_of_its_killers() -> None:
    found = result(sight("test_a", 0, "killed", 1), sight("test_a", 1, "killed", 5))
    assert (found.killed_with, found.survives) == (2, False)
    assert found.killed_by == {"masked_select::test_a": Kill(seeds=2, examples=3, seconds=0.1)}
    assert found.about.startswith("Shape and dtype are right, every element is 0")


def test_a_death_kills_too() -> None:
    assert result(sight("test_a", 0, "died", 0)).killed_with == 1


def test_a_mutant_survives_a_seed_in_which_nothing_kills_it() -> None:
    found = result(sight("test_a", 0, "killed"), sight("test_a", 1, "survived"))
    assert (found.killed_with, found.survives) == (1, True)


@pytest.mark.parametrize("outcome", ["killed", "died", "broken"])
def test_what_does_not_hold_without_the_mutant_kills_nothing(outcome: str) -> None:
    assert result(sight("test_a", 0, outcome), holding=[]).killed_by == {}


def test_a_property_that_does_not_reach_the_mutant_is_left_out() -> None:
    found = result(sight("test_a", 0, "not reached"), sight("test_b", 0, "survived"))
    assert found.survived == ["masked_select::test_b"]
    assert found.killed_by == {}


def test_a_mutant_of_what_the_release_has_not_does_not_survive() -> None:
    assert not result(sight("test_a", 0, "not reached", targets=[])).survives


def test_an_error_of_the_mutants_own_is_no_kill() -> None:
    with pytest.raises(ValueError, match=r"zeros in 2.6.2, masked_select::test_a: words"):
        result(sight("test_a", 0, "broken"))


def trial(release: str, seeds: int, **changes: object) -> Trial:
    """A release in which one of two properties killed `zeros`."""
    known: dict[str, object] = {
        "release": release,
        "profile": "quick",
        "seeds": seeds,
        "whole": True,
        "properties": HOLDING,
        "violated_without": [],
        "mutants": [result(sight("test_a", 0, "killed"))],
    }
    return Trial.model_validate(known | changes)


def test_a_property_that_kills_no_mutant_is_vacuous() -> None:
    found = MutationResults(trials=[trial("2.6.2", 2)])
    assert found.vacuous == ["masked_select::test_b"]


def test_a_third_release_is_asked_only_what_is_new_in_it() -> None:
    holds = {"2.2.2": ["a"], "2.6.2": ["a", "b"], "3.3.1": ["a", "b", "c"]}
    assert mutation.properties_to_ask(holds) == {"2.2.2": None, "2.6.2": None, "3.3.1": ("c",)}


def see_by(
    plain: dict[str, list[str]], **mutants: dict[str, list[str]]
) -> Callable[[Attempt], list[Sight]]:
    """What is seen without a mutant and of each: a property's outcomes, seed by seed."""

    def see(attempt: Attempt) -> list[Sight]:
        seen = mutants[attempt.mutant] if attempt.mutant else plain
        return [
            sight(name, seed, outcome)
            for name, outcomes in seen.items()
            for seed, outcome in enumerate(outcomes)
        ]

    return see


def test_every_release_and_mutant_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    def see(attempt: Attempt) -> list[Sight]:
        if attempt.mutant is None:
            return [sight("test_a", 0, "survived"), sight("test_b", 0, "killed")]
        return [sight("test_a", 0, "killed" if attempt.poisoned else "survived")]

    stale = study_results.STALE
    request = Request(["zeros", stale], Options(profile="quick"), seeds=1, jobs=2)
    first, *_, last = trials_of(["2.2.2", "2.6.2", "3.3.1"], request, see)
    assert [found.mutant for found in first.mutants] == ["zeros", stale]
    assert all(found.killed_by for found in first.mutants)
    assert first.unpoisoned is not None
    assert first.unpoisoned.survived == ["masked_select::test_a"]
    assert first.violated_without == ["masked_select::test_b"]
    assert (last.whole, last.properties) == (False, []), "all that holds held before"
    quickest = "quickest: masked_select::test_a after 1 examples"
    assert f"killed with 1 of 1 seeds, by 1 properties; {quickest}" in capsys.readouterr().out


@pytest.mark.parametrize("own", [["killed"], ["survived", "killed"]], ids=["always", "sometimes"])
def test_the_releases_own_violations_are_no_catches(
    own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    see = see_by({"test_a": own}, zeros={"test_a": ["killed", "killed"]})
    (tried,) = trials_of(["2.6.2"], Request(["zeros"], Options(), seeds=2), see)
    assert (tried.properties, tried.violated_without) == ([], ["masked_select::test_a"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "2.6.2: 0 properties hold, 1 fail without a mutant and kill none" in lines
    assert "killed with 0 of 2 seeds, by 0 properties; quickest: nothing" in lines
    assert mutation.conclude([tried], None) == 1


def test_a_mutant_of_what_the_release_has_not_is_said_to_be_that(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def see(attempt: Attempt) -> list[Sight]:
        if attempt.mutant is None:
            return [sight("test_a", 0, "survived")]
        return [sight("test_a", 0, "not reached", targets=[])]

    (tried,) = trials_of(["2.6.2"], Request(["zeros"], Options(), seeds=1), see)
    assert "  not in this release\n" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"nothing was tried: .*: zeros in 2\.6\.2"):
        mutation.conclude([tried], None)
    assert "killed" not in capsys.readouterr().out


def test_what_is_in_no_release_is_not_said_to_be_killed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (zeros,) = trial("2.6.2", 2).mutants
    absent = zeros.model_copy(update={"mutant": "gone", "targets": [], "killed_by": {}})
    killed = zeros.model_copy(update={"killed_with": 2})
    assert mutation.conclude([trial("2.6.2", 2, mutants=[killed, absent])], None) == 0
    said = capsys.readouterr().out
    assert said == "not in the release: gone in 2.6.2\nall others were killed\n"


def test_a_mutant_that_stands_only_where_little_was_asked_can_survive() -> None:
    (zeros,) = trial("3.3.1", 2, whole=False).mutants
    unseen = zeros.model_copy(update={"killed_by": {}, "killed_with": 0})
    absent = unseen.model_copy(update={"targets": []})
    trials = [trial("2.6.2", 2, mutants=[absent]), trial("3.3.1", 2, whole=False, mutants=[unseen])]
    assert mutation.conclude(trials, None) == 1


def test_a_mutant_that_was_put_in_place_nowhere_is_an_error() -> None:
    plain = {"test_a": ["killed"]}  # no property holds that could be broken by it

    def see(attempt: Attempt) -> list[Sight]:
        return see_by(plain)(attempt) if attempt.mutant is None else nowhere

    nowhere = [sight("test_a", 0, "broken", targets=[], message="LookupError: paddle.nope")]
    with pytest.raises(ValueError, match=r"zeros in 2\.6\.2, .*: LookupError: paddle\.nope"):
        trials_of(["2.6.2"], Request(["zeros"], Options(), seeds=1), see)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "0"], "--seeds and --jobs: at least 1"),
        (["--jobs", "0"], "--seeds and --jobs: at least 1"),
        (["--mutant", "zeros", "--target", "paddle.nope"], "--target is for a --mutant FILE::NAME"),
    ],
)
def test_options_that_would_try_nothing_are_refused(arguments: list[str], words: str) -> None:
    parser = COMMANDS["mutation"].parser()
    with pytest.raises(ValueError, match=words):
        mutation.run(releases.load(), parser.parse_args(arguments))


def test_a_release_that_is_measured_again_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mutation.json"
    for release, seeds in (("2.6.2", 1), ("2.2.2", 1), ("2.6.2", 10)):
        study_results.write_mutation([trial(release, seeds)], path)
    kept = [(trial.release, trial.seeds) for trial in study_results.read_mutation(path).trials]
    assert kept == [("2.2.2", 1), ("2.6.2", 10)]


def test_what_came_out_is_said_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mutation.json"
    assert mutation.conclude([trial("2.6.2", 2)], path) == 1
    assert capsys.readouterr().out == "not killed with every seed: zeros in 2.6.2\n"
    assert study_results.read_mutation(path).trials == [trial("2.6.2", 2)]


def test_an_unknown_mutant_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"--mutant zeroes: .*zeros"):
        known_mutant("zeroes")


def test_a_mutant_from_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no file nowhere\.py"):
        known_mutant("nowhere.py::name")


def test_a_mutant_from_a_file_is_known(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def name(true): return true", encoding="utf-8")
    assert known_mutant(f"{path}::name") == f"{path}::name"


def test_a_mutant_that_its_file_has_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def mine(true): return true", encoding="utf-8")
    with pytest.raises(ValueError, match="has no such function, but mine"):
        known_mutant(f"{path}::other")


def test_damaged_mutation_figures_are_told_by_field(tmp_path: Path) -> None:
    path = tmp_path / "mutation.json"
    path.write_text('{"trials": [{}]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"mutation\.json: trials\.0\.release: Field required"):
        study_results.read_mutation(path)


# The figures that are committed.


def test_every_mutant_was_killed_with_every_seed() -> None:
    survivors = study_results.read_mutation().survivors
    assert [(release, found.mutant) for release, found in survivors] == []


def test_every_property_that_holds_killed_a_mutant() -> None:
    assert study_results.read_mutation().vacuous == []


def test_the_whole_catalogue_was_tried() -> None:
    for trial in study_results.read_mutation().trials:
        assert sorted(found.mutant for found in trial.mutants) == sorted(mutants())


def test_two_releases_were_tried_with_ten_seeds() -> None:
    old, new, _ = mutation.RELEASES
    seeds = {
        trial.release: trial.seeds for trial in study_results.read_mutation().trials if trial.whole
    }
    assert (seeds.get(old), seeds.get(new)) == (10, 10)


def test_a_mutant_survives_where_what_can_kill_it_holds() -> None:
    def survivors(*trials: Trial) -> list[str]:
        return [release for release, _ in MutationResults(trials=list(trials)).survivors]

    (zeros,) = trial("2.6.2", 2).mutants
    killed = trial("2.6.2", 2, mutants=[zeros.model_copy(update={"killed_with": 2})])
    unseen = zeros.model_copy(update={"killed_by": {}, "killed_with": 0})
    here = trial("2.2.2", 2, mutants=[unseen])
    not_shown = trial("2.2.2", 2, mutants=[unseen], properties=["masked_select::test_b"])
    assert survivors(here, killed) == ["2.2.2"]
    assert survivors(not_shown, killed) == []
    assert survivors(not_shown) == ["2.2.2"]


NOT_TRIED = ("round_trip::", "workarounds::")
"""Groups that came after the last run of `nox -s mutation`, and are to be tried by the next."""


def test_what_was_tried_is_what_the_records_hold() -> None:
    for trial in study_results.read_mutation().trials:
        (path,) = PUBLISHED.glob(f"cpu-{trial.release}@*.json")
        held = {r.key for r in store.read(path).properties if r.outcome == "holds"}
        assert set(trial.properties) <= held
        left_out = held - set(trial.properties) if trial.whole else set()
        assert all(key.startswith(NOT_TRIED) for key in left_out)


def test_only_what_waits_for_overwriting_needs_the_poison() -> None:
    for trial in study_results.read_mutation().trials:
        poisoned = trial.of(study_results.STALE)
        assert poisoned is not None
        assert trial.unpoisoned is not None
        of_selections = re.compile("masked_select::")
        assert any(map(of_selections.match, poisoned.killed_by)) or not trial.whole
        assert not any(map(of_selections.match, trial.unpoisoned.killed_by))


def test_the_page_names_every_mutant() -> None:
    page = (ROOT / "reports" / "mutation.md").read_text("utf-8")
    assert set(mutants()) <= set(re.findall(r"^\| \*\*(\w+)\*\*", page, re.MULTILINE))


def test_the_suites_own_functions_that_are_replaced_exist() -> None:
    sources = [*PROPERTIES.glob("mutants/*.py"), *PROPERTIES.glob("programs/*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r'= "properties\.([\w.]+)\.(\w+)"', text))
    assert len(named) == 2
    for module, function in named:
        source = (PROPERTIES / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert re.search(rf"\b{function}\b", source), function
