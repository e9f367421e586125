"""From the lines of the program to what is said of a defect; and what the committed figures say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from paddlecompat.cells import option_set
from paddlecompat.fixtures import releases
from paddlecompat.records import mutation_results, store
from paddlecompat.records.mutation_results import Catch, Sensitivity, Tried
from paddlecompat.report import pages
from paddlecompat.studies import mutation
from paddlecompat.studies.mutation import Attempt, Request, tried_of

REQUEST = Request(["zeros"], None, 2, "quick", None, 1, False)
ZEROS = Attempt("2.6.2", "zeros")
HEADER = {"targets": ["paddle.masked_select"], "about": "Every element\nis 0."}


def line(name: str, seed: int, outcome: str, examples: int = 1) -> dict[str, Any]:
    node = f"test_masked_select.py::{name}"
    measured = {"examples": examples, "seconds": 0.1, "message": "words"}
    return {"property": node, "seed": seed, "outcome": outcome, **measured}


HOLDING = ["masked_select::test_a", "masked_select::test_b"]


def summary(*lines: dict[str, Any], holding: list[str] = HOLDING) -> Tried:
    return tried_of(ZEROS, [HEADER, *lines, {"ended": True}], holding, REQUEST)


def test_a_defect_is_caught_with_the_seeds_that_some_property_caught_it_with() -> None:
    found = summary(line("test_a", 0, "caught", 1), line("test_a", 1, "caught", 5))
    assert (found.caught_with, found.escaped) == (2, False)
    assert found.caught == {"masked_select::test_a": Catch(seeds=2, examples=3, seconds=0.1)}


def test_a_seed_without_a_catch_is_an_escape() -> None:
    found = summary(line("test_a", 0, "caught"), line("test_a", 1, "missed"))
    assert (found.caught_with, found.escaped) == (1, True)


@pytest.mark.parametrize("outcome", ["caught", "broken"])
def test_what_does_not_hold_without_the_defect_catches_nothing(outcome: str) -> None:
    assert summary(line("test_a", 0, outcome), holding=[]).caught == {}


def test_a_property_that_does_not_call_the_function_neither_catches_nor_misses() -> None:
    found = summary(line("test_a", 0, "not reached"), line("test_b", 0, "missed"))
    assert found.missed == ["masked_select::test_b"]


def test_a_defect_of_a_function_that_the_release_has_not_does_not_escape() -> None:
    lines = [{**HEADER, "targets": []}, line("test_a", 0, "not reached")]
    assert not tried_of(ZEROS, lines, HOLDING, REQUEST).escaped


def test_an_error_of_the_defects_own_is_no_catch() -> None:
    with pytest.raises(ValueError, match=r"zeros, in masked_select::test_a: words"):
        summary(line("test_a", 0, "broken"))


def trial(release: str, seeds: int) -> mutation_results.Trial:
    return mutation_results.Trial(
        release=release,
        profile="quick",
        seeds=seeds,
        whole=True,
        properties=HOLDING,
        violated_without=[],
        defects=[summary(line("test_a", 0, "caught"))],
    )


def test_a_property_that_no_defect_makes_fail_is_vacuous() -> None:
    assert Sensitivity(trials=[trial("2.6.2", 2)]).vacuous == ["masked_select::test_b"]


def test_a_third_release_is_asked_for_what_holds_in_none_before_it() -> None:
    holds = {"2.2.2": ["a"], "2.6.2": ["a", "b"], "3.3.1": ["a", "b", "c"]}
    asked = mutation.asked_in(holds, list(holds))
    assert asked == {"2.2.2": None, "2.6.2": None, "3.3.1": frozenset({"c"})}


def test_a_release_that_is_measured_again_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "sensitivity.json"
    for release, seeds in (("2.6.2", 1), ("2.2.2", 1), ("2.6.2", 10)):
        mutation_results.write([trial(release, seeds)], path)
    kept = [(trial.release, trial.seeds) for trial in mutation_results.read(path).trials]
    assert kept == [("2.2.2", 1), ("2.6.2", 10)]


def test_an_unfinished_run_is_not_taken_for_one_that_ended(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"property": "a"}\n{"ended": tr', encoding="utf-8")
    assert not mutation.ended(mutation.read_lines(path))


def test_an_unknown_defect_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"--defect zeroes: .*zeros"):
        option_set.known_defect("zeroes")


def test_a_defect_from_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no file nowhere\.py"):
        option_set.known_defect("nowhere.py::name")


def test_a_defect_from_a_file_is_known(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def name(true): return true", encoding="utf-8")
    assert option_set.known_defect(f"{path}::name") == f"{path}::name"


def test_a_defect_that_its_file_has_not_is_refused_with_those_it_has(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def mine(true): return true", encoding="utf-8")
    with pytest.raises(ValueError, match="has no such function, but mine"):
        option_set.known_defect(f"{path}::other")


def test_damaged_figures_are_told_by_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "sensitivity.json"
    path.write_text('{"trials": [{}]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"sensitivity\.json: trials\.0\.release: Field required"):
        mutation_results.read(path)


# The figures that are committed.


def test_every_defect_was_caught_with_every_seed() -> None:
    assert [(release, tried.defect) for release, tried in mutation_results.read().missed] == []


def test_every_property_that_holds_was_made_to_fail_by_a_defect() -> None:
    assert mutation_results.read().vacuous == []


def test_the_whole_catalogue_was_tried() -> None:
    for trial in mutation_results.read().trials:
        assert [tried.defect for tried in trial.defects] == option_set.defects()


def test_the_oldest_and_the_newest_2_release_were_tried_with_ten_seeds() -> None:
    listed = [r.version for r in releases.load().release if r.version.startswith("2.")]
    seeds = {trial.release: trial.seeds for trial in mutation_results.read().trials if trial.whole}
    assert (seeds.get(listed[0]), seeds.get(listed[-1])) == (10, 10)


def missed(*trials: mutation_results.Trial) -> list[str]:
    return [release for release, _ in Sensitivity(trials=list(trials)).missed]


def test_a_defect_that_nothing_caught_is_missed_where_something_that_can_catch_it_holds() -> None:
    caught, escaped = trial("2.6.2", 2), trial("2.2.2", 2)
    (zeros,) = escaped.defects
    blind = zeros.model_copy(update={"caught": {}, "caught_with": 0})
    seeing = zeros.model_copy(update={"caught_with": 2})
    caught = caught.model_copy(update={"defects": [seeing]})
    here = escaped.model_copy(update={"defects": [blind]})
    elsewhere = here.model_copy(update={"properties": ["masked_select::test_b"]})
    assert missed(here, caught) == ["2.2.2"]
    assert missed(elsewhere, caught) == []
    assert missed(elsewhere) == ["2.2.2"]


def test_what_was_tried_is_what_the_records_hold() -> None:
    for trial in mutation_results.read().trials:
        (path,) = option_set.RECORDS.glob(f"cpu-{trial.release}@*.json")
        held = {r.key for r in store.read(path).properties if r.outcome == "holds"}
        assert held == set(trial.properties) if trial.whole else held >= set(trial.properties)


def test_only_what_waits_for_overwritten_memory_needs_the_poison() -> None:
    for trial in mutation_results.read().trials:
        poisoned = trial.of(mutation_results.STALE)
        assert poisoned is not None
        assert trial.unpoisoned is not None
        of_selections = re.compile("masked_select::")
        assert any(map(of_selections.match, poisoned.caught)) or not trial.whole
        assert not any(map(of_selections.match, trial.unpoisoned.caught))


def test_the_page_names_every_defect() -> None:
    page = (pages.TEMPLATES.parent.parent / "reports" / "sensitivity.md").read_text("utf-8")
    assert set(option_set.defects()) <= set(re.findall(r"^\| \*\*(\w+)\*\*", page, re.MULTILINE))
