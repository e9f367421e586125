"""The layers of PP-YOLOE's head, forwards and backwards, by NumPy alone. It never calls Paddle.

arXiv:2203.16250, section 2.3: of each level's feature map, effective squeeze and excitation
(arXiv:1911.06667), a 1x1 convolution, batch normalization and swish, then a 3x3 convolution. The
branch of the scores adds the feature map again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from properties.oracle.head.rounded import EPS, Rounded, dot, rounded, sigmoid

BATCH_NORM_EPS = 1e-5  # Paddle's default


class Branch(NamedTuple):
    """Of each parameter of a branch at a level an array, a tensor, or what is due: C channels in, K
    out.
    """

    fc_weight: Any  # [C, C, 1, 1]
    fc_bias: Any  # [C]
    conv_weight: Any  # [C, C, 1, 1]
    bn_weight: Any  # [C]
    bn_bias: Any  # [C]
    weight: Any  # [K, C, 3, 3]
    bias: Any  # [K]


class Passed(NamedTuple):
    """What the way back needs of the way there."""

    mean: Rounded  # [B, C], of the feature map
    attention: Rounded  # [B, C]
    scale: Rounded  # [C], of batch normalization: 1 / standard deviation
    normal: Rounded  # [B, C, H, W], normalized
    shifted: Rounded  # [B, C, H, W], before swish
    patches: Rounded  # [B, 9 * C, H, W], what the last convolution's window meets
    out: Rounded  # [B, K, H, W]


def forwards(feature: np.ndarray, given: Branch, adds: bool, eps: float = EPS) -> Passed:
    """Through one branch, in training: normalized by the batch's own mean and variance.

    feature: float32 [B, C, H, W]. `adds` tells whether the feature map is added to the stem.
    `eps` is that of a convolution's factors.
    """
    x = rounded(feature)
    mean = x.mean((2, 3))
    attention = sigmoid(dot("bc,kc->bk", mean, given.fc_weight[..., 0, 0], eps) + given.fc_bias)
    seen = dot("bchw,kc->bkhw", x * wide(attention), given.conv_weight[..., 0, 0], eps)
    centred = seen - seen.mean((0, 2, 3), keepdims=True)
    variance = (centred * centred).mean((0, 2, 3))
    scale = rounded(1.0) / (variance + BATCH_NORM_EPS).sqrt()
    normal = centred * along(scale)
    shifted = normal * along(given.bn_weight) + along(given.bn_bias)
    stem = shifted * sigmoid(shifted)
    patches = patches_of(stem + x if adds else stem)
    out = convolved(patches, given.weight, eps) + along(given.bias)
    return Passed(mean, attention, scale, normal, shifted, patches, out)


def backwards(
    upstream: Rounded, feature: np.ndarray, given: Branch, passed: Passed, eps: float = EPS
) -> Branch:
    """The gradients of a branch's parameters, each a Rounded, where `upstream` is that of `out`."""
    every, channels = (0, 2, 3), feature.shape[1]
    flat = dot("bkhw,bchw->kc", upstream, passed.patches, eps)
    weight = flat.moved(lambda array: array.reshape(-1, 3, 3, channels).transpose(0, 3, 1, 2))
    flipped = given.weight[..., ::-1, ::-1].transpose(1, 0, 2, 3)
    by_stem = convolved(patches_of(upstream), flipped, eps)

    gate = sigmoid(passed.shifted)
    by_shifted = by_stem * (gate + passed.shifted * gate * (1.0 - gate))
    by_normal = by_shifted * along(given.bn_weight)
    pull = (by_normal * passed.normal).mean(every, keepdims=True)
    by_seen = by_normal - by_normal.mean(every, keepdims=True) - passed.normal * pull
    by_seen = by_seen * along(passed.scale)

    attended = rounded(feature) * wide(passed.attention)
    conv_weight = dot("bkhw,bchw->kc", by_seen, attended, eps)
    by_attended = dot("bkhw,kc->bchw", by_seen, given.conv_weight[..., 0, 0], eps)
    by_attention = (by_attended * feature).sum((2, 3))
    by_fc = by_attention * passed.attention * (1.0 - passed.attention)
    fc_weight = dot("bk,bc->kc", by_fc, passed.mean, eps)
    return Branch(
        fc_weight=fc_weight[..., None, None],
        fc_bias=by_fc.sum(0),
        conv_weight=conv_weight[..., None, None],
        bn_weight=(by_shifted * passed.normal).sum(every),
        bn_bias=by_shifted.sum(every),
        weight=weight,
        bias=upstream.sum(every),
    )


def convolved(patches: Rounded, weight: np.ndarray, eps: float) -> Rounded:
    """A 3x3 convolution of patches [B, 9 * C, H, W] by weight [K, C, 3, 3]; [B, K, H, W]."""
    flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    return dot("bchw,kc->bkhw", patches, flat, eps)


def patches_of(x: Rounded) -> Rounded:
    """The 3x3 neighbours of each place, zeros around the map: [B, 9 * C, H, W] of [B, C, H, W]."""
    height, width = x.value.shape[2:]

    def neighbours(array: np.ndarray) -> np.ndarray:
        padded = np.pad(array, ((0, 0), (0, 0), (1, 1), (1, 1)))
        moved = [padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
        return np.concatenate(moved, 1)

    return x.moved(neighbours)


def wide(number: Rounded) -> Rounded:
    """Of each image and channel, [B, C], for all places of a map."""
    return number[:, :, None, None]


def along(number: Rounded | np.ndarray) -> Rounded:
    """Of each channel, [C], for all images and places."""
    return rounded(number)[None, :, None, None]
