"""From what properties saw of a mutant to what is said of it; and the figures committed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paddlecompat.cells.option_set import (
    Options,
    known_mutant,
    mutants,
)
from paddlecompat.cells.suite import Request
from paddlecompat.commands import COMMANDS
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import PUBLISHED, ROOT
from paddlecompat.records import store, study_results
from paddlecompat.records.study_results import (
    Kill,
    MutantResult,
    MutationResults,
    PropertyKill,
    Trial,
)
from paddlecompat.studies import mutation
from paddlecompat.studies.mutant_runs import Judged, Runs, Sight
from paddlecompat.studies.mutation import result_of, try_release

A, B = (f"kernel/test_masked_select.py::test_{name}" for name in "ab")
KEY_A, KEY_B = "masked_select::test_a", "masked_select::test_b"
SELECT = ["paddle.masked_select"]
FIGURES_ARE_OLDER = pytest.mark.xfail(
    strict=True, reason="reports/mutation.json has no generated mutants yet: nox -s mutation"
)
KILL = PropertyKill(mutant="zeros", examples=2, seconds=0.1)


def sight(seed: int, outcome: str, killer: str | None = A, **changes: object) -> Sight:
    """What came of a mutant with a seed."""
    known: dict[str, object] = {"seconds": 0.1, "message": "words", "targets": SELECT}
    known |= {"seed": seed, "outcome": outcome, "killer": killer, "examples": 1, "spent": 0.4}
    return Sight.model_validate(known | changes)


def result(*seen: Sight, mutant: str = "zeros") -> MutantResult:
    return result_of("2.6.2", mutant, seen)


def test_a_mutant_is_killed_with_the_seeds_of_its_killers() -> None:
    found = result(sight(0, "killed"), sight(1, "killed", examples=5, spent=0.6))
    assert (found.killed_with, found.survives, found.spent) == (2, False, 0.5)
    assert found.killed_by == {KEY_A: Kill(seeds=2, examples=3, seconds=0.1)}
    assert found.about.startswith("Shape and dtype are right, every element is 0")


def test_a_death_kills_too() -> None:
    assert result(sight(0, "died", examples=0)).killed_with == 1


def test_a_mutant_survives_a_seed_in_which_nothing_kills_it() -> None:
    found = result(sight(0, "killed"), sight(1, "survived", None))
    assert (found.killed_with, found.survives) == (1, True)


def test_a_mutant_of_what_the_release_has_not_does_not_survive() -> None:
    assert not result(sight(0, "absent", None, targets=[])).survives


@pytest.mark.parametrize(
    ("outcome", "words"), [("broken", "words"), ("not reached", r"no property calls paddle\.m")]
)
def test_a_mutant_that_tells_nothing_is_an_error(outcome: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"mutant zeros in 2.6.2: {words}"):
        result(sight(0, outcome, None))


def test_what_is_generated_says_what_it_does() -> None:
    found = result(sight(0, "killed"), mutant="masked_select: drop last")
    assert found.about == "The last element is missing."


def test_there_are_three_hundred_mutants_and_more() -> None:
    assert len(mutants()) >= 300
    assert {"masked_select: drop last", "zeros"} <= mutants().keys()


def trial(release: str, **changes: object) -> Trial:
    """A release in which one of two properties killed `zeros` with each of two seeds."""
    known: dict[str, object] = {
        "release": release,
        "profile": "quick",
        "seeds": 2,
        "properties": {KEY_A: KILL, KEY_B: None},
        "violated_without": [],
        "mutants": [result(sight(0, "killed"), sight(1, "killed"))],
    }
    return Trial.model_validate(known | changes)


def surviving(*seen: Sight) -> MutantResult:
    return result(*(seen or [sight(0, "survived", None)]))


def absent() -> MutantResult:
    return result(sight(0, "absent", None, targets=[]))


def test_a_property_that_no_mutant_makes_fail_is_vacuous() -> None:
    assert MutationResults(trials=[trial("2.6.2")]).vacuous == [KEY_B]


@dataclass(frozen=True)
class Made(Runs):
    """Runs in a release whose findings are known."""

    python: Path = Path()
    asked: Request = Request("cpu", Options(profile="quick"))  # noqa: RUF009  # it is frozen
    judged: dict[str, Judged] = field(default_factory=dict)
    found: dict[str, list[Sight]] = field(default_factory=dict)

    def try_mutants(self, names: Sequence[str]) -> Iterator[tuple[str, list[Sight]]]:
        return ((name, self.found.get(name, [sight(0, "survived", None)])) for name in names)

    def judge_properties(self, names: Sequence[str], only: Sequence[str] = ()) -> dict[str, Judged]:
        return self.judged


def test_a_release_is_tried_with_every_mutant_and_property(
    capsys: pytest.CaptureFixture[str],
) -> None:
    judged = {
        A: Judged(plain="holds", kill=KILL),
        B: Judged(plain="violated"),
    }
    stale = study_results.STALE
    killed = {"zeros": [sight(0, "killed")], stale: [sight(0, "killed")]}
    runs = Made(seeds=1, judged=judged, found=killed)
    tried = try_release("2.6.2", ["zeros", stale], runs, Made())
    assert [found.mutant for found in tried.mutants] == ["zeros", stale]
    assert tried.unpoisoned is not None
    assert not tried.unpoisoned.killed_by
    assert (tried.properties, tried.violated_without) == ({KEY_A: KILL}, [KEY_B])
    said = f"[1/2] zeros: killed with 1 of 1 seeds, by {KEY_A} after 1 examples, in 0.4 CPU s"
    assert said in capsys.readouterr().out


def test_a_mutant_that_stands_in_no_release_is_an_error() -> None:
    with pytest.raises(ValueError, match="no release has the function of: zeros"):
        mutation.conclude([trial("2.6.2", mutants=[absent()])], None)


def test_what_one_release_has_not_is_no_error_where_another_has_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trials = [trial("2.2.2", mutants=[absent()]), trial("2.6.2")]
    assert mutation.conclude(trials, None) == 0
    assert capsys.readouterr().out == "all were killed\n"


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
        study_results.write_mutation([trial(release, seeds=seeds)], path)
    kept = [(trial.release, trial.seeds) for trial in study_results.read_mutation(path).trials]
    assert kept == [("2.2.2", 1), ("2.6.2", 10)]


def test_what_survived_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mutation.json"
    mine = surviving().model_copy(update={"mutant": "mine"})
    study_results.write_mutation([tried := trial("2.6.2", mutants=[mine])], path)
    assert mutation.conclude([tried], path) == 1
    assert capsys.readouterr().out == "not killed with every seed: mine in 2.6.2\n"


def test_an_unknown_mutant_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"--mutant zeroes: .*nearest are zeros"):
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


@FIGURES_ARE_OLDER
def test_the_whole_catalogue_was_tried() -> None:
    for trial in study_results.read_mutation().trials:
        assert sorted(found.mutant for found in trial.mutants) == sorted(mutants())


def test_three_releases_were_tried_with_ten_seeds() -> None:
    seeds = {trial.release: trial.seeds for trial in study_results.read_mutation().trials}
    assert seeds == dict.fromkeys(mutation.RELEASES, 10)


def test_a_mutant_survives_where_what_can_kill_it_holds() -> None:
    def survivors(*trials: Trial) -> list[str]:
        return [release for release, _ in MutationResults(trials=list(trials)).survivors]

    killed = trial("2.6.2")
    here = trial("2.2.2", mutants=[surviving()])
    not_shown = trial("2.2.2", mutants=[surviving()], properties={KEY_B: None})
    assert survivors(here, killed) == ["2.2.2"]
    assert survivors(not_shown, killed) == []
    assert survivors(not_shown) == ["2.2.2"]


@FIGURES_ARE_OLDER
def test_what_was_tried_is_what_the_records_hold() -> None:
    for trial in study_results.read_mutation().trials:
        (path,) = PUBLISHED.glob(f"cpu-{trial.release}@*.json")
        held = {r.key for r in store.read(path).properties if r.outcome == "holds"}
        assert set(trial.properties) == held


@FIGURES_ARE_OLDER
def test_only_what_waits_for_overwriting_needs_the_poison() -> None:
    for trial in study_results.read_mutation().trials:
        poisoned = trial.of(study_results.STALE)
        assert poisoned is not None
        assert trial.unpoisoned is not None
        assert poisoned.killed_by
        assert not trial.unpoisoned.killed_by


@FIGURES_ARE_OLDER
def test_the_page_names_every_mutant() -> None:
    page = (ROOT / "reports" / "mutation.md").read_text("utf-8")
    assert set(mutants()) <= set(re.findall(r"^\| \*\*(.+?)\*\*<br>", page, re.MULTILINE))


def test_the_suites_own_functions_that_are_replaced_exist() -> None:
    sources = [*PROPERTIES.glob("mutants/*.py"), *PROPERTIES.glob("programs/*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r'= "properties\.([\w.]+)\.(\w+)"', text))
    modules = {name: PROPERTIES / f"{name[0].replace('.', '/')}.py" for name in named}
    functions = {name: source for name, source in modules.items() if source.exists()}
    assert len(functions) == 2
    for (_, function), source in functions.items():
        assert re.search(rf"\b{function}\b", source.read_text(encoding="utf-8")), function
