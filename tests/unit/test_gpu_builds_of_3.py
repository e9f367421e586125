"""Which GPU build of 3.x a person is told to install: written by hand from the sources.

Paddle's pages on pip for 3.0.0 and 3.2.0 list the CUDA versions. Which card each serves is from
what the builds printed where they lacked a card's code (Paddle#73687, #73937, #74088, #76037;
PaddleX#4473), from cmake/cuda.cmake (Paddle#52285, #78720), and from the reports of a GTX 1080
(PaddleX#4682) and of RTX 50 cards (Paddle#76037).
"""

from __future__ import annotations

import re
from typing import cast

import pytest

from paddlecompat.commands import view_on
from paddlecompat.fixtures import releases, uses
from paddlecompat.fixtures.builds import System
from paddlecompat.folders import PUBLISHED
from paddlecompat.machine import choice
from paddlecompat.report import asked
from paddlecompat.report.facts import Facts

BY_HAND = """
                     3.0.0  3.1.0  3.1.1  3.2.0  3.2.1  3.2.2  3.3.0  3.3.1
linux    GTX 980 Ti    -      -      -      -      -      -      -      -
linux    P100        cu118  cu118  cu118  cu118  cu118  cu118  cu118  cu118
linux    GTX 1080    cu126  cu129  cu129  cu126  cu126  cu126  cu126  cu126
linux    V100        cu126  cu129  cu129  cu126  cu126  cu126  cu126  cu126
linux    T4          cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
linux    A100        cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
linux    RTX 3090    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
linux    RTX 4090    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
linux    H100        cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
linux    B200          -      -      -      -      -      -      -      -
linux    RTX 5090      -      -      -    cu129  cu129  cu129  cu129  cu129
windows  GTX 980 Ti    -      -      -      -      -      -      -      -
windows  GTX 1080    cu118  cu118  cu118  cu118  cu118  cu118  cu118  cu118
windows  V100          -      -      -      -      -      -      -      -
windows  GTX 1650    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
windows  RTX 2080    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
windows  RTX 3070    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
windows  RTX 4060    cu126  cu129  cu129  cu129  cu129  cu129  cu129  cu129
windows  H100          -      -      -      -      -      -      -      -
windows  RTX 5060      -      -      -    cu129  cu129  cu129  cu129  cu129
"""
NEAREST = [
    ("3.0.0", "RTX 5090", "linux", "3.2.2+cu129"),
    ("3.1.1", "RTX 5060", "windows", "3.2.2+cu129"),
    ("2.6.2", "RTX 5090", "linux", "3.2.2+cu129"),
    ("3.3.1", "V100", "windows", "2.6.2"),
    ("3.3.1", "H100", "windows", "2.6.2.post120"),
    ("3.3.1", "GTX 980 Ti", "linux", "2.5.2.post102"),
    ("2.3.2", "H100", "linux", "2.6.2.post120"),
]


def rows() -> list[tuple[str, str, str, str]]:
    """System, card, release and index of each place in the table."""
    head, *lines = (re.split(r"\s{2,}", line) for line in BY_HAND.strip().splitlines())
    return [
        (system, card, *place)
        for system, card, *indexes in lines
        for place in zip(head, indexes, strict=True)
    ]


@pytest.fixture(scope="module")
def facts() -> Facts:
    return view_on([PUBLISHED], releases.load()).facts


def told(facts: Facts, release: str, card: str, system: str) -> list[str]:
    """What `nox -s ask` prints."""
    names = [known.version for known in facts.fixture.release]
    about = asked.read_words([release, card], names, uses.load_cards(), cast("System", system))
    return asked.answer_lines(about, facts, "en")


def test_the_table_is_as_large_as_it_has_to_be() -> None:
    assert len(rows()) >= 60


@pytest.mark.parametrize(("system", "card", "release", "index"), rows())
def test_each_card_is_told_the_command_of_paddles_pages(
    facts: Facts, system: str, card: str, release: str, index: str
) -> None:
    said = told(facts, release, card, system)
    address = f"https://www.paddlepaddle.org.cn/packages/stable/{index}/"
    command = f"install: python -m pip install paddlepaddle-gpu=={release} -i {address}"
    due = [] if index == "-" else [command, f"find out on your machine: nox -s gpu-{release}"]
    assert [line for line in said if line.startswith(("install", "find out"))] == due


@pytest.mark.parametrize(("release", "card", "system", "build"), NEAREST)
def test_a_card_without_a_build_is_told_the_nearest(
    facts: Facts, release: str, card: str, system: str, build: str
) -> None:
    assert told(facts, release, card, system)[-1].startswith(f"take {build}: ")


def test_an_installed_build_is_answered_without_its_cuda(facts: Facts) -> None:
    about = asked.Asked("3.3.1", "linux", "RTX 4090", "8.9", build="3.3.1")
    assert "packages/stable/cu129/" in "\n".join(asked.answer_lines(about, facts, "en"))


@pytest.mark.parametrize("build", ["3.3.1", "3.3.1+cu12", "3.3.0+cu126"])
def test_a_build_that_names_no_cuda_is_refused(build: str) -> None:
    release = next(r for r in releases.load().release if r.version == "3.3.1")
    with pytest.raises(ValueError, match=r"known: 3\.3\.1\+cu118, 3\.3\.1\+cu126"):
        choice.build_named(release, build)
