"""What is generated: each change of an answer, and which properties are asked about it."""

from __future__ import annotations

import numpy as np
import pytest
from properties.mutants.changes import CHANGES, SIZES
from properties.mutants.generated import GENERATED, GRADIENTS, GROUPS, POINTS, own_groups

from paddlecompat.cells.option_set import known_mutant
from paddlecompat.fixtures.manifest import PROPERTIES

CORNERS = np.array([np.nan, -np.nan, np.inf, -0.0, 5e-324, 1.0, 1 + 2**-40], np.float64)
OF_NUMBERS = [name for name in CHANGES if "2**" not in name]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_each_change_is_one(name: str) -> None:
    rows = np.concatenate([CORNERS, np.arange(1, 2000) / 3])
    found = CHANGES[name](rows.copy(), lambda: np.arange(len(rows)))
    assert (found.dtype, found.tobytes()) != (rows.dtype, rows.tobytes())


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "complex64"])
def test_what_is_altered_is_right_nowhere(dtype: str) -> None:
    rows = np.resize(np.arange(2), 9).astype(dtype)
    assert (CHANGES["altered"](rows.copy(), lambda: np.arange(9)) != rows).all()


@pytest.mark.parametrize("size", SIZES)
def test_a_boundary_is_wrong_at_one_place_alone(size: str) -> None:
    places = SIZES[size] + np.arange(-2, 3)
    wrong = CHANGES[f"wrong at {size}"](np.arange(5.0) + 1, lambda: places)
    assert np.flatnonzero(wrong != np.arange(5.0) + 1).tolist() == [2]
    zero = CHANGES[f"zero from {size}"](np.arange(5.0) + 1, lambda: places)
    assert zero.tolist() == [1, 2, 0, 0, 0]


def test_below_a_boundary_nothing_is_wrong() -> None:
    rows = np.arange(1.0, 5)
    for name in ("wrong at 4", "zero from 4"):
        assert (CHANGES[name](rows.copy(), lambda: np.arange(4)) == rows).all()


def test_names_are_those_that_people_write() -> None:
    for name in ("masked_select: drop last", "x[mask]'s gradient: dropped"):
        assert known_mutant(name) == name
    assert all(made.about for made in GENERATED.values())


def test_every_function_has_properties_of_its_own() -> None:
    for point in (*POINTS.values(), *GRADIENTS.values()):
        assert own_groups(point.targets)


def test_the_groups_that_are_asked_exist() -> None:
    there = {path.stem.removeprefix("test_") for path in PROPERTIES.glob("*/test_*.py")}
    for groups in GROUPS.values():
        assert any(name.startswith(groups) for name in there), groups
