"""What users reported when `masked_select` left its output unwritten, and what they could not see.

PP-YOLOE selects its targets with `masked_select`. Where the selection is not written, the targets
are whatever memory held before. The DFL loss has to raise an error then, or to give a loss that is
not finite: otherwise a model is trained on garbage, silently. Targets that happen to lie within
the range cannot be noticed by any release; all others are asked for here.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.case import Case, verify
from properties.cases.loss_cases import REPORTED, dfl_cases_past_the_clip, stale_cases, target_cases
from properties.cases.target_kinds import KINDS
from properties.detection.dfl_questions import dfl_values, wrong_target
from properties.detection.real_head import head_on_stale_targets, head_on_wrong_target
from properties.detection.small_ppyoloe import EPOCHS, REG_RANGE, step_on_stale_targets
from properties.protocol.release_errors import NO_HALF_ON_CPU, NO_INT32_LABELS

NOT_OFFERED = (*NO_HALF_ON_CPU, *NO_INT32_LABELS)

over_kinds = pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, dtype) for dtype, kinds in KINDS.items() for kind in kinds]
)


@given(data=st.data())
def test_unwritten_targets_raise_what_users_reported(data: st.DataObject) -> None:
    verify(data.draw(stale_cases(head_on_stale_targets)))


@pytest.mark.parametrize("assigner", EPOCHS)
def test_a_training_step_over_unwritten_targets_raises_what_users_reported(assigner: str) -> None:
    for label in REPORTED:
        options = {"reg_range": REG_RANGE, "stale": label + 0.5}
        training = {"assigner": assigner, "seed": 0, "label_dtype": "int64"}
        verify(Case(step_on_stale_targets, options={**training, **options}))


@over_kinds
@given(data=st.data())
def test_the_head_does_not_train_on_a_wrong_target(
    kind: str, dtype: str, data: st.DataObject
) -> None:
    verify(data.draw(target_cases(head_on_wrong_target, kind, dtype)), NOT_OFFERED)


@over_kinds
@given(data=st.data())
def test_int32_labels_do_not_train_on_a_wrong_target(
    kind: str, dtype: str, data: st.DataObject
) -> None:
    by_int32_labels = target_cases(wrong_target, kind, dtype, label_dtype="int32")
    verify(data.draw(by_int32_labels), NOT_OFFERED)


@pytest.mark.parametrize("dtype", KINDS)
@given(data=st.data())
def test_targets_between_the_clip_and_the_last_bin_are_not_wrong(
    dtype: str, data: st.DataObject
) -> None:
    verify(data.draw(dfl_cases_past_the_clip(dfl_values, dtype)), NO_HALF_ON_CPU)
