"""What the badge may say."""

from __future__ import annotations

import pytest

from paddlecompat.records.judging import Standing
from paddlecompat.report.view import badge_of


def test_all_as_expected_is_green_and_says_how_many() -> None:
    shown = badge_of(["as expected"] * 17)
    assert (shown["message"], shown["color"]) == ("17 of 17 measured as expected", "brightgreen")


@pytest.mark.parametrize("standings", [[], [None, None]])
def test_nothing_measured_is_grey_and_says_so(standings: list[Standing | None]) -> None:
    shown = badge_of(standings)
    assert str(shown["message"]).startswith("nothing measured")
    assert shown["color"] == "lightgrey"


def test_a_cell_that_did_not_run_is_counted_by_itself() -> None:
    assert (
        badge_of(["as expected", None])["message"] == "1 of 1 measured as expected, 1 not measured"
    )


def test_one_worse_cell_is_red() -> None:
    shown = badge_of(["as expected", "as expected", "worse"])
    assert (shown["message"], shown["color"]) == ("2 of 3 measured as expected, 1 worse", "red")


def test_better_is_not_as_expected() -> None:
    shown = badge_of(["as expected", "better"])
    assert (shown["message"], shown["color"]) == ("1 of 2 measured as expected, 1 better", "blue")


def test_a_record_that_cannot_be_read_costs_the_green() -> None:
    assert badge_of(["as expected"], unreadable=1)["color"] == "yellow"


def test_cells_of_other_properties_cost_the_green() -> None:
    shown = badge_of(["as expected"], outdated=1)
    assert shown["color"] == "yellow"
    assert "1 with other properties" in str(shown["message"])


def test_what_others_measured_is_counted_by_itself() -> None:
    shown = badge_of([], by_others=3)
    assert (shown["message"], shown["color"]) == ("nothing measured, 3 by others", "lightgrey")


def test_a_badge_has_the_fields_that_shields_io_reads() -> None:
    assert badge_of(["as expected"]) == {
        "schemaVersion": 1,
        "label": "paddle matrix",
        "message": "1 of 1 measured as expected",
        "color": "brightgreen",
    }
