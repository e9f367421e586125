"""Which cells the programs beside a cell's session run in."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("fetching\ngpu-2.3.2: no CUDA libraries: install them\nnox > failed\n", "install them"),
        ("Traceback\n", r"see .*prepare-gpu-2\.3\.2\.log"),
    ],
)
def test_why_a_cell_cannot_be_made_ready_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    log = tmp_path / "prepare-gpu-2.3.2.log"
    log.write_text(said, encoding="utf-8")
    monkeypatch.setattr(run_program, "ROOT", tmp_path)
    monkeypatch.setattr(run_program, "LOGS", tmp_path)
    monkeypatch.setattr(run_program, "run_logged", lambda *_: 1)
    with pytest.raises(ValueError, match=f"gpu-2.3.2 cannot be made ready: .*{told}"):
        run_program.interpreter_of(releases.cell_named("gpu-2.3.2", FIXTURE))
