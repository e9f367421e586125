"""How those parts of PaddleDetection's PP-YOLOE head are asked that come before its box loss.

Their scripts need PaddleDetection (2.6.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from properties.detection.box_loss_questions import number
from properties.detection.real_head import build_head
from properties.oracle.box_loss import RegRange
from properties.oracle.head.assigners import Assigned
from properties.oracle.head.boxes import decoded, decoded_gradient, giou_loss, iou
from properties.oracle.head.classification import Scores, focal, varifocal
from properties.oracle.head.head_arrays import Assignment, Distributions
from properties.oracle.head.rounded import Rounded
from properties.protocol.evidence import Answer, Answers

DEFAULT: RegRange = (0, 17)


def beside(what: str, found: Any, due: Rounded) -> Answer:
    """An answer with the bound that the oracle's arithmetic gives."""
    return what, found, due.value, due.error


def score_losses(inputs: Scores, loss: str, alpha: float) -> Answers:
    """The head's varifocal or focal loss, and its gradient by the predicted scores."""
    head = build_head(inputs.labels.shape[-1], DEFAULT)
    leaf, due, labels = map(paddle.to_tensor, inputs)
    leaf.stop_gradient = False
    if loss == "varifocal":
        found, (value, gradient) = head._varifocal_loss(leaf, due, labels), varifocal(inputs)
    else:
        found, (value, gradient) = head._focal_loss(leaf, due, alpha), focal(inputs, alpha)
    yield beside(f"the {loss} loss", number(found), value)
    found.backward()
    yield beside("its gradient", leaf.grad.numpy(), gradient)


def decoding(inputs: Distributions, reg_range: RegRange) -> Answers:
    """The boxes that the head decodes distributions to, and the gradient by their logits."""
    points, logits, upstream = inputs
    leaf = paddle.to_tensor(logits, stop_gradient=False)
    boxes = build_head(1, reg_range)._bbox_decode(paddle.to_tensor(points), leaf)
    yield beside("the decoded boxes", boxes.numpy(), decoded(points, logits, reg_range))
    boxes.backward(paddle.to_tensor(upstream))
    due = decoded_gradient(upstream, logits, reg_range)
    yield beside("the gradient by the logits", leaf.grad.numpy(), due)


def box_overlaps(inputs: np.ndarray) -> Answers:
    """IoU of each with each, and GIoU of pairs, whatever boxes they are."""
    head = build_head(1, DEFAULT)
    from ppdet.modeling.bbox_utils import batch_iou_similarity, iou_similarity

    one, other = map(paddle.to_tensor, inputs)
    due = iou(inputs[0][:, None], inputs[1][None])
    yield beside("IoU of each with each", iou_similarity(one, other).numpy(), due)
    found = batch_iou_similarity(one.unsqueeze(0), other.unsqueeze(0)).numpy()[0]
    yield beside("IoU of each with each, in a batch", found, due)
    losses = head.iou_loss(one, other).numpy()[:, 0]
    yield beside("1 - GIoU of pairs", losses, giou_loss(*inputs))


def assigning(inputs: Assignment, assigner: str, topk: int) -> Answers:
    """What an assigner gives for boxes, of which float32 decides every choice."""
    truth, predicted, anchors, due = inputs
    classes = predicted.scores.shape[-1]
    build_head(classes, DEFAULT)
    from ppdet.modeling.assigners import ATSSAssigner, TaskAlignedAssigner

    given = [*map(paddle.to_tensor, truth)]
    scores, boxes = map(paddle.to_tensor, predicted)
    if assigner == "ATSS":
        by_atss = ATSSAssigner(topk=topk, num_classes=classes)
        grid = paddle.to_tensor(anchors.boxes), list(anchors.counts)
        found = by_atss(*grid, *given, bg_index=classes, pred_bboxes=boxes)
    else:
        by_tal = TaskAlignedAssigner(topk=topk)
        grid = paddle.to_tensor(anchors.points), list(anchors.counts)
        found = by_tal(scores, boxes, *grid, *given, bg_index=classes)
    yield from assigned_alike(due, *(tensor.numpy() for tensor in found[:3]))


def assigned_alike(
    due: Assigned, labels: np.ndarray, boxes: np.ndarray, scores: np.ndarray
) -> Answers:
    """Labels, the positives' boxes, which are copies, and scores."""
    positive = due.labels != scores.shape[-1]
    yield "the assigned labels", labels.astype(np.int64), due.labels.astype(np.int64), None
    yield "the positives' boxes", boxes[positive], due.boxes[positive], None
    yield beside("the assigned scores", scores, due.scores)
