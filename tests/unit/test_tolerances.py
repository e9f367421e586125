"""What the tolerances of the losses see, and what they let pass: float32, whatever the order."""

from __future__ import annotations

from math import frexp, ldexp

import numpy as np
import pytest
from properties.oracle import box_loss as oracle
from properties.oracle.box_loss import BoxLoss, BoxLossInputs, RegRange, clip_end, clip_holds
from properties.oracle.loss_arrays import confident_inputs, dfl_inputs, head_inputs
from properties.oracle.tolerances import (
    box_loss_gradient_tolerance,
    box_loss_tolerance,
    dfl_tolerance,
    entropy_errors,
    label_entropies,
    least_relative_error,
    roundings,
    unit,
)

RANGE = (0, 17)
U = unit(np.dtype(np.float32))
SEEDS = range(5)


def head(seed: int, count: int = 40) -> BoxLossInputs:
    """Inputs of the head with this many positives."""
    return head_inputs(RANGE, 4, 1, count, "all", seed)


@pytest.mark.parametrize(("name", "seen"), [("l1", 5e-6), ("giou", 5e-6), ("dfl", 5e-6)])
def test_a_loss_of_forty_positives_that_is_off_is_seen(name: str, seen: float) -> None:
    for seed in SEEDS:
        due = getattr(oracle.box_loss(head(seed), RANGE), name)
        assert getattr(box_loss_tolerance(head(seed), RANGE, U), name) < seen * due


@pytest.mark.parametrize("name", BoxLoss._fields)
def test_a_gradient_that_is_off_by_a_few_millionths_is_seen(name: str) -> None:
    for seed in SEEDS:
        due = getattr(oracle.box_loss_gradients(head(seed), RANGE), name)
        within = getattr(box_loss_gradient_tolerance(head(seed), RANGE, U), name)
        assert least_relative_error(due, within) < 2e-6


def test_a_loss_of_a_whole_batch_that_is_off_by_a_ten_thousandth_is_seen() -> None:
    inputs = head(0, 30_000)
    for due, within in zip(oracle.box_loss(inputs, RANGE), box_loss_tolerance(inputs, RANGE, U)):
        assert within < 2e-4 * due


@pytest.mark.parametrize("spread", [1.0, 16.0, 31.0])
def test_cross_entropies_in_float32_are_let_pass(spread: float) -> None:
    logits = dfl_inputs(RANGE, "float32", "inside", 200, spread, 0).logits
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exps = np.exp(shifted)
    total = np.zeros(exps.shape[:-1], np.float32)
    for bin_ in range(exps.shape[-1]):
        total += exps[..., bin_]
    found = -np.log(exps * (1 / total)[..., None]).astype(np.float64)
    assert (np.abs(found + oracle.log_softmax(logits)) <= entropy_errors(logits, U)).all()


def test_a_dfl_that_is_summed_in_float32_is_let_pass() -> None:
    inputs = dfl_inputs(RANGE, "float32", "inside", 5000, 8.0, 0)
    sides = oracle.side_losses(inputs.logits, inputs.targets, RANGE).astype(np.float32)
    terms = sides.mean(axis=-1, dtype=np.float32) * inputs.weights
    lanes = np.cumsum(terms.reshape(-1, 8), axis=0, dtype=np.float32)[-1]
    off = abs(float(lanes.sum(dtype=np.float32)) - oracle.dfl_loss(inputs, 1.0))
    assert off <= dfl_tolerance(inputs, 1.0, U)


def test_few_roundings_count_each_and_many_by_their_root() -> None:
    assert (roundings(7), roundings(10_000)) == (7, 1000)


def test_a_confident_prediction_is_sure_of_a_bin_that_is_not_due() -> None:
    inputs = confident_inputs(RANGE, "float32", 3, 100.0, 0)
    labels = np.floor(inputs.targets).astype(int)
    due, _ = label_entropies(inputs.logits, labels)
    assert ((due > 90) & (due < 110)).all()


def bfloat16(number: float) -> float:
    """The number, rounded to 8 bits."""
    mantissa, exponent = frexp(number)
    return ldexp(round(ldexp(mantissa, 8)), exponent - 8)


@pytest.mark.parametrize(("dtype", "high"), [("float16", 34), ("float32", 262_146)])
def test_the_clip_rounds_up_to_the_last_bin_from_here_on(dtype: str, high: int) -> None:
    assert clip_holds((0, high - 1), dtype)
    assert not any(clip_holds((0, above), dtype) for above in range(high, high + 500))


def test_the_clip_in_bfloat16_rounds_up_at_the_default_range() -> None:
    ranges: list[RegRange] = [(0, high) for high in range(2, 100)]
    held = [each for each in ranges if bfloat16(clip_end(each)) < each[1] - 1]
    assert held == [(0, high) for high in range(2, 6)]
