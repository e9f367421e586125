"""A small PP-YOLOE of PaddleDetection's own parts, its training, and the questions about that.

The script of a training needs PaddleDetection; that of one step's box loss does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import paddle

from properties.detection.box_loss_questions import (
    box_loss_steps,
    losses_match,
    number,
    stale_targets,
)
from properties.detection.real_head import stale_selections
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange
from properties.protocol.evidence import Answers
from properties.protocol.scripts import script_form
from properties.questions.memory import Tensor

Model = Any  # paddledet carries no types

CLASSES = 3
SIDE = 96  # pixels: 9 anchors at the greatest stride, which is ATSS's topk
STATIC_EPOCHS = 4  # of them the head asks ATSS, from then on TAL
REG_RANGE: RegRange = (0, 17)  # the head's default
EPOCHS = {"ATSS": 0, "TAL": STATIC_EPOCHS}


def build_ppyoloe() -> Model:
    """CSPResNet, CustomCSPPAN and PPYOLOEHead with both assigners: 1/16 of the width of PP-YOLOE-l.

    Raises NotImplementedError where paddledet (2.6.0) cannot be imported.
    """
    try:
        from ppdet.modeling.architectures.ppyoloe import PPYOLOE
        from ppdet.modeling.assigners import ATSSAssigner, TaskAlignedAssigner
        from ppdet.modeling.backbones.cspresnet import CSPResNet
        from ppdet.modeling.heads.ppyoloe_head import PPYOLOEHead
        from ppdet.modeling.necks.custom_pan import CustomCSPPAN
    except (ImportError, AttributeError) as error:
        told = f"PaddleDetection's PP-YOLOE cannot be imported: {error}"
        raise NotImplementedError(told) from error
    backbone = CSPResNet(width_mult=1 / 16, depth_mult=1 / 6, use_large_stem=True)
    neck = CustomCSPPAN(
        in_channels=[shape.channels for shape in backbone.out_shape],
        out_channels=[768, 384, 192],
        stage_num=1,
        block_num=1,
        act="swish",
        spp=True,
        width_mult=1 / 16,
    )
    head = PPYOLOEHead(
        in_channels=[shape.channels for shape in neck.out_shape],
        num_classes=CLASSES,
        fpn_strides=(32, 16, 8),
        static_assigner_epoch=STATIC_EPOCHS,
        static_assigner=ATSSAssigner(topk=9, num_classes=CLASSES),
        assigner=TaskAlignedAssigner(topk=13),
        nms=None,
    )
    return PPYOLOE(backbone, neck, head, post_process=None)


def images_and_boxes(seed: int, label_dtype: str) -> dict[str, np.ndarray]:
    """Two images of noise, and on them three rectangles in the colours of their classes.

    Images float32 [2, 3, SIDE, SIDE], labels [2, 2, 1], boxes float32 [2, 2, 4] in pixels, and a
    mask float32 [2, 2, 1] of those that are no padding: the second image has one rectangle only.
    """
    draw = np.random.RandomState(seed)
    images = draw.uniform(-0.5, 0.5, (2, 3, SIDE, SIDE)).astype(np.float32)
    labels = np.zeros((2, 2, 1), label_dtype)
    boxes, present = np.zeros((2, 2, 4), np.float32), np.zeros((2, 2, 1), np.float32)
    for place in ((0, 0), (0, 1), (1, 0)):
        label, size = draw.randint(CLASSES), draw.randint(SIDE // 4, SIDE // 2, 2)
        (x1, y1), (x2, y2) = corners = np.cumsum([draw.randint(0, SIDE // 2, 2), size], axis=0)
        images[place[0], label, y1:y2, x1:x2] = 2
        labels[place], boxes[place], present[place] = label, corners.reshape(4), 1
    return {"image": images, "gt_class": labels, "gt_bbox": boxes, "pad_gt_mask": present}


class Step(NamedTuple):
    """The inputs and the results of one training step."""

    inputs: BoxLossInputs  # what the head saw
    box_losses: BoxLoss  # what the head made of it, floats
    loss: float
    astray: list[str]  # parameters without a finite gradient


def train(assigner: str, seed: int, label_dtype: str) -> Iterator[Step]:
    """Training steps without end, on one batch, with one of EPOCHS' assigners."""
    paddle.seed(seed)
    model = build_ppyoloe()
    optimizer = paddle.optimizer.Adam(0.003, parameters=model.parameters())
    arrays = images_and_boxes(seed, label_dtype)
    seen = record_box_losses(model.yolo_head)
    model.train()
    while True:
        batch = {name: paddle.to_tensor(array) for name, array in arrays.items()}
        loss = model({**batch, "epoch_id": EPOCHS[assigner]})["loss"]
        loss.backward()
        yield Step(*seen.pop(), number(loss), without_gradient(model))
        optimizer.step()
        optimizer.clear_grad()


def record_box_losses(head: Any) -> list[tuple[BoxLossInputs, BoxLoss]]:
    """A list to which the head's box loss, from now on, appends its inputs and its results."""
    seen: list[tuple[BoxLossInputs, BoxLoss]] = []
    true = head._bbox_loss

    def bbox_loss(*inputs: Tensor) -> Any:
        losses = true(*inputs)
        *arrays, total = (tensor.numpy() for tensor in inputs)
        given = BoxLossInputs._make((*arrays, total.reshape(())))
        seen.append((given, BoxLoss(*map(number, losses))))
        return losses

    head._bbox_loss = bbox_loss
    return seen


def without_gradient(model: Model) -> list[str]:
    """The names of those parameters whose gradient is missing or not finite."""
    named = ((name, each.grad) for name, each in model.named_parameters() if not each.stop_gradient)
    return [name for name, grad in named if grad is None or not np.isfinite(grad.numpy()).all()]


@cache
def first_steps(assigner: str, seed: int, label_dtype: str, count: int) -> list[Step]:
    """The first steps of a training."""
    return list(islice(train(assigner, seed, label_dtype), count))


def finite_steps(assigner: str, seed: int, label_dtype: str, count: int) -> Answers:
    """At each step the loss is finite, and so is every parameter's gradient."""
    for position, step in enumerate(first_steps(assigner, seed, label_dtype, count)):
        what = f"whether the loss of step {position}, {step.loss}, is finite"
        yield what, np.isfinite(step.loss), True, 0.0
        what = f"step {position}: parameters without a finite gradient, {', '.join(step.astray)}"
        yield what, len(step.astray), 0, 0.0


def falling_loss(assigner: str, seed: int, label_dtype: str, count: int) -> Answers:
    """The mean loss of the last three steps is less than that of the first three."""
    losses = [step.loss for step in first_steps(assigner, seed, label_dtype, count)]
    first, last = np.mean(losses[:3]), np.mean(losses[-3:])
    yield f"whether the loss falls, from {first:.4g} to {last:.4g}", last < first, True, 0.0


@script_form(box_loss_steps)
def step_losses(inputs: BoxLossInputs, reg_range: RegRange, box_losses: BoxLoss) -> Answers:
    """There are positives, and the step's three box losses are the oracle's."""
    found = (inputs.assigned_labels != inputs.assigned_scores.shape[-1]).any()
    yield "whether there are positives", found, True, 0.0
    yield from losses_match(box_losses, inputs, reg_range)


@script_form(stale_targets)
def step_on_stale_targets(
    assigner: str, seed: int, label_dtype: str, reg_range: RegRange, stale: float
) -> Answers:
    """As `head_on_stale_targets`, of the first step of a training."""

    def losses() -> Answers:
        step = next(train(assigner, seed, label_dtype))
        return losses_match(step.box_losses, step.inputs, reg_range)

    return stale_selections(losses, reg_range, stale)
