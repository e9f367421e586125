"""What `fixtures/expectations.toml` may say, and how a cell compares with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

from paddlecompat.fixtures import expectations
from paddlecompat.records import judging
from paddlecompat.records.record import NotRun, PropertyResult

BLOCK = """
[[expectation]]
releases = ["2.3.2", "2.4.*"]
place = "gpu"
properties = ["masked_select::test_selection_is_bit_exact[*]"]
outcome = "violated"
cause = "the count overwrites the launch grid"
means = "every loss may be wrong"
means_zh = "所有损失都可能出错"
link = "https://github.com/PaddlePaddle/Paddle/pull/44181"
os = "Windows"
"""
PATTERN = "masked_select::test_selection_is_bit_exact[float32]"
VIOLATED = samples.result(outcome="violated")
REFUSED = samples.result(outcome="unsupported", calls=0)
OTHER = samples.result(name="test_other", outcome="violated")


def test_the_projects_own_file_loads() -> None:
    assert isinstance(expectations.load(), list)


def test_a_block_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(BLOCK, encoding="utf-8")
    assert expectations.load(path) == [
        samples.expectation(
            releases=["2.3.2", "2.4.*"],
            place="gpu",
            os="Windows",
            properties=["masked_select::test_selection_is_bit_exact[*]"],
        )
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "field", "fix"),
    [
        ('"2.4.*"', '"2.4"', "releases", "'2.4.*'"),
        ('"violated"', '"wrong"', "outcome", "'violated', 'crashed', 'timed out' or 'unsupported'"),
        ('"https:', '"javascript:', "link", "https://"),
        ('"Windows"', '"windows"', "os", "'Windows'"),
        ("masked_select::", "", "properties.0", ".::."),
        (
            '["masked_select::test_selection_is_bit_exact[*]"]',
            "[]",
            "properties",
            "at least 1 item",
        ),
        ("os = ", "so = ", "so", "not permitted"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(
    tmp_path: Path, right: str, wrong: str, field: str, fix: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BLOCK.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.toml: \[\[expectation\]\], block 1: ") as raised:
        expectations.load(path)
    message = str(raised.value)
    assert "\n" not in message
    assert f"block 1: {field}" in message
    assert fix in message


def test_toml_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[[expectation]]\nreleases = [\n")
    with pytest.raises(ValueError, match=r"mine\.toml: .*(line|end of)"):
        expectations.load(path)


def test_a_sound_cell_without_expectations_is_as_expected() -> None:
    assert judging.judge(samples.record(), []).standing == "as expected"


def test_a_violation_that_nothing_explains_is_worse() -> None:
    judgement = judging.judge(samples.record(properties=[VIOLATED]), [])
    assert (judgement.standing, judgement.new) == ("worse", [VIOLATED])


@pytest.mark.parametrize("outcome", ["crashed", "timed out"])
def test_a_death_that_nothing_explains_is_worse(outcome: str) -> None:
    record = samples.record(properties=[samples.result(outcome=outcome)])
    assert judging.judge(record, []).standing == "worse"


def test_a_violation_that_one_explains_is_as_expected() -> None:
    known = samples.expectation()
    judgement = judging.judge(samples.record(properties=[VIOLATED]), [known])
    assert (judgement.standing, judgement.known) == ("as expected", [(VIOLATED, known)])


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
def test_an_expectation_explains_only_what_it_names(changes: dict[str, object]) -> None:
    record = samples.record(properties=[VIOLATED])
    judgement = judging.judge(record, [samples.expectation(**changes)])
    assert judgement.standing == "worse"


def test_a_bracket_in_a_pattern_is_a_bracket() -> None:
    assert judging.names(PATTERN, samples.result())
    assert not judging.names(PATTERN, samples.result(name="test_selection_is_bit_exactf"))


def test_a_series_is_not_a_longer_number() -> None:
    known = samples.expectation(releases=["2.3.*"])
    assert not judging.concerns(known, samples.record(release="2.30.0"))


def test_an_expected_violation_that_holds_now_is_better() -> None:
    known = samples.expectation()
    judgement = judging.judge(samples.record(), [known])
    assert (judgement.standing, judgement.gone) == ("better", [(PATTERN, known)])


def test_a_violation_that_became_unsupported_is_not_gone() -> None:
    record = samples.record(properties=[REFUSED, samples.result(name="test_other")])
    assert judging.judge(record, [samples.expectation()]).gone == []


def test_what_is_no_longer_offered_is_worse() -> None:
    judgement = judging.judge(samples.record([REFUSED, samples.result(name="test_other")]), [])
    assert (judgement.standing, judgement.new) == ("worse", [REFUSED])


def test_what_is_known_not_to_be_offered_is_as_expected() -> None:
    known = samples.expectation(outcome="unsupported")
    record = samples.record([REFUSED, samples.result(name="test_other")])
    judgement = judging.judge(record, [known])
    assert (judgement.standing, judgement.refused) == ("as expected", [(REFUSED, known)])
    assert judgement.known == []


def test_a_cell_that_verified_no_call_is_worse() -> None:
    known = samples.expectation(outcome="unsupported")
    assert judging.judge(samples.record([REFUSED]), [known]).standing == "worse"


def test_a_release_that_no_longer_imports_is_worse() -> None:
    record = samples.record([], not_run=NotRun(reason="import failed", detail="no symbol"))
    assert judging.judge(record, []).standing == "worse"


def test_a_violation_that_comes_and_goes_is_never_gone() -> None:
    known = [samples.expectation(sometimes=True)]
    assert judging.judge(samples.record(), known).standing == "as expected"


@pytest.mark.parametrize(("words", "standing"), [("got [0, 0]", "as expected"), ("got 1", "worse")])
def test_a_violation_is_explained_by_its_words_alone(words: str, standing: str) -> None:
    record = samples.record([samples.result(outcome="violated")])
    known = [samples.expectation(says=["no such words", words])]
    assert judging.judge(record, known).standing == standing


def test_new_and_gone_together_are_worse() -> None:
    record = samples.record(
        properties=[samples.result(), samples.result(name="test_other", outcome="violated")]
    )
    judgement = judging.judge(record, [samples.expectation()])
    assert judgement.gone
    assert judgement.standing == "worse"


def test_a_pattern_that_names_no_property_is_not_gone() -> None:
    stray = samples.expectation(properties=["masked_select::test_misspelt"])
    judgement = judging.judge(samples.record(), [stray])
    assert judgement.standing == "as expected"
    assert judgement.absent == [("masked_select::test_misspelt", stray)]


def test_one_cause_explains_all_the_properties_it_names() -> None:
    known = samples.expectation(properties=[PATTERN, "masked_select::test_other"])
    judgement = judging.judge(samples.record([VIOLATED, OTHER]), [known])
    assert judgement.standing == "as expected"
    assert judgement.known == [(VIOLATED, known), (OTHER, known)]


def test_one_of_the_properties_of_a_cause_is_gone_by_itself() -> None:
    known = samples.expectation(properties=[PATTERN, "masked_select::test_other"])
    judgement = judging.judge(samples.record([samples.result(), OTHER]), [known])
    assert (judgement.standing, judgement.gone) == ("better", [(PATTERN, known)])


def test_one_of_the_properties_of_a_cause_is_absent_by_itself() -> None:
    known = samples.expectation(properties=[PATTERN, "masked_select::test_misspelt"])
    judgement = judging.judge(samples.record([VIOLATED]), [known])
    assert judgement.absent == [("masked_select::test_misspelt", known)]


@pytest.mark.parametrize(
    ("result", "pattern"),
    [
        (VIOLATED, PATTERN),
        (OTHER, "masked_select::*"),
        (samples.result(), None),
        (samples.result(group="nonzero", outcome="violated"), None),
    ],
    ids=["the first of two", "the second alone", "holds", "named by none"],
)
def test_a_violation_is_told_with_the_pattern_that_names_it(
    result: PropertyResult, pattern: str | None
) -> None:
    known = samples.expectation(properties=[PATTERN, "masked_select::*"])
    assert judging.pattern_explaining(known, result) == pattern


def test_a_cell_that_did_not_run_has_no_standing() -> None:
    record = samples.record(
        properties=[], not_run=NotRun(reason="no build", detail="no wheel for this platform")
    )
    assert judging.judge(record, [samples.expectation()]).standing is None
