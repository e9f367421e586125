"""What users met when `masked_select` left its output unwritten, and what they would not have met.

PP-YOLOE's targets are selections. Where one is not written, memory's stale floats become targets,
and it is for the DFL loss to say so: a loss computed from garbage trains a model on it, silently.
Stale floats within the range are beyond any release's notice; all others are asked for here.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.loss_cases import dfl_cases_past_the_clip, verify
from properties.cases.symptom_cases import (
    REPORTED,
    SymptomCase,
    dfl_by_int32_labels,
    head_dfl,
    symptom_cases,
    target_cases,
    verify_noticed,
    verify_symptom,
)
from properties.cases.target_kinds import KINDS
from properties.cases.training_cases import TrainingCase
from properties.detection.small_ppyoloe import EPOCHS
from properties.questions.box_loss_questions import dfl_values

over_kinds = pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, dtype) for dtype, kinds in KINDS.items() for kind in kinds]
)


@given(data=st.data())
def test_unwritten_targets_raise_what_users_reported(data: st.DataObject) -> None:
    verify_symptom(data.draw(symptom_cases()))


@pytest.mark.parametrize("assigner", EPOCHS)
def test_a_training_step_over_unwritten_targets_raises_what_users_reported(assigner: str) -> None:
    for label in REPORTED:
        verify_symptom(SymptomCase(TrainingCase(assigner, seed=0, count=1), label + 0.5))


@over_kinds
@given(data=st.data())
def test_the_head_does_not_train_on_a_wrong_target(
    kind: str, dtype: str, data: st.DataObject
) -> None:
    verify_noticed(data.draw(target_cases(head_dfl, kind, dtype)))


@over_kinds
@given(data=st.data())
def test_int32_labels_do_not_train_on_a_wrong_target(
    kind: str, dtype: str, data: st.DataObject
) -> None:
    verify_noticed(data.draw(target_cases(dfl_by_int32_labels, kind, dtype)))


@pytest.mark.parametrize("dtype", KINDS)
@given(data=st.data())
def test_targets_between_the_clip_and_the_last_bin_are_not_wrong(
    dtype: str, data: st.DataObject
) -> None:
    verify(data.draw(dfl_cases_past_the_clip(dfl_values, dtype)))
