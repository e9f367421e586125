"""What `reg_range` does to the head: how exact its DFL is, and which boxes leave the range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle

from properties.cases.loss_cases import REG_RANGES
from properties.detection.box_loss_questions import paddle_side_losses
from properties.detection.real_head import build_head
from properties.oracle import box_loss as oracle
from properties.programs import advised
from properties.programs.advised import RANGE, Range
from properties.protocol.release_errors import in_one_line, says_not_offered

CLASSES = 2
WORDS = 160  # of an error's message
DTYPES = ("float16", "float32", "float64")
WIDEST: Range = (-(2**15), 2**15)
SPECIAL = {"with a NaN": np.nan, "with an infinity": np.inf}
BOXES = ("ordinary", "huge", "tiny", "inverted", "outside the image", *SPECIAL)
HALF_IN_OLD = r"Operator \w+ does not have kernel for \{data_type\[[\w:]+\]"  # 2.2 and 2.3

Row = dict[str, Any]


def error_row(errors: list[float]) -> Row:
    """Three digits of relative errors; nothing where there is none."""
    ends = {"median_error": np.median(errors), "greatest_error": max(errors)} if errors else {}
    return {name: float(f"{error:.3g}") for name, error in ends.items()}


# What a wider range costs: the error of the DFL, by the dtype of the targets.


def accuracy_rows(seed: int, count: int) -> Iterator[Row]:
    """For targets in RANGE, and over the whole of a wider range."""
    for reg_range in (RANGE, *advised.WIDER, WIDEST):
        for dtype in DTYPES:
            for over in dict.fromkeys((RANGE, reg_range)):
                found = [dfl_error(reg_range, dtype, over, seed + case) for case in range(count)]
                errors = [error for error in found if error is not None]
                about = {"reg_range": reg_range, "dtype": dtype, "targets": over}
                yield {**about, "raised": len(found) - len(errors), **error_row(errors)}


def dfl_error(reg_range: Range, dtype: str, over: Range, seed: int) -> float | None:
    """The relative error of 4 positives' mean DFL, for float64 targets; None where that raises.

    The targets are rounded to the dtype and clipped in it. No CPU kernel takes float16 logits, and
    automatic mixed precision keeps a cross entropy in float32: there these are float32.
    """
    low, high = reg_range
    draw = np.random.RandomState(seed)
    targets = draw.uniform(over[0], over[1] - 1.02, (4, 4))
    wide = "float64" if dtype == "float64" else "float32"
    logits = draw.uniform(-8, 8, (4, 4, high - low)).astype(wide)
    rounded = clip_in(dtype, targets, reg_range).astype(wide)
    try:
        sides = paddle_side_losses(paddle.to_tensor(logits), paddle.to_tensor(rounded), low)
    except (ValueError, IndexError):  # the label is no bin
        return None
    due = oracle.side_losses(logits, targets, reg_range).mean()
    return float(abs(sides.numpy().astype(np.float64).mean() - due) / due)


def clip_in(dtype: str, targets: np.ndarray, reg_range: Range) -> np.ndarray:
    """Rounded to the dtype, and clipped in it to the range as the head does."""
    low, high = np.array([reg_range[0], oracle.clip_end(reg_range)]).astype(dtype)
    clipped: np.ndarray = targets.astype(dtype).clip(low, high)
    return clipped


# Which boxes leave the range on a sound release.


def target_rows(seed: int, count: int) -> Iterator[Row]:
    """Every kind of box in every dtype, at RANGE; and boxes that reach the clip, in every range."""
    for dtype in DTYPES:
        for kind in BOXES:
            yield target_row(kind, dtype, RANGE, seed, count)
        for reg_range in (*REG_RANGES[1:], *advised.WIDER, WIDEST):
            yield target_row("huge", dtype, reg_range, seed, count)


def target_row(kind: str, dtype: str, reg_range: Range, seed: int, count: int) -> Row:
    """Where the targets of `count` boxes lie after the head's clip, and how its DFL ends."""
    points, boxes = boxes_of(kind, seed, count)
    targets, by = targets_of(points.astype(dtype), boxes.astype(dtype), reg_range)
    low, high = reg_range
    return {
        "boxes": kind,
        "dtype": dtype,
        "reg_range": reg_range,
        "clipped_by": by,
        "inside": int(((targets >= low) & (targets < high - 1)).sum()),
        "below": int((targets < low).sum()),
        "above": int((targets >= high - 1).sum()),
        "nan": int(np.isnan(targets).sum()),
        "dfl": end_of_dfl(targets.astype(np.float32), reg_range),
    }


def boxes_of(kind: str, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 2] of a grid, and boxes [N, 4] of a kind: float64, in units of the stride."""
    draw = np.random.RandomState(seed)
    points = draw.randint(0, 8, (count, 2)) + 0.5
    lower, upper = (draw.uniform(0.5, 8, (count, 2)) for _ in range(2))
    boxes = np.concatenate([points - lower, points + upper], axis=-1)
    made = {
        "huge": np.concatenate([points - 1e30, points + 1e30], axis=-1),
        "tiny": np.concatenate([points, points + 1e-6], axis=-1),
        "inverted": boxes[:, [2, 3, 0, 1]],
        "outside the image": boxes + 100,
    }
    boxes = made.get(kind, boxes)
    if kind in SPECIAL:
        boxes[np.arange(count), draw.randint(0, 4, count)] = SPECIAL[kind]
    return points, boxes


def targets_of(points: np.ndarray, boxes: np.ndarray, reg_range: Range) -> tuple[np.ndarray, str]:
    """The head's own targets [N, 4]; NumPy's where the release has no kernel for the dtype."""
    head = build_head(CLASSES, reg_range)
    try:
        targets = head._bbox2distance(paddle.to_tensor(points), paddle.to_tensor(boxes))
    except Exception as error:
        if says_not_offered(error, [HALF_IN_OLD]) is None:
            raise
        sides = oracle.distances(points, boxes)
        return clip_in(str(sides.dtype), sides, reg_range), "NumPy"
    return targets.numpy(), "Paddle"


def end_of_dfl(targets: np.ndarray, reg_range: Range) -> str:
    """What the head's DFL makes of float32 targets: "finite", "not finite", or its error."""
    logits = paddle.zeros([*targets.shape, reg_range[1] - reg_range[0]], "float32")
    head = build_head(CLASSES, reg_range)
    try:
        losses = head._df_loss(logits, paddle.to_tensor(targets), reg_range[0]).numpy()
    except (ValueError, IndexError) as error:
        return in_one_line(error)[:WORDS]
    return "finite" if np.isfinite(losses).all() else "not finite"
