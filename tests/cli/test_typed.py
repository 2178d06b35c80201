"""What a line means that is typed under an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_icl.cli import tables
from edge_icl.cli.typed import COMMANDS, Typing
from edge_icl.search.spelling import one_letter_away

TEXTS = st.text("ab c", min_size=1, max_size=6).map(str.strip).filter(bool)
LABELS = st.lists(TEXTS, min_size=1, unique=True).map(lambda some: tuple(sorted(some)))


@given(LABELS, st.data())
def test_a_label_that_is_typed_whole_is_meant_whatever_it_is_called(
    labels: tuple[str, ...], data: st.DataObject
) -> None:
    labels = (*labels, *data.draw(st.sets(st.sampled_from([*COMMANDS, "1", "2", "\\x"]))))
    label = data.draw(st.sampled_from(labels))
    typed = f"\\{label}" if label.startswith("\\") else label

    assert Typing(labels, labels[:3]).meaning(f" {typed} ") == ("answer", label, ())


@given(LABELS, TEXTS)
def test_a_beginning_is_the_one_label_that_begins_so(labels: tuple[str, ...], typed: str) -> None:
    begun = [label for label in labels if " ".join(label.split()).startswith(" ".join(typed.split()))]

    meaning = Typing(labels).meaning(typed)

    if typed not in labels:
        assert (meaning.kind == "answer") == (len(begun) == 1 or _once(labels, typed))
        assert (meaning.kind == "several") == (len(begun) > 1 and not _once(labels, typed))


def _once(labels: tuple[str, ...], typed: str) -> bool:
    """Whether one label alone is the same but for white space."""
    return [" ".join(label.split()) for label in labels].count(" ".join(typed.split())) == 1


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_letter_away_is_one_change(one: str, other: str) -> None:
    changed = {one[:i] + c + one[i:] for i in range(len(one) + 1) for c in "ab"}
    changed |= {one[:i] + c + one[i + 1 :] for i in range(len(one)) for c in ("", *"ab")}
    changed |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}

    assert one_letter_away(one, other) == (other in changed - {one})


@given(st.text(min_size=1))
def test_every_free_text_can_be_typed(text: str) -> None:
    line = " ".join(text.split())
    typed = f"\\{line}" if line.startswith("\\") else line

    meaning = Typing(None).meaning(typed)

    assert meaning.text == line
    assert meaning.kind in {"answer", "letter", "right"}


def test_commands_have_a_backslash_where_a_letter_may_be_a_text() -> None:
    for letter, does in COMMANDS.items():
        assert Typing(("a",)).meaning(letter).kind == Typing(None).meaning(f"\\{letter}").kind == does
        assert Typing((letter, "a")).command(letter) == Typing(None).command(letter) == f"\\{letter}"
        assert Typing((letter.upper(), "a")).meaning(letter) == ("answer", letter.upper(), ())


@given(st.text(), st.integers(2, 40), st.integers(1, 5))
def test_wrapped_lines_fit_and_lose_nothing_that_is_not_told(text: str, columns: int, most: int) -> None:
    lines = tables.wrapped(text, columns, most=most)

    assert len(lines) <= most
    assert max(map(tables.width, lines)) <= columns
    shown = "".join("".join(lines).split())
    if not lines[-1].endswith("…"):
        assert shown == "".join(tables.printable(text).split())
