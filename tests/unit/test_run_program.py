"""Which cells the studies run in."""

from __future__ import annotations

import pytest

from paddlecompat.cells import run_program
from paddlecompat.fixtures import releases

FIXTURE = releases.load()


def test_cells_stand_in_the_order_of_the_fixture() -> None:
    found = run_program.cpu_cells(FIXTURE, ["2.6.2", "2.3.2"])
    assert [cell.name for cell in found] == ["cpu-2.3.2", "cpu-2.6.2"]


def test_a_release_that_is_not_listed_is_named() -> None:
    with pytest.raises(ValueError, match=r"no CPU cell of 1\.0\.0; there are 2\.2\.2, "):
        run_program.cpu_cells(FIXTURE, ["2.6.2", "1.0.0"])
