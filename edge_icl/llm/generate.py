"""An answer, piece by piece: always the likeliest token, so the same answer every time.

    >>> for piece in generate(prefixes, prefix, question, stop=prompt.stop):
    ...     print(piece, end="", flush=True)

Between two pieces the model is free: another question may take its window, and the answer goes on afterwards
from its own state, which is parked meanwhile. Only `Prefixes.clear` ends it: what it has read is then gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.errors import InputError, ModelError
from edge_icl.llm.vocabulary import Decoder

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from edge_icl.llm.model import Model
    from edge_icl.llm.prefix import Prefixes


def generate(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    *,
    stop: str,
    max_tokens: int = 256,
    cancel: threading.Event | None = None,
) -> Iterator[str]:
    """Give the answer's text as it comes, without white space before it; close the iterator to stop it.

    Args:
        prefixes: the prefixes of the store, and the model.
        prefix: tokens that other questions share.
        question: tokens of this question.
        stop: the text that ends the answer; neither it nor a beginning of it is given at the end.
        max_tokens: most tokens to evaluate for the answer; a full context ends it too.
        cancel: set it from any thread, and the answer ends before the next token.

    Raises:
        InputError: the prompt leaves no room for an answer, or `max_tokens` is less than one.
        ModelError: llama.cpp fails, or `Prefixes.clear` was called before the answer was complete.
    """
    if max_tokens < 1:
        raise InputError(f"an answer of {max_tokens} tokens is none", "give at least 1")
    text = _Text(stop)
    decoder = Decoder(prefixes.model.vocabulary)
    for token in _tokens(prefixes, prefix, question, max_tokens):
        if cancel is not None and cancel.is_set():
            return
        piece = text.feed(decoder.feed(token))
        if piece:
            yield piece
        if text.over:
            return


def _tokens(prefixes: Prefixes, prefix: Sequence[int], question: Sequence[int], most: int) -> Iterator[int]:
    """Give the likeliest tokens one after another, up to the model's own end, `most` or a full context."""
    model = prefixes.model
    answer = object()  # owns the window between two tokens
    room = min(most, model.context - len(prefix) - len(question))
    try:
        with prefixes.asked(prefix, question, owner=answer) as logits:
            token = int(logits.argmax())
        while not model.vocabulary.ends(token):
            yield token
            room -= 1
            if room == 0:
                return
            token = _next(model, answer, token)
    finally:
        with model.lock:
            model.window.leave(answer)


def _next(model: Model, answer: object, token: int) -> int:
    """Evaluate an answer's last token and return the likeliest one after it."""
    with model.lock:
        if not model.window.enter(answer):
            raise ModelError("the examples have changed since this answer began", "ask again")
        return int(model.window.append([token]).argmax())


class _Text:
    """Text up to a stop text, which may come in pieces.

    Attributes:
        over: the stop text has come.
    """

    def __init__(self, stop: str) -> None:
        self._stop = stop
        self._begun = False
        self._waiting = ""  # what may be the beginning of the stop text
        self.over = False

    def feed(self, text: str) -> str:
        """Return what is certain to be part of the answer."""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        text = self._waiting + text
        found = text.find(self._stop)
        self.over = found >= 0
        if not self.over:
            longest = min(len(text), len(self._stop) - 1)
            kept = next(size for size in range(longest, -1, -1) if text.endswith(self._stop[:size]))
            found = len(text) - kept
        self._waiting = text[found:]
        return text[:found]
