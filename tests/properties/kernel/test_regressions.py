"""Cases that users published about the kernel's family, asked again: each is a property.

Each is asked 20 times, because what memory holds may be right by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import paddle
import pytest

from properties.cases.case import Case, verify
from properties.cases.regressions import PublishedCase, read_regressions
from properties.protocol.evidence import Answers, Refusal
from properties.protocol.release_errors import NO_BROADCAST
from properties.questions.boolean_index import get_masked
from properties.questions.memory import fresh, tensor

PUBLISHED = read_regressions()


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_published_case_is_right(published: PublishedCase) -> None:
    refusal = published.options["call"] == "cross_entropy"
    verify(Case(published_refusal if refusal else published_call, published), NO_BROADCAST)


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
