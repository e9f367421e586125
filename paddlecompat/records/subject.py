"""What was measured, and where: the host, the device, the build and what stood beside it.

Nothing here names a person or a machine.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import tempfile
from pathlib import Path, PurePath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from paddlecompat.fixtures.forms import Line, Model, Sha256, Text, pip_install, tag_of
from paddlecompat.folders import ROOT

LOCKED = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}==[A-Za-z0-9.!+_-]{1,60} --hash=sha256:[0-9a-f]{64}$"
Pin = Annotated[str, Field(pattern=r"^(numpy|protobuf|setuptools)<=?[0-9.]{1,20}$")]
"""A requirement that people are told to type: no other is taken from a record."""
MOST = 10**9  # calls: more than any run makes
Answer = Literal["live", "not read", "dormant", "absent"]
"""What a wheel's own code says of the reported defect, the worst first: four bytes too many are
copied and used; it cannot be told; they are copied and never used; the copy is as wide as the
count."""
SanitizerTool = Literal["memcheck", "initcheck"]
SYSTEMS = ("Linux", "WSL", "Windows", "Wine", "macOS")


class Host(Model):
    """Where a cell was measured. Nothing in it names a person or a machine."""

    os: Line = Field(description="For example 'Linux, Debian GNU/Linux 12 (bookworm)'.")
    machine: Line = Field(description="For example 'x86_64' or 'AMD64'.")
    libc: Line = Field(description="For example 'glibc 2.36'; empty where there is none to name.")
    python: Line = Field(description="The cell's interpreter, for example 'CPython 3.10'.")
    cpu: Line
    gpu: Line | None = None
    driver: Line | None = None

    @property
    def slug(self) -> str:
        """A short file-name part, the same for the same host and different for another."""
        system = re.split(r"\W", self.os)[0]
        family = f"{system}-{self.machine}-{self.libc or 'no-libc'}".lower()
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:6]
        return f"{re.sub(r'[^a-z0-9.]+', '-', family)[:60]}-{digest}"

    @property
    def system(self) -> str:
        """'Linux', 'WSL', 'Windows', 'Wine' or 'macOS'; 'another system' for any other."""
        for layer in ("WSL", "Wine"):
            if layer in self.os:
                return layer
        return next((name for name in SYSTEMS if self.os.startswith(name)), "another system")


class MeasuredBuild(Model):
    """The wheel that was measured."""

    distribution: Literal["paddlepaddle", "paddlepaddle-gpu"]
    version: str = Field(
        pattern=r"^[0-9]+(\.[0-9]+)*[A-Za-z0-9.+_-]{0,40}$",
        description="With its local tag where it has one, as '2.3.2.post112'.",
    )
    cuda: Line | None = Field(description="What the build itself says it was made for.")
    cudnn: Line | None
    wheel: Line = Field(description="The wheel's file name; empty where it was installed already.")
    sha256: Sha256 | None = Field(description="None where it was installed already.")
    locked: bool = Field(description="Whether the sha256 was checked against fixtures/.")
    source: Literal["index", "file", "installed"] = Field(description="Where it was taken from.")

    @property
    def tag(self) -> str:
        """'post112' of '2.3.2.post112'; empty where the version has none."""
        return tag_of(self.version)


class WheelSaid(Model):
    """What the wheel of a build says of the reported defect: read from its code, not measured."""

    version: Line = Field(description="The build's.")
    system: Literal["linux", "windows"]
    sha256: Sha256 = Field(description="The wheel's, or the library's that was read.")
    answer: Answer
    counts: dict[Answer, int] = Field(description="How many host functions have which answer.")
    reason: Line = Field(description="Why, for a function that has the answer.")


class Device(Model):
    """The device that was measured, as its driver and the build's CUDA libraries tell of it."""

    name: Line = Field(description="For example 'NVIDIA GeForce RTX 3090'.")
    capability: str = Field(
        pattern=r"^[0-9]{1,2}\.[0-9]$", description="Compute capability, as '8.6'."
    )
    memory_gib: FiniteFloat
    driver: Line = Field(description="The driver's version, as '535.104.05'.")
    driver_cuda: Line = Field(description="The newest CUDA version that the driver serves: '12.2'.")
    runtime: dict[Line, Line] = Field(
        default={}, max_length=100, description="CUDA libraries loaded: versions."
    )


class Finding(Model):
    """One thing that compute-sanitizer said, as often as it said it."""

    text: Text
    times: int = Field(ge=1, le=MOST)


class Sanitizer(Model):
    """What NVIDIA's compute-sanitizer found while the properties ran."""

    tool: SanitizerTool
    version: Line
    findings: list[Finding] = Field(default=[], max_length=1000)


class Environment(Model):
    """What stood beside the build, and what closing the loader gap took."""

    packages: dict[Line, Line] = Field(
        max_length=2000, description="Distribution name to version, as installed."
    )
    mended: list[Line] = Field(
        max_length=100, description="One line for each thing that was mended."
    )


class Resolution(Model):
    """What pip resolved on a day for a release, with nothing said about what stands beside it."""

    asked: str = Field(
        pattern=r"^paddlepaddle(-gpu)?==[0-9.]{1,20}$",
        description="The requirement: 'paddlepaddle-gpu==2.6.1'.",
    )
    python: str = Field(pattern=r"^3\.[0-9]{1,2}$", description="Of which CPython: '3.12'.")
    pip: str = Field(pattern=r"^[0-9][0-9A-Za-z.]{0,30}$", description="The version of pip.")
    on: datetime.date = Field(description="The day, in UTC.")
    lock: list[Annotated[str, Field(pattern=LOCKED)]] = Field(
        min_length=1, max_length=500, description="Each distribution with the sha256 of its file."
    )
    refused: Text = Field(
        default="", description="In the release's words, why it does not import; empty: it does."
    )
    needs: list[Pin] | None = Field(
        default=[],
        max_length=10,
        description="The fewest requirements with which it imports, as tried out, and with which "
        "it was measured; None where none of those that were tried is enough.",
    )
    pins: list[Pin] | None = Field(
        default=[],
        max_length=10,
        description="The fewest with which numbers come back from it, too; None as above.",
    )

    @property
    def requirements(self) -> str:
        """The lock, as a file for `pip install --require-hashes -r`."""
        head = f"# {self.asked} as pip {self.pip} resolved it on {self.on}, CPython {self.python}"
        return "\n".join([head, *self.lock, ""])

    @property
    def command(self) -> str:
        """What a person types to have an environment that works; empty: not known."""
        if self.needs is None or self.pins is None:
            return ""
        return pip_install(self.asked, *self.pins)


class Seconds(Model):
    """Where the time went. The first four are of the environment's making, also when reused."""

    download: FiniteFloat | None = None
    install: FiniteFloat | None = None
    mend: FiniteFloat | None = None
    imports: FiniteFloat | None = Field(
        default=None, description="`import paddle` in a fresh process."
    )
    test: FiniteFloat | None = None
    environment_reused: bool = False


def impersonal(text: str, root: PurePath = ROOT) -> str:
    """Without the folders of this machine: a record names no person and no machine.

    On Windows a path may be written with either slash, with doubled ones, and in any case. Under
    Wine one of Linux has a drive, too, and a person's folder is on drive C.
    """
    folders = {root: ".", Path(tempfile.gettempdir()): "TMP", Path.home(): "~"}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):  # one may hold another
        parts = [part.strip("\\/") for part in folder.parts]
        if len(parts) < 2:  # a home of "/" is in every path
            continue
        path = r"[\\/]+".join(map(re.escape, parts))
        flags = re.IGNORECASE if isinstance(folder, PureWindowsPath) else 0
        path = rf"(?:{path}|\b[A-Za-z]:(?i:{path}))(?=[\\/\s'\":,]|$)"
        text = re.sub(path, folders[folder], text, flags=flags)
    return re.sub(r"(?i)\bc:[\\/]+users[\\/]+[^\\/\s'\":,]+", "~", text)
