"""What users reported when `masked_select` left its output unwritten, and what they could not see.

Where a selection is not written, PP-YOLOE's targets are what memory held before. The DFL loss has
to raise an error then, or not to be finite: else a model trains on garbage, silently. No release
can notice targets that lie within the range by chance; all others are asked for here.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest

from properties.cases.case import Case, Options, holds, holds_for_each, verify
from properties.cases.loss_cases import REPORTED, dfl_past_the_clip, stale_box_loss, wrong_targets
from properties.cases.target_kinds import GROUPS, KINDS
from properties.detection import box_loss_questions, dfl_questions, real_head
from properties.detection.small_ppyoloe import EPOCHS, REG_RANGE, step_on_stale_targets
from properties.protocol.release_errors import NO_HALF_ON_CPU, NO_INT32_LABELS

NOT_OFFERED = (*NO_HALF_ON_CPU, *NO_INT32_LABELS)
GROUPS_AND_DTYPES = [
    (group, dtype)
    for (dtype, kinds), group in product(KINDS.items(), GROUPS)
    if set(GROUPS[group]) <= set(kinds)
]

test_unwritten_targets_raise_what_users_reported = holds(
    real_head.head_on_stale_targets, stale_box_loss(), most=30
)


@pytest.mark.parametrize("assigner", EPOCHS)
def test_a_training_step_over_unwritten_targets_raises_what_users_reported(assigner: str) -> None:
    training = {"assigner": assigner, "seed": 0, "label_dtype": "int64", "reg_range": REG_RANGE}
    for label in REPORTED:
        verify(Case(step_on_stale_targets, Options({**training, "stale": label + 0.5})))


test_the_head_does_not_train_on_a_wrong_target = holds_for_each(
    real_head.head_on_wrong_target, GROUPS_AND_DTYPES, wrong_targets, NOT_OFFERED, most=100
)
test_int32_labels_do_not_train_on_a_wrong_target = holds_for_each(
    box_loss_questions.wrong_target,
    GROUPS_AND_DTYPES,
    partial(wrong_targets, label_dtype="int32"),
    NOT_OFFERED,
    most=50,
)
test_targets_between_the_clip_and_the_last_bin_are_not_wrong = holds_for_each(
    dfl_questions.dfl_values, product(KINDS), dfl_past_the_clip, NO_HALF_ON_CPU
)
