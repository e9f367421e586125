"""Hosts of one class stand in one column."""

from __future__ import annotations

import pytest
import samples

from paddlecompat.records.record import NotRun
from paddlecompat.records.subject import class_order


@pytest.mark.parametrize(
    ("capability", "name"),
    [
        ("5.2", "Maxwell"),
        ("6.1", "Pascal"),
        ("7.0", "Volta"),
        ("7.5", "Turing"),
        ("8.0", "Ampere"),
        ("8.6", "Ampere"),
        ("8.9", "Ada"),
        ("9.0", "Hopper"),
        ("10.0", "Blackwell"),
        ("12.0", "Blackwell"),
        ("2.1", "capability 2.1"),
    ],
)
def test_a_compute_capability_is_of_a_generation(capability: str, name: str) -> None:
    assert samples.device(capability=capability).generation == name


@pytest.mark.parametrize(
    ("os", "name"),
    [
        ("Linux, Ubuntu 22.04", "Linux, Ampere"),
        ("Linux, Ubuntu 22.04 (WSL2)", "WSL, Ampere"),
        ("Windows 10.0.22631", "Windows, Ampere"),
        ("Windows build under Wine 8.0 on Debian 12", "Wine, Ampere"),
        ("Plan 9", "another system, Ampere"),
    ],
)
def test_a_gpu_cells_class_is_of_system_and_card(os: str, name: str) -> None:
    record = samples.record(place="gpu", host=samples.host(os=os), device=samples.device())
    assert record.host_class == name


def test_a_gpu_cell_that_met_no_device_is_of_no_class() -> None:
    why = NotRun(reason="no CUDA device", detail="No GPU was found.")
    record = samples.record(place="gpu", properties=[], not_run=why)
    assert record.host_class is None


def test_a_card_that_is_not_described_is_its_own_class() -> None:
    assert samples.record(place="gpu").host_class == "Linux, card not told"


def test_a_cpu_cell_is_of_the_class_of_its_system() -> None:
    assert samples.record().host_class == "Linux"


def test_classes_stand_by_system_and_then_by_generation() -> None:
    names = [
        "Windows, Turing",
        "Linux, Hopper",
        "WSL, Ada",
        "Linux, Ampere",
        "Linux, card not told",
    ]
    assert sorted(names, key=class_order) == [
        *("Linux, Ampere", "Linux, Hopper", "Linux, card not told"),
        *("WSL, Ada", "Windows, Turing"),
    ]
