"""What people look at, made from the records: two pages, a badge, and lines for the terminal.

`view` prepares plain data, the templates do the looping and hold the words.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from paddlecompat import advice, advice_view, bench, field_reports, records, sensitivity
from paddlecompat import expectations as expected
from paddlecompat.expectations import Expectation, Judgement
from paddlecompat.records import PropertyResult, Record
from paddlecompat.releases import Fixture
from paddlecompat.view import View, view_of

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 100
EXCERPT = ("<!-- table: made by `nox -s report` -->", "<!-- end of table -->")
NOT_SHOWN = dict.fromkeys(
    [*(set(range(32)) - {9, 10}), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
"""What a terminal obeys or what turns the order of words: no page has it."""
POISON = ("-7.25e+77", "-1.3327127e+13", "-1.0270668e+10")  # as float64, and as float32
NEVER_WRITTEN = (
    "the output holds what its memory was filled with before the call: it was never written, as in "
    "PaddlePaddle/Paddle#44181; what restores the loss stands in reports/advice.md"
)
SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Summary:
    """How the records stand, for the terminal and for the exit code of whoever asked."""

    sound: int
    unsound: int
    not_run: int
    worse: list[str]
    better: list[str]
    errors: list[str]
    text: str


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
    pages |= {"badge.json": view.badge.json(), "record.schema.json": records.schema()}
    table = templates.get_template("excerpt.md.j2").render(view=view, folder=out_folder.name)
    texts = {out_folder / name: text for name, text in pages.items()}
    texts |= {readme: with_excerpt(readme, table) for readme in readmes}
    for path, text in texts.items():
        records.write_text(path, text)
    return summary(view, out_folder)


def measured_pages(templates: Environment, folder: Path) -> dict[str, str]:
    """The pages of what was measured beside the cells, as far as it was. Raises ValueError."""
    pages = {}
    seen = sensitivity.read(path) if (path := folder / sensitivity.REPORT.name).exists() else None
    if seen is not None:
        shown = max((t for t in seen.trials), key=lambda trial: len(trial.properties))
        pages["sensitivity.md"] = templates.get_template("sensitivity.md.j2").render(
            measured=seen,
            shy={trial.release: seen.shy(trial) for trial in seen.trials},
            shown=shown,
            tables=sensitivity.tables(shown),
            stale=sensitivity.STALE,
        )
    if (measured := folder / advice.MEASURED.name).exists():
        pages["advice.md"] = advice_view.render(measured, templates)
    if (path := folder / bench.REPORT.name).exists():
        timed = bench.read(path)
        pages["bench.md"] = templates.get_template("bench.md.j2").render(
            bench=timed,
            groups=bench.lines_of(timed),
            examples=bench.examples_to_catch(seen) if seen else None,
        )
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


def summary(view: View, out_folder: Path) -> Summary:
    """The report in a paragraph."""
    count, worse, better = view.verdicts, view.standing("worse"), view.standing("better")
    said = [
        f"{len(view.measured)} cells: {count['sound']} sound, {count['unsound']} unsound, "
        f"{count['not run']} not run."
    ]
    said += [f"Worse than expected: {', '.join(worse)}."] if worse else []
    said += [f"Better than expected: {', '.join(better)}."] if better else []
    missing = [row.release for row in view.all_rows if row.record is None]
    said += [f"No record on the CPU: {', '.join(missing)}."] if missing else []
    said += [f"Records refused: {len(view.errors)}."] if view.errors else []
    said += [f"The report is {out_folder / 'index.html'}, and compatibility.md beside it."]
    text = textwrap.fill(" ".join(said), WIDTH, break_long_words=False, break_on_hyphens=False)
    verdicts = (count["sound"], count["unsound"], count["not run"])
    return Summary(*verdicts, worse, better, view.errors, text)


def verdict_lines(
    record: Record, judgement: Judgement, scripts: Mapping[str, Path] | None = None
) -> list[str]:
    """How a cell ended, for the terminal; `scripts` says where each violation's script lies."""
    if record.verdict == "not run":
        why = record.not_run
        told = f"{why.reason}: {why.detail}" if why else "no property verified a call"
        return wrapped(f"{record.cell}: not run: ", told, "  ")
    count = Counter(result.outcome for result in record.properties)
    holds = f"{count['holds']} propert{'y holds' if count['holds'] == 1 else 'ies hold'}"
    others = [f"{number} {outcome}" for outcome, number in count.items() if outcome != "holds"]
    named = f"{record.cell}, stand-in ({record.stand_in})" if record.stand_in else record.cell
    lines = [
        f"{named}: {record.verdict} ({', '.join([holds, *others])}; "
        f"{record.calls:,} calls verified) - {judgement.standing}"
    ]
    known = {result.key: cause for result, cause in judgement.known}
    for result in record.properties:
        if result.outcome in records.UNSOUND:
            lines += failure_lines(result, known.get(result.key), (scripts or {}).get(result.key))
    for expectation in judgement.gone:
        lines += wrapped("  gone: ", f"{expectation.property}: {expectation.cause}", "    ")
    for expectation in judgement.absent:
        lines += wrapped("  expected, but not among the properties: ", expectation.property, "    ")
    return lines


def build_lines(record: Record) -> list[str]:
    """Which build example cards would be given, where there is no device here."""
    examples = record.not_run.builds if record.not_run else []
    lines = ["  what it would measure on other machines:"] if examples else []
    for example in examples:
        told = f"{example.build}, {example.why}" if example.build else example.why
        lines += wrapped(f"  {example.card}: ", told, "    ")
    return lines


def failure_lines(
    result: PropertyResult, cause: Expectation | None, script: Path | None
) -> list[str]:
    """A property that failed: the case, what was expected, what came."""
    lines = [f"  {result.key} - {result.outcome}, {'known' if cause else 'new'}"]
    told = {"message": result.message, "case": result.case or ""}
    if result.evidence:
        evidence = result.evidence
        what = result.message.partition(": expected ")[0] if ": expected " in result.message else ""
        shown = {"case": evidence.case, "expected": evidence.expected, "actual": evidence.actual}
        told = {"what": what, **shown, "hint": NEVER_WRITTEN if stale(evidence.actual) else ""}
    if cause:
        told |= {"cause": cause.cause, "thread": cause.link}
    if script:
        told |= {"script": str(script)}
    for label, text in told.items():
        lines += wrapped(f"    {label + ':':<10}", text, " " * 14) if text else []
    return lines


def stale(actual: str) -> bool:
    """Whether it shows what `tests/properties/memory.py` fills memory with before each call."""
    return any(pattern in actual for pattern in POISON)


def wrapped(label: str, text: str, indent: str) -> list[str]:
    """`text` after `label`, in at most six lines; a path is left whole."""
    return textwrap.wrap(
        label + " ".join(text.split()),
        WIDTH,
        subsequent_indent=indent,
        max_lines=6,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
