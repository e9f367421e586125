"""The notebook for a GPU that anyone can have, run from the first cell to the last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from paddlecompat.folders import ROOT

NOTEBOOK = ROOT / "notebooks" / "gpu.ipynb"


def run_notebook(folder: Path, chosen: str) -> dict[str, str]:
    """What each cell printed, by its id, with the parameters `chosen` in place of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # theirs
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    parameters.source += f"\n{chosen}"
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return {
        cell.id: "".join(shown.get("text", "") for shown in cell.get("outputs", ()))
        for cell in notebook.cells
    }


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a run in an empty folder, on a machine whose devices are hidden."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUDA_VISIBLE_DEVICES", "-1")
        environment.delenv("NOX_SCRIPT_MODE", raising=False)  # of the Nox that runs this test
        return run_notebook(tmp_path_factory.mktemp("notebook"), f"REPOSITORY = {str(ROOT)!r}")


def test_the_notebook_brings_the_project(printed: dict[str, str]) -> None:
    assert "uv " in printed["clone"]


def test_the_notebook_asks_before_it_measures(printed: dict[str, str]) -> None:
    assert "nox -s" in printed["ask"]


def test_the_notebook_says_why_nothing_was_measured(printed: dict[str, str]) -> None:
    assert "not run: no CUDA device" in printed["measure"]


def test_the_notebook_offers_no_empty_record(printed: dict[str, str]) -> None:
    assert "nothing was measured" in printed["record"]
