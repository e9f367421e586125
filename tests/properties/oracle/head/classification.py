"""The losses of PP-YOLOE's scores and their gradients, by NumPy alone. It never calls Paddle.

Varifocal loss: VarifocalNet (arXiv:2008.13367), eq. 2. Focal loss: arXiv:1708.02002, eq. 5, for
scores that are due and not only labels, as the quality focal loss of arXiv:2006.04388, eq. 5.
PaddleDetection's defaults are alpha 0.75 and gamma 2 for the first, 0.25 and 2 for the second.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from properties.oracle.head.rounded import Rounded, rounded


class Scores(NamedTuple):
    """What the loss of the scores is computed from, for B images of L anchors and K classes."""

    predicted: np.ndarray  # floats [B, L, K], between 0 and 1, both left out
    due: np.ndarray  # floats [B, L, K]
    labels: np.ndarray  # floats [B, L, K], 1 at the assigned class


def varifocal(scores: Scores, alpha: float = 0.75, gamma: float = 2.0) -> tuple[Rounded, Rounded]:
    """The loss [] and its gradient by the predicted scores [B, L, K].

    With p predicted, q due and E = -(q log p + (1 - q) log(1 - p)): q E at the assigned class,
    alpha p**gamma E elsewhere, summed.
    """
    p, q, label = map(rounded, scores)
    weight = (p**gamma * alpha) * (1.0 - label) + q * label
    by_weight = (p ** (gamma - 1) * (alpha * gamma)) * (1.0 - label)
    return weighted(p, q, weight, by_weight)


def focal(scores: Scores, alpha: float = 0.25, gamma: float = 2.0) -> tuple[Rounded, Rounded]:
    """The loss [] and its gradient by the predicted scores [B, L, K].

    |p - q|**gamma E, times alpha q + (1 - alpha)(1 - q) unless alpha is negative, summed.
    """
    p, q = rounded(scores.predicted), rounded(scores.due)
    apart = p - q
    balance = q * alpha + (1.0 - q) * (1 - alpha) if alpha > 0 else rounded(1.0)
    slope = abs(apart) ** (gamma - 1) * gamma * np.sign(apart.value)
    return weighted(p, q, abs(apart) ** gamma * balance, slope * balance)


def weighted(
    p: Rounded, q: Rounded, weight: Rounded, by_weight: Rounded
) -> tuple[Rounded, Rounded]:
    """The sum of weighted cross entropies, and its gradient by p; `by_weight` is the weight's."""
    entropy = -(q * p.log() + (1.0 - q) * (1.0 - p).log())
    by_p = (p - q) / (p * (1.0 - p))
    return (weight * entropy).sum(None), weight * by_p + by_weight * entropy
