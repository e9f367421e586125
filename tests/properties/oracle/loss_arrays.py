"""The inputs of a loss, from a few words and a seed: numpy and the oracle's types only.

`RandomState` is used because NumPy promises never to change its stream.
"""

from __future__ import annotations

import numpy as np

from properties.oracle.box_loss import BoxLossInputs, DflInputs, RegRange, clip_end


def dfl_inputs(
    reg_range: RegRange,
    dtype: str,
    pattern: str | tuple[float, ...],
    count: int,
    spread: float,
    seed: int,
    offset: float = 0.0,
) -> DflInputs:
    """Logits [N, 4, C] within `spread` of `offset`, targets [N, 4] and weights [N] in [0, 1) of
    `dtype`.

    `pattern` is the targets themselves, "inside" the range, or "edges", from `bin_edges`.
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    logits = (offset + draw.uniform(-spread, spread, (count, 4, high - low))).astype(dtype)
    weights = draw.uniform(0, 1, count).astype(dtype)
    if isinstance(pattern, tuple):
        targets = np.array(pattern, dtype).reshape(count, 4)
    elif pattern == "edges":
        targets = draw.choice(bin_edges(reg_range, dtype), (count, 4))
    else:
        targets = draw.uniform(low, high - 1.02, (count, 4)).astype(dtype)
    return DflInputs(logits, targets, weights, reg_range)


def confident_inputs(
    reg_range: RegRange, dtype: str, count: int, height: float, seed: int
) -> DflInputs:
    """As `dfl_inputs`, with logits within 4 of 0 but one, of a bin that is not due: `height`."""
    inputs = dfl_inputs(reg_range, dtype, "inside", count, 4.0, seed)
    below = np.floor(inputs.targets).astype(int) - reg_range[0]
    wrong = (below + 2) % inputs.logits.shape[-1]
    np.put_along_axis(inputs.logits, wrong[..., None], height, axis=-1)
    return inputs


def bin_edges(reg_range: RegRange, dtype: str) -> np.ndarray:
    """Every bin, its neighbours in `dtype`, and the end of the clip; those within the clip."""
    low, high = reg_range
    bins = np.arange(low, high).astype(dtype)
    far = np.array(np.inf, dtype)
    end = np.array([clip_end(reg_range)]).astype(dtype)
    edges = np.concatenate([bins, np.nextafter(bins, -far), np.nextafter(bins, far), end])
    return edges[(edges >= low) & (edges <= end)]


def head_inputs(
    reg_range: RegRange,
    classes: int,
    batch: int,
    anchors: int,
    assigned: str,
    seed: int,
    spread: float = 8.0,
) -> BoxLossInputs:
    """Float32 inputs of the head's box loss: grid points, boxes about them, some beyond the range.

    Logits are within `spread` of 0. `assigned` says how many anchors are positives: "none", "one",
    "some", "block" or "all".
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    shape = (batch, anchors)
    points = np.stack([np.arange(anchors) % 8, np.arange(anchors) // 8], axis=-1) + 0.5
    before, size = draw.uniform(low - 0.5, high, (*shape, 2)), draw.uniform(1, high, (*shape, 2))
    truth = np.concatenate([points - before, points - before + size], axis=-1)
    centre, half = points + draw.uniform(-3, 3, (*shape, 2)), draw.uniform(0.3, high, (*shape, 2))
    boxes = np.concatenate([centre - half, centre + half], axis=-1)

    order = draw.permutation(batch * anchors)
    count = {"none": 0, "one": 1, "all": order.size}.get(assigned, (order.size + 2) // 3)
    chosen = np.arange(count) + order[0] % (order.size - count + 1)
    chosen = order[:count] if assigned == "some" else chosen
    labels = np.full(batch * anchors, classes, np.int64)
    labels[chosen] = draw.randint(0, classes, count)
    scores = np.zeros((batch * anchors, classes), np.float32)
    scores[chosen, labels[chosen]] = draw.uniform(0.05, 1, count)
    return BoxLossInputs(
        pred_dist=draw.uniform(-spread, spread, (*shape, 4 * (high - low))).astype(np.float32),
        pred_bboxes=boxes.astype(np.float32),
        anchor_points=points.astype(np.float32),
        assigned_labels=labels.reshape(shape),
        assigned_bboxes=truth.astype(np.float32),
        assigned_scores=scores.reshape(*shape, classes),
        assigned_scores_sum=np.asarray(max(scores.sum(), 1), np.float32),
    )
