"""On a real release's CPU allocator an output that nothing writes holds no earlier answer."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from paddlecompat.environments.installer import python_of
from paddlecompat.folders import ROOT, TESTS, environment_of
from paddlecompat.machine.processes import plain_environment

PYTHON = python_of(environment_of("cpu-2.3.2"))
# `paddle.empty` stands for the output of a kernel that never ran, after two pieces of scratch.
PROGRAM = """
import json, paddle
from properties.questions.memory import poison

paddle.set_device("cpu")
stale = {"poisoned": 0, "left": 0}
for which in stale:
    for count in (1, 2, 12, 60, 189, 1000, 30000):
        for answers in (1, 2, 3, 4):
            held = [paddle.full([count], 5.0, "float64") for _ in range(answers)]
            del held
            if which == "poisoned":
                poison(8 * count)
            scratch = [paddle.empty([count], "float64") for _ in range(2)]
            output = paddle.empty([count], "float64").numpy()
            stale[which] += bool((output == 5.0).all())
            del scratch
print(json.dumps(stale))
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="nox -s cpu-2.3.2 makes the environment")
def test_an_unwritten_output_holds_no_earlier_answer() -> None:
    paths = {"PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"}
    ended = subprocess.run(
        [PYTHON, "-c", PROGRAM],
        env=plain_environment(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    stale = json.loads(ended.stdout.splitlines()[-1])
    assert stale["poisoned"] == 0
    assert stale["left"] > 0  # or this shows nothing
