"""A small PP-YOLOE trains as it should: PaddleDetection's own backbone, neck, head and assigners.

It is trained on images and boxes made here, for twenty steps, with each of the two assigners that
PP-YOLOE asks: ATSS in its first epochs, then TAL. A step of the head alone, whose parameters are
drawn, is compared with the oracle from the feature maps to the parameters after the update.
"""

from __future__ import annotations

import pytest

from properties.cases.case import Case, Options, Question, holds, holds_for_each, verify
from properties.cases.head_cases import any_step, real_step
from properties.cases.loss_cases import StepInputs
from properties.detection import small_ppyoloe as asked
from properties.detection.head_step import head_step
from properties.protocol.evidence import ask, begin
from properties.protocol.release_errors import NO_INT32_LABELS

ASSIGNERS = [(assigner,) for assigner in asked.EPOCHS]

over_assigners = pytest.mark.parametrize("assigner", asked.EPOCHS)


@over_assigners
def test_box_losses_match_at_each_step(assigner: str) -> None:
    verify_each_step(training(asked.finite_steps, assigner, 0))


@over_assigners
def test_loss_and_gradients_are_finite_at_each_step(assigner: str) -> None:
    verify(training(asked.finite_steps, assigner, 0))


@over_assigners
def test_the_loss_falls(assigner: str) -> None:
    verify(training(asked.falling_loss, assigner, 0))


@over_assigners
def test_labels_of_the_dtype_that_the_reader_gives_train(assigner: str) -> None:
    verify_each_step(training(asked.finite_steps, assigner, 0, "int32", count=1))


test_a_step_of_the_head_matches = holds_for_each(head_step, ASSIGNERS, any_step, most=6)
test_a_step_of_8400_anchors_matches = holds(head_step, real_step("TAL"), most=1)


def training(
    question: Question, assigner: str, seed: int, label_dtype: str = "int64", count: int = 20
) -> Case:
    """A question about the first `count` steps of a training."""
    words = {"assigner": assigner, "seed": seed, "label_dtype": label_dtype, "count": count}
    return Case(question, Options(words))


def verify_each_step(case: Case) -> None:
    """The box losses at each step of the training are right: a case of its own."""
    begin(case)
    steps = ask(asked.first_steps, *case.inputs.options.values(), not_offered=NO_INT32_LABELS)
    for number, step in enumerate(steps):
        options = {"reg_range": asked.REG_RANGE}
        inputs = StepInputs(str(case), number, step.inputs, step.box_losses, options)
        verify(Case(asked.step_losses, inputs))
