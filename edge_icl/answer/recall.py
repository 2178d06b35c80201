"""What was taught is known: the examples whose input is the question itself.

Texts are the same where a person would call them the same: in Unicode NFC, with white space folded. Nothing
needs a model for that. The bytes of the pages are searched for the question's rarest word, which is fast, and
only the examples that hold all its words are read.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from edge_icl.example import folded
from edge_icl.results import Held
from edge_icl.search.finding import most_frequent_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.example import Example
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot


def taught(snapshot: Snapshot, question: str) -> list[Held]:
    """Return the examples whose input is a question, in the order of their ids.

    Args:
        snapshot: the state.
        question: in Unicode NFC.
    """
    wanted = folded(question)
    if not wanted:
        return []
    # As canonical JSON has them: a word holds no white space, so no input has it in two pieces.
    words = [json.dumps(word, ensure_ascii=False)[1:-1].encode() for word in {*wanted.split()}]
    for first in islice(snapshot.pages(), 1):  # a random sample, since ids are keyed digests
        words.sort(key=lambda word: (first.text.count(word), -len(word)))
    return [
        Held.of(page.ids[row].tobytes().hex(), example)
        for page in snapshot.pages()
        for row in _rows(page, words)
        if folded((example := page.example(row)).input) == wanted
    ]


def contradictions(snapshot: Snapshot, given: Sequence[Example]) -> list[Held]:
    """Return the examples that have the input of one that is given and another output than it has.

    In the order of their ids. No page that was not in memory stays there.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for example in given:
        known[folded(example.input)].add(example.output)

    def look(page: Page) -> list[Held]:
        return [
            Held.of(id.hex(), example)
            for id, example in page.examples()
            if known.get(folded(example.input), set()) - {example.output}
        ]

    return [one for found in snapshot.visit(look) for one in found]


def outputs(examples: Sequence[Held]) -> dict[str, int]:
    """Return how often each output occurs: the most frequent first, of equals the smaller."""
    return most_frequent_first(Counter(held.output for held in examples))


def _rows(page: Page, words: Sequence[bytes]) -> Iterator[int]:
    """Yield the rows of a page whose text holds all of these, the rarest first; each row once."""
    rarest, *others = words
    at = page.text.find(rarest)
    while at >= 0:
        row = int(page.offsets.searchsorted(at, side="right")) - 1
        start, end = page.offsets[row : row + 2].tolist()
        if all(page.text.find(word, start, end) >= 0 for word in others):
            yield row
        at = page.text.find(rarest, end)
