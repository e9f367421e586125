"""How a cell runs: its options, the Hypothesis profiles, the place, and what goes into the record.

Each test report carries a user property, `("property", {...})`: outcome, calls, examples, message
and, where the property is violated, its evidence. A worker hands it on (`protocol/worker.py`).
"""

from __future__ import annotations

import functools
import traceback
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky, HypothesisException

from paddlecompat.records.profiles import PROFILES
from properties.protocol import device
from properties.protocol.evidence import (
    Failure,
    Ledger,
    Severity,
    Violation,
    journal,
    leave,
    ledger,
    shown,
    start,
)
from properties.protocol.release_errors import in_one_line, printable
from properties.protocol.worker import Worker

OURS = str(Path(__file__).parent)
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("paddle", "the cell that is measured")
    group.addoption("--place", choices=("cpu", "gpu"), default="cpu", help="where the tensors live")
    group.addoption("--stand-in", metavar="FAULT", help="a device that is not there, for tests")
    group.addoption("--profile", choices=tuple(PROFILES), default="standard")
    group.addoption("--mutant", help="put a fault in on purpose: its name, or FILE::NAME")
    group.addoption("--target", help="the function in whose place a mutant from a file stands")
    group.addoption("--worker", metavar="NAME", help="run what a launcher names: worker.py")
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
            suppress_health_check=[*SLOW, HealthCheck.filter_too_much],  # an unlucky seed's
        )
    settings.load_profile(config.getoption("--profile"))
    journal.worker = config.getoption("--worker")
    if journal.worker is not None:
        config.pluginmanager.register(Worker(journal.worker))
    if (gibibytes := config.getoption("--memory-limit")) is not None:
        with suppress(ImportError):  # Windows has no such limit
            import resource

            size = int(gibibytes * 2**30)
            resource.setrlimit(resource.RLIMIT_AS, (size, size))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out on the CPU what asks for a device."""
    on_cpu = config.getoption("--place") == "cpu"
    return True if on_cpu and collection_path.name == "test_gpu.py" else None


@pytest.fixture(scope="session", autouse=True)
def place(request: pytest.FixtureRequest) -> str:
    """Put the tensors where the cell says, and a mutant in place where one was asked for.

    What cannot be done is said once, and ends the run: status 3 of a device, 2 of a mutant.
    """
    asked = request.config.getoption
    name: str = asked("--place")
    # Where a release ends the process, its last words are shown.
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        try:
            device.use(name, asked("--stand-in"))
        except Exception as error:
            pytest.exit(f"the {name} cannot be used: {in_one_line(error)}", returncode=3)
    if asked("--mutant"):
        from properties.mutants import replacement

        try:
            replacement.install(asked("--mutant"), asked("--target"))
        except Exception as error:
            words = f"the mutant cannot be put in place: {type(error).__name__}: {error}"
            pytest.exit(printable(words), returncode=2)
    return name


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    start(item.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run the property, which fails with the worst that any of its examples comes to.

    A wrong value ends it. After a milder failure the other examples run, too; where none is worse,
    the same examples run again, and the worst that was seen ends it.
    """
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    owner, name = (pyfuncitem, "obj") if handle is None else (handle, "inner_test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, watch(getattr(owner, name)))
        run_examples(pyfuncitem)
        if ledger.worst is not None:
            ledger.mildest = ledger.worst.severity
            run_examples(pyfuncitem)
            raise Flaky("it did not come again")
    return True


def run_examples(item: pytest.Function) -> None:
    """Call the property. What Hypothesis complains of is no fault of the release: it ends the run.

    It calls a failure flaky that does not come again; then the release answers differently.
    """
    try:
        item.obj(**{name: item.funcargs[name] for name in signature(item.obj).parameters})
    except pytest.skip.Exception:
        if ledger.worst is None:
            raise
    except HypothesisException as error:
        if isinstance(error, Flaky) and ledger.worst is not None:
            raise
        words = f"{type(error).__name__}: {in_one_line(error)}"
        pytest.exit(f"the suite's own fault, not the release's: {words}", returncode=3)


def watch(example: Callable[..., None]) -> Callable[..., None]:
    """An example that verifies a call, and ends the process of a spoiled device.

    Of its failures those come out that end the property; the others are kept.
    """

    @functools.wraps(example)
    def run(*args: Any, **kwargs: Any) -> None:
        before = ledger.calls
        try:
            example(*args, **kwargs)
            device.synchronize()
        except (pytest.exit.Exception, HypothesisException, MemoryError):
            raise
        except Exception as error:
            if (words := device.trouble()) is not None:
                leave(words)
            if isinstance(error, Violation) or ledger.keep(severity_of(error), error):
                raise
            return
        if ledger.calls == before:
            raise AssertionError("an example verified no call")

    return run


def severity_of(error: Exception) -> Severity:
    """Silent where it is this suite that raises: it saw a wrong answer; else the release did."""
    innermost = list(traceback.walk_tb(error.__traceback__))[-1][0]
    ours = isinstance(error, AssertionError) and innermost.f_code.co_filename.startswith(OURS)
    return "silent" if ours else "error"


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
    if error is None:
        return {**found, "outcome": "holds"}
    if isinstance(error, pytest.skip.Exception):
        return {**found, "outcome": "unsupported", "message": printable(str(error))}
    if isinstance(error, MemoryError):
        case = None if ledger.case is None else shown(ledger.case)
        return {**found, "outcome": "crashed", "message": f"MemoryError: {error}", "case": case}
    return {**found, "outcome": "violated", **contradiction(error, ledger.worst)}


def contradiction(error: BaseException, worst: Failure | None) -> dict[str, Any]:
    """Severity, message and evidence of a wrong answer, or of an error where one was due."""
    cause = error if worst is None else worst.error
    message = f"{type(cause).__name__}: {shown(in_one_line(cause))}"
    evidence = {"expected": "an answer", "actual": message}
    if isinstance(cause, Violation):
        message, evidence = str(cause), {"expected": cause.expected, "actual": cause.actual}
    message = f"not every time: {message}" if isinstance(error, Flaky) else message
    found = {"severity": worst.severity if worst else "error", "message": message}
    if worst is None or worst.case is None:
        return found
    evidence |= {"case": shown(worst.case), "script": printable(worst.case.script())}
    return {**found, "evidence": evidence}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """For those who run pytest by hand: how much was verified, and what came of it."""
    if config.getoption("--worker"):  # a cell: its files are read instead
        return
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    properties = (dict(getattr(report, "user_properties", ())) for report in reports)
    found = [each["property"] for each in properties if "property" in each]
    outcomes = Counter(each["outcome"] for each in found)
    counted = ", ".join(f"{outcome}: {count}" for outcome, count in outcomes.items())
    calls = sum(each["calls"] for each in found)
    terminalreporter.write_line(
        f"on the {config.getoption('--place')}: {calls:,} calls verified; {counted}. "
        "fixtures/bugs.toml lists the known bugs, and what each one means."
    )
