"""Published cases, asked again: each 20 times, because what memory holds may be right by chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import paddle

from properties.cases.case import Case
from properties.cases.regressions import PublishedCase
from properties.protocol.evidence import Answers, Refusal
from properties.questions.boolean_index import get_masked
from properties.questions.memory import fresh, tensor


def replay(told: PublishedCase) -> Case:
    """The published call, to be asked again."""
    refusal = told.options["call"] == "cross_entropy"
    return Case(published_refusal if refusal else published_call, told)


def published_call(
    call: str,
    x: np.ndarray,
    right: np.ndarray,
    mask: np.ndarray | None = None,
    permutation: Sequence[int] = (),
    row: int | None = None,
) -> Answers:
    """Of x, of x with its axes permuted, or of one of its rows."""
    source = tensor(x).transpose(list(permutation)) if permutation else tensor(x)
    source = source if row is None else source[row]
    given = [source] if mask is None else [source, tensor(mask)]
    calls = {
        "masked_select": paddle.masked_select,
        "boolean index": get_masked,
        "nonzero": paddle.nonzero,
    }
    for _ in range(20):
        yield fresh(call, right, calls[call], *given)


def published_refusal(x: np.ndarray, classes: int) -> Answers:
    """`cross_entropy` is due one of the two errors that threads show for such a label."""
    what, entropy = f"label {x.tolist()} of {classes} classes", paddle.nn.functional.cross_entropy
    logits, labels = paddle.zeros([x.size, classes]), tensor(x.reshape(-1, 1))
    for _ in range(20):
        call = partial(fresh, what, x, entropy, logits, labels)
        yield what, call, Refusal("ValueError|IndexError"), None
