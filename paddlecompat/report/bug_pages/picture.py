"""One picture of all bugs: releases across, each bug a bar from its first release to its last.

An SVG for each language and colour scheme, drawn by Matplotlib. Its texts stay texts, and every bar
leads to its bug.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paddlecompat.fixtures.bugs import Bug, Severity
from paddlecompat.fixtures.forms import Language, in_order
from paddlecompat.fixtures.uses import Use
from paddlecompat.report.bug_pages.ledger import Entry
from paddlecompat.report.templates import answer_words
from paddlecompat.report.view import MatrixView

FONTS = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "DejaVu Sans", "sans-serif"]
COLOURS: dict[Severity, str] = {
    "silent": "#c62828",
    "crash": "#7b1fa2",
    "error": "#ef6c00",
    "bits": "#757575",
}
LIGHT_INK, DARK_INK = "#1f2328", "#e6edf3"
"""The colour of texts, on light and on dark ground; the ground itself is the page's."""
PAGES: dict[Language, str] = {"en": "bugs/ID.html", "zh": "zh/bugs/ID.html"}
"""Where a bug's page is, from where the files lie."""
EVERY_USE: dict[Language, str] = {"en": "every use", "zh": "所有用途"}
STYLE: Any = {
    "svg.fonttype": "none",  # texts stay texts
    "svg.hashsalt": "paddle matrix",  # the same bugs give the same bytes
    "text.parse_math": False,
    "text.color": LIGHT_INK,
    "font.family": "sans-serif",
    "font.size": 9,
}
INCH = 72  # points
ROW, WIDTH, LEFT, RIGHT, HEAD = 19, 980, 400, 170, 46  # points


@dataclass(frozen=True)
class Bar:
    """A bug, and the releases that show it."""

    bug: Bug
    releases: frozenset[str]
    uses: Sequence[Use]
    """Those that it concerns; empty where it is every one."""

    def use_titles(self, language: Language) -> str:
        """The uses that it concerns."""
        if not self.uses:
            return EVERY_USE[language]
        titles = [use.title_zh if language == "zh" else use.title for use in self.uses]
        return ("、" if language == "zh" else ", ").join(titles)

    def runs(self, releases: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Where the releases that show it begin and how many follow each other."""
        places = [(number, name in self.releases) for number, name in enumerate(releases)]
        for shown, run in groupby(places, lambda place: place[1]):
            numbers = [number for number, _ in run]
            if shown:
                yield numbers[0], len(numbers)


def bar_of(entry: Entry, view: MatrixView) -> Bar:
    """The bar of a bug that shows somewhere."""
    releases = frozenset(seen.record.release for seen in entry.shown)
    every = len(entry.uses) == len(view.facts.uses)
    return Bar(entry.bug, releases, () if every else entry.uses)


def render(entries: Sequence[Entry], view: MatrixView) -> dict[str, str]:
    """The pictures by their files' names: 'bugs-en-light.svg'; none where no bug shows."""
    bars = [bar_of(entry, view) for entry in entries if entry.shown]
    releases = sorted({row.release for row in view.own_rows if row.record}, key=in_order)
    made = {}
    for language, page in PAGES.items() if bars else ():
        light = draw(bars, releases, language, page)
        made[f"bugs-{language}-light.svg"] = light
        made[f"bugs-{language}-dark.svg"] = light.replace(LIGHT_INK, DARK_INK)
    return made


def inline(made: dict[str, str]) -> list[str]:
    """The pictures in English and in Chinese, to stand in a page whose colours they take.

    The page has the same links as a list: nobody has to tab through those of the picture.
    """
    named = (made.get(f"bugs-{language}-light.svg") for language in PAGES)
    return [inlined(svg.replace("zh/bugs/", "bugs/")) if svg else "" for svg in named]


def inlined(svg: str) -> str:
    """The picture without its XML head and size, in the font and colour of the text around it.

    Its styles become attributes, as a page's policy may refuse styles that stand in it.
    """
    body = svg[svg.index("<svg") :].replace(LIGHT_INK, "currentColor")
    tag, end, rest = body.partition(">")
    body = re.sub(r' (?:height|width)="[^"]*"', "", tag) + end + rest
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r" font-family: [^;]*;", "", body)

    def as_attributes(style: re.Match[str]) -> str:
        pairs = (part.partition(":") for part in style[1].split(";") if part.strip())
        return " ".join(f'{name.strip()}="{value.strip()}"' for name, _, value in pairs)

    body = re.sub(r'style="([^"]*)"', as_attributes, body)
    return body.replace("<a ", '<a tabindex="-1" ')


def draw(bars: Sequence[Bar], releases: Sequence[str], language: Language, page: str) -> str:
    """The picture as SVG. `releases`: all that were measured, the oldest first; `page`: a bug's
    page, with ID in it.
    """
    height = HEAD + ROW * (len(bars) + 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH / INCH, height / INCH), dpi=INCH)
        wide, high = (WIDTH - LEFT - RIGHT) / WIDTH, ROW * len(bars) / height
        axes = figure.add_axes((LEFT / WIDTH, 2 * ROW / height, wide, high))
        axes.set_axis_off()
        axes.set_xlim(0, len(releases))
        axes.set_ylim(len(bars), 0)
        for place, release in enumerate(releases):
            axes.text(place + 0.5, -0.25, release, rotation=60, ha="left", va="bottom", fontsize=8)
            series = release.rpartition(".")[0]
            if place and not releases[place - 1].startswith(f"{series}."):  # a line between two
                ends = [place, place], [0, len(bars)]
                axes.plot(*ends, color=LIGHT_INK, alpha=0.25, linewidth=0.6, zorder=0)
        for row, bar in enumerate(bars):
            draw_bar(axes, row, bar, releases, language, page.replace("ID", bar.bug.id))
        add_legend(axes, language, len(bars))
        made = io.StringIO()
        with warnings.catch_warnings():  # the reader's machine has the fonts that this one lacks
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            unsaid = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(made, format="svg", transparent=True, metadata=unsaid)
    family = ", ".join(f"'{font}'" if " " in font else font for font in FONTS)
    return re.sub(r"font-family: [^;]*", f"font-family: {family}", made.getvalue())


def draw_bar(
    axes: Axes, row: int, bar: Bar, releases: Sequence[str], language: Language, address: str
) -> None:
    """Draw a bug's row: its title, its bar, and the uses that it concerns."""
    middle, colour = row + 0.5, COLOURS[bar.bug.severity]
    title = bar.bug.title_zh if language == "zh" else bar.bug.title
    axes.text(-0.2, middle, title, ha="right", va="center", url=address)
    for start, length in bar.runs(releases):
        (patch,) = axes.barh(middle, length, left=start, height=0.62, color=colour)
        patch.set_url(address)
    uses = bar.use_titles(language)
    axes.text(len(releases) + 0.2, middle, uses, ha="left", va="center", fontsize=7)


def add_legend(axes: Axes, language: Language, rows: int) -> None:
    """Say below what the colours mean."""
    words = answer_words()
    for place, severity in enumerate(COLOURS):
        word = words.worst[severity][language == "zh"]
        axes.barh(rows + 1, 0.6, left=place * 5, height=0.5, color=COLOURS[severity], clip_on=False)
        axes.text(place * 5 + 0.8, rows + 1, word, ha="left", va="center", fontsize=8)
