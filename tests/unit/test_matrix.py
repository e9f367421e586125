"""The matrix: which cells, in what order, and what an interruption costs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import samples

from paddlecompat.cells import matrix
from paddlecompat.cells.matrix import Ended
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.releases import Cell
from paddlecompat.machine import gpus
from paddlecompat.records.record import NotRun

FIXTURE = releases.load()
CPU = [cell.name for cell in releases.cells(FIXTURE) if cell.place == "cpu"]


class Sessions:
    """Stands in for the cells' Nox sessions."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: list[str] = []
        self.fetched: list[str] = []
        self.status: dict[str, int] = {}
        self.breaks_at: str | None = None
        self.broken = threading.Event()
        monkeypatch.setattr(matrix, "STATE", folder / "matrix.json")
        monkeypatch.setattr(matrix, "fill", self.fill)
        monkeypatch.setattr(matrix, "fetch_ahead", lambda cell: self.fetched.append(cell.name))
        none = NotRun(reason="no CUDA device", detail="no driver")
        monkeypatch.setattr(gpus, "look", lambda: none)

    def fill(self, cell: Cell, options: list[str]) -> Ended:
        if cell.name == self.breaks_at:
            self.broken.set()
            raise KeyboardInterrupt
        if self.broken.is_set():
            time.sleep(0.2)  # as long as it takes to be noticed
        self.ran.append(cell.name)
        return Ended(cell, self.status.get(cell.name, 0), f"{cell.name}: sound", 1.0)


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    return Sessions(tmp_path, monkeypatch)


def test_without_a_device_it_fills_the_cpu_cells_and_says_what_it_left_out(
    sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matrix.run(FIXTURE, 1, False, []) == 0
    assert sessions.ran == CPU
    assert "GPU cells left out: no CUDA device (no driver)" in capsys.readouterr().out


def test_with_a_device_it_fills_the_gpu_cells_too(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "look", samples.device)
    matrix.run(FIXTURE, 1, False, [])
    assert sessions.ran == [cell.name for cell in releases.cells(FIXTURE)]


def test_cells_on_the_gpu_run_one_after_another(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[str] = []
    together: list[list[str]] = []

    def fill(cell: Cell, options: list[str]) -> Ended:
        running.append(cell.place)
        together.append(list(running))
        time.sleep(0.01)
        running.remove(cell.place)
        return sessions.fill(cell, options)

    monkeypatch.setattr(gpus, "look", samples.device)
    monkeypatch.setattr(matrix, "fill", fill)
    matrix.run(FIXTURE, 4, False, [])
    assert max(places.count("cpu") for places in together) > 1
    assert max(places.count("gpu") for places in together) == 1


def test_one_cell_that_is_worse_fails_it_and_the_others_are_filled(sessions: Sessions) -> None:
    sessions.status[CPU[1]] = 1
    assert matrix.run(FIXTURE, 1, False, []) == 1
    assert sessions.ran == CPU


def test_while_one_cell_is_tested_the_next_ones_wheel_is_fetched(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(cell: Cell, options: list[str]) -> Ended:
        while len(sessions.fetched) < min(len(sessions.ran) + 1, len(CPU) - 1):
            time.sleep(0.001)  # a test that lasts until the next wheel is there
        return sessions.fill(cell, options)

    monkeypatch.setattr(matrix, "fill", fill)
    matrix.run(FIXTURE, 1, False, [])
    assert sessions.fetched == CPU[1:]


def test_each_cell_ends_in_a_line_that_says_what_is_left(
    sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix.run(FIXTURE, 1, False, [])
    lines = capsys.readouterr().out.splitlines()
    total = len(CPU)
    assert f"[1/{total}] {CPU[0]}: sound (1 s); {total - 1} left, about 0 min" in lines
    assert f"[{total}/{total}] {CPU[-1]}: sound (1 s); none left" in lines


def test_an_interrupted_run_goes_on_where_it_was(sessions: Sessions) -> None:
    interrupted(sessions)
    matrix.run(FIXTURE, 1, False, ["--profile", "quick"])
    assert sessions.ran == CPU[2:]


def test_an_interruption_starts_no_further_cell(sessions: Sessions) -> None:
    sessions.breaks_at = CPU[2]
    with pytest.raises(KeyboardInterrupt):
        matrix.run(FIXTURE, 1, False, [])
    assert sessions.ran in (CPU[:2], [*CPU[:2], CPU[3]])  # one may be under way


def test_a_cell_that_was_worse_before_the_interruption_still_fails_the_run(
    sessions: Sessions,
) -> None:
    sessions.status[CPU[0]] = 1
    interrupted(sessions)
    assert matrix.run(FIXTURE, 1, False, ["--profile", "quick"]) == 1


def test_fresh_starts_over(sessions: Sessions) -> None:
    interrupted(sessions)
    matrix.run(FIXTURE, 1, True, ["--profile", "quick"])
    assert sessions.ran == CPU


def test_other_options_start_over(sessions: Sessions) -> None:
    interrupted(sessions)
    matrix.run(FIXTURE, 1, False, ["--profile", "standard"])
    assert sessions.ran == CPU


def test_a_finished_run_is_not_gone_on_with(sessions: Sessions) -> None:
    matrix.run(FIXTURE, 1, False, [])
    sessions.ran.clear()
    matrix.run(FIXTURE, 1, False, [])
    assert sessions.ran == CPU


def interrupted(sessions: Sessions) -> None:
    """A run that ends at the third cell."""
    sessions.breaks_at = CPU[2]
    with pytest.raises(KeyboardInterrupt):
        matrix.run(FIXTURE, 1, False, ["--profile", "quick"])
    sessions.breaks_at = None
    sessions.broken.clear()
    sessions.ran.clear()
