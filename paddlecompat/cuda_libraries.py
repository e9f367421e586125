"""Replaced on merge."""

from __future__ import annotations

from pathlib import Path


def served(system: str) -> frozenset[str]:
    return frozenset({"11.2", "11.6", "11.7", "11.8", "12.0"})


def settings(environment: Path) -> dict[str, str]:
    return {}
