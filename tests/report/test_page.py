"""The page, read as a browser reads it: it shows every text, asks for nothing, and runs nothing of a text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shown import SEED, stored, vector
from small_encoders import imported_encoders, small_encoders

from edge_icl import Example, Memory, StoreEmptyError
from edge_icl.display.unseen import shown
from edge_icl.report.style import DARK, LIGHT

__all__ = ["imported_encoders", "small_encoders"]

HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "<!-- <![CDATA[ ]]> -->",
    'x" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "&lt;already&gt; &amp; &#x27; &nosuch;",
    "\u202eevil\u202c \x1b[31mred \x01 \ufffe",
    "ค่าแท็กซี่ไปสนามบิน",
    "نسخة من الفاتورة",
    "👨\u200d👩\u200d👧 ✈️",
    "one\r\ntwo\n\tthree",
    "{{7*7}} ${x} `y` $(z)",
]


class Reader(HTMLParser):
    """What a page holds."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self.said: list[str] = []
        self.saying = False
        self.feed(html)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input", "wbr"}:
            self.open.append(tag)
        self.saying = tag == "p" and "said" in (dict(attrs).get("class") or "").split()
        if self.saying:
            self.said.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.saying = False

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
            return
        self.texts.append(data)
        if self.saying:
            self.said[-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def examples(texts: list[str]) -> list[Example]:
    """Return examples in which each text is an input, an output, a tag and a source."""
    return [
        Example.create(text, texts[i % 3], tags=[text], source=text)
        for i, text in enumerate(dict.fromkeys(texts))
    ]


def page(path: Path, some: list[Example]) -> str:
    with stored(path, some) as memory:
        return memory.report().html


@pytest.fixture
def hostile(small_encoders: Path, tmp_path: Path) -> str:
    return page(tmp_path / "store", examples(HOSTILE))


def harmless(html: str) -> Reader:
    """Check that a page asks for nothing and runs nothing but its own script, and return what it holds."""
    reader = Reader(html)
    names = {tag for tag, _ in reader.tags}
    assert not names & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "a",
        "use",
        "image",
        "audio",
    }
    for tag, attributes in reader.tags:
        assert not {"src", "href", "srcset", "style", "action", "xlink:href", "data"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert (len(reader.of("script")), len(reader.of("style"))) == (1, 1)
    assert not re.search(
        r"https?:|//\w|url\(|@import|fetch\(|XMLHttp|WebSocket|eval\(", "".join(reader.raw.values())
    )
    return reader


def test_hostile_texts_are_shown_and_do_nothing(hostile: str) -> None:
    reader = harmless(hostile)

    texts = "\0".join(reader.texts)
    for text in HOSTILE:
        assert shown(Example.create(text, "x").input) in texts
    for attributes in reader.of("div"):
        assert "data-output" not in attributes or attributes["data-output"] in map(shown, HOSTILE)


def test_the_policy_lets_only_this_script_and_this_style_through(hostile: str) -> None:
    reader = Reader(hostile)

    (policy,) = [
        one["content"] for one in reader.of("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in reader.raw.items()
    }
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digests['style']}'",
        "script-src": f"'sha256-{digests['script']}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)
        | st.sampled_from(HOSTILE),
        min_size=1,
        max_size=5,
    )
)
def test_any_texts_are_shown_and_do_nothing(
    small_encoders: Path,
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
) -> None:
    some = examples(texts)

    reader = harmless(page(tmp_path_factory.mktemp("any") / "store", some))

    held = {shown(one.input) for one in some if len(one.input) <= 400}
    assert held <= {*reader.said}


def test_the_page_is_a_function_of_the_examples_and_forgets_with_the_store(
    small_encoders: Path,
    tmp_path: Path,
) -> None:
    some = [Example.create(f"input {i}", f"output {i % 4}") for i in range(60)]
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    once = page(tmp_path / "one" / "store", some[:50]).replace(str(tmp_path / "one"), "")
    with stored(tmp_path / "other" / "store", []) as memory:
        for example in [*some[50:], *reversed(some[:50])]:
            memory.add_many([example], vectors=[vector(memory, example)])
        memory.forget(*[example.id(SEED).hex() for example in some[50:]])

        assert memory.report().html.replace(str(tmp_path / "other"), "") == once


def test_what_should_be_looked_at_stands_with_the_command_that_corrects_it(
    small_encoders: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGE_ICL_HOME", str(small_encoders))
    some = [Example.create(f"{word} {i}", word) for word in ("travel", "-meals") for i in range(12)]
    with Memory.create("two words", seed=SEED, encoder="first") as memory:
        wrong = Example.create("travel 99", "-meals")
        vectors = [vector(memory, one) for one in some] + [
            vector(memory, Example.create("travel 99", "travel"))
        ]
        memory.add_many([*some, wrong], vectors=vectors)
        doubles = [Example.create("travel 1", "other"), Example.create("travel  2", "travel")]
        memory.add_many(doubles, vectors=[vector(memory, one) for one in doubles])
        html = memory.report().html
        short = {held.input: memory.short(held.id) for held in memory.examples() if held.output != "other"}
        other = memory.short(doubles[0].id(SEED).hex())

    runs = re.findall(r'<code class="run"[^>]*>([^<]*)</code>', html)
    begins = "edge-icl --store &#x27;two words&#x27; "
    assert f"{begins}fix {short['travel 99']} travel" in runs
    assert {f"{begins}forget {other}", f"{begins}forget {short['travel 1']}"} <= {*runs}
    assert any(f"{begins}forget {short[text]}" in runs for text in ("travel 2", "travel  2"))


def test_an_empty_store_is_one_sentence_and_one_example_is_a_page(
    small_encoders: Path,
    tmp_path: Path,
) -> None:
    with stored(tmp_path / "store", []) as memory:
        with pytest.raises(StoreEmptyError, match="no examples to show"):
            memory.report()
        one = Example.create("Uber to the airport", "travel")
        memory.add_many([one], vectors=[vector(memory, one)])

        made = memory.report()

    assert (made.examples, made.mapped, made.suspects) == (1, 1, 0)
    assert "Uber to the airport" in Reader(made.html).said


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_markers_stand_out_from_what_is_behind_them(colours: dict[str, str]) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for word in ("ink", "quiet", "accent", "alarm"):
        assert min(contrast(word, behind) for behind in ("paper", "card")) >= 4.5, word
    assert contrast("ink", "soft") >= 4.5
    for marker in ("rest", *(f"c{i}" for i in range(8))):
        assert contrast(marker, "card") >= 3, marker
