"""The properties in this very process, under a pytest plugin that watches them: no workers."""

from __future__ import annotations

from pathlib import Path

import pytest

QUIETLY = ("-q", "--no-header", "--tb=no", "--no-summary", "-p", "no:xdist")


def run(plugin: object, profile: str, seed: int, keyword: str | None, *more: str) -> None:
    """One pass over the properties; `more` are options of pytest."""
    asked = [str(Path(__file__).parents[1]), *QUIETLY, "-p", "no:cacheprovider", *more]
    asked += [f"--profile={profile}", f"--hypothesis-seed={seed}"]
    asked += ["-k", keyword] if keyword else []
    pytest.main(asked, plugins=[plugin])
