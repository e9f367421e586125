"""A training step of PaddleDetection's PP-YOLOE head, link by link beside the oracle.

Each link is asked about what the one before it really gave, so that what is due is exact and a
fault is named where it is. The script needs PaddleDetection (2.6.0).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import paddle

from properties.detection.box_loss_questions import U, losses_match, number
from properties.detection.head_questions import DEFAULT, assigned_alike, beside
from properties.detection.small_ppyoloe import EPOCHS, STATIC_EPOCHS
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange, box_loss_gradients
from properties.oracle.head.assigners import Predicted, Undecided
from properties.oracle.head.boxes import anchors_of, decoded, decoded_gradient
from properties.oracle.head.classification import Scores, focal, varifocal
from properties.oracle.head.head_arrays import STRIDES, TOPK, HeadInputs, assigners
from properties.oracle.head.layers import Branch, Passed, backwards, forwards
from properties.oracle.head.rounded import EPS, Rounded, rounded, sigmoid
from properties.oracle.tolerances import box_loss_gradient_tolerance
from properties.protocol.evidence import Answers

Head = Any  # paddledet carries no types

WEIGHTS = {"class": 1.0, "iou": 2.5, "dfl": 0.5}  # of the losses, PP-YOLOE's
RATE, MOMENTUM, DECAY = 0.01, 0.9, 0.0005  # PP-YOLOE's
TF32 = 2.0**-10  # two factors rounded to 11 bits, as a GPU's convolutions have them


class Seen(NamedTuple):
    """What the head made of a step."""

    anchors: list[np.ndarray]  # boxes, points, strides
    scores: np.ndarray  # [B, L, K]
    logits: np.ndarray  # [B, L, 4 * C]
    boxes: np.ndarray  # [B, L, 4], in strides
    assigned: list[np.ndarray]  # labels, boxes, scores
    losses: dict[str, float]
    by_scores: np.ndarray  # gradients
    by_logits: np.ndarray


def head_step(inputs: HeadInputs, assigner: str, reg_range: RegRange, loss: str) -> Answers:
    """One step: predictions, targets, losses, gradients, and the parameters after two updates."""
    head = head_of(inputs, assigner, reg_range, loss)
    seen = ask_step(head, inputs, assigner)
    passed = passes_of(inputs)
    yield from predictions_match(inputs, passed, seen, reg_range)
    yield from losses_of_step_match(inputs, seen, assigner, reg_range, loss)
    yield from parameters_match(head, inputs, passed, seen)
    yield from updates_match(head)


def head_of(inputs: HeadInputs, assigner: str, reg_range: RegRange, loss: str) -> Head:
    """PaddleDetection's head with these parameters."""
    try:
        from ppdet.modeling.assigners import ATSSAssigner, TaskAlignedAssigner
        from ppdet.modeling.heads.ppyoloe_head import PPYOLOEHead
    except (ImportError, AttributeError) as error:
        told = f"PaddleDetection's head cannot be imported: {error}"
        raise NotImplementedError(told) from error
    classes = len(inputs.of_scores[0].bias)
    head = PPYOLOEHead(
        in_channels=[each.shape[1] for each in inputs.features],
        fpn_strides=STRIDES,
        num_classes=classes,
        reg_range=None if reg_range == DEFAULT else reg_range,
        static_assigner_epoch=STATIC_EPOCHS,
        use_varifocal_loss=loss == "varifocal",
        static_assigner=ATSSAssigner(topk=TOPK["ATSS"], num_classes=classes),
        assigner=TaskAlignedAssigner(topk=TOPK["TAL"]),
        nms=None,
    )
    for tensors, arrays in zip(branches(head), (*inputs.of_scores, *inputs.of_sides)):
        for tensor, array in zip(tensors, arrays):
            tensor.set_value(array)
    head.train()
    return head


def branches(head: Head) -> list[Branch]:
    """The head's own parameters, tensors: the branches of the scores, then those of the sides."""
    return [
        Branch(
            fc_weight=stem.fc.weight,
            fc_bias=stem.fc.bias,
            conv_weight=stem.conv.conv.weight,
            bn_weight=stem.conv.bn.weight,
            bn_bias=stem.conv.bn.bias,
            weight=last.weight,
            bias=last.bias,
        )
        for stems, lasts in ((head.stem_cls, head.pred_cls), (head.stem_reg, head.pred_reg))
        for stem, last in zip(stems, lasts)
    ]


def ask_step(head: Head, inputs: HeadInputs, assigner: str) -> Seen:
    """The head's forward and backward pass, and what it handed from one link to the next."""
    results: dict[str | int, Any] = {}
    watch(head, "_bbox_decode", results)
    watch(head.static_assigner if assigner == "ATSS" else head.assigner, "forward", results)
    true = head.get_loss

    def get_loss(outputs: list[Any], *rest: Any) -> Any:
        results["outputs"] = outputs
        for place in (0, 1):
            outputs[place].register_hook(lambda due, place=place: results.update({place: due}))
        return true(outputs, *rest)

    head.get_loss = get_loss
    names = ("gt_class", "gt_bbox", "pad_gt_mask")
    targets = dict(zip(names, map(paddle.to_tensor, inputs.truth)))
    features = [paddle.to_tensor(feature) for feature in inputs.features]
    losses = head(features, {**targets, "epoch_id": EPOCHS[assigner]})
    losses["loss"].backward()
    scores, logits, boxes, points, _, strides = results["outputs"]
    return Seen(
        anchors=[tensor.numpy() for tensor in (boxes, points, strides)],
        scores=scores.numpy(),
        logits=logits.numpy(),
        boxes=results["_bbox_decode"].numpy(),
        assigned=[tensor.numpy() for tensor in results["forward"][:3]],
        losses={name: number(each) for name, each in losses.items()},
        by_scores=results[0].numpy(),
        by_logits=results[1].numpy(),
    )


def watch(owner: Any, method: str, results: dict[str | int, Any]) -> None:
    """Keep what the method gives, under its name."""
    true = getattr(owner, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        results[method] = true(*args, **kwargs)
        return results[method]

    setattr(owner, method, call)


def product_eps() -> float:
    """How far a factor of a convolution may be off."""
    return TF32 if paddle.get_device().startswith("gpu") else EPS


def passes_of(inputs: HeadInputs) -> list[Passed]:
    """What is due of each branch, in the order of `branches`."""
    given = (*inputs.of_scores, *inputs.of_sides)
    levels = len(inputs.features)
    return [
        forwards(inputs.features[i % levels], branch, adds=i < levels, eps=product_eps())
        for i, branch in enumerate(given)
    ]


def predictions_match(
    inputs: HeadInputs, passed: list[Passed], seen: Seen, reg_range: RegRange
) -> Answers:
    """Anchors, scores and distributions; boxes decoded from the distributions that there were."""
    anchors = anchors_of(STRIDES[0] * inputs.features[0].shape[-1], STRIDES)
    for what, found, due in zip(("boxes", "points", "strides"), seen.anchors, anchors):
        yield f"the anchors' {what}", found, due, None
    due_scores, due_sides = (
        [in_a_row(each.out) for each in half]
        for half in (passed[: len(STRIDES)], passed[len(STRIDES) :])
    )
    ends = np.cumsum(anchors.counts)[:-1]
    for level, found in enumerate(np.split(seen.scores, ends, 1)):
        yield beside(f"the scores of level {level}", found, sigmoid(due_scores[level]))
    for level, found in enumerate(np.split(seen.logits, ends, 1)):
        yield beside(f"the distributions of level {level}", found, due_sides[level])
    boxes = decoded(anchors.points / anchors.strides, seen.logits, reg_range)
    yield beside("the decoded boxes", seen.boxes, boxes)


def in_a_row(maps: Rounded) -> Rounded:
    """Maps [B, C, H, W] as [B, H * W, C]."""
    return maps.moved(lambda array: array.reshape(*array.shape[:2], -1).transpose(0, 2, 1))


def losses_of_step_match(
    inputs: HeadInputs, seen: Seen, assigner: str, reg_range: RegRange, loss: str
) -> Answers:
    """The targets, the losses, and their gradients by scores and distributions."""
    _, points, strides = seen.anchors
    anchors = anchors_of(STRIDES[0] * inputs.features[0].shape[-1], STRIDES)
    predicted = Predicted(seen.scores, seen.boxes * strides)
    try:
        targets = assigners()[assigner](inputs.truth, predicted, anchors, TOPK[assigner])
        yield from assigned_alike(targets, *seen.assigned)
    except Undecided:
        pass  # the release's own choice stands
    labels, boxes, qualities = seen.assigned
    classes = qualities.shape[-1]
    given = Scores(seen.scores, qualities, np.equal(labels[..., None], np.arange(classes)))
    alpha = 0.25 if assigner == "ATSS" else -1.0
    value, by_scores = varifocal(given) if loss == "varifocal" else focal(given, alpha)
    total = rounded(qualities).sum(None).clip(1)
    yield beside("the classification loss", seen.losses["loss_cls"], value / total)
    yield beside("its gradient by the scores", seen.by_scores, by_scores / total)

    total_of_scores = np.asarray(max(qualities.sum(), 1), np.float32)
    box_inputs = BoxLossInputs(
        seen.logits,
        seen.boxes,
        points / strides,
        labels,
        boxes / strides,
        qualities,
        total_of_scores,
    )
    found = BoxLoss(*(seen.losses[f"loss_{name}"] for name in ("l1", "iou", "dfl")))
    yield from losses_match(found, box_inputs, reg_range)
    parts = [
        rounded(found) * weight
        for found, weight in zip((seen.losses["loss_cls"], found.giou, found.dfl), WEIGHTS.values())
    ]
    yield beside("the loss in all", seen.losses["loss"], parts[0] + parts[1] + parts[2])
    gradients = box_loss_gradients(box_inputs, reg_range)
    errors = box_loss_gradient_tolerance(box_inputs, reg_range, U)
    positive = labels != classes
    by_box, by_logit = (
        Rounded(due[positive], np.broadcast_to(error, due.shape)[positive]) * weight
        for due, error, weight in (
            (gradients.giou, errors.giou, WEIGHTS["iou"]),
            (gradients.dfl, errors.dfl, WEIGHTS["dfl"]),
        )
    )
    due = decoded_gradient(by_box, seen.logits[positive], reg_range) + by_logit
    yield beside("the gradient by the positives' distributions", seen.by_logits[positive], due)
    others = np.count_nonzero(seen.by_logits[~positive])
    yield "elements of the others' gradient that are not 0", others, 0, 0.0


def parameters_match(head: Head, inputs: HeadInputs, passed: list[Passed], seen: Seen) -> Answers:
    """The gradient of each parameter, from those by scores and distributions that there were."""
    scores = rounded(seen.scores)
    upstreams = rounded(seen.by_scores) * scores * (1.0 - scores), rounded(seen.by_logits)
    ends = np.cumsum([feature[0, 0].size for feature in inputs.features])[:-1]
    parts = [
        Rounded(*pair)
        for upstream in upstreams
        for pair in zip(np.split(upstream.value, ends, 1), np.split(upstream.error, ends, 1))
    ]
    given = (*inputs.of_scores, *inputs.of_sides)
    for i, (part, branch, tensors) in enumerate(zip(parts, given, branches(head))):
        maps = part.moved(partial(as_maps, passed[i].out.value.shape))
        feature = inputs.features[i % len(STRIDES)]
        due = backwards(maps, feature, branch, passed[i], product_eps())
        of_what = f"{'sides' if i >= len(STRIDES) else 'scores'}, level {i % len(STRIDES)}"
        for field, tensor, gradient in zip(Branch._fields, tensors, due):
            yield beside(f"the gradient of {field}, {of_what}", tensor.grad.numpy(), gradient)


def as_maps(shape: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    """What `in_a_row` laid out, as maps of this shape again."""
    return array.transpose(0, 2, 1).reshape(shape)


def updates_match(head: Head) -> Answers:
    """Each parameter after two updates by these gradients.

    With v = momentum v + gradient + decay p, the parameter becomes p - rate v. Those of batch
    normalization do not decay (cspresnet.py).
    """
    named = [(name, each) for name, each in head.named_parameters() if not each.stop_gradient]
    before = [(each.numpy(), each.grad.numpy()) for _, each in named]
    optimizer = paddle.optimizer.Momentum(
        RATE, MOMENTUM, parameters=head.parameters(), weight_decay=paddle.regularizer.L2Decay(DECAY)
    )
    for _ in range(2):
        optimizer.step()
    for (name, tensor), (old, gradient) in zip(named, before):
        decay = 0.0 if ".bn." in name else DECAY
        first = rounded(gradient) + rounded(old) * decay
        between = rounded(old) - first * RATE
        second = first * MOMENTUM + (rounded(gradient) + between * decay)
        yield beside(f"{name} after two updates", tensor.numpy(), between - second * RATE)
