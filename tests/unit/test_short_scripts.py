"""The short scripts: their lines from a case, their head, and which failures have one."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Callable

import numpy as np
import pytest
import samples
from properties.oracle.arrays import FILLS, values
from properties.programs.short_scripts import TEMPLATES, code_of, script_of

from paddlecompat.fixtures import bugs, manifest, releases
from paddlecompat.fixtures.builds import Build
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.folders import PUBLISHED
from paddlecompat.records.judging import Status
from paddlecompat.records.record import MachineFailed
from paddlecompat.report.bug_pages import bug_scripts as scripts
from paddlecompat.report.bug_pages import ledger
from paddlecompat.report.view import MatrixView, Sighting, view_of
from paddlecompat.studies import published_scripts
from paddlecompat.studies.published_scripts import Trial

LINES = 25
READING = "reading_alike: x float32 [2] filled count, mask first, seed 0"
GPU_BUILD = Build(distribution="paddlepaddle-gpu", version="2.3.2")
RELEASE = Release(version="2.3.2", requires=["numpy<1.24"], builds=[GPU_BUILD])
FIXTURE = Fixture(release=[RELEASE])
COMBINATIONS = [
    (context, operator)
    for context, template in TEMPLATES["contexts"].items()
    for operator, called in TEMPLATES["operators"].items()
    if "MADE" in template["lines"]
    if called["kind"] != "indices" or "UPSTREAM" not in template["lines"]
]
DTYPES = ("bool", "int8", "int64", "float16", "bfloat16", "float32", "float64", "complex64")


class Tensor:
    """A tensor as the script of a reading uses it."""

    def __init__(self, array: np.ndarray, read: Callable[[Any, Any], Any]) -> None:
        self.array, self.read = array, read

    def __getitem__(self, mask: Tensor) -> Tensor:
        return Tensor(self.read(self.array, mask.array), self.read)

    def numpy(self) -> np.ndarray:
        return self.array


def run_with(script: str, read: Callable[[Any, Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the script beside a Paddle that reads as `read` does."""
    paddle: Any = ModuleType("paddle")
    paddle.set_device = lambda place: None
    paddle.to_tensor = lambda array: Tensor(array, read)
    monkeypatch.setitem(__import__("sys").modules, "paddle", paddle)
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


def seen(case: str = READING, place: str = "cpu", **changes: Any) -> Sighting:
    """A failure of a record with this case."""
    evidence = samples.evidence(case=case, expected="[1.]", actual="[0.]")
    failed = samples.result(outcome="violated", evidence=evidence)
    record = samples.record([failed], cell=f"{place}-2.3.2", place=place, **changes)
    return Sighting(record, failed, samples.known().bug[0])


@pytest.fixture(scope="module")
def published() -> MatrixView:
    """What is committed."""
    about = (bugs.load(), releases.load(), manifest.load())
    return view_of([PUBLISHED], *about)


# The lines.


def test_a_script_passes_where_the_release_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    run_with(script_of(READING, "", ""), lambda x, mask: x[mask], monkeypatch)


@pytest.mark.parametrize(
    "wrong", [lambda x, mask: x[mask] + 1, lambda x, mask: x[mask].reshape(1, -1)]
)
def test_a_script_fails_where_the_release_is_wrong(
    wrong: Callable[[Any, Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError):
        run_with(script_of(READING, "", ""), wrong, monkeypatch)


def test_a_script_compares_the_dtype_where_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    script = script_of(READING, "[1] (float32, shape [1])", "[1] (int64, shape [1])")
    with pytest.raises(AssertionError, match="int64"):
        run_with(script, lambda x, mask: x[mask].astype("int64"), monkeypatch)


def test_a_script_compares_the_bits_where_those_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    case = "reading_alike: x float32 [40] filled special, mask all, seed 3"
    script = script_of(case, "['0x80000000'] (<U10, shape [1])", "['0x00000000']")
    run_with(script, lambda x, mask: x[mask].copy(), monkeypatch)
    with pytest.raises(AssertionError):
        run_with(script, lambda x, mask: np.abs(x[mask]), monkeypatch)


@pytest.mark.parametrize(("context", "operator"), COMBINATIONS)
def test_a_case_of_a_context_has_a_short_script(context: str, operator: str) -> None:
    about = f"x float32 [2] filled count, mask first, seed 0, operator {operator}"
    option = {"in_a_static_graph": ", axis 3", "by_a_comparison": ", sign <="}.get(context, "")
    script = script_of(f"{context}: {about}{option}", "", "")
    assert not set(re.findall(r"\b[A-Z]{3,}\b", script))
    compile(script, "script", "exec")
    assert script.count("\n") <= LINES + 1


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7,), (2, 3), (0, 4)], ids=str)
def test_an_array_is_spelled_out_byte_for_byte(
    dtype: str, fill: str, shape: tuple[int, ...]
) -> None:
    array = values(shape, dtype, fill, 5)
    made = eval(code_of(array), {"np": np})
    assert (made.dtype, made.shape, made.tobytes()) == (array.dtype, shape, array.tobytes())


@pytest.mark.parametrize(
    "case",
    [
        "a_new_question: x float32 [2] filled count, mask first, seed 0",
        f"{READING}, an_option 3",
        "reading_alike: x float32 [100000] filled count, mask first, seed 0",
        "x int64 [2], mask [True, True]",
    ],
)
def test_no_script_is_made_of_a_case_of_another_form(case: str) -> None:
    assert script_of(case, "", "") == ""


# The head, and who has one.


def test_the_head_says_what_to_install_and_what_to_expect() -> None:
    told = seen()
    assert scripts.short_script(told, FIXTURE).partition("\nimport")[0].splitlines() == [
        f"# {samples.known().bug[0].title}",
        "# PaddlePaddle 2.3.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU "
        "is needed)",
        '# Install:  python -m pip install paddlepaddle-gpu==2.3.2 "numpy<1.24"',
        "# Expected: [1.]",
        "# Instead:  [0.]",
        f"# Upstream: {samples.known().bug[0].link}",
    ]


@pytest.mark.parametrize(
    "told",
    [
        seen("a_new_question: x"),
        seen(place="gpu", device=samples.device()),
        seen(provenance="sent in"),
    ],
    ids=["another form", "GPU", "sent in"],
)
def test_the_records_own_script_stays_where_there_is_no_other(told: Sighting) -> None:
    assert scripts.short_script(told, FIXTURE) == ""
    assert scripts.script_for(told, FIXTURE) == told.script != ""


def test_every_committed_cpu_failure_has_a_short_script(published: MatrixView) -> None:
    failures = [f for row in published.own_rows for f in row.failures]
    on_cpu = [f for f in failures if f.record.place == "cpu"]
    assert on_cpu
    bare = {f.result.key for f in on_cpu if not scripts.short_script(f, published.facts.fixture)}
    assert not bare


def test_every_published_script_is_short(published: MatrixView) -> None:
    found = {entry.bug.id: entry.script for entry in ledger.entries(published)}
    assert {name: len(s.splitlines()) for name, s in found.items() if s.count("\n") > LINES} == {}
    wide = {name for name, s in found.items() for line in s.splitlines() if len(line) > 140}
    assert not wide


IN_EVERY_RELEASE = {"softmax-clips-at-64", "where-refuses-numbers"}
"""Those that each release shows which offers what they are in."""


def test_every_shown_bug_has_a_release_that_is_right(published: MatrixView) -> None:
    without = {e.bug.id for e in ledger.entries(published) if e.script and not e.right}
    assert without == IN_EVERY_RELEASE


# Running them.


def trial(fails: bool, script: str = "print(1)\n") -> Trial:
    return Trial(RELEASE, "3.10", "python -m pip install x", "a-bug", script, fails)


def status(*trials: Trial, words: dict[str, str | None]) -> Status:
    """What `nox -s scripts` ends with, where each script ends with these words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published_scripts, "make", lambda trial, fixture, folder: folder)
        patch.setattr(published_scripts, "execute", lambda _, script: words[script])
        return published_scripts.run(trials, FIXTURE)


@pytest.mark.parametrize(
    ("fails", "words", "due"),
    [
        (True, "AssertionError", Status.AS_EXPECTED),
        (True, None, Status.WORSE),
        (False, None, Status.AS_EXPECTED),
        (False, "AssertionError", Status.WORSE),
    ],
)
def test_a_script_has_to_do_as_it_says(fails: bool, words: str | None, due: Status) -> None:
    assert status(trial(fails), words={"print(1)\n": words, "import paddle\n": None}) == due


def test_a_release_that_is_not_imported_shows_no_other_bug() -> None:
    with pytest.raises(MachineFailed, match="not imported: no module"):
        status(trial(True), words={"print(1)\n": "", "import paddle\n": "no module"})
