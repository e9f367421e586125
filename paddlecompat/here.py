"""Put the properties to the Paddle that is installed already: `nox -s here`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from paddlecompat import (
    advice,
    beside,
    cell,
    device,
    expectations,
    here_view,
    installed,
    report,
    suite,
)
from paddlecompat.advice import Measured
from paddlecompat.builds import CannotRun
from paddlecompat.installed import Installed
from paddlecompat.records import Device, Environment, NotRun, Place, Record

CASES = 20


@dataclass(frozen=True)
class Options:
    """What a person may ask of the session."""

    request: suite.Request
    """Its place is chosen when it is known what is installed."""
    python: Path | None = None
    place: Place | None = None
    records: Path = beside.HERE


def run(options: Options) -> int:
    """Measure what is installed, and say what came of it in plain words.

    Returns the exit status: 0 as expected, 1 worse or where nothing could be tested. Raises
    ValueError without an interpreter that can import Paddle, CannotRun without the test tools.
    """
    known = expectations.load()
    found = installed.read(installed.chosen(options.python))
    place, why, seen = placed(options.place, found)
    tools = beside.tools(found.interpreter.path, found.interpreter.python)
    settings = {**cell.SAME_DEVICE, **beside.settings(tools)}
    request = replace(options.request, place=place, settings=settings)
    print(f"{found.interpreter.path}: {found.build.distribution} {found.build.version}")
    print(f"on the {place.upper()}: {why}", flush=True)
    work = beside.HERE / f"{place}-{found.release}"
    record = measure(found, seen, request, work)
    kept = cell.keep(record, cell.Options(request, records=options.records), work)
    judgement = cell.judged(record, known, request)
    scripts = cell.write_scripts(record, work / "scripts")
    advised = advised_here(record, found, request)
    print("", *report.verdict_lines(record, judgement, scripts), sep="\n")
    print("", here_view.render(record, judgement, advised, request.keyword), sep="\n")
    print(f"record: {kept}", flush=True)
    return int(record.verdict == "not run" or judgement.standing == "worse")


def placed(asked: Place | None, found: Installed) -> tuple[Place, str, Device | NotRun | None]:
    """Where to measure, why there, and the device as far as it was looked for."""
    if asked == "cpu":
        return "cpu", "as asked", None
    if asked is None and found.build.cuda is None:
        return "cpu", "the build has no CUDA", None
    seen = device.look()
    if isinstance(seen, Device):
        return "gpu", f"{seen.name}, driver {seen.driver}", seen
    return asked or "cpu", seen.detail, seen


def measure(
    found: Installed, seen: Device | NotRun | None, request: suite.Request, work: Path
) -> Record:
    """The record, also where the device could not be used."""
    python = found.interpreter.path
    record = cell.blank(found.release, found.interpreter.python, request).model_copy(
        update={
            "build": found.build,
            "environment": Environment(packages=found.packages, mended=[]),
        }
    )
    try:
        if request.place == "gpu":
            assert seen is not None  # it was looked for before the place was chosen
            if isinstance(seen, NotRun):
                raise CannotRun(seen)
            record = cell.tried_on_device(cell.seen_on(record, seen), python, request)
        return cell.tested(record, python, request, work)
    except CannotRun as error:
        return cell.given_up(record, error.not_run)


def advised_here(record: Record, found: Installed, request: suite.Request) -> Measured | str | None:
    """How the advice fares on the release as it is, or why it could not be tried.

    None where nothing was measured, or some of the properties only.
    """
    if record.verdict == "not run" or not request.whole:
        return None
    print("following the advice that circulates", flush=True)
    options = ["--as-it-is", "--cases", str(CASES)]
    try:
        return advice.asked_of(found.interpreter.path, request.place, options, request.settings)
    except ValueError as error:
        return str(error)
