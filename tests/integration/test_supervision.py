"""A property whose process dies, hangs or is stopped costs itself alone, and blames no other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from integration.sample_suite import Suite
from paddlecompat.records.record import MachineFailed, PropertyResult

posix = pytest.mark.skipif(os.name == "nt", reason="signals and forks of POSIX")
AFTER = "\ndef test_after():\n    verify()\n"


@pytest.fixture
def properties(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def hangs(properties: Suite, body: str) -> dict[str, PropertyResult]:
    """What comes of a property with this body, and of one after it, under a limit of 3 seconds."""
    return properties.run(f"def test_hangs():\n    begin(Case(3))\n    {body}\n" + AFTER, timeout=3)


def once(*lines: str) -> str:
    """A property that does this the first time, and holds when it is asked again."""
    body = "".join(f"        {line}\n" for line in lines)
    return (
        "from pathlib import Path\nimport signal\n"
        "def test_once():\n"
        "    before = Path(__file__).with_name('before')\n"
        "    verify(7)\n"
        "    if not before.exists():\n"
        "        before.touch()\n" + body + AFTER
    )


def lives(pid: int) -> bool:
    """Whether the process still runs; one that nobody has waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


HANGS = {
    "an endless loop": "while True: pass",
    "a call that holds the GIL": "ctypes.PyDLL(None).sleep(1000)",
    "a process that is stopped": "os.kill(os.getpid(), 19)",
    "ignored signals": "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()",
}


@posix
@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_times_out_and_costs_itself_alone(properties: Suite, hang: str) -> None:
    found = hangs(properties, HANGS[hang])
    assert (found["test_hangs"].outcome, found["test_hangs"].case) == ("timed out", "case of 3")
    assert found["test_after"].outcome == "holds"


@posix
def test_a_child_that_keeps_the_pipe_ends_with_its_parent(properties: Suite) -> None:
    kept = properties.folder / "child"
    found = properties.run(f"""
def test_forks():
    begin(Case(1))
    if not os.fork():
        import time
        open({str(kept)!r}, "a").write(f"{{os.getpid()}} ")
        time.sleep(1000)
    while not os.path.exists({str(kept)!r}): pass
    os._exit(1)
{AFTER}""")
    assert found["test_forks"].outcome == "crashed"
    assert found["test_after"].outcome == "holds"
    assert not any(lives(int(pid)) for pid in kept.read_text().split())


@posix
def test_a_kill_from_outside_is_no_crash_of_the_release(properties: Suite) -> None:
    found = properties.run(once("os.kill(os.getpid(), signal.SIGKILL)"))["test_once"]
    assert (found.outcome, found.calls) == ("holds", 1)
    assert found.once.startswith("the process died: SIGKILL, on case of 7; not when it ran again")


@posix
def test_a_stop_from_outside_is_no_hang_of_the_release(properties: Suite) -> None:
    properties.write(once("os.kill(os.getpid(), signal.SIGSTOP)"))
    found = {r.name: r for r in properties.ran(properties.request(timeout=3)).results}["test_once"]
    assert (found.outcome, found.once[:16]) == ("holds", "no end within 3 ")


def test_what_dies_once_more_alone_is_a_crash(properties: Suite) -> None:
    found = properties.run("def test_dies():\n    verify(7)\n    os._exit(3)\n" + AFTER)
    assert (found["test_dies"].outcome, found["test_dies"].once) == ("crashed", "")


def test_two_workers_ask_each_property_once(properties: Suite) -> None:
    asked = "".join(
        f"def test_{n}():\n    verify()\n    open(__file__ + '.{n}', 'a').write('.')\n"
        for n in range(20)
    )
    results = properties.run(asked, workers=2)
    assert [result.outcome for result in results.values()] == ["holds"] * 20
    assert {file.read_text() for file in properties.tests.glob("test_sample.py.*")} == {"."}


def test_a_crash_beside_another_worker_costs_itself_alone(properties: Suite) -> None:
    some = "".join(f"def test_{n}():\n    verify()\n" for n in range(6))
    results = properties.run("def test_dies():\n    os._exit(1)\n" + some, workers=2)
    outcomes = {name: result.outcome for name, result in results.items()}
    assert outcomes.pop("test_dies") == "crashed"
    assert set(outcomes.values()) == {"holds"}


def test_workers_that_die_at_the_start_blame_no_release(properties: Suite) -> None:
    with pytest.raises(MachineFailed, match="3 processes ended before their first property"):
        properties.run("print('gone at once', flush=True)\nos._exit(1)\n" + AFTER)


def test_the_last_words_of_a_worker_are_told(properties: Suite) -> None:
    with pytest.raises(MachineFailed, match="gone at once"):
        properties.run("print('gone at once', flush=True)\nos._exit(1)\n" + AFTER)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_result_that_cannot_be_written_blames_no_release(properties: Suite) -> None:
    fills = """
def test_fills():
    begin(Case(1))
    from properties.protocol.evidence import journal
    journal.file = open("/dev/full", "wb", buffering=0)
    begin(Case(2))
"""
    with pytest.raises(MachineFailed, match="is the disk full"):
        properties.run(fills)
