"""Mutants of what PP-YOLOE's head computes beside its box loss: scores, boxes and targets."""

from __future__ import annotations

from typing import Any

from properties.mutants.faults import Function, Tensor, mutant

HEAD = "ppdet.modeling.heads.ppyoloe_head.PPYOLOEHead"


@mutant(f"{HEAD}._varifocal_loss")
@mutant(f"{HEAD}._focal_loss")
def score_loss_halved(true: Function, *scores: Tensor, **named: Any) -> Tensor:
    """The loss of the scores is half of what is due, and so is its gradient."""
    return true(*scores, **named) / 2


@mutant("paddle.nn.functional.binary_cross_entropy")
def score_weights_ignored(true: Function, *scores: Tensor, weight: Any = None, **named: Any) -> Any:
    """Each score counts alike, be it easy or hard."""
    return true(*scores, **named)


@mutant("paddle.topk")
def nearest_candidate_missing(
    true: Function, x: Tensor, k: int, axis: int = -1, largest: bool = True, **named: Any
) -> Any:
    """Of the least elements one is missing: ATSS has one candidate less in each level."""
    return true(x, k if largest else k - 1, axis=axis, largest=largest, **named)


@mutant("paddle.topk")
def best_aligned_missing(
    true: Function, x: Tensor, k: int, axis: int = -1, largest: bool = True, **named: Any
) -> Any:
    """Of the greatest elements one is missing: TAL has one positive less for each box."""
    return true(x, k - 1 if largest else k, axis=axis, largest=largest, **named)


@mutant("paddle.Tensor.std")
def deviation_of_a_population(true: Function, x: Tensor, axis: Any, **named: Any) -> Tensor:
    """The variance is divided by n and not by n - 1: ATSS's threshold falls."""
    return true(x, axis, **{**named, "unbiased": False})


@mutant("paddle.nn.functional.softmax")
def softmax_uniform(true: Function, x: Tensor, axis: int = -1, **named: Any) -> Tensor:
    """Each bin has the same share, whatever the logits: every side is as long."""
    return true(x * 0.0, axis, **named)


@mutant("paddle.nn.functional.adaptive_avg_pool2d")
def attention_of_a_corner(true: Function, x: Tensor, *size: Any, **named: Any) -> Tensor:
    """The mean over a feature map leaves its last row out."""
    return true(x[:, :, :-1], *size, **named)
