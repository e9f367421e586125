"""The box loss of PaddleDetection's own PP-YOLOE head is its papers' L1, GIoU and DFL.

The head selects its positives with `paddle.masked_select`; where that is wrong, so are the losses.
"""

from __future__ import annotations

from itertools import product

from properties.cases.case import holds, holds_for_each
from properties.cases.loss_cases import REG_RANGES, any_box_loss, confident_dfl
from properties.detection import box_loss_questions, real_head

RANGES = list(product(REG_RANGES))

test_losses_match = holds_for_each(real_head.head_losses, RANGES, any_box_loss)
test_gradients_match = holds_for_each(real_head.head_gradients, RANGES, any_box_loss)
test_without_positives_there_is_no_loss = holds_for_each(
    real_head.head_without_positives, RANGES, lambda reg_range: any_box_loss(reg_range, ["none"])
)
test_each_step_of_the_box_loss_matches = holds_for_each(
    box_loss_questions.box_loss_steps, RANGES, any_box_loss
)
test_the_loss_of_a_confident_wrong_prediction_matches = holds(
    real_head.head_dfl, confident_dfl("float32")
)
