"""The box loss of PaddleDetection's own PP-YOLOE head is its papers' L1, GIoU and DFL.

The head selects its positives with `paddle.masked_select`; where that is wrong, so are the losses.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.cases.loss_cases import REG_RANGES, head_cases, verify
from properties.detection.real_head import ask_head, head_losses
from properties.oracle.box_loss import BoxLoss, BoxLossInputs
from properties.questions.box_loss_questions import (
    Answers,
    box_loss_steps,
    gradient_matches,
    losses_match,
)

over_ranges = pytest.mark.parametrize("reg_range", REG_RANGES, ids=str)


def head_gradients(inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    for name in BoxLoss._fields:
        losses, leaves = ask_head(inputs, reg_range)
        getattr(losses, name).backward()
        yield from gradient_matches(name, leaves[name], inputs, reg_range)


def head_without_positives(inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    losses, leaves = ask_head(inputs, reg_range)
    yield from losses_match(losses, inputs, reg_range)
    losses.dfl.backward()
    gradient = leaves["dfl"].grad.numpy()
    yield "the dfl loss's gradient", gradient, np.zeros(gradient.shape), 0.0


@over_ranges
@given(data=st.data())
def test_losses_match(reg_range: tuple[int, int], data: st.DataObject) -> None:
    verify(data.draw(head_cases(head_losses, reg_range)))


@over_ranges
@given(data=st.data())
def test_gradients_match(reg_range: tuple[int, int], data: st.DataObject) -> None:
    verify(data.draw(head_cases(head_gradients, reg_range)))


@over_ranges
@given(data=st.data())
def test_without_positives_there_is_no_loss(
    reg_range: tuple[int, int], data: st.DataObject
) -> None:
    verify(data.draw(head_cases(head_without_positives, reg_range, "none")))


@over_ranges
@given(data=st.data())
def test_each_step_of_the_box_loss_matches(reg_range: tuple[int, int], data: st.DataObject) -> None:
    verify(data.draw(head_cases(box_loss_steps, reg_range)))
