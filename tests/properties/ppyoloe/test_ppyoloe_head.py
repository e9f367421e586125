"""PaddleDetection's own PP-YOLOE head computes what its papers say, part by part.

The head selects its positives with `paddle.masked_select`; where that is wrong, so is its box loss,
which is its papers' L1, GIoU and DFL.
"""

from __future__ import annotations

from itertools import product

from properties.cases import head_cases
from properties.cases.case import holds, holds_for_each
from properties.cases.loss_cases import REG_RANGES, any_box_loss, confident_dfl
from properties.detection import box_loss_questions, head_questions, real_head

RANGES = list(product(REG_RANGES))
ASSIGNERS = list(product(("ATSS", "TAL")))
SCORE_LOSSES = (("varifocal", 0.75), ("focal", 0.25), ("focal", -1.0))

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
test_losses_of_the_scores_match = holds_for_each(
    head_questions.score_losses, SCORE_LOSSES, head_cases.any_scores, most=30
)
test_boxes_are_decoded_from_distributions = holds_for_each(
    head_questions.decoding, RANGES, head_cases.any_distributions, most=20
)
test_boxes_of_any_kind_overlap_as_they_should = holds(
    head_questions.box_overlaps, head_cases.any_box_pairs(), most=25
)
test_anchors_are_assigned_to_the_right_boxes = holds_for_each(
    head_questions.assigning, ASSIGNERS, head_cases.any_assignment, most=20
)
test_8400_anchors_are_assigned_to_the_right_boxes = holds(
    head_questions.assigning, head_cases.real_assignment("ATSS"), most=1
)  # TAL's 8,400 are part of a training step
