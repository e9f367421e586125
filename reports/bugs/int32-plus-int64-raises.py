"""finite_steps: assigner TAL, seed 0, label_dtype int32, count 1"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
import numpy as np
import paddle


paddle.set_device('cpu')


EPOCHS = {'ATSS': 0, 'TAL': 4}
CLASSES = 3
SIDE = 96
STATIC_EPOCHS = 4


def finite_steps(assigner: str, seed: int, label_dtype: str, count: int) -> Answers:
    """At each step the loss is finite, and so is every parameter's gradient."""
    for position, step in enumerate(first_steps(assigner, seed, label_dtype, count)):
        what = f"whether the loss of step {position}, {step.loss}, is finite"
        yield what, np.isfinite(step.loss), True, 0.0
        what = f"step {position}: parameters without a finite gradient, {', '.join(step.astray)}"
        yield what, len(step.astray), 0, 0.0


def check(what: str, actual: Any, expected: Any, tolerance: Any) -> None:
    """Raise AssertionError where an answer is wrong; without a tolerance, every byte counts."""
    if callable(actual):  # an error is due
        expected.check(what, actual)
        return
    contrast = f"{what}: expected {expected!r}, got {actual!r}"
    if tolerance is not None:
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        assert actual.shape == expected.shape, contrast
        assert (np.abs(actual - expected) <= tolerance).all(), contrast
        return
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), contrast
    if actual.size <= 64:  # NaN payloads print alike
        contrast += f"; its bytes {actual.tobytes().hex()}, not {expected.tobytes().hex()}"
    assert actual.tobytes() == expected.tobytes(), contrast


@cache
def first_steps(assigner: str, seed: int, label_dtype: str, count: int) -> list[Step]:
    """The first steps of a training."""
    return list(islice(train(assigner, seed, label_dtype), count))


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


def number(tensor: Tensor) -> float:
    """A loss, which is of shape [1] before release 2.5 and [] since."""
    return float(tensor.numpy().reshape([-1])[0])


def without_gradient(model: Model) -> list[str]:
    """The names of those parameters whose gradient is missing or not finite."""
    named = ((name, each.grad) for name, each in model.named_parameters() if not each.stop_gradient)
    return [name for name, grad in named if grad is None or not np.isfinite(grad.numpy()).all()]


class BoxLossInputs(NamedTuple):
    """What the head's box loss is given, for B images of L anchors, K classes and C bins."""

    pred_dist: np.ndarray  # floats [B, L, 4 * C], logits
    pred_bboxes: np.ndarray  # floats [B, L, 4]
    anchor_points: np.ndarray  # floats [L, 2]
    assigned_labels: np.ndarray  # integers [B, L], K for background
    assigned_bboxes: np.ndarray  # floats [B, L, 4]
    assigned_scores: np.ndarray  # floats [B, L, K]
    assigned_scores_sum: np.ndarray  # a float, []


class BoxLoss(NamedTuple):
    """The three losses, or one value for each of them."""

    l1: Any
    giou: Any
    dfl: Any


for _ in range(100):  # some faults come and go
    for what, actual, expected, tolerance in finite_steps(assigner='TAL', seed=0, label_dtype='int32', count=1):
        check(what, actual, expected, tolerance)
print("as expected")
