"""The matrix: which cells, in what order, and what an interruption costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import samples

from paddlecompat.cells import matrix
from paddlecompat.cells.option_set import Options
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.forms import Kind
from paddlecompat.fixtures.releases import Cell
from paddlecompat.records.judging import Outcome, Status
from paddlecompat.records.record import NotRun
from paddlecompat.records.subject import Device

FIXTURE = releases.load()
CPU = [cell.name for cell in releases.cells(FIXTURE) if cell.kind == "cpu"]
QUICK = Options(profile="quick")


class Cells:
    """Stands in for the cells' processes."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.ran: list[str] = []
        self.status: dict[str, Status] = {}
        self.breaks_at: str | None = None
        self.broken = threading.Event()
        self.device: Device | NotRun = NotRun(reason="no CUDA device", detail="no driver")
        self.state, self.patch = folder / "matrix.json", patch
        patch.setattr(matrix, "fill_in_child", self.fill)
        patch.setattr(matrix, "MATRIX_STATE", self.state)
        patch.setattr("paddlecompat.cells.matrix.gpus.look", lambda: self.device)

    def fill(self, cell: Cell, options: Options) -> Outcome:
        if cell.name == self.breaks_at:
            self.broken.set()
            raise KeyboardInterrupt
        if self.broken.is_set():
            time.sleep(0.2)  # as long as it takes to be noticed
        self.ran.append(cell.name)
        status = self.status.get(cell.name, Status.AS_EXPECTED)
        return Outcome(cell=cell.name, status=status, words=f"{cell.name}: sound")

    def run(
        self,
        options: Options = QUICK,
        *,
        jobs: int = 1,
        anew: bool = False,
        kinds: Sequence[Kind] = ("cpu", "gpu"),
    ) -> Status:
        return matrix.run(FIXTURE, kinds, jobs, anew, options)

    def interrupt(self) -> None:
        """A run that ends at the third cell."""
        self.breaks_at = CPU[2]
        with pytest.raises(KeyboardInterrupt):
            self.run()
        self.breaks_at = None
        self.broken.clear()
        self.ran.clear()


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    return Cells(tmp_path, monkeypatch)


def test_without_a_device_the_gpu_cells_are_left_out(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cells.run() == Status.AS_EXPECTED
    assert cells.ran == CPU
    assert "GPU cells left out: no CUDA device (no driver)" in capsys.readouterr().out


def test_with_a_device_it_fills_the_gpu_cells_too(cells: Cells) -> None:
    cells.device = samples.device()
    cells.run()
    both = [cell for cell in releases.cells(FIXTURE) if cell.kind in ("cpu", "gpu")]
    assert cells.ran == [cell.name for cell in both]


def test_cells_on_the_gpu_run_one_after_another(cells: Cells) -> None:
    running: list[str] = []
    together: list[list[str]] = []

    def fill(cell: Cell, options: Options) -> Outcome:
        running.append(cell.place)
        together.append(list(running))
        time.sleep(0.01)
        running.remove(cell.place)
        return cells.fill(cell, options)

    cells.device = samples.device()
    cells.patch.setattr(matrix, "fill_in_child", fill)
    cells.run(jobs=4)
    assert max(places.count("cpu") for places in together) > 1
    assert max(places.count("gpu") for places in together) == 1


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((Status.AS_EXPECTED, Status.WORSE), Status.WORSE),
        ((Status.MACHINE_FAILED, Status.AS_EXPECTED), Status.MACHINE_FAILED),
        ((Status.MACHINE_FAILED, Status.WORSE), Status.WORSE),
    ],
)
def test_the_worst_cell_is_the_matrixs_status(
    cells: Cells, statuses: tuple[Status, Status], worst: Status
) -> None:
    cells.status = dict(zip(CPU, statuses, strict=False))
    assert cells.run() == worst
    assert cells.ran == CPU


def test_each_cell_ends_in_a_line_that_says_what_is_left(
    cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run()
    lines = capsys.readouterr().out.splitlines()
    total = len(CPU)
    assert f"[1/{total}] {CPU[0]}: sound (0 s); {total - 1} left, about 0 min" in lines
    assert f"[{total}/{total}] {CPU[-1]}: sound (0 s); none left" in lines


def test_an_interrupted_run_continues_where_it_was(cells: Cells) -> None:
    cells.interrupt()
    cells.run()
    assert cells.ran == CPU[2:]


def test_an_interruption_starts_no_further_cell(cells: Cells) -> None:
    cells.breaks_at = CPU[2]
    with pytest.raises(KeyboardInterrupt):
        cells.run()
    assert cells.ran in (CPU[:2], [*CPU[:2], CPU[3]])  # one may be under way


def test_a_worse_cell_counts_after_an_interruption(cells: Cells) -> None:
    cells.status[CPU[0]] = Status.WORSE
    cells.interrupt()
    assert cells.run() == Status.WORSE


def test_one_kind_of_cells_is_filled_alone(cells: Cells) -> None:
    cells.run(kinds=["fresh"])
    assert cells.ran == [name.replace("cpu", "fresh") for name in CPU]


def test_anew_starts_over(cells: Cells) -> None:
    cells.interrupt()
    cells.run(anew=True)
    assert cells.ran == CPU


def test_other_options_start_over(cells: Cells) -> None:
    cells.interrupt()
    cells.run(Options(profile="thorough"))
    assert cells.ran == CPU


@pytest.mark.parametrize("damage", ["truncated", "another version", "a folder"])
def test_a_state_that_cannot_be_read_starts_over(cells: Cells, damage: str) -> None:
    cells.interrupt()
    state = cells.state
    text = state.read_text(encoding="utf-8")
    state.unlink()
    if damage == "a folder":
        (state / "inside").mkdir(parents=True)
    else:
        other = text.replace('"version": 1', '"version": 0')
        state.write_text(text[:-9] if damage == "truncated" else other, encoding="utf-8")
    cells.run()
    assert cells.ran == CPU
    assert not state.exists()


def test_a_finished_run_is_not_continued(cells: Cells) -> None:
    cells.run()
    cells.ran.clear()
    cells.run()
    assert cells.ran == CPU
