"""Cases that users published about the kernel's family, asked again: each is a property."""

from __future__ import annotations

import pytest

from properties.cases.case import verify
from properties.cases.regressions import PublishedCase, read_regressions
from properties.cases.replays import replay
from properties.protocol.release_errors import NO_BROADCAST

PUBLISHED = read_regressions()


@pytest.mark.parametrize("published", PUBLISHED, ids=[case.name for case in PUBLISHED])
def test_published_case_is_right(published: PublishedCase) -> None:
    verify(replay(published), NO_BROADCAST)
