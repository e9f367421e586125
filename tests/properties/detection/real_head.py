"""PaddleDetection's own PP-YOLOE head, and the questions about its box loss.

Scripts do without PaddleDetection: they ask the head's formulas in Paddle's operators instead.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any, Callable
from unittest.mock import patch

import paddle

from properties.detection import box_loss_questions as asked
from properties.detection import dfl_questions
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, DflInputs, RegRange
from properties.protocol.evidence import Answers, Refusal
from properties.protocol.scripts import script_form
from properties.questions.memory import Tensor

Head = Any  # paddledet carries no types


@cache
def build_head(classes: int, reg_range: RegRange) -> Head:
    """The head as PaddleDetection's configurations make it, but as small as possible, no assigners.

    Raises NotImplementedError where it cannot be imported.
    """
    try:
        from ppdet.modeling.heads.ppyoloe_head import PPYOLOEHead
    except (ImportError, AttributeError) as error:
        told = f"PaddleDetection's head cannot be imported: {error}"
        raise NotImplementedError(told) from error
    return PPYOLOEHead(
        in_channels=[8],
        fpn_strides=(8,),
        num_classes=classes,
        reg_range=reg_range,
        static_assigner=None,
        assigner=None,
        nms=None,
    )


def ask_head(inputs: BoxLossInputs, reg_range: RegRange) -> tuple[BoxLoss, dict[str, Tensor]]:
    """The three losses, and the tensor that each one's gradient reaches."""
    head = build_head(inputs.assigned_scores.shape[-1], reg_range)
    dist, boxes, *_ = given = asked.head_tensors(inputs)
    return BoxLoss(*head._bbox_loss(*given)), {"l1": boxes, "giou": boxes, "dfl": dist}


@script_form(asked.box_loss_steps)
def head_losses(inputs: BoxLossInputs, reg_range: RegRange) -> Answers:
    """The three losses."""
    losses, _ = ask_head(inputs, reg_range)
    return asked.losses_match(BoxLoss._make(map(asked.number, losses)), inputs, reg_range)


@script_form(asked.box_loss_steps)
def head_gradients(inputs: BoxLossInputs, reg_range: RegRange) -> Answers:
    """The gradient of each loss."""
    for name in BoxLoss._fields:
        losses, leaves = ask_head(inputs, reg_range)
        getattr(losses, name).backward()
        yield from asked.gradient_matches(name, leaves[name], inputs, reg_range)


@script_form(asked.box_loss_steps)
def head_without_positives(inputs: BoxLossInputs, reg_range: RegRange) -> Answers:
    """The losses, and the gradient of DFL: all of them 0."""
    losses, leaves = ask_head(inputs, reg_range)
    yield from asked.losses_match(BoxLoss._make(map(asked.number, losses)), inputs, reg_range)
    losses.dfl.backward()
    yield from asked.gradient_matches("dfl", leaves["dfl"], inputs, reg_range)


@script_form(dfl_questions.dfl_values)
def head_dfl(inputs: DflInputs) -> Answers:
    """The head's own DFL of each positive."""
    dfl = build_head(1, inputs.reg_range)._df_loss
    given = (paddle.to_tensor(array) for array in (inputs.logits, inputs.targets))
    yield ("DFL", dfl(*given, inputs.reg_range[0]).numpy(), *asked.means_due(inputs))


@script_form(asked.wrong_target)
def head_on_wrong_target(inputs: DflInputs, place: int, target: float) -> Answers:
    """As `wrong_target`, of the head's own DFL, whose labels are int64."""
    dfl = partial(build_head(1, inputs.reg_range)._df_loss, lower_bound=inputs.reg_range[0])
    return asked.notice_target(dfl, inputs, place, target)


@script_form(asked.stale_targets)
def head_on_stale_targets(inputs: BoxLossInputs, reg_range: RegRange, stale: float) -> Answers:
    """The losses are right; where no selection is written, the error that users report is due."""
    return stale_selections(partial(head_losses, inputs, reg_range), reg_range, stale)


def stale_selections(losses: Callable[[], Answers], reg_range: RegRange, stale: float) -> Answers:
    """`losses` are right. Where `masked_select` leaves its output as it is in memory, which held
    `stale`, the error that users report is due (PaddlePaddle/Paddle#44181).
    """
    yield from losses()
    true = paddle.masked_select

    def unwritten(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
        return paddle.full_like(true(x, mask, name), stale)  # a CPU's free memory holds other marks

    def losses_of_stale_targets() -> list[Any]:
        with patch.object(paddle, "masked_select", unwritten):
            return list(losses())

    words = asked.reported_words(asked.reported_label(reg_range, stale))
    what = f"the box loss, where memory held {stale!r}"
    yield what, losses_of_stale_targets, Refusal(words), None
