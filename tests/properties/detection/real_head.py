"""PaddleDetection's own PP-YOLOE head, and its box loss of arrays."""

from __future__ import annotations

from functools import cache
from typing import Any

import paddle
import pytest

from properties.oracle.box_loss import BoxLoss, BoxLossInputs
from properties.questions.box_loss_questions import Answers, Tensor, losses_match, scalar

Head = Any  # paddledet carries no types


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
