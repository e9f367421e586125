"""The published scripts, run in the environments of the cells that are there.

`nox -s scripts` makes the environments that the scripts' heads describe, and runs all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from paddlecompat.commands import trials_of
from paddlecompat.environments import environment
from paddlecompat.fixtures import releases
from paddlecompat.folders import environment_of
from paddlecompat.studies.published_scripts import Trial, execute

PINNED = [  # the others are of what pip installs where nothing is pinned
    trial
    for trial in trials_of([], releases.load())
    if trial.install == trial.release.install_command(trial.release.on_pypi, "linux")
]


def interpreter_for(trial: Trial) -> Path:
    """That of the cell's environment; skips where the cell has none here."""
    name = f"cpu-{trial.release.version}"
    found = environment.read_stamp(environment_of(name))
    if found is None:
        pytest.skip(f"nox -s {name} has made no environment here")
    return found.python


@pytest.mark.parametrize("trial", [t for t in PINNED if t.fails], ids=lambda t: t.bug)
def test_a_script_fails_in_the_release_that_it_names(trial: Trial) -> None:
    python = interpreter_for(trial)
    assert execute(python, "import paddle\n") is None
    assert execute(python, trial.script) is not None


@pytest.mark.parametrize("trial", [t for t in PINNED if not t.fails], ids=lambda t: t.bug)
def test_a_script_passes_in_a_release_that_is_right(trial: Trial) -> None:
    assert execute(interpreter_for(trial), trial.script) is None
