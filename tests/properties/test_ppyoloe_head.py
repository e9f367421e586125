"""The box loss of PaddleDetection's own PP-YOLOE head is its papers' L1, GIoU and DFL.

The head selects its positives with `paddle.masked_select`; where that is wrong, so are the losses.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_cases import REG_RANGES, head_cases, verify
from loss_questions import (
    Answers,
    Tensor,
    box_loss_steps,
    gradient_matches,
    losses_match,
    scalar,
)
from oracle import BoxLoss, BoxLossInputs

Head = Any  # paddledet carries no types

over_ranges = pytest.mark.parametrize("reg_range", REG_RANGES, ids=str)


@cache
def build_head(classes: int, reg_range: tuple[int, int]) -> Head:
    """The head as PaddleDetection's configurations make it, as small as it gets, no assigners.

    Where it cannot be imported the property is `unsupported`, with the error's words.
    """
    try:
        from ppdet.modeling.heads.ppyoloe_head import PPYOLOEHead
    except (ImportError, AttributeError) as error:
        pytest.skip(f"PaddleDetection's head cannot be imported: {error}")
    return PPYOLOEHead(
        in_channels=[8],
        fpn_strides=(8,),
        num_classes=classes,
        reg_range=reg_range,
        static_assigner=None,
        assigner=None,
        nms=None,
    )


def ask_head(
    inputs: BoxLossInputs, reg_range: tuple[int, int]
) -> tuple[BoxLoss, dict[str, Tensor]]:
    """The three losses, and the tensor that each one's gradient reaches."""
    head = build_head(inputs.assigned_scores.shape[-1], reg_range)
    dist, boxes = (
        paddle.to_tensor(array, stop_gradient=False)
        for array in (inputs.pred_dist, inputs.pred_bboxes)
    )
    assigned = map(paddle.to_tensor, inputs[2:6])
    losses = head._bbox_loss(dist, boxes, *assigned, scalar(inputs.assigned_scores_sum))
    return BoxLoss(*losses), {"l1": boxes, "giou": boxes, "dfl": dist}


def head_losses(inputs: BoxLossInputs, reg_range: tuple[int, int]) -> Answers:
    losses, _ = ask_head(inputs, reg_range)
    return losses_match(losses, inputs, reg_range)


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
