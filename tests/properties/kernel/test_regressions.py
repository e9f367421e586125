"""What users published of the kernel's family, replayed to the letter: each case is a property."""

from __future__ import annotations

import pytest

from properties.cases.regressions import Regression, read
from properties.cases.selection_cases import Replay, verify, verify_published_refusal
from properties.kernel.test_masked_select import NO_BROADCAST

PUBLISHED = read()


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_published_case_is_right(published: Regression) -> None:
    if published.call == "cross_entropy":
        verify_published_refusal(Replay(published))
    else:
        verify(Replay(published), NO_BROADCAST)
