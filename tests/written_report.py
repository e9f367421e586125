"""A report written from a few records, and read back, for the tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import samples

from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.manifest import Manifest
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.fixtures.uses import Card
from paddlecompat.records import store
from paddlecompat.records.record import NotRun, PropertyResult, Record
from paddlecompat.report import pages
from paddlecompat.report.view import view_of

NOTHING_KNOWN = Known()
CARDS = [Card(capability="8.6", group="RTX 30", names=("RTX 3090",))]


def listing(*versions: str) -> Fixture:
    """A fixture of these releases, of which no build is listed."""
    return Fixture(release=[Release(version=version, builds=[]) for version in versions])


FIXTURE = listing("2.3.2")


@dataclass
class Written:
    """A report and where it lies."""

    folder: Path
    summary: str
    errors: list[str]
    """One line for each record that was refused."""

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def markdown(self) -> str:
        return self.read("compatibility.md")

    @property
    def html(self) -> str:
        """Every page that a browser shows."""
        return "".join(path.read_text(encoding="utf-8") for path in self.pages)

    @property
    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))

    def line(self, start: str) -> str:
        """The first line of the Markdown that starts so."""
        return next(line for line in self.markdown.splitlines() if line.startswith(start))

    def section(self, heading: str) -> str:
        """The Markdown under a heading."""
        return re.split(r"\n#+ ", self.markdown.split(f"# {heading}", 1)[1], maxsplit=1)[0]


def write_report(
    folder: Path,
    *records: Record,
    bugs: Known = NOTHING_KNOWN,
    fixture: Fixture | None = None,
    reported: Sequence[FieldReport] = (),
    readmes: Sequence[Path] = (),
    listed: Manifest = samples.SUITE,
) -> Written:
    """The report on these records, and on whatever already lies in `folder`/cells.

    By default the releases of the records are listed, and 2.3.2.
    """
    fixture = fixture or listing(*dict.fromkeys(["2.3.2", *(r.release for r in records)]))
    for record in records:
        store.write(record, folder / "cells")
    view = view_of([folder / "cells"], bugs, fixture, listed, reported)
    summary = pages.write(view, folder / "out", readmes, CARDS)
    return Written(folder / "out", summary, view.errors)


def violated(release: str = "2.3.2", **evidence: object) -> Record:
    """A cell with a violation, whose evidence is changed so."""
    changed = samples.evidence(**evidence)
    result = samples.result(outcome="violated", evidence=changed)
    return samples.record([result], release=release)


def idle(reason: object = None, **changes: object) -> Record:
    """A GPU cell that did not run."""
    why = reason or NotRun(reason="no CUDA device", detail="No GPU was found.")
    return samples.record([], **{"place": "gpu", "build": None, "not_run": why} | changes)


def on_gpu(properties: Sequence[PropertyResult] | None = None, **changes: object) -> Record:
    """A cell that was measured on a card."""
    return samples.record(properties, **{"place": "gpu", "device": samples.device()} | changes)


def fences(markdown: str) -> list[str]:
    """The contents of the fenced blocks, read as CommonMark reads them."""
    blocks: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        match = re.match("`{3,}", line)
        if fence and line.strip("`") == "" and len(line) >= len(fence):
            fence = ""
        elif fence:
            blocks[-1] += line + "\n"
        elif match:
            fence = match[0]
            blocks.append("")
    return blocks


class Page(HTMLParser):
    """The tags, ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name and value is not None]
