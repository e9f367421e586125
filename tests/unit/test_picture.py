"""The picture of all bugs: each has a bar, which leads to its page."""

from __future__ import annotations

from xml.etree import ElementTree

import samples

from paddlecompat.fixtures import uses
from paddlecompat.fixtures.forms import Language
from paddlecompat.report.bug_pages import picture
from paddlecompat.report.bug_pages.picture import Bar

RELEASES = ["2.3.0", "2.3.2", "2.4.0", "2.6.1"]
BUG = samples.known().bug[0]
XLINK = "{http://www.w3.org/1999/xlink}href"
PAGE = "https://example.org/bugs/ID.html"


def bar(*releases: str) -> Bar:
    return Bar(BUG, frozenset(releases), uses.load_uses()[:1])


def drawn(some: Bar, language: Language = "en") -> ElementTree.Element:
    return ElementTree.fromstring(picture.draw([some], RELEASES, language, PAGE))


def test_every_bar_leads_to_its_bug() -> None:
    links = {link for element in drawn(bar("2.3.2")).iter() if (link := element.get(XLINK))}
    assert f"https://example.org/bugs/{BUG.id}.html" in links


def test_a_release_that_does_not_show_it_leaves_a_gap() -> None:
    assert list(bar("2.3.0", "2.4.0", "2.6.1").runs(RELEASES)) == [(0, 1), (2, 2)]


def test_the_picture_has_its_words_as_text() -> None:
    texts = ["".join(element.itertext()) for element in drawn(bar("2.3.2"), "zh").iter()]
    assert any(BUG.title_zh in text for text in texts)


def test_the_same_bugs_give_the_same_bytes() -> None:
    once, again = (picture.draw([bar("2.3.2")], RELEASES, "en", PAGE) for _ in range(2))
    assert once == again
