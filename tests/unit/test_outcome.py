"""The exit status says whether a release, its user or the machine is to blame."""

from __future__ import annotations

import json
from typing import get_args

import jsonschema
import pytest
import samples

from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.forms import schema_of
from paddlecompat.records.judging import Outcome, Status, judge, status_of
from paddlecompat.records.record import NotRun, Reason, Record

VIOLATED = samples.result(outcome="violated")
NO_MACHINE = {"no CUDA libraries"}
NO_DEVICE = {
    "no CUDA device",
    "driver too old",
    "device not supported by the build",
    "too little device memory",
    "device in use",
    "device refused",
    "no Wine",
}


def not_run(reason: Reason, place: str = "gpu") -> Record:
    return samples.record([], place=place, not_run=NotRun(reason=reason, detail="why"))


def status(record: Record, known: bool = False, **asked: bool) -> Status:
    bugs = samples.known() if known else Known()
    return status_of(record, judge(record, bugs), **asked)


def test_a_sound_cell_is_as_expected() -> None:
    assert status(samples.record()) == 0


@pytest.mark.parametrize(("known", "expected"), [(False, 1), (True, 0)])
def test_a_violation_fails_unless_it_is_known(known: bool, expected: int) -> None:
    assert status(samples.record([VIOLATED]), known) == expected


@pytest.mark.parametrize(("strict", "expected"), [(False, 0), (True, 1)])
def test_better_fails_only_if_strict(strict: bool, expected: int) -> None:
    assert status(samples.record(), known=True, strict=strict) == expected


def test_strict_leaves_what_is_as_expected_as_it_is() -> None:
    assert status(samples.record([VIOLATED]), known=True, strict=True) == 0


def test_every_reason_has_its_status() -> None:
    assert set(get_args(Reason)) == NO_MACHINE | NO_DEVICE | {"no build", "import failed"}


@pytest.mark.parametrize("require_device", [False, True])
@pytest.mark.parametrize("place", ["cpu", "gpu"])
@pytest.mark.parametrize("reason", sorted(NO_MACHINE))
def test_a_failing_machine_says_nothing_of_a_release(
    reason: Reason, place: str, require_device: bool
) -> None:
    assert status(not_run(reason, place), require_device=require_device) == 3


@pytest.mark.parametrize("place", ["cpu", "gpu"])
def test_a_release_that_cannot_be_imported_fails(place: str) -> None:
    assert status(not_run("import failed", place)) == 1


@pytest.mark.parametrize("reason", sorted(NO_DEVICE | {"no build"}))
def test_a_missing_device_fails_only_if_required(reason: Reason) -> None:
    assert status(not_run(reason)) == 0
    assert status(not_run(reason), require_device=True) == 1


def test_no_build_for_the_cpu_says_nothing_of_a_release() -> None:
    assert status(not_run("no build", "cpu")) == 3


def test_each_status_has_words_of_its_own() -> None:
    assert [status.value for status in Status] == [0, 1, 2, 3]
    assert len({status.words for status in Status}) == 4


def test_an_outcome_is_handed_on_as_json_of_its_form() -> None:
    outcome = Outcome(cell="cpu-2.3.2", status=Status.WORSE, words="unsound")
    text = outcome.model_dump_json()
    jsonschema.validate(json.loads(text), json.loads(schema_of(Outcome)))
    assert json.loads(text)["status"] == 1
    assert Outcome.model_validate_json(text) == outcome


@pytest.mark.parametrize("text", ['{"cell": "x", "words": "y"}', '{"cell": "x", "status": 4}'])
def test_an_outcome_without_a_known_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="status"):
        Outcome.model_validate_json(text)
