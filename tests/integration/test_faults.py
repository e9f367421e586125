"""A run is evidence only if it ended: what made a cell green or red wrongly, done to one.

Each is done to a small suite of its own with a made-up release, for real.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import samples

from integration.sample_suite import Suite
from paddlecompat.cells import suite
from paddlecompat.fixtures.bugs import Known
from paddlecompat.records import judging, store
from paddlecompat.records.judging import Status
from paddlecompat.records.record import CannotRun, MachineFailed

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
TWO = "def test_one():\n    verify()\ndef test_two():\n    verify()\n"
SLOW = f"import time\n{TWO}    time.sleep({{}})\n"


@pytest.fixture
def properties(tmp_path: Path) -> Iterator[Suite]:
    made = Suite(tmp_path)
    yield made
    made.close()


# Green that was not.


def test_a_suite_that_lost_a_module_is_an_error(properties: Suite) -> None:
    properties.write(TWO)
    listed = properties.listed(("test_one", 1), ("test_two", 1), ("test_gone", 1))
    with pytest.raises(ValueError, match=r"1 missing \(such as sample::test_gone\)"):
        properties.ran(properties.request(), listed)


def test_a_suite_that_lost_a_module_runs_nothing(properties: Suite) -> None:
    properties.write("def test_one():\n    open(__file__ + '.ran', 'w')\n    verify()\n")
    listed = properties.listed(("test_one", 1), ("test_gone", 1))
    with pytest.raises(ValueError, match="missing"):
        properties.ran(properties.request(), listed)
    assert list(properties.tests.glob("*.ran")) == []


def test_a_module_that_skips_itself_is_an_error(properties: Suite) -> None:
    with pytest.raises(CannotRun, match="could not import 'nothing_of_the_kind'"):
        properties.run("pytest.importorskip('nothing_of_the_kind')\n" + TWO)


def test_edited_properties_stay_out_of_the_table(properties: Suite) -> None:
    properties.write(TWO)
    listed = properties.listed(("test_one", 1), ("test_two", 1))
    properties.write(TWO + "# edited\n")
    ran = properties.ran(properties.request(), listed)
    assert ran.conditions.partial == "edited properties"


def test_a_selection_is_marked_as_a_part(properties: Suite) -> None:
    properties.write(TWO)
    ran = properties.ran(properties.request(keyword="one"))
    assert (ran.conditions.partial, len(ran.results)) == ("-k", 1)


def test_one_verified_call_in_ten_examples_is_no_evidence(properties: Suite) -> None:
    found = properties.run("""
@given(st.integers())
def test_lazy(n):
    begin(Case(n))
    if not hasattr(test_lazy, "asked"):
        same_bytes(np.int64(0), np.int64(0))
    test_lazy.asked = True
""")["test_lazy"]
    assert found.outcome == "violated"
    assert "an example verified no call" in found.message


def test_fewer_calls_than_are_due_are_no_evidence(properties: Suite) -> None:
    properties.write("def test_one():\n    verify()\n")
    listed = properties.listed(("test_one", 5))
    (found,) = properties.ran(properties.request(profile="standard"), listed).results
    assert (found.outcome, found.message) == (
        "violated",
        "verified 1 calls, fewer than the 3 that are due",
    )


def test_the_profile_says_how_many_calls_are_due(properties: Suite) -> None:
    properties.write("def test_one():\n    verify()\n")
    (found,) = properties.ran(properties.request(), properties.listed(("test_one", None))).results
    assert (found.due, found.outcome) == (10, "violated")


def test_what_is_no_longer_offered_is_worse(properties: Suite) -> None:
    results = properties.run("""
def raises():
    raise NotImplementedError("masked_select")
def test_missing():
    ask(raises)
def test_fine():
    verify()
""")
    record = samples.record(list(results.values()))
    assert judging.judge(record, Known()).standing == "worse"


def test_an_error_of_the_teardown_is_a_violation(properties: Suite) -> None:
    found = properties.run("""
@pytest.fixture
def closing():
    yield
    raise RuntimeError("cannot be closed")
def test_one(closing):
    verify()
""")["test_one"]
    assert found.outcome == "violated"
    assert "after the property: " in found.message
    assert "cannot be closed" in found.message


# Red that blames the wrong party.


def test_half_a_character_in_a_message_is_recorded(properties: Suite) -> None:
    properties.write("def test_one():\n    raise RuntimeError('half \\udc80 of one')\n")
    (found,) = properties.ran(properties.request()).results
    assert found.message == r"RuntimeError: half \udc80 of one"
    assert found.model_validate_json(found.model_dump_json()) == found


def test_a_release_of_many_words_is_recorded(properties: Suite) -> None:
    found = properties.run("""
def refuse():
    raise NotImplementedError("no " * 10**6)
def test_one():
    ask(refuse)
""")["test_one"]
    assert (found.outcome, found.message[:6]) == ("unsupported", "no no ")


MANY = "raise MemoryError('half \\udc80 of ' + 'many words' * 10**6)"


@pytest.mark.parametrize("when", ["in the property", "after it"])
def test_words_that_no_record_holds_cost_no_run(properties: Suite, when: str) -> None:
    during, after = (MANY, "pass") if when == "in the property" else ("pass", MANY)
    results = properties.run(f"""
@pytest.fixture
def closing():
    yield
    {after}
def test_one(closing):
    verify()
    {during}
def test_two():
    verify()
""")
    assert results["test_two"].outcome == "holds"
    assert results["test_one"].outcome in ("crashed", "violated")


def test_a_foreign_line_among_the_reports_blames_no_release(properties: Suite) -> None:
    with pytest.raises(MachineFailed, match="is not what a worker writes there"):
        properties.run("""
def test_one():
    from properties.protocol.evidence import journal
    open(f"{journal.worker}.jsonl", "a").write("forged\\n")
    verify()
""")


def test_properties_that_restore_themselves_are_edited(properties: Suite) -> None:
    properties.write(TWO)
    listed = properties.listed_by_source()
    source = properties.tests / "test_sample.py"
    body = f"open(__file__, 'w').write({source.read_text()!r})\n"
    source.write_text(
        source.read_text().replace("import ctypes, os\n", "import ctypes, os\n" + body)
    )
    assert properties.ran(properties.request(), listed).conditions.partial == "edited properties"


def test_a_property_that_ends_the_run_leaves_no_result(properties: Suite) -> None:
    with pytest.raises(ValueError, match=r"the run was stopped in .*test_one: Exit: enough"):
        properties.run("def test_one():\n    pytest.exit('enough')\n")


def test_settings_of_the_shell_do_not_reach_a_property(
    properties: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGS_check_nan_inf", "1")
    found = properties.run(
        "def test_one():\n    assert 'FLAGS_check_nan_inf' not in os.environ\n    verify()\n"
    )
    assert found["test_one"].outcome == "holds"


def test_the_record_says_under_what_the_properties_ran(properties: Suite) -> None:
    properties.write(TWO)
    conditions = properties.ran(properties.request(workers=2, memory_limit=64.0)).conditions
    assert (conditions.workers, conditions.gibibytes) == (2, 64.0)
    assert (conditions.seconds_per_property, conditions.variables["OMP_NUM_THREADS"]) == (60, "1")


@posix
def test_a_tight_limit_of_the_shell_blames_no_release(properties: Suite) -> None:
    ended = properties.fill(TWO, shell="ulimit -v 4000000")
    assert ended.returncode == Status.MACHINE_FAILED
    assert "ulimit -v" in ended.stderr
    assert properties.records() == []


def test_a_tight_time_limit_stays_out_of_the_table(properties: Suite) -> None:
    properties.fill(SLOW.format(2), "--timeout=1")
    assert properties.records() == []


# Runs that were cut short.


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_run_that_was_cut_short_leaves_no_record(properties: Suite, name: str) -> None:
    interrupted(properties, name)
    assert properties.records() == []


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_run_that_was_cut_short_leaves_no_process(properties: Suite, name: str) -> None:
    below = interrupted(properties, name)[1]
    assert psutil.wait_procs(below, timeout=30)[1] == []


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_an_interruption_is_one_line(properties: Suite, name: str) -> None:
    status, _, said = interrupted(properties, name)
    assert status == Status.MACHINE_FAILED
    assert said.strip().splitlines() == [
        f"cpu-2.3.2: interrupted by {name}; nothing of it was recorded"
    ]


@posix
def test_a_run_that_was_cut_short_replaces_nothing(properties: Suite) -> None:
    assert properties.fill(TWO).returncode == Status.AS_EXPECTED
    (before,) = properties.records()
    interrupted(properties, "SIGKILL")
    assert properties.records() == [before]


def interrupted(properties: Suite, name: str) -> tuple[int, list[psutil.Process], str]:
    """A run that gets this signal in a property: its status, what ran below it, what it said."""
    runs = properties.folder / "runs"
    before = set(runs.glob("*/*"))
    filling = properties.start(SLOW.format(1000))
    while not any(
        b"test_two" in journal.read_bytes()
        for folder in set(runs.glob("*/*")) - before
        for journal in folder.glob("*.journal")
    ):
        assert filling.poll() is None, filling.communicate()
        time.sleep(0.05)
    below = psutil.Process(filling.pid).children(recursive=True)
    assert below
    filling.send_signal(getattr(signal, name))
    _, said = filling.communicate(timeout=60)
    return filling.returncode, below, said


# The same cell twice at once.


def test_twins_run_one_after_the_other(properties: Suite) -> None:
    go = properties.folder / "go"
    first = properties.start(f"{TWO}    while not os.path.exists({str(go)!r}): pass\n")
    while not list((properties.folder / "runs").glob("*/*/worker-1.log")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    second = properties.start(None, "-k", "test_one")
    assert second.stdout is not None
    told = second.stdout.readline()
    go.touch()
    assert first.wait(120) == second.wait(120) == Status.AS_EXPECTED
    assert f"waiting for cpu-2.3.2: process {first.pid} has used it since" in told


def test_twins_leave_the_record_of_the_whole_suite(properties: Suite) -> None:
    whole, part = properties.start(SLOW.format(1)), properties.start(None, "-k", "test_one")
    whole.communicate(timeout=120)
    part.communicate(timeout=120)
    (path,) = properties.records()
    assert {result.name for result in store.read(path).properties} == {"test_one", "test_two"}


def test_each_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = {suite.new_folder(tmp_path) for _ in range(3)}
    assert len(folders) == 3


def test_the_folders_of_the_last_runs_alone_are_kept(tmp_path: Path) -> None:
    made = [suite.new_folder(tmp_path) for _ in range(suite.KEPT + 2)]
    assert sorted(tmp_path.iterdir()) == made[-suite.KEPT :]
