"""A label as an answer: its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.prompt.prompt import PLAIN

if TYPE_CHECKING:
    from edge_icl.llm.vocabulary import Vocabulary
    from edge_icl.prompt.prompt import PromptFormat

    Tokens = tuple[int, ...]


def label_tokens(vocabulary: Vocabulary, label: str, form: PromptFormat = PLAIN) -> Tokens:
    """Return the tokens of a label as an answer, up to and with the one that shows that it is over."""
    length = vocabulary.length(f"{form.lead}{label}")
    tokens: list[int] = []
    for token in vocabulary.tokenize(form.answer(label)):
        tokens.append(token)
        piece = vocabulary.piece(token)
        length -= len(piece)
        if length < 0 or not (piece or length):  # a special token has no text
            break
    return tuple(tokens)
