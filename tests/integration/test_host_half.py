"""An installed release on the made-up driver: its device tensors, its allocator, its failures.

The environment is that of cpu-2.3.2, as the README's first command leaves it (and `.ci/run`): its
wheel is the build for GPUs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options
from paddlecompat.environments import environment
from paddlecompat.environments.driver import answers, making
from paddlecompat.environments.driver.answers import Answers, Copied, Launched, Marked, read_log
from paddlecompat.folders import TESTS, environment_of
from paddlecompat.machine.processes import Ended, run
from paddlecompat.machine.processes.variables import measuring_environment
from paddlecompat.records.record import PropertyResult
from paddlecompat.studies.host_half.reading import may_write
from paddlecompat.studies.host_half.session import Session

PREPARED = environment.read_stamp(environment_of("cpu-2.3.2"))
pytestmark = [
    pytest.mark.skipif(PREPARED is None, reason="nox -s cpu-2.3.2 makes the environment"),
    pytest.mark.skipif(not making.is_there(), reason="nox -s host-2.3.2 fetches the compiler"),
    pytest.mark.timeout(1200),
]
POISONED = """
import ctypes, sys
import numpy as np, paddle
driver = ctypes.CDLL("libcuda.so.1")
paddle.set_device("gpu")
from properties.questions.memory import poison
size = int(sys.argv[1])
x, mask = paddle.to_tensor(np.arange(size, dtype="float32")), paddle.to_tensor(np.ones(size, bool))
for _ in range(10):
    driver.made_up_mark(b"poison")
    poison(4 * size)
    driver.made_up_mark(b"call")
    selected = paddle.masked_select(x, mask)
    driver.made_up_mark(b"read")
    selected.numpy()
    del selected
"""
SELECTED = """
import numpy as np, paddle
paddle.set_device("gpu")
x = paddle.to_tensor(np.arange(3000, dtype="float32"))
selected = paddle.masked_select(x, paddle.to_tensor(np.arange(3000) % 3 == 0))
print(selected.place.is_gpu_place(), selected.numpy()[:4].tolist())
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The release, with a driver made for it."""
    assert PREPARED is not None
    made = Session(PREPARED, "linux")
    made.folder = tmp_path_factory.mktemp("driver")
    made.make_driver()
    return made


def run_python(session: Session, program: str, *arguments: str, told: Answers) -> Ended:
    """Run a program in the release; its log is beside the driver."""
    (log := session.folder / "log").unlink(missing_ok=True)
    settings = measuring_environment(session.settings(told, log))
    return run([session.prepared.python, "-c", program, *arguments], settings, 600, TESTS)


def measure(session: Session, fault: str, keyword: str, folder: Path) -> dict[str, PropertyResult]:
    """What the properties come to on a driver with this fault, by their names."""
    settings = session.settings(answers.load()[fault])
    request = suite.Request("gpu", Options("quick", 1, keyword), settings)
    ran = suite.run(session.prepared.python, request, folder / "log")
    return {result.name: result for result in ran.results}


def outputs_in_poison(session: Session, size: int) -> int:
    """How many of ten outputs of masked_select begin in memory that was filled just before."""
    ended = run_python(session, POISONED, str(size), told=answers.load()["well"])
    assert ended.problem is None, ended.complaint
    step, filled, hits = "", set[int](), 0
    for line in read_log(session.folder / "log"):
        if isinstance(line, Marked):
            step = line.text
            filled = set() if step == "poison" else filled
        elif isinstance(line, Launched) and step == "poison":
            filled |= set(may_write(line))
        elif isinstance(line, Copied) and step == "read":
            hits += line.from_ in filled
    return hits


def test_tensors_live_on_the_device_and_are_selected(session: Session) -> None:
    ended = run_python(session, SELECTED, told=answers.load()["well"])
    assert ended.output.splitlines()[-1] == "True [0.0, 3.0, 6.0, 9.0]"


def test_the_reported_symptom_is_what_memory_held(session: Session) -> None:
    unwritten = answers.load()["unwritten"].model_copy(update={"held_before": 0})
    ended = run_python(session, SELECTED, told=unwritten)
    assert ended.output.splitlines()[-1] == "True [0.0, 0.0, 0.0, 0.0]"


@pytest.mark.parametrize("size", [1, 12, 60, 512, 3000, 300_000])
def test_ten_of_ten_outputs_lie_in_poisoned_memory(session: Session, size: int) -> None:
    assert outputs_in_poison(session, size) == 10


def test_properties_hold_on_it(session: Session, tmp_path: Path) -> None:
    keyword = "test_masked_select and bit_exact and float32 and not boundary"
    (result,) = measure(session, "well", keyword, tmp_path).values()
    assert (result.outcome, result.message) == ("holds", "")


def test_properties_see_that_nothing_is_written(session: Session, tmp_path: Path) -> None:
    keyword = "test_masked_select and bit_exact and float64 and not boundary"
    (result,) = measure(session, "unwritten", keyword, tmp_path).values()
    assert result.outcome == "violated"


def test_launches_that_fail_are_noticed_by_nothing(session: Session) -> None:
    told = answers.load()["no-code"].model_copy(update={"held_before": 0})
    ended = session.run(told, "failing")
    lines = [json.loads(line) for line in ended.output.splitlines() if line.startswith("{")]
    assert {line["raised"] for line in lines} == {None}


def complaint(session: Session, told: Answers) -> str:
    """What the release says on a driver that fails so."""
    ended = run_python(session, SELECTED, told=told)
    assert ended.problem
    return ended.complaint


def test_a_driver_that_is_too_old_is_told(session: Session) -> None:
    assert "driver" in complaint(session, answers.load()["too-old"])


def test_a_lost_context_is_told(session: Session) -> None:
    assert "CUDA error(719)" in complaint(session, Answers(lost_after=5))
