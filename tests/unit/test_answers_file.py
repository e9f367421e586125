"""`reports/answers.json`: the answers as data for others."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import samples
from written_report import CARDS, FIXTURE, Written, write_report

from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.uses import load_uses
from paddlecompat.report.answers import answer
from paddlecompat.report.facts import Facts, Question
from paddlecompat.report.site.answers_file import AnswersFile, ListedAnswer


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_report(tmp_path_factory.mktemp("report"), samples.record())


def read(page: Written, name: str) -> Any:
    return json.loads((page.folder / name).read_text(encoding="utf-8"))


def asked(file: AnswersFile, question: Question) -> ListedAnswer:
    """What the file answers, as a reader of its schema finds it."""
    use = [use.id for use in file.uses].index(question.use)
    place = [place.capability for place in file.places].index(question.capability)
    how, system = file.hows.index(question.how), file.systems.index(question.system)
    release = file.releases.index(question.release)
    return file.answers[file.index[use][release][how][system][place]]


def test_the_answers_are_of_the_published_schema(page: Written) -> None:
    jsonschema.validate(read(page, "answers.json"), read(page, "answers.schema.json"))


@pytest.mark.parametrize("capability", [None, "8.6"])
@pytest.mark.parametrize("use", ["train", "refuse"])
def test_each_question_leads_to_its_answer(page: Written, use: str, capability: str | None) -> None:
    question = Question(
        use=use, release="2.3.2", how="pinned", system="linux", capability=capability
    )
    facts = Facts([samples.record()], Known(), FIXTURE, [], load_uses())
    file = AnswersFile.model_validate(read(page, "answers.json"))
    found, due = asked(file, question), answer(question, facts)
    assert (found.worst, found.basis, found.reason) == (due.worst, due.basis, due.reason)
    command = "" if found.install is None else file.commands[found.install]
    assert command == due.install


def test_every_card_has_a_place(page: Written) -> None:
    places = [place["capability"] for place in read(page, "answers.json")["places"]]
    assert places == [None, *(card.capability for card in CARDS)]


def test_an_answer_stands_once(page: Written) -> None:
    answers = [json.dumps(each) for each in read(page, "answers.json")["answers"]]
    assert len(set(answers)) == len(answers)


def test_an_answer_says_what_happens_in_both_languages(page: Written) -> None:
    answers = read(page, "answers.json")["answers"]
    assert any("held, in 50 compared calls." in each["sentence"] for each in answers)
    assert any("共核对 50 次调用" in each["sentence_zh"] for each in answers)
