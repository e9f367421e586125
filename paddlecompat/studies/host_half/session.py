"""Run a build on the made-up driver, and write down what its host half does."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from paddlecompat.environments import environment
from paddlecompat.environments.driver import answers, making
from paddlecompat.environments.driver.answers import Answers
from paddlecompat.environments.environment import Prepared, Wanted
from paddlecompat.environments.wheel_code.asking import CORE, known_answer
from paddlecompat.environments.windows import wine
from paddlecompat.fixtures.builds import SYSTEMS, System
from paddlecompat.fixtures.releases import Cell, Fixture, Release
from paddlecompat.folders import NOX, TESTS, environment_of
from paddlecompat.machine import host
from paddlecompat.machine.processes import Ended, run
from paddlecompat.machine.processes.variables import measuring_environment
from paddlecompat.records.build_answers import host_answer
from paddlecompat.records.build_answers.host_answer import FailedCall, HostAnswer, TrainingStep
from paddlecompat.records.record import CannotRun, NotRun
from paddlecompat.records.subject import impersonal
from paddlecompat.studies.host_half.reading import Case, cases_of, functions_of, outputs_of

INSIDE = Path(__file__).with_name("inside.py")
NAMING = re.compile(rf"{CORE.pattern}|paddle/libs/libcudart\.so[.\d]*")
"""What asks for functions by their names."""
REACHED = ("2.2.", "2.3.", "2.4.")
"""Series whose runtimes ask for no proof that the driver is NVIDIA's: up to CUDA 11.1."""
NO_CODE = "no-code"
FAULTS = (NO_CODE, "launch-failed", "out-of-memory", "copy-fails", "lost")
HELD = {"zeros": 0, "a pattern": 0xAB}
"""What memory held before, in words."""
ASSIGNERS = ("ATSS", "TAL")
MOST_STARTS = 60


class Session:
    """A build in its environment, with the driver made for it."""

    def __init__(self, prepared: Prepared, system: System) -> None:
        self.prepared, self.system = prepared, system
        self.folder = NOX / "driver" / f"{prepared.build.version}-{system}"
        packages = ("lib/python3*/site-packages/paddle", "Lib/site-packages/paddle")
        (self.paddle,) = (path for part in packages for path in prepared.folder.glob(part))

    def make_driver(self) -> None:
        """Make the driver, with the functions that the build's libraries name."""
        parent = self.paddle.parent
        found = [path for part in ("fluid/*", "libs/*") for path in self.paddle.glob(part)]
        naming = [p for p in found if NAMING.fullmatch(p.relative_to(parent).as_posix())]
        making.make(self.folder, self.system, making.names_in(naming))

    def settings(self, told: Answers, log: Path | None = None) -> dict[str, str]:
        """The variables of a process in the release that meets this driver."""
        found = {"LD_LIBRARY_PATH": str(self.folder)} if self.system == "linux" else {}
        return {**told.settings(log), **found, "PYTHONWARNINGS": "ignore"}

    def run(self, told: Answers, *arguments: str, log: Path | None = None) -> Ended:
        """Run the program inside the release."""
        settings = {**self.settings(told, log), "PYTHONPATH": str(TESTS)}
        command = [str(self.prepared.python), "-B", str(INSIDE), *arguments]
        return run(command, measuring_environment(settings), 900, TESTS)

    def cases(self) -> list[Case]:
        """What was called, in as many processes as it takes: one ends with the first failure."""
        cases: list[Case] = []
        told = answers.load()["unwritten"]
        with tempfile.TemporaryDirectory(dir=self.folder) as temporary:
            for start in range(MOST_STARTS):
                log = Path(temporary, f"{start}.jsonl")
                ended = self.run(told, "calls", str(len(cases)), log=log)
                found = cases_of(log) if log.exists() else []
                if not found:
                    raise cannot_run(ended)
                cases += found
                if not (found[-1].words or found[-1].died):
                    return cases
                if found[-1].died:
                    found[-1].words = death_in_words(ended)
        raise cannot_run(ended)

    def failed_calls(self) -> Iterator[FailedCall]:
        """Which call notices each fault."""
        for fault in FAULTS:
            told = answers.load()[fault].model_copy(update={"held_before": 0})
            ended = self.run(told, "failing")
            for line in answers_in(ended):
                raised = impersonal(line["raised"]) if line["raised"] else None
                yield FailedCall(fault=fault, call=line["call"], raised=raised)
            if ended.problem:
                yield FailedCall(fault=fault, call="the process", raised=impersonal(ended.problem))

    def training(self) -> Iterator[TrainingStep]:
        """What a training step without code comes to, by what memory held before."""
        for held, assigner in product(HELD, ASSIGNERS):
            told = answers.load()[NO_CODE].model_copy(update={"held_before": HELD[held]})
            ended = self.run(told, "training", assigner)
            about = {"fault": NO_CODE, "held": held, "assigner": assigner}
            found = answers_in(ended)
            yield training_step(about, found[-1] if found else {"raised": None}, ended)


def training_step(about: dict[str, str], line: dict[str, Any], ended: Ended) -> TrainingStep:
    """What the program inside told of a training step, or how it ended without a word."""
    if "loss" not in line:
        told = {"came": "died", "words": death_in_words(ended)}
    elif line["raised"]:
        told = {"came": "raised", "words": impersonal(line["raised"])}
    else:
        finite = math.isfinite(float(line["loss"])) and not line["astray"]
        told = {"came": "finite" if finite else "not finite", "loss": line["loss"]}
    astray = line.get("astray")
    return TrainingStep.model_validate({**about, **told, "astray": astray})


def death_in_words(ended: Ended) -> str:
    """How a process ended; of a signal without what was logged before, which has times in it."""
    words = impersonal(str(ended.problem))
    return words.partition(", ")[0] if (ended.status or 0) < 0 else words[:200]


def answers_in(ended: Ended) -> list[dict[str, Any]]:
    """The lines of JSON in what a program printed; the release may print others."""
    return [json.loads(line) for line in ended.output.splitlines() if line.startswith("{")]


def cannot_run(ended: Ended) -> CannotRun:
    return CannotRun(NotRun(reason="device refused", detail=str(ended.problem or ended.output)))


def sources_digest() -> str:
    """A sha256 of what the driver is made of, and of what was asked on it."""
    digest = hashlib.sha256()
    for path in (*sorted(making.SOURCES.glob("*.[cht]*")), INSIDE):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def prepare(release: Release, system: System, fixture: Fixture, wanted: Wanted) -> Prepared:
    """The environment of a release's GPU build, without CUDA's libraries.

    A release that PyPI has as this build alone is in that of its CPU cell already.
    """
    on_cpu = f"{'windows' if system == 'windows' else 'cpu'}-{release.version}"
    made = environment.read_stamp(environment_of(on_cpu))
    build = wanted.build
    if made and build and not wanted.wheel:
        there = made.build.distribution, made.build.version
        if there == (build.distribution, build.version):
            return made
    name = f"host-{release.version}" + ("-windows" if system == "windows" else "")
    cell = Cell(release, "windows" if system == "windows" else "gpu")
    return environment.prepare(cell, fixture, wanted, environment_of(name))


def measure(prepared: Prepared, release: Release, system: System) -> HostAnswer:
    """What the host half of a build does. Raises CannotRun where it does not run on the driver."""
    session = Session(prepared, system)
    session.make_driver()
    about = (wine if system == "windows" else host).describe(release.python)
    sha256 = prepared.build.sha256
    wheel = known_answer({sha256}, system) if sha256 else None
    with served(session):
        cases = session.cases()
        return HostAnswer(
            build=prepared.build,
            release=release.version,
            system=system,
            host=about,
            sources=sources_digest(),
            functions=functions_of(cases, wheel),
            against=wheel.sha256 if wheel and wheel.read else None,
            outputs=outputs_of(cases),
            failed=list(session.failed_calls()),
            training=list(session.training()),
        )


@contextmanager
def served(session: Session) -> Iterator[None]:
    """For a Windows build have Wine's server, and the driver where Windows has its own."""
    if session.system == "linux":
        yield
        return
    with wine.served(session.prepared.folder):
        system = wine.prefix_of(session.prepared.folder) / "drive_c" / "windows" / "system32"
        for library in session.folder.glob("*.dll"):
            shutil.copy(library, system)
        yield


ARGUMENTS = (  # what people write after `nox -s host-2.3.2 --`
    {"name": "--system", "choices": SYSTEMS, "default": "linux", "help": "of the build"},
    {"name": "--wheel", "type": "path", "help": "measure this file, a wheel of the release"},
    {"name": "--build", "help": "measure this build, as 2.3.2.post111"},
)


def run_session(release: Release, parsed: Namespace, fixture: Fixture) -> tuple[HostAnswer, Path]:
    """Measure the host half of a release's GPU build; the answer, and where it was kept."""
    if not release.version.startswith(REACHED) and parsed.build is None and parsed.wheel is None:
        series = ", ".join(f"{one}x" for one in REACHED)
        raise ValueError(
            f"host-{release.version}: its CUDA runtime asks for a proof that the driver is "
            f"NVIDIA's, which is left alone: only {series} are measured so"
        )
    build = release.gpu_build(parsed.build or release.version)
    wanted = Wanted(wheel=parsed.wheel, build=build, cuda_libraries=False)
    prepared = prepare(release, parsed.system, fixture, wanted)
    answer = measure(prepared, release, parsed.system)
    return answer, host_answer.write(answer)
