"""A small PP-YOLOE of PaddleDetection's own backbone, neck, head and assigners trains as it should.

On images and boxes made here, for twenty steps, with each of the two assigners that a training
asks: ATSS in its first epochs, then TAL.
"""

from __future__ import annotations

import pytest

from properties.cases.training_cases import (
    TrainingCase,
    verify_box_losses,
    verify_fall,
    verify_finite,
)
from properties.detection.small_ppyoloe import EPOCHS

SEEDS = (0, 1)

over_assigners = pytest.mark.parametrize("assigner", EPOCHS)


@over_assigners
def test_box_losses_match_at_each_step(assigner: str) -> None:
    for seed in SEEDS:
        verify_box_losses(TrainingCase(assigner, seed))


@over_assigners
def test_loss_and_gradients_are_finite_at_each_step(assigner: str) -> None:
    for seed in SEEDS:
        verify_finite(TrainingCase(assigner, seed))


@over_assigners
def test_the_loss_falls(assigner: str) -> None:
    for seed in SEEDS:
        verify_fall(TrainingCase(assigner, seed))


@over_assigners
def test_labels_of_the_dtype_that_the_reader_gives_train(assigner: str) -> None:
    verify_box_losses(TrainingCase(assigner, 0, "int32", count=1))
