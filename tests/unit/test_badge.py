"""What the badges may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import samples
from written_report import Written, idle, violated, write_report

from paddlecompat.fixtures.bugs import Known
from paddlecompat.records.record import NotRun

NOTHING = Known()


CHANGED = samples.SUITE.model_copy(update={"digest": "0" * 64})
"""The same properties, written otherwise."""


def badge(page: Written, name: str = "badge") -> tuple[str, str]:
    """A badge's message and colour."""
    made: Any = json.loads(page.read(f"{name}.json"))
    return made["message"], made["color"]


def test_all_right_is_green_and_counts_the_cells(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record(), samples.record(release="2.4.0"))
    assert badge(page) == ("no new violations in 2 cells", "brightgreen")


def test_known_violations_alone_are_not_green(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), bugs=samples.known())
    assert badge(page) == ("no new violations in 1 cell", "blue")


def test_a_new_silent_violation_is_red_and_counted(tmp_path: Path) -> None:
    page = write_report(tmp_path, violated(), samples.record(release="2.4.0"))
    assert badge(page) == ("1 new in 2 cells", "red")


def test_nothing_measured_is_grey(tmp_path: Path) -> None:
    assert badge(write_report(tmp_path, idle())) == ("nothing measured", "lightgrey")


def test_a_release_that_no_longer_imports_is_red(tmp_path: Path) -> None:
    why = NotRun(reason="import failed", detail="no symbol")
    message, colour = badge(write_report(tmp_path, idle(why, place="cpu")))
    assert (message.partition(", ")[2], colour) == ("1 import or verify nothing", "red")


def test_a_record_that_cannot_be_read_costs_the_green(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "bad.json").write_text("{}")
    assert badge(write_report(tmp_path, samples.record()))[1] == "yellow"


def test_cells_of_other_properties_cost_the_green(tmp_path: Path) -> None:
    message, colour = badge(write_report(tmp_path, samples.record(), listed=CHANGED))
    assert (message.partition(", ")[2], colour) == ("1 of other properties", "yellow")


def test_what_others_measured_counts_for_nothing(tmp_path: Path) -> None:
    sent = violated().model_copy(update={"provenance": "sent in"})
    assert badge(write_report(tmp_path, sent)) == ("nothing measured", "lightgrey")


def test_a_field_report_counts_for_nothing(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record(), reported=[samples.field_report()])
    assert badge(page) == ("no new violations in 1 cell", "brightgreen")


@pytest.mark.parametrize("use", ["train", "read"])
def test_a_use_that_is_silently_wrong_is_red(tmp_path: Path, use: str) -> None:
    page = write_report(tmp_path, violated(), bugs=samples.known())
    message, colour = badge(page, f"badges/2.3.2-{use}")
    assert (message, colour) == ("silently wrong with pins, unknown by pip", "red")


def test_a_use_that_is_right_with_pins_alone_is_not_green(tmp_path: Path) -> None:
    page = write_report(tmp_path, samples.record())
    assert badge(page, "badges/2.3.2-train") == ("right with pins, unknown by pip", "lightgrey")


@pytest.mark.parametrize("name", ["badge", "badges/2.3.2-write"])
def test_the_svg_says_what_the_json_says(tmp_path: Path, name: str) -> None:
    page = write_report(tmp_path, samples.record())
    made = json.loads(page.read(f"{name}.json"))
    label = ElementTree.fromstring(page.read(f"{name}.svg")).get("aria-label")
    assert label == f"{made['label']}: {made['message']}"
