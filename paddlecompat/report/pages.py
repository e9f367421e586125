"""The pages made from the records: two of them, the badge, and the table in the readmes.

`view` prepares plain data; the templates loop over it and hold the words. The JSON Schemas of the
files that people edit are made here, too, from the models that read them: for editors (a TOML file
names its own in a `#:schema` line) and to look fields up.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import BaseModel

from paddlecompat.fixtures import bugs, cuda, published
from paddlecompat.fixtures.folders import FIXTURES, REPORTS
from paddlecompat.fixtures.forms import schema_of, write_text
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import advice_results, wheel_answer
from paddlecompat.records.record import Record
from paddlecompat.records.wheel_answer import WheelAnswer
from paddlecompat.report import advice_page, ledger, trust_pages, wheel_pages
from paddlecompat.report.tables import BY_OTHERS, CARDS, LONGEST, grouped
from paddlecompat.report.view import MatrixView, view_of

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 100  # of the terminal
EXCERPT = ("<!-- table: made by `nox -s publish` -->", "<!-- end of table -->")
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
NOT_SHOWN = dict.fromkeys(
    [*(set(range(32)) - {9, 10}), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
"""What a terminal obeys or what turns the order of words: no page has it."""
SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


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
    asked = out_folder / wheel_answer.ANSWERS.name
    view = replace(view, answers=wheel_answer.read_all(asked) if asked.exists() else [])
    templates = environment()
    pages = {
        name: templates.get_template(f"{name}.j2").render(view=view)
        for name in ("compatibility.md", "index.html", "badge.svg")
    }
    pages |= ledger.render(view, templates)
    pages |= trust_pages.render_studies(out_folder, templates)
    if (measured := out_folder / advice_results.MEASURED.name).exists():
        pages["advice.md"] = advice_page.render(measured, templates)
    if view.answers:
        pages["wheels.md"] = wheel_pages.render(view.answers, templates)
        pages["wheel-answer.schema.json"] = schema_of(WheelAnswer)
    pages["badge.json"] = json.dumps(view.badge, indent=1) + "\n"
    pages["record.schema.json"] = schema_of(Record)
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


@cache
def environment() -> Environment:
    """The templates. What they put into HTML or SVG is escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        finalize=lambda value: value.translate(NOT_SHOWN) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(by_others=BY_OTHERS, longest=LONGEST, cards=CARDS)
    made.filters.update(filled=fill, fenced=fence, inline=escape)
    made.filters["stamp"] = lambda record: f"{record.measured_at:%Y-%m-%d %H:%M} UTC"
    made.filters["grouped"] = lambda items, name: grouped(items, attrgetter(name))
    return made


def fill(text: str) -> str:
    """Break each line where the terminal ends; in an item of a list, indent what follows."""
    lines = (
        textwrap.fill(line, WIDTH, subsequent_indent="  " if line.startswith("- ") else "")
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)


def fence(text: str, language: str = "") -> str:
    """A fenced block of Markdown that nothing in `text` can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


def escape(text: str) -> str:
    """`text` on one line, as Markdown that means nothing but itself, in a table too."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", " ".join(text.split()))
