"""The page in a real browser without a network: nothing is asked for, nothing complained of, search works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PROGRAM, Browser, Page
from expenses import PAIRS
from shown import stored
from small_encoders import imported_encoders, small_encoders

from edge_icl import Example

__all__ = ["imported_encoders", "small_encoders"]

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")

HOSTILE = [
    ("</script><script>document.title = 'owned'</script>", "<img src=x onerror=\"document.title = 'owned'\">"),
    ("<iframe src=https://example.org/></iframe>", '" autofocus onfocus="document.title = 1'),
    ("<style>@import 'https://example.org/x.css'</style>", "office"),
    ("ค่าแท็กซี่ไปสนามบิน", "travel"),
]
VISIBLE = "[...document.querySelectorAll('.rows>li')].filter(row => row.checkVisibility())"
SEEN = f"{VISIBLE}.map(row => row.querySelector('.said').textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def written(small_encoders: Path, tmp_path: Path) -> Path:
    examples = [Example.create(*pair) for pair in (*PAIRS, *HOSTILE)]
    with stored(tmp_path / "store", examples) as memory:
        path = tmp_path / "memory.html"
        path.write_text(memory.report().html, encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    """The page; whatever a test does, nothing is asked for and nothing complained of."""
    page = browser.open(written)
    yield page
    assert page.requested == [written.as_uri()]
    assert page.complaints == []
    assert page.value("document.title") == "store - edge-icl"


def test_all_examples_are_there_and_no_text_runs(page: Page) -> None:
    assert {*page.value(SEEN)} == {input for input, _ in (*PAIRS, *HOSTILE)}
    assert page.value("document.querySelectorAll('img, iframe, .rows style').length") == 0
    assert page.value("document.getElementById('found').textContent") == f"{len(PAIRS) + len(HOSTILE)} in all"


def test_what_is_typed_is_searched_word_by_word(page: Page) -> None:
    page.press("/")
    page.call("Input.insertText", text="")
    page.value("document.getElementById('q').focus()")
    page.type("the FOR")
    page.until(f"{SEEN}.length === 3")

    assert {*page.value(SEEN)} == {
        "Coffee and pastries for the workshop",
        "Sandwiches for the board meeting",
        "Standing desk for the new hire",
    }
    assert page.value("document.getElementById('found').textContent") == f"3 of {len(PAIRS) + len(HOSTILE)}"
    page.press("Escape")
    page.until(f"{SEEN}.length === {len(PAIRS) + len(HOSTILE)}")


def test_a_search_can_stand_in_the_address(browser: Browser, written: Path) -> None:
    page = browser.open(written, query="#q=แท็กซี่")

    assert page.value(SEEN) == ["ค่าแท็กซี่ไปสนามบิน"]
    assert page.value("document.getElementById('none').checkVisibility()") is False
    page.value("location.hash = '#q=nothing+of+that+kind'")
    page.until("document.getElementById('none').checkVisibility()")


def test_a_label_shows_its_examples_here_and_on_the_map(page: Page) -> None:
    page.value(
        "[...document.querySelectorAll('.labels button')].find(b => /meals/.test(b.textContent)).click()"
    )

    assert {*page.value(SEEN)} == {input for input, output in PAIRS if output == "meals"}
    assert page.value("document.querySelectorAll('.points.on').length") == 1


def test_an_example_on_the_map_is_found_below_with_the_mouse_and_with_keys(page: Page) -> None:
    place = """(() => { const map = document.getElementById('map');
      const row = document.querySelectorAll('.rows>li')[4];
      const [x, y] = row.dataset.p.split(',').map(Number);
      map.scrollIntoView({block: 'center'});
      const now = new DOMPoint(x, y).matrixTransform(map.getScreenCTM());
      return [now.x, now.y, row.querySelector('.said').textContent]; })()"""
    x, y, said = page.value(place)
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert page.value("document.querySelector('#tip b').textContent") == said
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    assert page.value("document.activeElement.querySelector('.said').textContent") == said

    page.value("document.getElementById('map').focus()")
    page.press("ArrowRight")
    page.press("ArrowLeft")
    pointed = page.value("document.querySelector('#tip b').textContent")
    page.press("Enter")
    assert page.value("document.activeElement.querySelector('.said').textContent") == pointed


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, written: Path) -> None:
    page = browser.open(written, width=360, height=700, scheme="dark")

    assert page.value("document.documentElement.scrollWidth") <= 360
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"


def test_without_scripts_all_of_it_is_there_to_be_read(browser: Browser, written: Path) -> None:
    page = browser.open(written, scripts=False)

    tree = page.call("DOMSnapshot.captureSnapshot", computedStyles=[])
    strings = json.dumps(tree["strings"], ensure_ascii=False)
    for input, _ in PAIRS:
        assert input in strings
    assert "Search: words" not in [tree["strings"][i] for i in tree["documents"][0]["layout"]["text"] if i >= 0]
