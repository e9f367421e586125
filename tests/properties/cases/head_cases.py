"""The cases of PP-YOLOE's whole head, by structure. They shrink to one of each, and seed 0."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from properties.cases.loss_cases import REG_RANGES, SEEDS, SPREADS, Recipe
from properties.oracle.box_loss import RegRange
from properties.oracle.head.head_arrays import (
    TOPK,
    assignment,
    box_pairs,
    distributions,
    head_inputs_of,
    score_inputs,
)

FEW = st.integers(1, 3)
SIDES = st.sampled_from((96, 128))  # pixels: 9 anchors at the greatest stride, which is ATSS's topk


class HeadRecipe(Recipe):
    """Inputs that a function of `head_arrays` makes: a script finds it among the names here."""


def any_scores(loss: str, alpha: float) -> st.SearchStrategy[HeadRecipe]:
    """Scores of 1 to 3 images, 1 to 20 anchors and 1 to 4 classes."""
    words: dict[str, Any] = {
        "batch": FEW,
        "anchors": st.integers(1, 20),
        "classes": st.integers(1, 4),
    }
    return recipes(score_inputs, {**words, "seed": SEEDS}, loss=loss, alpha=alpha)


def any_distributions(reg_range: RegRange) -> st.SearchStrategy[HeadRecipe]:
    """Distributions of 1 to 3 images and 1 to 20 anchors."""
    words: dict[str, Any] = {
        "batch": FEW,
        "anchors": st.integers(1, 20),
        "spread": SPREADS,
        "seed": SEEDS,
    }
    words["reg_range"] = st.just(reg_range)
    return recipes(distributions, words, reg_range=reg_range)


def any_box_pairs() -> st.SearchStrategy[HeadRecipe]:
    """1 to 40 pairs of boxes."""
    return recipes(box_pairs, {"count": st.integers(1, 40), "seed": SEEDS})


@st.composite
def any_assignment(draw: st.DrawFn, assigner: str) -> HeadRecipe:
    """1 to 3 images with at most 4 boxes each; fewer candidates than an assigner has by default."""
    topk = draw(st.integers(2, TOPK[assigner]))
    words: dict[str, Any] = {
        "side": SIDES,
        "classes": FEW,
        "batch": FEW,
        "boxes": st.integers(1, 4),
        "seed": SEEDS,
    }
    words |= {"assigner": st.just(assigner), "topk": st.just(topk)}
    return draw(recipes(assignment, words, assigner=assigner, topk=topk))


@st.composite
def any_step(draw: st.DrawFn, assigner: str) -> HeadRecipe:
    """A step of 1 or 2 images with at most 3 boxes each, of 1 to 3 channels and classes."""
    reg_range = draw(st.sampled_from(REG_RANGES))
    loss = draw(st.sampled_from(("varifocal", "focal")))
    words: dict[str, Any] = {
        "side": SIDES,
        "channels": FEW,
        "classes": FEW,
        "boxes": FEW,
        "seed": SEEDS,
    }
    words |= {"reg_range": st.just(reg_range), "batch": st.integers(1, 2)}
    return draw(recipes(head_inputs_of, words, assigner=assigner, reg_range=reg_range, loss=loss))


def real_assignment(assigner: str) -> st.SearchStrategy[HeadRecipe]:
    """8 images of 640 pixels with at most 10 boxes each, 8,400 anchors, PP-YOLOE's own `topk`."""
    words: dict[str, Any] = {
        "assigner": assigner,
        "topk": TOPK[assigner],
        "side": 640,
        "classes": 20,
    }
    words = {**words, "batch": 8, "boxes": 10, "seed": 0}
    fixed = {name: st.just(word) for name, word in words.items()}
    return recipes(assignment, fixed, assigner=assigner, topk=TOPK[assigner])


def real_step(assigner: str) -> st.SearchStrategy[HeadRecipe]:
    """A step of 8 images of 640 pixels, 8,400 anchors each: 20 classes, as of Pascal VOC."""
    words: dict[str, Any] = {
        "side": 640,
        "channels": 4,
        "classes": 20,
        "batch": 8,
        "boxes": 10,
        "seed": 0,
    }
    reg_range = REG_RANGES[0]
    fixed = {name: st.just(word) for name, word in {**words, "reg_range": reg_range}.items()}
    options = {"assigner": assigner, "reg_range": reg_range, "loss": "varifocal"}
    return recipes(head_inputs_of, fixed, **options)


def recipes(make: Any, words: dict[str, Any], **options: Any) -> st.SearchStrategy[HeadRecipe]:
    """The inputs that `make` makes of the words that are drawn."""
    drawn = st.fixed_dictionaries(words)
    return st.builds(HeadRecipe, st.just(make), drawn, st.just(options))
