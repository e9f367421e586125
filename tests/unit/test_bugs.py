"""What `fixtures/bugs.toml` may say, and how a cell compares with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures import bugs, manifest, uses
from paddlecompat.fixtures.bugs import Known
from paddlecompat.records import judging
from paddlecompat.records.record import IMPORTS, NotRun
from paddlecompat.records.subject import Environment

PATTERN = "masked_select::test_selection_is_bit_exact[float32]"
VIOLATED = samples.result(outcome="violated")
REFUSED = samples.result(outcome="unsupported", calls=0)
OTHER = samples.result(name="test_other", outcome="violated")
NOTHING = Known()


# The file.


def test_every_pattern_names_a_property() -> None:
    keys = [IMPORTS, *(listed.key for listed in manifest.load().properties)]
    listed = [samples.result(group=g, name=n) for g, _, n in (key.partition("::") for key in keys)]
    patterns = {pattern for _, where in bugs.load().blocks for pattern in where.properties}
    named = {p for p in patterns if any(uses.names(p, result.key) for result in listed)}
    assert patterns - named == set()


def test_every_workaround_is_a_property() -> None:
    workarounds = {bug.workaround for bug in bugs.load().bug if bug.workaround}
    assert workarounds <= {listed.key for listed in manifest.load().properties}


def test_a_block_is_read_as_written(tmp_path: Path) -> None:
    path, known = tmp_path / "bugs.toml", samples.known(os="Windows", says=["zeros"])
    path.write_text(samples.toml_of(known), encoding="utf-8")
    assert bugs.load(path).bug == list(known.bug)


@pytest.mark.parametrize(
    ("right", "wrong", "place", "fix"),
    [
        ('"2.3.*"', '"2.4"', "expected.0.releases", "'2.4.*'"),
        ('"violated"', '"wrong"', "expected.0.outcome", "'violated', 'crashed' or 'timed out'"),
        ('"https:', '"javascript:', "link", "https://"),
        ("masked_select::", "", "expected.0.properties.0", ".::."),
        ('"silent"', '"loud"', "severity", "'silent'"),
        ('"count-overwrites-grid"', '"Count Grid"', "id", "[a-z0-9]"),
        ('fixed_in = "2.4.0"', "", "block 1", "fixed_in: needed where the state is 'fixed'"),
        ("place =", 'packages = { numpy = "2" }\nplace =', "expected.0.packages", "'>=2'"),
        ("cause =", "casue =", "cause", "Field required"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(
    tmp_path: Path, right: str, wrong: str, place: str, fix: str
) -> None:
    path, text = tmp_path / "mine.toml", samples.toml_of(samples.known())
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.toml: \[\[bug\]\], block 1") as raised:
        bugs.load(path)
    message = str(raised.value)
    assert "\n" not in message
    assert place in message
    assert fix in message


def test_two_bugs_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(samples.toml_of(samples.known()) * 2, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.toml: .*'count-overwrites-grid'"):
        bugs.load(path)


def test_toml_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[[bug]]\nid = [\n")
    with pytest.raises(ValueError, match=r"mine\.toml: .*(line|end of)"):
        bugs.load(path)


# How a cell compares with it.


def test_a_sound_cell_without_a_known_bug_is_as_expected() -> None:
    assert judging.judge(samples.record(), NOTHING).standing == "as expected"


def test_a_violation_that_nothing_explains_is_worse() -> None:
    judgement = judging.judge(samples.record(properties=[VIOLATED]), NOTHING)
    assert (judgement.standing, judgement.new) == ("worse", [VIOLATED])


@pytest.mark.parametrize("outcome", ["crashed", "timed out"])
def test_a_death_that_nothing_explains_is_worse(outcome: str) -> None:
    record = samples.record(properties=[samples.result(outcome=outcome)])
    assert judging.judge(record, NOTHING).standing == "worse"


def test_a_violation_that_one_explains_is_as_expected() -> None:
    known = samples.known()
    judgement = judging.judge(samples.record(properties=[VIOLATED]), known)
    causes = {VIOLATED.key: known.bug[0]}
    assert (judgement.standing, judgement.causes) == ("as expected", causes)


@pytest.mark.parametrize(
    "changes",
    [
        {"releases": ["2.4.*"]},
        {"place": "gpu"},
        {"os": "Windows"},
        {"outcome": "crashed"},
        {"properties": ["masked_select::test_another"]},
    ],
)
def test_a_bug_explains_only_what_it_names(changes: dict[str, object]) -> None:
    record = samples.record(properties=[VIOLATED])
    judgement = judging.judge(record, samples.known(**changes))
    assert judgement.standing == "worse"


def test_a_bracket_in_a_pattern_is_a_bracket() -> None:
    assert uses.names(PATTERN, samples.result().key)
    assert not uses.names(PATTERN, samples.result(name="test_selection_is_bit_exactf").key)


def test_a_series_is_not_a_longer_number() -> None:
    known = samples.known(releases=["2.3.*"])
    assert not judging.concerns(known.bug[0].expected[0], samples.record(release="2.30.0"))


def test_an_expected_violation_that_holds_now_is_better() -> None:
    known = samples.known()
    judgement = judging.judge(samples.record(), known)
    assert (judgement.standing, judgement.gone) == ("better", [(PATTERN, known.bug[0])])


def test_a_violation_that_became_unsupported_is_not_gone() -> None:
    record = samples.record(properties=[REFUSED, samples.result(name="test_other")])
    assert judging.judge(record, samples.known()).gone == []


def test_what_is_no_longer_offered_is_worse() -> None:
    judgement = judging.judge(samples.record([REFUSED, samples.result(name="test_other")]), NOTHING)
    assert (judgement.standing, judgement.new) == ("worse", [REFUSED])


def test_what_is_known_not_to_be_offered_is_as_expected() -> None:
    known = samples.not_offered()
    record = samples.record([REFUSED, samples.result(name="test_other")])
    judgement = judging.judge(record, known)
    causes = {REFUSED.key: known.not_offered[0]}
    assert (judgement.standing, judgement.causes) == ("as expected", causes)


def test_a_cell_that_verified_no_call_is_worse() -> None:
    known = samples.not_offered()
    assert judging.judge(samples.record([REFUSED]), known).standing == "worse"


def test_a_release_that_no_longer_imports_is_worse() -> None:
    record = samples.record([], not_run=NotRun(reason="import failed", detail="no symbol"))
    assert judging.judge(record, NOTHING).standing == "worse"


def test_a_violation_that_comes_and_goes_is_never_gone() -> None:
    known = samples.known(sometimes=True)
    assert judging.judge(samples.record(), known).standing == "as expected"


@pytest.mark.parametrize(("words", "standing"), [("got [0, 0]", "as expected"), ("got 1", "worse")])
def test_a_violation_is_explained_by_its_words_alone(words: str, standing: str) -> None:
    record = samples.record([samples.result(outcome="violated")])
    known = samples.known(says=["no such words", words])
    assert judging.judge(record, known).standing == standing


def test_new_and_gone_together_are_worse() -> None:
    record = samples.record(
        properties=[samples.result(), samples.result(name="test_other", outcome="violated")]
    )
    judgement = judging.judge(record, samples.known())
    assert judgement.gone
    assert judgement.standing == "worse"


def test_a_pattern_that_names_no_property_is_not_gone() -> None:
    stray = samples.known(properties=["masked_select::test_misspelt"])
    judgement = judging.judge(samples.record(), stray)
    assert judgement.standing == "as expected"
    assert judgement.absent == [("masked_select::test_misspelt", stray.bug[0])]


def test_one_cause_explains_all_the_properties_it_names() -> None:
    known = samples.known(properties=[PATTERN, "masked_select::test_other"])
    judgement = judging.judge(samples.record([VIOLATED, OTHER]), known)
    assert judgement.standing == "as expected"
    assert judgement.causes == dict.fromkeys((VIOLATED.key, OTHER.key), known.bug[0])


def test_one_of_the_properties_of_a_cause_is_gone_by_itself() -> None:
    known = samples.known(properties=[PATTERN, "masked_select::test_other"])
    judgement = judging.judge(samples.record([samples.result(), OTHER]), known)
    assert (judgement.standing, judgement.gone) == ("better", [(PATTERN, known.bug[0])])


def test_one_of_the_properties_of_a_cause_is_absent_by_itself() -> None:
    known = samples.known(properties=[PATTERN, "masked_select::test_misspelt"])
    judgement = judging.judge(samples.record([VIOLATED]), known)
    assert judgement.absent == [("masked_select::test_misspelt", known.bug[0])]


@pytest.mark.parametrize(
    ("installed", "standing"),
    [
        ({"NumPy": "2.2.6"}, "as expected"),
        ({"NumPy": "1.26.4"}, "worse"),
        ({"NumPy": "no version"}, "worse"),
        ({}, "worse"),
    ],
)
def test_a_bug_of_a_package_is_judged_by_its_version(
    installed: dict[str, str], standing: str
) -> None:
    environment = Environment(packages=installed, mended=[])
    record = samples.record([VIOLATED], environment=environment)
    assert judging.judge(record, samples.known(packages={"numpy": ">=2"})).standing == standing


@pytest.mark.parametrize(("kind", "standing"), [("fresh", "as expected"), ("cpu", "worse")])
def test_a_bug_of_fresh_environments_is_theirs_alone(kind: str, standing: str) -> None:
    record = samples.record([VIOLATED], cell=f"{kind}-2.3.2")
    assert judging.judge(record, samples.known(environment="fresh")).standing == standing


def test_what_was_not_asked_is_not_absent() -> None:
    lost = samples.result(group="round_trip", outcome="violated")
    record = samples.record([lost], conditions={"not_asked": 200})
    stray = samples.known(properties=[PATTERN, "masked_select::test_later"])
    assert judging.judge(record, stray).absent == []


def test_a_cell_that_did_not_run_has_no_standing() -> None:
    record = samples.record(
        properties=[], not_run=NotRun(reason="no build", detail="no wheel for this platform")
    )
    assert judging.judge(record, samples.known()).standing is None
