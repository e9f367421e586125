"""Put the properties to the Paddle that is installed already: `nox -s here`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from paddlecompat.cells import filling, suite
from paddlecompat.cells.keeping import Filled, conclude
from paddlecompat.cells.option_set import Options, check
from paddlecompat.environments import installed
from paddlecompat.environments.installed import Installed, NotImported
from paddlecompat.environments.wheel_code import asking
from paddlecompat.fixtures import bugs, releases
from paddlecompat.fixtures.bugs import Known, NotOffered
from paddlecompat.fixtures.forms import Place
from paddlecompat.folders import RUNS
from paddlecompat.machine import gpus, host
from paddlecompat.machine.choice import Machine
from paddlecompat.machine.processes import Settings, run_program
from paddlecompat.records.advice_results import Measured
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.record import IMPORTS, CannotRun, NotRun, Record
from paddlecompat.records.subject import Device, Environment

CASES = 20
SECONDS = 1800  # for following the advice


def follow_advice(
    python: Path, place: Place, options: Sequence[str], settings: Settings = None
) -> Measured:
    """What the program of that name counts. Raises ValueError with the error that it ended in."""
    ended = run_program(python, "follow_advice", ["--place", place, *options], settings, SECONDS)
    if ended.problem is not None:
        raise ValueError(ended.problem)
    return Measured.model_validate_json(ended.said)


def ask_wheel(found: Installed) -> WheelAnswer | None:
    """What the installed build's own code says of the reported defect; None: it is no GPU build."""
    if found.build.distribution != "paddlepaddle-gpu" or found.interpreter.paddle is None:
        return None
    print("asking the installed library", flush=True)
    package = found.interpreter.paddle.parent
    return asking.ask_installed(package, found.build.version, host.system())


def measure(
    options: Options, python: Path | None, place: Place | None
) -> tuple[Filled, Measured | str | None]:
    """Measure what is installed in `python` (None: the first that has Paddle), else ValueError.

    With it comes what came of the advice, or why it could not be followed; None: it was left out.
    """
    known = bugs.load()
    try:
        found = installed.read_interpreter(python)
    except NotImported as error:
        raise ValueError(f"{error}{words_on_mending(error, known)}") from None
    where, why, device = choose_place(place, found)
    known = with_head_left_out(known, where)
    options = check(options, where)
    print(f"{found.interpreter.path}: {found.build.distribution} {found.build.version}")
    print(f"on the {where.upper()}: {why}", flush=True)
    settings = {**filling.SAME_DEVICE, **installed.settings_for(found)}
    folder = suite.new_folder(RUNS / f"here-{where}-{found.release}")
    made = {"build": found.build, "environment": Environment(packages=found.packages, mended=[])}
    blank = filling.blank(where, found.release, found.interpreter.python, options)
    record = blank.model_copy(update=made)
    record = filling.with_answer(record, ask_wheel(found), told=True)
    try:
        if isinstance(device, NotRun) and where == "gpu":
            raise CannotRun(device)
        if isinstance(device, Device):
            record = filling.with_device(record, device)
            check_code(found, filling.machine_with(device))
        python = found.interpreter.path
        record = filling.run_properties(record, python, options, settings, folder)
    except CannotRun as error:
        record = filling.give_up(record, error.not_run)
    filled = conclude(record, known, options, folder)
    return filled, follow(record, found, options, settings)


def check_code(found: Installed, machine: Machine) -> None:
    """Raise CannotRun where the wheel of the installed build has no code for the device.

    A build of the same version for another CUDA (Conda's, or a person's own) is not that wheel.
    """
    fixture = releases.load()
    for release in (r for r in fixture.release if r.version == found.release):
        listed = release.gpu_build(found.build.version)
        if listed.cuda == found.build.cuda:
            filling.check_code(listed, release, fixture, machine)


def words_on_mending(error: NotImported, known: Known) -> str:
    """What a known bug says of the release's words, and the command that mends it; '' for none."""
    for bug in known.bug:
        for where in bug.expected:
            if bug.pin and IMPORTS in where.properties and where.fits(error.words):
                command = f'{shlex.quote(str(error.python))} -m pip install "{bug.pin}"'
                return f"\n{bug.title}. {bug.title_zh}。\n  mend it 修复方法: {command}"
    return ""


def with_head_left_out(known: Known, place: Place) -> Known:
    """A person's environment may lack PaddleDetection: the release is not worse for it."""
    absent = NotOffered(
        releases=("2.*", "3.*"),
        place=place,
        properties=("*::*",),
        cause="PaddleDetection is not installed.",
        says=("PaddleDetection",),
        sometimes=True,
    )
    return Known(bug=known.bug, not_offered=(*known.not_offered, absent))


def choose_place(
    asked: Place | None, found: Installed
) -> tuple[Place, str, Device | NotRun | None]:
    """Where to measure, why there, and the device as far as it was looked for."""
    if asked == "cpu":
        return "cpu", "as asked", None
    if asked is None and found.build.cuda is None:
        return "cpu", "the build has no CUDA", None
    seen = gpus.look()
    if isinstance(seen, Device):
        return "gpu", f"{seen.name}, driver {seen.driver}", seen
    return asked or "cpu", seen.detail, seen


def follow(
    record: Record, found: Installed, options: Options, settings: dict[str, str]
) -> Measured | str | None:
    """How the advice fares on the release as it is, or why not; None where that says nothing."""
    if record.verdict == "not run" or record.lost or options.partial:
        return None
    print("following the advice that circulates", flush=True)
    asked = ["--as-it-is", "--cases", str(CASES)]
    try:
        return follow_advice(found.interpreter.path, record.place, asked, settings)
    except ValueError as error:
        return str(error)
