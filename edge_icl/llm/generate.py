"""An answer, piece by piece: always the likeliest token, so the same answer every time.

    >>> for piece in generate(prefixes, prefix, question, Limits(stop=prompt.stop)):
    ...     print(piece, end="", flush=True)

Between two pieces the model is free: another question may take its window, and the answer goes on afterwards
from its own state, which is parked meanwhile. Only `Prefixes.clear` ends it: what it has read is then gone.

Under a grammar an answer ends where the grammar says that it is whole, and there only: with the model's end
token, or where the model would go on with the text that ends an answer. A line break inside a JSON document
ends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.errors import AskCancelledError, ExamplesChangedError, InputError, ModelError
from edge_icl.llm.grammar import Constraint
from edge_icl.llm.vocabulary import Decoder
from edge_icl.llm.window import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.llm.grammar import Grammar
    from edge_icl.llm.model import Model
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.llm.vocabulary import Vocabulary
    from edge_icl.runtime.cancel import Cancel

    Pick = Callable[[NDArray[np.float32]], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where an answer ends, and what it must keep to.

    Attributes:
        stop: the text that ends the answer; neither it nor a beginning of it is given at the end. May be empty.
        lead: what stands before an answer in the prompt's format; only a grammar needs to know.
        max_tokens: most tokens to evaluate for the answer; a full context ends it too.
        grammar: what the answer must keep to.
    """

    stop: str
    lead: str = ""
    max_tokens: int = 256
    grammar: Grammar | None = None


def generate(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    limits: Limits,
    *,
    cancel: Cancel | None = None,
    check: Callable[[], None] = lambda: None,
) -> Generator[str, None, bool]:
    """Give the answer's text as it comes, without white space before it; close the iterator to stop it.

    Args:
        prefixes: the prefixes of the store, and the model.
        prefix: tokens that other questions share.
        question: tokens of this question.
        limits: where the answer ends, and what it must keep to.
        cancel: set it from any thread, and the answer ends before the next token, also while the model reads.
        check: called after every token, before anything is given of it; what it raises ends the answer.

    Returns:
        Whether the answer is complete: it came to its own end, or is all that the grammar asks for.

    Raises:
        InputError: the prompt leaves no room for an answer, the limits allow no token, or the grammar is bad.
        ModelError: llama.cpp fails.
        ExamplesChangedError: `Prefixes.clear` was called before the answer was complete.
    """
    if limits.max_tokens < 1:
        raise InputError(f"an answer cannot have {limits.max_tokens} tokens", "give at least 1")
    vocabulary, grammar = prefixes.model.vocabulary, limits.grammar
    text = _Text(limits.stop, strip=None if grammar is None else len(limits.lead))
    decoder = Decoder(vocabulary)
    constraint = None if grammar is None else Constraint(grammar, vocabulary, lead=limits.lead)
    pick = _free(vocabulary) if constraint is None else _bound(vocabulary, constraint, text)
    tokens = _tokens(prefixes, prefix, question, limits.max_tokens, pick, cancel)
    while not text.over:
        try:
            token = next(tokens)
        except StopIteration as end:
            check()
            yield from text.rest()
            return bool(end.value) or (constraint is not None and constraint.may_end)
        except AskCancelledError:
            return False
        if cancel is not None and cancel.is_set():
            return False
        check()
        piece = text.feed(decoder.feed(token))
        if piece:
            yield piece
    return True


def _free(vocabulary: Vocabulary) -> Pick:
    """Return what picks the likeliest token, None for the model's own end."""

    def pick(logits: NDArray[np.float32]) -> int | None:
        token = int(logits.argmax())
        return None if vocabulary.ends(token) else token

    return pick


def _bound(vocabulary: Vocabulary, constraint: Constraint, text: _Text) -> Pick:
    """Return what picks the likeliest token that the grammar allows, None where the answer ends."""

    def pick(logits: NDArray[np.float32]) -> int | None:
        if constraint.may_end:
            text.may_end()
        wanted = int(logits.argmax())
        piece = vocabulary.piece(wanted).decode(errors="replace")
        if not constraint.allows(wanted) and text.ends_before(piece):
            return None
        token = constraint.choose(logits)
        if token is None and vocabulary.end is not None:
            raise ModelError("the model has no token for what the grammar asks for next", "change the grammar")
        if token is None or vocabulary.ends(token):
            return None
        constraint.accept(token)
        return token

    return pick


def _tokens(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    most: int,
    pick: Pick,
    cancel: Cancel | None = None,
) -> Generator[int, None, bool]:
    """Give picked tokens one after another; return whether they came to an end before `most` or the context."""
    model = prefixes.model
    answer = Owner(prefixes)  # of the window, between two tokens
    room = min(most, model.context - len(prefix) - len(question))
    try:
        with prefixes.asked(prefix, question, owner=answer, cancel=cancel) as logits:
            token = pick(logits)
        while token is not None:
            yield token
            room -= 1
            if room == 0:
                return False
            token = _next(model, answer, token, pick, cancel)
        return True
    finally:
        with model.lock:
            model.window.leave(answer)


def _next(model: Model, answer: Owner, token: int, pick: Pick, cancel: Cancel | None) -> int | None:
    """Evaluate an answer's last token and return the one picked after it."""
    with model.evaluating(cancel) as window:
        if not window.enter(answer):
            raise ExamplesChangedError("the examples have changed since this answer began", "ask again")
        return pick(window.append([token]))


class _Text:
    """Text up to a stop text, which may come in pieces.

    Args:
        stop: the stop text; without one nothing ends the text.
        strip: how many characters before the answer to leave out; None for all white space, and then the stop
            text counts wherever it stands, otherwise only where the answer may end.

    Attributes:
        over: the stop text has come.
    """

    def __init__(self, stop: str, *, strip: int | None = None) -> None:
        self._stop = stop
        self._strip = strip
        self._begun = False
        self._waiting = ""  # what may be the beginning of the stop text
        self._ends: set[int] | None = None if strip is None else set()  # places in it where the answer may end
        self.over = False

    def feed(self, text: str) -> str:
        """Return what is certain to be part of the answer."""
        text = self._waiting + self._stripped(text)
        at = len(text)
        for start in range(len(text)) if self._ends is None else sorted(self._ends):
            rest = text[start : start + len(self._stop)]
            if rest and self._stop.startswith(rest):
                self.over = rest == self._stop
                at = start
                break
        return self._cut(text, at)

    def may_end(self) -> None:
        """Note that the answer may end here."""
        assert self._ends is not None
        self._ends.add(len(self._waiting))

    def ends_before(self, text: str) -> bool:
        """End the answer if `text` would go on with the stop text; say whether it did."""
        for start in sorted(self._ends or ()) if text and self._stop else ():
            rest = self._waiting[start:] + text
            if rest.startswith(self._stop) or self._stop.startswith(rest):
                self._waiting = self._waiting[:start]
                return True
        return False

    def rest(self) -> Iterator[str]:
        """Give what waited for more of the stop text, if the answer counts to the last character."""
        if self._strip is not None and self._waiting:
            yield self._waiting

    def _stripped(self, text: str) -> str:
        """Return the text without what stands before the answer."""
        if self._strip is not None:
            left, self._strip = text[self._strip :], max(0, self._strip - len(text))
            return left
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text

    def _cut(self, text: str, at: int) -> str:
        """Return the text before a place; what comes after it waits."""
        self._waiting = text[at:]
        if self._ends is not None:
            self._ends = {end - at for end in self._ends if end >= at}
        return text[:at]
