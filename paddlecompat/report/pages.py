"""The pages made from the records: two of them, the badge, and the table in the readmes.

`view` prepares plain data; the templates loop over it and hold the words. The JSON Schemas of the
files that people edit are made here, too, from the models that read them: for editors (a TOML file
names its own in a `#:schema` line) and to look fields up.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from paddlecompat.fixtures import bugs, cuda, published
from paddlecompat.fixtures.folders import FIXTURES, REPORTS
from paddlecompat.fixtures.forms import schema_of, write_text
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.fixtures.uses import Card, load_cards, load_uses
from paddlecompat.records import advice_results
from paddlecompat.records.record import Record
from paddlecompat.report import advice_page, ledger, trust_pages
from paddlecompat.report.facts import Facts
from paddlecompat.report.site import answers_file, first_page
from paddlecompat.report.site.answers_file import AnswersFile, Book
from paddlecompat.report.tables import grouped
from paddlecompat.report.templates import TEMPLATES, WIDTH, environment
from paddlecompat.report.view import MatrixView, view_of

EXCERPT = ("<!-- table: made by `nox -s publish` -->", "<!-- end of table -->")
SHARED = ("site.css", "site.js")
SCHEMAS = FIXTURES / "schemas"
EDITED: dict[str, type[BaseModel]] = {
    "bugs.toml": bugs.Known,
    "releases.toml": Fixture,
    "cuda.toml": cuda.CudaFile,
    "faults.toml": trust_pages.FaultsFile,
    "field-reports.toml": published.FieldReportsFile,
    "regressions.json": published.RegressionsFile,
}
"""The files in `fixtures/` that people edit, each with its model."""


@dataclass(frozen=True)
class Summary:
    """What the terminal says of a report that was written."""

    text: str
    errors: list[str]
    """One line for each record that was refused."""


def write(
    folders: Sequence[Path],
    out_folder: Path,
    bugs_path: Path,
    fixture: Fixture,
    suite: str,
    readmes: Sequence[Path] = (),
    reports_path: Path | None = None,
    stand_ins: bool = False,
    cards: Sequence[Card] | None = None,
) -> Summary:
    """Write the report on the records in these folders: the pages, the badge, the record's form.

    A record that was put to others than the properties of the digest `suite` is marked. The table
    of verdicts goes into the `readmes`, too. The field reports at `reports_path` stand
    beside what was measured. With `stand_ins` the page is of records made with a stand-in device.
    A record that is refused costs one line. Raises ValueError, before anything is written, where
    a file that people edit cannot be read or a readme has no marks.
    """
    reports = published.load_field_reports(reports_path) if reports_path else []
    view = view_of(folders, bugs.load(bugs_path), fixture, suite, reports, stand_ins)
    templates = environment()
    pages = {
        name: templates.get_template(f"{name}.j2").render(view=view)
        for name in ("compatibility.md", "badge.svg")
    }
    pages |= ledger.render(view, templates)
    pages |= trust_pages.render_studies(out_folder, templates)
    if (measured := out_folder / advice_results.MEASURED.name).exists():
        pages["advice.md"] = advice_page.render(measured, templates)
    pages["badge.json"] = json.dumps(view.badge, indent=1) + "\n"
    pages["record.schema.json"] = schema_of(Record)
    facts = Facts(view.records, view.known, fixture, reports, load_uses())
    book = Book(facts, load_cards() if cards is None else cards)
    pages["answers.json"] = answers_file.as_json(book.file)
    pages["answers.schema.json"] = schema_of(AnswersFile)
    about = {"errors": view.errors, "newest": view.newest, "stand_ins": view.stand_ins}
    pages |= first_page.render(book, ledger.entries(view), **about)
    pages |= {name: (TEMPLATES / "site" / name).read_text("utf-8") for name in SHARED}
    table = templates.get_template("excerpt.md.j2").render(view=view, folder=out_folder.name)
    texts = {out_folder / name: text for name, text in pages.items()}
    texts |= {readme: with_excerpt(readme, table) for readme in readmes}
    for path, text in texts.items():
        write_text(path, text)
    return Summary(summary_of(view, out_folder), view.errors)


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write the schema of every edited file into `folder`, as NAME.schema.json."""
    for file, model in EDITED.items():
        write_text(folder / f"{Path(file).stem}.schema.json", schema_of(model))


def write_reliability(folder: Path = REPORTS, faults: Path = trust_pages.FAULTS) -> None:
    """Write the page on what a green and a red cell can be trusted for. Raises as `read_toml`."""
    write_text(folder / "reliability.md", trust_pages.render_faults(faults, environment()))


def summary_of(view: MatrixView, out_folder: Path) -> str:
    """The report in a paragraph."""
    count = view.verdicts
    parts = [
        f"{count.total() - count['no record']} cells: {count['sound']} sound, "
        f"{count['unsound']} unsound, {count['not run']} not run."
    ]
    standing = grouped(view.own_rows, lambda row: row.judgement.standing)
    lists = {
        "Worse than expected": standing.get("worse", ()),
        "Better than expected": standing.get("better", ()),
        "Measured by others": view.by_others,
        "Measured with other properties than today's, so measure anew with nox -s": view.outdated,
    }
    cells = {label: [f"{row.kind}-{row.label}" for row in rows] for label, rows in lists.items()}
    cells["No record on the CPU"] = [row.release for row in view.all_rows if row.record is None]
    parts += [f"{label}: {', '.join(some)}." for label, some in cells.items() if some]
    parts += [f"Records refused: {len(view.errors)}."] if view.errors else []
    parts += [f"The report is {out_folder / 'index.html'}, and compatibility.md beside it."]
    return textwrap.fill(" ".join(parts), WIDTH, break_long_words=False, break_on_hyphens=False)


def with_excerpt(readme: Path, table: str) -> str:
    """The text of `readme` with `table` between its two marks. Raises ValueError without them."""
    start, end = EXCERPT
    before, found, rest = readme.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{readme}: put {start} and {end} where the table is to stand")
    return f"{before}{start}\n\n{table.strip()}\n\n{end}{after}"
