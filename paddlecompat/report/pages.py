"""What people look at, made from the records: two pages, a badge, and lines for the terminal.

`view` prepares plain data, the templates do the looping and hold the words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from paddlecompat.fixtures import expectations as expected
from paddlecompat.fixtures import field_reports, forms
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records import advice_results
from paddlecompat.records.record import Record, schema
from paddlecompat.report import advice_page, mutation_page
from paddlecompat.report.terminal import Summary, summary
from paddlecompat.report.view import view_of

TEMPLATES = Path(__file__).parent / "templates"


EXCERPT = ("<!-- table: made by `nox -s report` -->", "<!-- end of table -->")


NOT_SHOWN = dict.fromkeys(
    [*(set(range(32)) - {9, 10}), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
"""What a terminal obeys or what turns the order of words: no page has it."""


SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def write(
    records_folder: Path,
    out_folder: Path,
    expectations_path: Path,
    fixture: Fixture,
    readmes: Sequence[Path] = (),
    reports_path: Path | None = None,
    stand_ins: bool = False,
) -> Summary:
    """Write the report on a folder of records: two pages, the badge, the form of a record.

    The table of verdicts is put into the `readmes`, too, between their two marks. What others
    reported, in the file at `reports_path`, stands beside what was measured. With `stand_ins` it is
    a page of records that were made with a stand-in device, and says so.

    A record that is refused costs one line, in the pages and in the summary's `errors`.
    Raises ValueError where the expectations or the field reports cannot be read or a readme has no
    marks, before anything is written.
    """
    reports = field_reports.load(reports_path) if reports_path else []
    view = view_of(records_folder, expected.load(expectations_path), fixture, reports, stand_ins)
    templates = environment()
    pages = {
        name: templates.get_template(f"{name}.j2").render(view=view)
        for name in ("compatibility.md", "index.html", "badge.svg")
    }
    pages |= measured_pages(templates, out_folder)
    pages |= {"badge.json": view.badge.json(), "record.schema.json": schema()}
    table = templates.get_template("excerpt.md.j2").render(view=view, folder=out_folder.name)
    texts = {out_folder / name: text for name, text in pages.items()}
    texts |= {readme: with_excerpt(readme, table) for readme in readmes}
    for path, text in texts.items():
        forms.write_text(path, text)
    return summary(view, out_folder)


def measured_pages(templates: Environment, folder: Path) -> dict[str, str]:
    """The pages of what was measured beside the cells, as far as it was. Raises ValueError."""
    pages = mutation_page.render(folder, templates)
    if (measured := folder / advice_results.MEASURED.name).exists():
        pages["advice.md"] = advice_page.render(measured, templates)
    return pages


def with_excerpt(readme: Path, table: str) -> str:
    """The text of `readme` with `table` between its two marks. Raises ValueError without them."""
    start, end = EXCERPT
    before, found, rest = readme.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{readme}: put {start} and {end} where the table is to stand")
    return f"{before}{start}\n\n{table.strip()}\n\n{end}{after}"


def environment() -> Environment:
    """The templates; what goes into HTML or SVG is escaped unasked."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(fenced=fenced, inline=inline, stamp=stamp)
    return made


def shown(value: object) -> object:
    """A value as a page may have it."""
    return value.translate(NOT_SHOWN) if isinstance(value, str) else value


def stamp(record: Record) -> str:
    """When it was measured, as it is shown."""
    return f"{record.measured_at:%Y-%m-%d %H:%M} UTC"


def fenced(text: str, language: str = "") -> str:
    """A fenced block of Markdown that nothing in `text` can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def inline(text: str) -> str:
    """`text` on one line, as Markdown that means nothing but itself, in a table too."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", " ".join(text.split()))
