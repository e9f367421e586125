"""A property that dies costs itself alone; every outcome is told apart."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from integration.sample_suite import GPU, Suite
from paddlecompat.fixtures.uses import load_uses
from paddlecompat.machine.processes.sanitizer import Watch
from paddlecompat.records.record import CannotRun, MachineFailed, verdict_of
from paddlecompat.records.subject import Finding

SANITIZER = """#!{python}
import os, sys
rest = sys.argv[1:]
while rest[0].startswith("--"):
    option = rest.pop(0)
    if option.startswith("--log-file="):
        log = option.partition("=")[2].replace("%p", "1")
        open(log, "w").write("========= COMPUTE-SANITIZER\\n========= Invalid read\\n")
os.execv(rest[0], rest)
"""
WRONG_FROM_10 = """
@given(st.integers(0, 100))
def test_wrong(n):
    begin(Case(n))
    same_bytes(np.int64(n), np.int64(min(n, 9)))
"""


@pytest.fixture
def properties(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_a_property_that_verified_its_calls_holds(properties: Suite) -> None:
    found = properties.run("def test_fine():\n    verify()\n    verify()\n")["test_fine"]
    assert (found.group, found.outcome, found.calls, found.examples) == ("sample", "holds", 2, 2)


def test_a_property_that_verified_nothing_does_not_hold(properties: Suite) -> None:
    found = properties.run("def test_empty():\n    pass\n")["test_empty"]
    assert (found.outcome, found.message) == (
        "violated",
        "AssertionError: an example verified no call",
    )


def test_a_wrong_answer_is_violated_with_the_shrunk_case(properties: Suite) -> None:
    found = properties.run(WRONG_FROM_10)["test_wrong"]
    assert found.outcome == "violated"
    assert found.evidence is not None
    assert (found.evidence.case, found.evidence.expected) == ("case of 10", "9")
    assert found.evidence.script == "assert 10 < 10\n"


def test_an_error_where_an_answer_was_due_is_violated(properties: Suite) -> None:
    found = properties.run("""
def test_raises():
    verify()
    raise RuntimeError("out of luck")
""")["test_raises"]
    assert found.outcome == "violated"
    assert found.evidence is not None
    assert found.evidence.actual == "RuntimeError: out of luck"


def test_what_is_wrong_only_once_is_violated_with_that_case(properties: Suite) -> None:
    found = properties.run("""
seen = []
@given(st.integers(5, 9))
def test_flaky(n):
    begin(Case(n))
    seen.append(n)
    same_bytes(np.int64(len(seen) == 3), np.int64(0))
""")["test_flaky"]
    assert (found.outcome, found.message[:15]) == ("violated", "not every time:")
    assert found.evidence is not None


EVIDENCE = {
    "another value": ("same_bytes(np.float32(2), np.float32(1))", "silent"),
    "a zero for a NaN": ("same_bytes(np.float32(0), np.float32(np.nan))", "silent"),
    "another dtype": ("same_bytes(np.float32(1), np.float64(1))", "silent"),
    "another shape": ("same_bytes(np.ones(1), np.ones(()))", "silent"),
    "beyond the tolerance": ("within(2.0, 1.0, 0.5, 'x')", "silent"),
    "an answer where an error was due": ("refused(lambda: 1, 'x')", "silent"),
    "an assertion of the suite": ("assert False, 'no gradient reached x'", "silent"),
    "an error": ("int('x')", "error"),
    "an assertion of the release": ("np.testing.assert_equal(1, 2)", "error"),
    "another error than was due": ("refused(lambda: int('x'), 'x', 'KeyError')", "error"),
    "the sign of zero": ("same_bytes(np.array([1, -0.0]), np.array([1, 0.0]))", "bits"),
    "a NaN's payload": (
        "same_bytes(*np.array([0x7fc00001, 0x7fc00000], '<u4').view('f4'))",
        "bits",
    ),
    "a NaN's sign": ("same_bytes(np.float16(-np.nan), np.float16(np.nan))", "bits"),
    "a part of a complex number": ("same_bytes(np.complex64(-0.0), np.complex64(0))", "bits"),
    "bfloat16, the sign of zero": ("same_bytes(np.uint16(0x8000), np.uint16(0))", "bits"),
    "bfloat16, a value": ("same_bytes(np.uint16(0x8001), np.uint16(0))", "silent"),
}


def test_how_bad_a_failure_is_follows_from_its_evidence(properties: Suite) -> None:
    lines = (line for line, _ in EVIDENCE.values())
    tests = (f"def test_{n}():\n    verify()\n    {line}\n" for n, line in enumerate(lines))
    results = properties.run("".join(tests))
    found = {name: results[f"test_{n}"].severity for n, name in enumerate(EVIDENCE)}
    assert found == {name: severity for name, (_, severity) in EVIDENCE.items()}


@pytest.mark.parametrize("mild", ["same_bytes(np.array(-0.0), np.array(0.0))", "int('x')"])
def test_a_failure_is_as_bad_as_its_worst_example(properties: Suite, mild: str) -> None:
    found = properties.run(f"""
@given(st.integers(0, 3))
def test_wrong(n):
    begin(Case(n))
    if n < 3:
        {mild}
    same_bytes(np.int64(n), np.int64(min(n, 1)))
""")["test_wrong"]
    assert found.evidence is not None
    worst = "2" if "bytes" in mild else "3"  # an error ends an example
    assert (found.severity, found.evidence.case) == ("silent", f"case of {worst}")


def test_the_mildest_failure_is_shrunk_where_none_is_worse(properties: Suite) -> None:
    found = properties.run("""
@given(st.integers(0, 100))
def test_wrong(n):
    begin(Case(n))
    same_bytes(np.array(-0.0 if n > 9 else 0.0), np.array(0.0))
""")["test_wrong"]
    assert found.evidence is not None
    assert (found.severity, found.evidence.case) == ("bits", "case of 10")


def test_a_mild_failure_that_does_not_come_again_is_kept(properties: Suite) -> None:
    found = properties.run("""
seen = []
@given(st.integers(5, 9))
def test_flaky(n):
    begin(Case(n))
    seen.append(n)
    same_bytes(np.array(-0.0 if len(seen) == 3 else 0.0), np.array(0.0))
""")["test_flaky"]
    assert (found.outcome, found.severity) == ("violated", "bits")
    assert found.message.startswith("not every time:")


def test_what_hypothesis_complains_of_is_no_violation(properties: Suite) -> None:
    with pytest.raises(MachineFailed, match="own fault, not the release's: Unsatisfiable"):
        properties.run("""
@given(st.nothing().filter(lambda n: n) | st.integers().filter(lambda n: False))
def test_draws_nothing(n):
    verify()
""")


def test_what_the_release_does_not_offer_is_unsupported(properties: Suite) -> None:
    found = properties.run("""
def no_kernel():
    raise NotImplementedError("no such kernel")
def test_missing():
    ask(no_kernel)
""")["test_missing"]
    assert (found.outcome, found.message) == ("unsupported", "no such kernel")


def test_what_was_offered_and_then_refused_is_violated(properties: Suite) -> None:
    found = properties.run("""
def no_kernel():
    raise NotImplementedError("no such kernel")
def test_half():
    verify()
    ask(no_kernel)
""")["test_half"]
    assert found.outcome == "violated"


DEATHS = {
    "segmentation fault": "ctypes.string_at(0)",
    "exit": "os._exit(3)",
    "exit without a failure": "os._exit(0)",
    "abort": "os.abort()",
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_death_costs_its_property_alone(properties: Suite, death: str) -> None:
    results = properties.run(f"""
def test_before():
    verify()
def test_dies():
    verify(7)
    {DEATHS[death]}
def test_after():
    verify()
""")
    assert {name: r.outcome for name, r in results.items()} == {
        "test_before": "holds",
        "test_dies": "crashed",
        "test_after": "holds",
    }
    assert results["test_dies"].case == "case of 7"


def test_a_death_leaves_the_script_of_its_case(properties: Suite) -> None:
    found = properties.run("def test_dies():\n    verify(7)\n    os._exit(3)\n")["test_dies"]
    assert found.evidence is not None
    assert (found.evidence.script, found.evidence.actual) == (
        "assert 7 < 10\n",
        "the process ended, with status 3",
    )


def test_an_endless_loop_costs_its_property_alone(
    properties: Suite,
) -> None:
    results = properties.run(
        """
def test_hangs():
    begin(Case(3))
    while True: pass
def test_after():
    verify()
""",
        timeout=3,
    )
    assert (results["test_hangs"].outcome, results["test_hangs"].case) == ("timed out", "case of 3")
    assert results["test_after"].outcome == "holds"


@pytest.mark.skipif(sys.platform == "win32", reason="no address space limit on Windows")
def test_exhausted_memory_costs_its_property_alone(
    properties: Suite,
) -> None:
    results = properties.run(
        """
def test_devours():
    begin(Case(5))
    np.ones(8 * 2**30, dtype=np.uint8)
def test_after():
    verify()
""",
        memory_limit=4,
    )
    assert (results["test_devours"].outcome, results["test_devours"].case) == (
        "crashed",
        "case of 5",
    )
    assert results["test_after"].outcome == "holds"


def test_properties_that_cannot_be_collected_are_not_run(properties: Suite) -> None:
    with pytest.raises(CannotRun, match=r"import failed.*No module named 'nothing_of_the_kind'"):
        properties.run("import nothing_of_the_kind\n")


def test_a_selection_that_matches_nothing_is_an_error(properties: Suite) -> None:
    with pytest.raises(ValueError, match="no property matches -k 'elephant'"):
        properties.run("def test_fine():\n    verify()\n", keyword="elephant")


def test_the_same_seed_draws_the_same_cases(properties: Suite) -> None:
    drawing = """
@given(st.integers())
def test_drawn(n):
    begin(Case(n))
    with open(os.path.join(os.path.dirname(__file__), "drawn.txt"), "a") as file:
        print(n, file=file)
    same_bytes(np.int64(0), np.int64(0))
"""
    drawn = []
    for _ in range(2):
        properties.run(drawing, seed=20221)
        drawn.append((properties.tests / "drawn.txt").read_text())
        (properties.tests / "drawn.txt").unlink()
    assert drawn[0] == drawn[1]


def test_settings_of_another_python_do_not_reach_the_cell(
    properties: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    results = properties.run("""
def test_fine():
    assert "PYTHONPATH" not in os.environ
    verify()
""")
    assert results["test_fine"].outcome == "holds"


def test_one_outcome_that_is_not_sound_makes_the_cell_unsound(properties: Suite) -> None:
    results = properties.run("def test_fine():\n    verify()\ndef test_dies():\n    os._exit(1)\n")
    assert verdict_of(results.values()) == "unsound"


def test_plain_pytest_counts_what_was_verified(properties: Suite) -> None:
    status, said = properties.by_hand("def test_fine():\n    verify()\n    verify()\n")
    assert status == 0
    assert "on the cpu: 2 calls verified; holds: 1." in said


def test_plain_pytest_says_once_why_a_place_cannot_be_used(properties: Suite) -> None:
    two = "def test_one():\n    verify()\ndef test_two():\n    verify()\n"
    refusal = "raise ValueError('not compiled with CUDA')"
    status, said = properties.by_hand(two, "--place=gpu", paddle=refusal)
    assert status == 3
    assert said.count("the gpu cannot be used: not compiled with CUDA") == 1


def test_plain_pytest_shows_a_dying_releases_last_words(
    properties: Suite,
) -> None:
    death = "os.write(2, b'no GPU detected'); os._exit(255)"
    fine = "def test_fine():\n    verify()\n"
    assert "no GPU detected" in properties.by_hand(fine, "--place=gpu", paddle=death)[1]


SPOILS = """
import paddle

@given(st.integers(0, 100))
def test_spoils(n):
    verify()
    paddle.spoiled = True

def test_fine():
    assert not paddle.spoiled
    verify()
"""


REFUSES = """
import paddle
from properties.protocol.evidence import refused

def refuse():
    paddle.spoiled = True
    raise OSError("CUDA error(710), device-side assert triggered")

def test_refused():
    verify()
    refused(refuse, "nonsense", "IndexError")

def test_fine():
    verify()
"""


def test_a_spoiled_device_costs_one_property(properties: Suite) -> None:
    found = properties.on_gpu(SPOILS)
    assert found["test_spoils"].outcome == "crashed"
    assert "the device no longer answered: OSError: CUDA error(700)" in found["test_spoils"].message
    assert found["test_fine"].outcome == "holds"


def test_a_device_that_is_lost_too_often_ends_the_run(properties: Suite) -> None:
    spoils = SPOILS[: SPOILS.index("def test_fine")]
    many = spoils + spoils.replace("test_spoils", "test_also") + "def test_fine():\n    verify()\n"
    properties.write(many, paddle=GPU)
    ran = properties.ran(replace(properties.request("gpu"), most_lost=2))
    assert [result.outcome for result in ran.results] == ["crashed", "crashed"]
    assert ran.conditions.partial == "a device that was lost 2 times: 1 not asked"


def test_a_spoiled_device_names_the_case_that_spoiled_it(properties: Suite) -> None:
    assert properties.on_gpu(SPOILS)["test_spoils"].case == "case of 1"


def test_a_refusal_that_spoils_the_device_holds(
    properties: Suite,
) -> None:
    found = properties.on_gpu(REFUSES)
    refused = found["test_refused"]
    assert (refused.outcome, refused.calls, refused.examples) == ("holds", 2, 1)
    assert "CUDA error(710)" in refused.message
    assert found["test_fine"].outcome == "holds"


@pytest.mark.parametrize("error", ["700", "CUDA error(719), unspecified launch failure"])
def test_a_fault_of_memory_where_a_refusal_was_due_is_a_crash(
    properties: Suite, error: str
) -> None:
    found = properties.on_gpu(
        REFUSES.replace("CUDA error(710), device-side assert triggered", error)
    )
    assert found["test_refused"].outcome == "crashed"


def test_a_failure_on_a_sound_device_is_shrunk(properties: Suite) -> None:
    found = properties.on_gpu(WRONG_FROM_10)["test_wrong"]
    assert found.evidence is not None
    assert (found.outcome, found.evidence.case) == ("violated", "case of 10")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the program is a script")
def test_what_compute_sanitizer_finds_is_read_from_its_log(
    properties: Suite,
) -> None:
    program = properties.folder / "compute-sanitizer"
    program.write_text(SANITIZER.format(python=sys.executable))
    program.chmod(0o755)
    watch = Watch(str(program), "memcheck", "2024.1")
    found = properties.on_gpu("def test_fine():\n    verify()\n", watch=watch)
    assert found["test_fine"].outcome == "holds"
    assert watch.found(properties.folder / "log").findings == [
        Finding(text="Invalid read", times=1)
    ]


def test_plain_pytest_names_the_way_on_after_a_refusal(
    properties: Suite,
) -> None:
    status, said = properties.by_hand(REFUSES, "--place=gpu", module=GPU)
    assert status == 3
    assert "test_refused is refused, as is due" in said
    assert "`nox -s here` goes on after it" in said


def test_the_first_use_runs_first_and_says_what_it_came_to(
    properties: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    properties.write("".join(f"def test_{n}():\n    verify()\n" for n in "abcd"))
    train, read = (
        load_uses()[0].model_copy(update={"title": title, "properties": patterns})
        for title, patterns in (
            ("Train", ("sample::test_d", "sample::test_c")),
            ("Read", ("sample::test_b",)),
        )
    )
    request = replace(properties.request(), uses=(train, read))
    assert [result.name[-1] for result in properties.ran(request).results] == ["c", "d", "b", "a"]
    said = [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["Train: 2 holds", "Read: 1 holds"]
