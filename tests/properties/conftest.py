"""How a cell runs: its options, the Hypothesis profiles, the place, and what goes into the record.

Each test report carries a user property, `("property", {...})`: outcome, calls, examples, message
and, where the property is violated, its evidence. pytest-reportlog writes it down.
"""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, Phase, settings

from paddlecompat.records.profiles import PROFILES
from properties.protocol import device
from properties.protocol.evidence import Ledger, Violation, journal, leave, ledger, shown, start
from properties.protocol.release_errors import in_one_line


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("paddle", "the cell that is measured")
    group.addoption("--place", choices=("cpu", "gpu"), default="cpu", help="where the tensors live")
    group.addoption("--stand-in", metavar="FAULT", help="a device that is not there, for tests")
    group.addoption("--profile", choices=tuple(PROFILES), default="standard")
    group.addoption("--mutant", help="put a fault in on purpose: its name, or FILE::NAME")
    group.addoption("--target", help="the function in whose place a mutant from a file stands")
    group.addoption("--journal", help="a file that names the running case, should the process die")
    group.addoption("--memory-limit", type=float, help="GiB of address space for the process")


def pytest_configure(config: pytest.Config) -> None:
    for name, profile in PROFILES.items():
        settings.register_profile(
            name,
            max_examples=profile.examples,
            derandomize=profile.derandomized,
            deadline=None,  # timing is never asserted
            database=None,  # a record depends on its seed alone
            report_multiple_bugs=False,  # one falsifying case a property
            phases=[Phase.explicit, Phase.generate, Phase.shrink],  # not explain: it is slow
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
    settings.load_profile(config.getoption("--profile"))
    if in_cell(config):
        journal.path = config.getoption("--journal")
        if (gibibytes := config.getoption("--memory-limit")) is not None:
            with suppress(ImportError):  # Windows has no such limit
                import resource

                size = int(gibibytes * 2**30)
                resource.setrlimit(resource.RLIMIT_AS, (size, size))


def in_cell(config: pytest.Config) -> bool:
    """Whether this process runs properties: it is an xdist worker, or there are none."""
    return hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out on the CPU what asks for a device."""
    on_cpu = config.getoption("--place") == "cpu"
    return True if on_cpu and collection_path.name == "test_gpu.py" else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down which properties there are: one that dies with its worker is missed then."""
    if journal.path is not None:
        collected = Path(f"{journal.path}.collected")
        collected.write_text(json.dumps([item.nodeid for item in session.items]), encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def place(request: pytest.FixtureRequest) -> str:
    """Put the tensors where the cell says, and a mutant in place where one was asked for."""
    name: str = request.config.getoption("--place")
    open_device(name, request.config)
    if mutant := request.config.getoption("--mutant"):
        from properties.mutants import replacement

        replacement.install(mutant, request.config.getoption("--target"))
    return name


def open_device(name: str, config: pytest.Config) -> None:
    """Let tensors live there. Where a release ends the process, its last words are shown."""
    stand_in = config.getoption("--stand-in")
    if hasattr(config, "workerinput"):
        device.use(name, stand_in)
        return
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        try:
            device.use(name, stand_in)
        except Exception as error:  # once, not once for each property
            pytest.exit(f"the {name} cannot be used: {in_one_line(error)}", returncode=3)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    start(item.nodeid)


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, None]:
    """On a device: wait for it after each example, and look whether a failure has spoiled it."""
    if pyfuncitem.config.getoption("--place") == "cpu":
        yield
        return
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    owner, name = (pyfuncitem, "obj") if handle is None else (handle, "inner_test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, end_with_the_device(getattr(owner, name)))
        yield


def end_with_the_device(example: Callable[..., None]) -> Callable[..., None]:
    """An example that leaves no error to the next one: it ends the process of a spoiled device."""

    @functools.wraps(example)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            example(*args, **kwargs)
            device.synchronize()
        except pytest.exit.Exception:
            raise
        except Exception:
            if (words := device.trouble()) is not None:
                leave(words)
            raise

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    report: pytest.TestReport = (yield).get_result()
    if report.when == "call" or (report.when == "setup" and not report.passed):
        error = call.excinfo.value if call.excinfo else None
        found = outcome_of(error, ledger)
        report.user_properties.append(("property", found))
        if found["outcome"] != "holds" and report.passed:
            report.outcome = "failed"
            report.longrepr = found["message"]


def outcome_of(error: BaseException | None, ledger: Ledger) -> dict[str, Any]:
    """How a property ended, in the form that the record has."""
    found: dict[str, Any] = {"calls": ledger.calls, "examples": ledger.examples}
    if error is None and ledger.calls:
        return {**found, "outcome": "holds"}
    if error is None:
        return {**found, "outcome": "violated", "message": "the property verified no call"}
    if isinstance(error, pytest.skip.Exception):
        return {**found, "outcome": "unsupported", "message": str(error)}
    if isinstance(error, MemoryError):
        case = None if ledger.case is None else str(ledger.case)
        return {**found, "outcome": "crashed", "message": f"MemoryError: {error}", "case": case}
    return {**found, "outcome": "violated", **contradiction(error, ledger)}


def contradiction(error: BaseException, ledger: Ledger) -> dict[str, Any]:
    """Message and evidence, of a wrong answer or of an error where an answer was due."""
    violation, case = ledger.violation, ledger.violated_case
    if isinstance(error, Violation):
        message = str(error)
    elif type(error).__name__.startswith("Flaky") and violation is not None:
        message = f"not every time: {violation}"
    else:
        cause = next(iter(getattr(error, "exceptions", ())), error)  # Hypothesis groups flaky ones
        message = f"{type(cause).__name__}: {shown(in_one_line(cause))}"
        violation, case = None, ledger.case
    if case is None:
        return {"message": message}
    evidence = {
        "case": str(case),
        "expected": violation.expected if violation else "an answer",
        "actual": violation.actual if violation else message,
        "script": case.script(),
    }
    return {"message": message, "evidence": evidence}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """For those who run pytest by hand: how much was verified, and what came of it."""
    if config.getoption("--journal"):  # a cell: its log is read instead
        return
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    properties = (dict(getattr(report, "user_properties", ())) for report in reports)
    found = [each["property"] for each in properties if "property" in each]
    outcomes = Counter(each["outcome"] for each in found)
    counted = ", ".join(f"{outcome}: {count}" for outcome, count in outcomes.items())
    calls = sum(each["calls"] for each in found)
    terminalreporter.write_line(
        f"on the {config.getoption('--place')}: {calls:,} calls verified; {counted}. "
        "fixtures/expectations.toml lists the known violations, and what each one means."
    )


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, report: pytest.TestReport, sched: Any) -> None:
    """Report the property in which a worker died: its case, and whether its time was up."""
    options = sched.config.option
    header, case = last_words(options.journal, crashitem)
    left = header.get("left") or {}
    report.duration = time.time() - header.get("started", time.time())
    limit = getattr(options, "timeout", None) or math.inf
    found: dict[str, Any] = {"outcome": "crashed", "calls": 0, "examples": 0}
    found |= {"message": "the process died", "case": header.get("case")}
    if report.duration >= limit:
        found |= {"outcome": "timed out", "message": f"no end within {limit:g} s"}
    if left:
        found["message"] = f"the device no longer answered: {left['said']}"
    if left.get("refused"):
        words = f"the device refuses by an assertion that ends the process: {left['said']}"
        found = {"outcome": "holds", "calls": left["calls"], "examples": left["examples"]}
        found["message"] = words
    elif case and (script := script_of(case, options.place)):
        answers = {"expected": "an answer", "actual": found["message"]}
        found["evidence"] = {"case": header["case"], "script": script, **answers}
    report.user_properties.append(("property", found))


def last_words(journal: str | None, property: str) -> tuple[dict[str, Any], bytes]:
    """The journal's header and its pickled case; both empty if they are of another property."""
    if journal is None or not Path(journal).exists():
        return {}, b""
    line, _, case = Path(journal).read_bytes().partition(b"\n")
    header = json.loads(line or b"{}")
    return (header, case) if header.get("property") == property else ({}, b"")


def script_of(case: bytes, place: str) -> str | None:
    """The case's script, written by a process that may import Paddle; this one must live on."""
    asked = [sys.executable, "-m", "properties.programs.probe", "script", place]
    tests = Path(__file__).parents[1]
    try:
        ended = subprocess.run(asked, input=case, capture_output=True, timeout=120, cwd=tests)
    except subprocess.TimeoutExpired:  # a device that hangs, hangs whoever opens it
        return None
    if ended.returncode:
        return None
    script: str = json.loads(ended.stdout.splitlines()[-1])  # a release may print before it
    return script
