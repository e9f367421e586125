"""What a release means for a use on a machine: real questions, answered by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import samples
import tomllib

from paddlecompat.commands import view_on
from paddlecompat.fixtures import manifest, releases, uses
from paddlecompat.folders import PUBLISHED, TESTS
from paddlecompat.report import asked
from paddlecompat.report.answers import answer, answer_of
from paddlecompat.report.asked import Asked
from paddlecompat.report.facts import Facts, Question

QUESTIONS = tomllib.loads((TESTS / "questions.toml").read_text("utf-8"))["question"]
FIELDS = ("worst", "basis", "build", "bugs", "instead")


@pytest.fixture(scope="module")
def facts() -> Facts:
    return view_on([PUBLISHED], releases.load()).facts


@pytest.mark.parametrize("written", QUESTIONS, ids=lambda written: " ".join(written["asked"]))
def test_a_question_has_the_answer_of_its_sources(facts: Facts, written: dict[str, Any]) -> None:
    use, release, how, system, card = written["asked"]
    about = {"use": use, "release": release, "how": how, "system": system}
    question = Question.model_validate(about | {"capability": None if card == "cpu" else card})
    found = answer(question, facts).model_dump()
    due = {name: written[name] for name in FIELDS if name in written}
    assert {name: found[name] for name in due} == due


def test_every_property_belongs_to_a_use() -> None:
    keys = [each.key for each in manifest.load().properties]
    assert [key for key in keys if not any(use.needs(key) for use in uses.load_uses())] == []


def test_every_pattern_of_a_use_names_a_property() -> None:
    keys = [each.key for each in manifest.load().properties] + ["pip::test_paddle_imports"]
    patterns = [pattern for use in uses.load_uses() for pattern in use.properties]
    assert [p for p in patterns if not any(uses.names(p, key) for key in keys)] == []


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("RTX 3090", "8.6"),
        ("NVIDIA GeForce RTX 3070 Laptop GPU", "8.6"),
        ("NVIDIA A100-SXM4-80GB", "8.0"),
        ("Tesla V100-PCIE-16GB", "7.0"),
        ("Tesla T4", "7.5"),
        ("rtx4090", None),
        ("GeForce GTX 1080 Ti", "6.1"),
        ("8.6", "8.6"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
    ],
)
def test_a_card_is_known_by_its_drivers_name(name: str, capability: str | None) -> None:
    assert uses.capability_of(name, uses.load_cards()) == capability


def test_what_was_tested_in_part_is_not_called_right(facts: Facts) -> None:
    missing = "PaddleDetection's head cannot be imported"
    head: dict[str, Any] = {"group": "ppyoloe_head", "name": "test_gradients_match[(0, 17)]"}
    head |= {"outcome": "unsupported", "calls": 0, "message": missing}
    record = samples.record([samples.result(), samples.result(**head)])
    found = answer_of(record, facts.use("train"), replace(facts, records=[record]))
    assert (found.worst, found.reason, found.untested) == ("unknown", "in part", 1)


@pytest.mark.parametrize(
    ("severity", "worst"), [("bits", "bits"), ("error", "error"), (None, "silent")]
)
def test_an_answer_is_as_bad_as_what_was_seen(
    facts: Facts, severity: str | None, worst: str
) -> None:
    failed = samples.record([samples.result(outcome="violated", severity=severity)])
    told = replace(facts, records=[failed], known=samples.known(releases=["2.*"]))
    found = answer_of(failed, facts.use("train"), told)
    assert (found.worst, found.bugs) == (worst, [samples.known().bug[0].id])


# In words.


def ask(facts: Facts, *words: str, language: Any = "en") -> str:
    """The answer to these words, in one line."""
    names = [release.version for release in facts.fixture.release]
    about = asked.read_words(words, names, uses.load_cards(), "linux")
    return " ".join("\n".join(asked.answer_lines(about, facts, language)).split())


def test_a_card_that_pips_wheel_has_no_code_for_is_told(facts: Facts) -> None:
    told = ask(facts, "2.4.2", "RTX 3090", "windows")
    assert "As pip installs it today: silently wrong, from the wheel." in told
    assert "and none for sm_86" in told
    assert "Train PP-YOLOE: right, reported (2)." in told
    assert "paddlepaddle-gpu==2.4.2.post116" in told
    assert told.endswith("nox -s gpu-2.4.2 -- --build 2.4.2.post116")


def test_the_answer_is_in_the_readers_language(facts: Facts) -> None:
    told = ask(facts, "2.6.1", language="zh")
    assert "按今天 pip 的安装结果" in told
    assert "静默出错" in told


def test_an_installed_numpy_2_is_what_is_told_first(facts: Facts) -> None:
    there = Asked("2.6.1", "linux", build="2.6.1", numpy="2.2.6")
    first = asked.answer_lines(there, facts, "en")[1]
    assert first.startswith("As installed, 2.6.1 beside NumPy 2.2.6: silently wrong")


def test_an_installed_numpy_1_is_not_blamed(facts: Facts) -> None:
    there = Asked("2.6.1", "linux", build="2.6.1", numpy="1.26.4")
    assert "Train PP-YOLOE: right, measured" in "\n".join(asked.answer_lines(there, facts, "en"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["2.9.9"], "no such release"),
        (["2.3.2", "foo"], "neither a release"),
        (["windows"], "name a release"),
    ],
)
def test_words_that_are_not_understood_are_named(facts: Facts, words: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ask(facts, *words)


@pytest.mark.parametrize(
    ("flag", "variables", "language"),
    [
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
        (None, {}, "en"),
    ],
)
def test_the_language_is_that_asked_for_or_the_locales(
    flag: str | None, variables: dict[str, str], language: str
) -> None:
    assert asked.language_of(flag, variables) == language
