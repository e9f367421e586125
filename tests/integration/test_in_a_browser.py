"""The committed pages in a real Chromium, as files: what a person does there, and sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from paddlecompat.folders import REPORTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    Open = Callable[..., Page]

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
BUG = "bugs/mask-assignment-broadcasts.html"
PAGES = ("index.html", "releases/2.4.2.html", BUG, "matrix.html")
WIDTH = "document.documentElement.scrollWidth"
ASKED = "#release=2.4.2&card=8.6&system=windows&how=fresh"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        # As root, as in many containers, Chromium starts without its sandbox alone.
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page in a window of its own; no error of its script is overlooked."""
    contexts: list[BrowserContext] = []
    errors: list[object] = []

    def open_it(
        path: str,
        width: int = 1200,
        scheme: Literal["light", "dark"] = "light",
        java_script_enabled: bool = True,
    ) -> Page:
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                java_script_enabled=java_script_enabled,
            )
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        name, _, place = path.partition("#")
        page.goto((REPORTS / name).as_uri() + (f"#{place}" if place else ""))
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []


def choose(page: Page, **choices: str) -> None:
    for name, value in choices.items():
        page.locator(f"select[name={name}]").select_option(value)


def test_a_choice_gives_its_answer_and_its_address(open_page: Open) -> None:
    page = open_page("index.html")
    choose(page, release="2.4.2", card="8.6", system="windows", how="fresh")
    told = page.locator("#answer").inner_text()
    assert "silently wrong" in told
    assert "take 2.4.2.post116" in told
    assert page.url.endswith(ASKED)


def test_an_address_that_was_sent_gives_the_same_answer(open_page: Open) -> None:
    page = open_page("index.html" + ASKED.replace("fresh", "pinned"))
    told = page.locator("#answer").inner_text()
    assert "2.4.2, RTX 30" in told
    assert "reported (2)" in told
    assert "nox -s gpu-2.4.2 -- --build 2.4.2.post116" in told


def test_what_is_copied_is_the_command(open_page: Open) -> None:
    page = open_page("index.html#release=2.6.1&how=fresh&system=linux")
    command = page.locator("#answer .command").first
    command.locator("button").click()
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea')))")
    page.locator("textarea").focus()
    page.keyboard.press("Control+V")
    pasted = page.locator("textarea").input_value()
    assert pasted == command.locator("code").inner_text()
    assert pasted.startswith("python -m pip install paddlepaddle-gpu==2.6.1")


def test_one_click_leads_from_the_table_to_a_script(open_page: Open) -> None:
    page = open_page("index.html")
    choose(page, use="write")
    row = page.locator("#releases tbody tr", has_text="2.6.2")
    row.locator("td").nth(2).locator("a").click()
    script = page.locator("#script ~ div pre").first.inner_text()
    assert "import paddle" in script
    file = page.locator("a[download]").evaluate("link => link.href").removeprefix("file://")
    assert Path(file).read_text(encoding="utf-8").strip() == script.strip()


def test_the_other_language_keeps_the_choice(open_page: Open) -> None:
    page = open_page("index.html" + ASKED)
    page.get_by_role("link", name="中文").click()
    assert "静默出错" in page.locator("#answer").inner_text()
    assert page.locator("select[name=release]").input_value() == "2.4.2"
    page.get_by_role("link", name="English").click()
    assert "silently wrong" in page.locator("#answer").inner_text()


def test_the_keyboard_alone_reaches_the_answer(open_page: Open) -> None:
    page = open_page("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "release"
    page.keyboard.type("3.1.0")
    page.keyboard.press("Tab")
    assert "PaddlePaddle 3.1.0" in page.locator("#answer h2").inner_text()
    assert page.locator("#answer").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("folder", ["", "zh/"])
def test_a_phone_scrolls_nothing_sideways(open_page: Open, folder: str) -> None:
    page = open_page(f"{folder}index.html{ASKED}", width=360)
    for name in PAGES[1:]:
        assert open_page(f"{folder}{name}", width=360).evaluate(WIDTH) <= 360, name
    assert page.evaluate(WIDTH) <= 360
    box = page.locator("#releases").locator("..")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_without_scripts_the_releases_are_still_there(open_page: Open) -> None:
    page = open_page("index.html", java_script_enabled=False)
    assert page.locator("#ask").is_hidden()
    row = page.locator("#releases tbody tr", has_text="2.6.1")
    assert row.locator("td").all_inner_texts() == ["right\nmeasured", "silently wrong\nmeasured"]


def test_the_matrix_is_searched_and_filtered(open_page: Open) -> None:
    page = open_page("matrix.html")
    rows = page.locator("#matrix tbody tr:visible")
    everything = rows.count()
    page.locator("select[name=severity]").select_option("silent")
    silent = rows.count()
    page.locator("input[name=words]").fill("gradient boolean_index")
    assert 0 < rows.count() < silent < everything
    assert page.locator("#count").inner_text() == str(rows.count())


def test_the_first_page_is_small(open_page: Open) -> None:
    assert (REPORTS / "index.html").stat().st_size < 200_000
    page = open_page("index.html" + ASKED)
    assert page.evaluate("document.querySelectorAll('*').length") < 2500


def violations(page: Page) -> list[tuple[str, str]]:
    """The rules of axe that the page breaks, and where; axe is not to load style sheets anew."""
    found = axe.Axe().run(page, options={"preload": False}).response["violations"]
    return [(rule["id"], node["target"]) for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES[:3], "zh/index.html"])
def test_axe_finds_nothing(open_page: Open, path: str, scheme: Literal["light", "dark"]) -> None:
    assert violations(open_page(path, scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_matrix(open_page: Open, scheme: Literal["light", "dark"]) -> None:
    page = open_page("matrix.html", scheme=scheme)
    page.locator("input[name=words]").fill("masked_fill gradient")  # of thousands of like cells
    assert violations(page) == []
