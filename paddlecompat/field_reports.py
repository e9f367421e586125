"""`fixtures/field-reports.toml`: what others published about a release on their GPU.

A field report is never merged with what was measured: neither into a verdict, nor into a count.
"""

from __future__ import annotations

import datetime
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from paddlecompat.expectations import a_thread, release_or_series
from paddlecompat.records import Model, read_toml
from paddlecompat.releases import ROOT

FIELD_REPORTS = ROOT / "fixtures" / "field-reports.toml"
THREAD = re.compile(
    r"https://github\.com/[^/]+/(?P<repository>[^/]+)/(?:issues|pull)/(?P<number>\d+)"
)
Seen = Literal["wrong", "right"]
Words = Annotated[str, Field(min_length=1)]


class FieldReport(Model):
    """One thing that somebody saw, on the machine that they tell of."""

    releases: list[Annotated[str, AfterValidator(release_or_series)]]
    build: str | None = Field(default=None, description="The wheel's version: '2.3.1.post116'.")
    cuda: list[Annotated[str, Field(pattern=r"^\d+\.\d+$")]] = []
    os: Literal["Linux", "Windows", "WSL", "macOS"] | None = None
    gpus: list[Words] = []
    python: Annotated[str, Field(pattern=r"^3\.\d+$")] | None = None
    groups: Annotated[
        list[Literal["masked_select", "nonzero", "boolean_index", "ppyoloe_training"]],
        Field(min_length=1, description="The groups of properties that it bears on."),
    ]
    seen: Seen
    what: Words
    what_zh: Words
    link: Annotated[str, AfterValidator(a_thread)]
    date: datetime.date

    def concerns(self, release: str) -> bool:
        return any(fnmatchcase(release, pattern) for pattern in self.releases)

    @property
    def exact(self) -> list[str]:
        """The releases that it names one by one."""
        return [release for release in self.releases if "*" not in release]

    @property
    def mark(self) -> str:
        return f"reported {self.seen}"

    @property
    def where(self) -> str:
        """'Windows, CUDA 11.2, GeForce RTX 3080, Python 3.8': as much as the thread tells."""
        told = [self.os, f"CUDA {' and '.join(self.cuda)}" if self.cuda else None, *self.gpus]
        told += [f"Python {self.python}"] if self.python else []
        return ", ".join(part for part in told if part) or "machine not told"

    @property
    def machine(self) -> str:
        """Where, in a few words: 'Windows CUDA 11', or the card where no system is told."""
        told: list[str | None] = [self.os or next(iter(self.gpus), None)]
        told += [f"CUDA {self.cuda[0].partition('.')[0]}"] if self.cuda else []
        return " ".join(part for part in told if part) or "machine not told"

    @property
    def thread(self) -> str:
        """'Paddle#43420', or the host where it is no thread of GitHub's."""
        match = THREAD.match(self.link)
        return f"{match['repository']}#{match['number']}" if match else urlsplit(self.link).netloc


class FieldReportsFile(Model):
    """All of `fixtures/field-reports.toml`."""

    report: list[FieldReport] = []


def load(path: Path = FIELD_REPORTS) -> list[FieldReport]:
    """The field reports, in the order of the file.

    Raises ValueError with one line that names the file, the block, the field and what to write.
    """
    return read_toml(FieldReportsFile, path).report
