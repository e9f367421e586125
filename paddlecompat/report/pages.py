"""Every page, and the table in the readmes, written from the records.

`view` and `site` prepare plain data; the templates loop over it and hold the words. The JSON
Schemas of the files that people edit are made here, too, from the models that read them: for
editors (a TOML file names its own in a `#:schema` line) and to look fields up.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from paddlecompat.fixtures import bugs, builds, published, uses
from paddlecompat.fixtures.forms import schema_of, write_text
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.uses import Card, load_cards
from paddlecompat.folders import FIXTURES, REPORTS
from paddlecompat.records import advice_results
from paddlecompat.records.build_answers import host_answer, wheel_answer
from paddlecompat.records.build_answers.host_answer import HostAnswer
from paddlecompat.records.build_answers.wheel_answer import WheelAnswer
from paddlecompat.records.record import Record
from paddlecompat.report import terminal, wheel_pages
from paddlecompat.report.bug_pages import ledger
from paddlecompat.report.facts import grouped
from paddlecompat.report.site import (
    answers_file,
    badges,
    code_host,
    first_page,
    matrix_page,
    release_pages,
)
from paddlecompat.report.site.answers_file import AnswersFile, Book
from paddlecompat.report.studied import advice_page, trust_pages
from paddlecompat.report.templates import TEMPLATES
from paddlecompat.report.view import MatrixView

MADE_ANEW = ("badges", "bugs", "releases", "scripts", "zh")
"""Folders of the report that hold nothing else: a page of what is gone does not stay."""
SHARED = ("site.css", "site.js")
SCHEMAS = FIXTURES / "schemas"
EDITED: dict[str, type[BaseModel]] = {
    "bugs.toml": bugs.Known,
    "releases.toml": Fixture,
    "cuda.toml": builds.CudaFile,
    "faults.toml": trust_pages.FaultsFile,
    "field-reports.toml": published.FieldReportsFile,
    "regressions.json": published.RegressionsFile,
    "uses.toml": uses.UsesFile,
    "cards.toml": uses.CardsFile,
}
"""The files in `fixtures/` that people edit, each with its model."""


def write(
    view: MatrixView,
    out_folder: Path,
    readmes: Sequence[Path] = (),
    cards: Sequence[Card] | None = None,
) -> str:
    """Write the report on what `view` shows; what the terminal says of it.

    These are the pages, the badges, the published forms. A table of answers goes into the
    `readmes`, too. Raises ValueError, before anything is written, where a readme has no marks.
    """
    from paddlecompat.report.bug_pages import picture  # Matplotlib is needed for pages alone

    wheels = wheel_answer.read_all(out_folder / wheel_answer.ANSWERS.name)
    hosts = host_answer.read_all(out_folder / host_answer.HOST_ANSWERS.name)
    view = replace(view, facts=replace(view.facts, wheels=wheels, hosts=hosts))
    book = Book(view, load_cards() if cards is None else cards)
    entries = ledger.entries(view)
    pages = {name: (TEMPLATES / "site" / name).read_text("utf-8") for name in SHARED}
    pages |= (pictures := picture.render(entries, view))
    pages |= first_page.render(book, entries, picture.inline(pictures))
    pages |= release_pages.render(book, entries)
    pages |= matrix_page.render(book)
    pages |= code_host.render(book)
    pages |= badges.render(book)
    pages |= ledger.render(entries)
    pages |= {f"scripts/{entry.bug.id}.py": entry.script for entry in entries if entry.script}
    pages |= trust_pages.render_studies(out_folder)
    if (measured := out_folder / advice_results.MEASURED.name).exists():
        pages["advice.md"] = advice_page.render(measured)
    pages["answers.json"] = answers_file.as_json(book.file)
    pages["answers.schema.json"] = schema_of(AnswersFile)
    if wheels:
        pages["wheels.md"] = wheel_pages.render(wheels)
        pages["wheel-answer.schema.json"] = schema_of(WheelAnswer)
    if hosts:
        pages["host.md"] = wheel_pages.render_host(hosts, wheels)
        pages["host-answer.schema.json"] = schema_of(HostAnswer)
    pages["record.schema.json"] = schema_of(Record)
    texts = {out_folder / name: text for name, text in pages.items()}
    texts |= code_host.with_excerpts(readmes, book, out_folder.name)
    for name in MADE_ANEW:
        shutil.rmtree(out_folder / name, ignore_errors=True)
    for path, text in texts.items():
        write_text(path, text)
    return summary_of(view, out_folder)


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write the schema of every edited file into `folder`, as NAME.schema.json."""
    for file, model in EDITED.items():
        write_text(folder / f"{Path(file).stem}.schema.json", schema_of(model))


def write_reliability(folder: Path = REPORTS, faults: Path = trust_pages.FAULTS) -> None:
    """Write the page on what a green and a red cell can be trusted for. Raises as `read_toml`."""
    write_text(folder / "reliability.md", trust_pages.render_faults(faults))


def summary_of(view: MatrixView, out_folder: Path) -> str:
    """The report in a paragraph."""
    rows = [row for row in view.own_rows if row.record]
    measured = [row for row in rows if row.judgement.measured]
    new = sum(len(row.judgement.new) for row in rows)
    parts = [f"{len(rows)} cells: {len(measured)} measured, {len(rows) - len(measured)} not run."]
    parts += [f"New, and explained by no bug: {new}."] if new else []
    standing = grouped(view.own_rows, lambda row: row.judgement.standing)
    lists = {
        "Worse than expected": standing.get("worse", ()),
        "Better than expected": standing.get("better", ()),
        "Measured by others": [row for row in view.all_rows if row.by_others],
        "Measured with other properties than today's, so measure anew with nox -s": [
            row for row in view.all_rows if row.outdated
        ],
    }
    cells = {label: [f"{row.kind}-{row.label}" for row in rows] for label, rows in lists.items()}
    cells["No record on the CPU"] = [row.release for row in view.all_rows if row.record is None]
    parts += [f"{label}: {', '.join(some)}." for label, some in cells.items() if some]
    parts += [f"Records refused: {len(view.errors)}."] if view.errors else []
    parts += [f"The report is {out_folder / 'index.html'}, and compatibility.md beside it."]
    return "\n".join(terminal.wrap("", " ".join(parts), "", most=None))
