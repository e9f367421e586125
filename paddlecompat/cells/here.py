"""Put the properties to the Paddle that is installed already: `nox -s here`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from paddlecompat.cells import filling, option_set, run_program
from paddlecompat.environments import beside, installed
from paddlecompat.environments.installed import Installed
from paddlecompat.fixtures import expectations
from paddlecompat.fixtures.forms import Place
from paddlecompat.machine import gpus
from paddlecompat.records.advice_results import Measured
from paddlecompat.records.record import CannotRun, Device, Environment, NotRun, Record
from paddlecompat.report import here_page, terminal

CASES = 20


@dataclass(frozen=True)
class Options:
    """What a person may ask of the session."""

    request: option_set.Request
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
    settings = {**filling.SAME_DEVICE, **beside.settings(tools)}
    request = replace(options.request, place=place, settings=settings)
    print(f"{found.interpreter.path}: {found.build.distribution} {found.build.version}")
    print(f"on the {place.upper()}: {why}", flush=True)
    work = beside.HERE / f"{place}-{found.release}"
    record = measure(found, seen, request, work)
    kept = filling.keep(record, option_set.Options(request, records=options.records), work)
    judgement = filling.judged(record, known, request)
    scripts = filling.write_scripts(record, work / "scripts")
    advised = advised_here(record, found, request)
    print("", *terminal.verdict_lines(record, judgement, scripts), sep="\n")
    print("", here_page.render(record, judgement, advised, request.keyword), sep="\n")
    print(f"record: {kept}", flush=True)
    return int(record.verdict == "not run" or judgement.standing == "worse")


def placed(asked: Place | None, found: Installed) -> tuple[Place, str, Device | NotRun | None]:
    """Where to measure, why there, and the device as far as it was looked for."""
    if asked == "cpu":
        return "cpu", "as asked", None
    if asked is None and found.build.cuda is None:
        return "cpu", "the build has no CUDA", None
    seen = gpus.look()
    if isinstance(seen, Device):
        return "gpu", f"{seen.name}, driver {seen.driver}", seen
    return asked or "cpu", seen.detail, seen


def measure(
    found: Installed, seen: Device | NotRun | None, request: option_set.Request, work: Path
) -> Record:
    """The record, also where the device could not be used."""
    python = found.interpreter.path
    record = filling.blank(found.release, found.interpreter.python, request).model_copy(
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
            record = filling.tried_on_device(filling.seen_on(record, seen), python, request)
        return filling.tested(record, python, request, work)
    except CannotRun as error:
        return filling.given_up(record, error.not_run)


def advised_here(
    record: Record, found: Installed, request: option_set.Request
) -> Measured | str | None:
    """How the advice fares on the release as it is, or why it could not be tried.

    None where nothing was measured, or some of the properties only.
    """
    if record.verdict == "not run" or not request.whole:
        return None
    print("following the advice that circulates", flush=True)
    options = ["--as-it-is", "--cases", str(CASES)]
    try:
        return run_program.follow_advice(
            found.interpreter.path, request.place, options, request.settings
        )
    except ValueError as error:
        return str(error)
