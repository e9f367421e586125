"""A suite of properties that needs no Paddle, under the real conftest, protocol and plugins."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.fixtures.forms import Place
from paddlecompat.fixtures.manifest import PROPERTIES, Manifest, ManifestProperty, digest_of
from paddlecompat.folders import ROOT, TESTS
from paddlecompat.machine.processes import plain_environment
from paddlecompat.machine.processes.sanitizer import Watch
from paddlecompat.records.record import PropertyResult

PREAMBLE = """
import ctypes, os
import numpy as np
import pytest
from properties.protocol.evidence import ask, begin, refused, same_bytes, within
from hypothesis import given, strategies as st

class Case:
    def __init__(self, n): self.n = n
    def __str__(self): return f"case of {self.n}"
    def script(self): return f"assert {self.n} < 10\\n"

def verify(n=1):
    begin(Case(n))
    same_bytes(np.arange(n), np.arange(n))
"""


GPU = """
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from types import SimpleNamespace
import numpy as np

spoiled = False

def set_device(place): pass

def synchronize():
    if spoiled:
        raise OSError("CUDA error(700), an illegal memory access")

class Tensor(np.ndarray):
    def numpy(self):
        synchronize()
        return np.asarray(self)

def to_tensor(values): return np.array(values).view(Tensor)

device = SimpleNamespace(cuda=SimpleNamespace(synchronize=synchronize))
"""


class Suite:
    """A folder with such properties, and with a `paddle` of a few lines."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tests = folder, folder / "properties"
        self.started: list[subprocess.Popen[str]] = []
        if self.tests.exists():  # another process made it
            return
        for part in ("protocol", "programs", "mutants", "oracle", "questions"):
            made_before = shutil.ignore_patterns("__pycache__", "of_*.py")
            shutil.copytree(PROPERTIES / part, self.tests / part, ignore=made_before)
        for name in ("__init__.py", "conftest.py"):
            shutil.copy(PROPERTIES / name, self.tests / name)
        settings = (PROPERTIES / "pytest.ini").read_text(encoding="utf-8")
        here = settings.replace("pythonpath = ../..", f"pythonpath = '{ROOT}'")
        (self.tests / "pytest.ini").write_text(here, encoding="utf-8")
        self.write("", paddle="def set_device(place): pass\n")

    def write(self, properties: str, paddle: str = "", round_trip: str = "") -> None:
        """Put these properties there; and a round trip and a Paddle, where there are any."""
        (self.tests / "test_sample.py").write_text(PREAMBLE + properties)
        if round_trip:
            (self.tests / "test_round_trip.py").write_text(PREAMBLE + round_trip)
        if paddle:
            (self.folder / "paddle.py").write_text(paddle)

    def request(
        self, place: Place = "cpu", watch: Watch | None = None, workers: int = 1, **asked: Any
    ) -> Request:
        """The options are those that a test names; the profile is quick unless it says so."""
        options = Options(**{"profile": "quick", **asked})
        return Request(place, options, {}, watch, workers, self.tests)

    def listed(self, *due: tuple[str, int | None]) -> Manifest:
        """A manifest of these properties, each with the calls that are due."""
        return self.manifest_of((f"sample::{name}", calls) for name, calls in due)

    def listed_by_source(self) -> Manifest:
        """A manifest of the properties that there are: each has to verify one call."""
        return self.manifest_of(
            (f"{module.stem.removeprefix('test_')}::{name}", 1)
            for module in sorted(self.tests.glob("test_*.py"))
            for name in re.findall(r"^def (test_\w+)", module.read_text(), re.MULTILINE)
        )

    def manifest_of(self, due: Iterable[tuple[str, int | None]]) -> Manifest:
        """The same, each named as in the records."""
        properties = [
            ManifestProperty(key=key, places=("cpu", "gpu"), calls=calls) for key, calls in due
        ]
        return Manifest(digest=digest_of(self.tests), properties=properties)

    def ran(self, request: Request, listed: Manifest | None = None) -> Ran:
        """What came of a run; by default each property that there is has to verify one call."""
        python, folder = Path(sys.executable), self.folder / "log"
        return suite.run(python, request, folder, listed or self.listed_by_source())

    def run(self, properties: str, **asked: Any) -> dict[str, PropertyResult]:
        """What came of the properties, by their names."""
        self.write(properties)
        return {result.name: result for result in self.ran(self.request(**asked)).results}

    def on_gpu(self, properties: str, **asked: Any) -> dict[str, PropertyResult]:
        """With a Paddle that has a device, which `paddle.spoiled = True` spoils."""
        self.write("", paddle=GPU)
        return self.run(properties, place="gpu", **asked)

    def start(
        self, properties: str | None, *options: str, shell: str = "true"
    ) -> subprocess.Popen[str]:
        """A process that fills a cell with these properties (None: those that there are).

        `shell` is said to a shell before.
        """
        if properties is not None:
            self.write(properties)
        records = f"--records={self.folder / 'records'}"
        program = ["-m", "integration.small_cell", str(self.folder), records, *options]
        command = shlex.join([sys.executable, *program])
        process = subprocess.Popen(
            ["sh", "-c", f"{shell} && exec {command}"],
            env={**plain_environment(), "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what was started and still runs: a test failed."""
        for process in self.started:
            process.kill()

    def fill(
        self, properties: str | None, *options: str, shell: str = "true"
    ) -> subprocess.CompletedProcess[str]:
        """As `start`, to the end."""
        process = self.start(properties, *options, shell=shell)
        output, complaint = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, output, complaint)

    def records(self) -> list[Path]:
        """The records that were kept for the table."""
        return sorted((self.folder / "records").glob("*.json"))

    def by_hand(
        self, properties: str, *options: str, paddle: str = "pass", module: str = ""
    ) -> tuple[int, str]:
        """The exit status of plain pytest, without workers or a log, and what is printed."""
        placing = f"import os\ndef set_device(place): {paddle}\n"
        self.write(properties, module or placing)
        folder = str(self.tests)
        command = [sys.executable, "-m", "pytest", folder, "--profile=quick", *options]
        settings = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        ended = subprocess.run(
            command, env=plain_environment() | settings, capture_output=True, text=True
        )
        return ended.returncode, ended.stdout + ended.stderr
