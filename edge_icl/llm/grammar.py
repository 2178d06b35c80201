"""Grammars that a written answer keeps to.

    >>> grammar = Grammar.from_text('root ::= "yes" | "no"')
    >>> constraint = Constraint(grammar, model.vocabulary)
    >>> token = constraint.choose(logits)
    >>> constraint.accept(token)

The answer stays the likeliest one, among those that the grammar allows. llama.cpp has a sampler for that, which
allows the same texts; but there are grammars for which it takes all memory, never ends, or ends the process.
So texts are followed here (`rules`, `follow`), in steps that are counted. A special token, such as
`<|im_end|>`, is not text, whatever its name: no grammar allows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_icl.errors import InputError
from edge_icl.llm.follow import Budget, begin
from edge_icl.llm.gbnf import check
from edge_icl.llm.native import llama
from edge_icl.llm.rules import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_icl.llm.follow import State
    from edge_icl.llm.rules import Rule
    from edge_icl.llm.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar. Make one with `from_text` or `from_schema`.

    Attributes:
        text: in GBNF.
        root: the rule that a whole answer follows.
    """

    text: str
    root: Rule = field(repr=False, compare=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Take a grammar written in GBNF.

        Raises:
            InputError: it is not a grammar, and says what is wrong, and in which line; or it cannot be
                followed.
        """
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError("the grammar holds NUL or half a surrogate pair, which is not text", "take it out")
        check(text)
        made = cls(text, compiled(text))
        begin(made.root, Budget())  # there may be too many ways to do that
        return made

    @classmethod
    def from_schema(cls, schema: Mapping[str, Any]) -> Self:
        """Take the grammar of the JSON documents that a JSON schema allows.

        Raises:
            InputError: it is not a schema, or has what a grammar cannot hold; says what.
            ModelError: llama.cpp cannot be loaded.
        """
        llama()  # in our way, before the converter loads it in its own
        from edge_icl.llm.schema import grammar_of

        text = grammar_of(schema)
        try:
            return cls.from_text(text)
        except InputError as error:
            raise InputError(
                f"the JSON schema cannot be made a grammar: {error.message}", "write it with simpler patterns"
            ) from error


class Constraint:
    """A grammar at one place of one answer.

    Args:
        grammar: what the answer must keep to.
        vocabulary: the model's.
        lead: a text that comes before what the grammar describes.
    """

    def __init__(self, grammar: Grammar, vocabulary: Vocabulary, *, lead: str = "") -> None:
        self._vocabulary = vocabulary
        self._budget = Budget()
        self._state = begin(grammar.root, self._budget, lead=lead)
        self._part = b""  # of a character, at the end of the last token

    @property
    def may_end(self) -> bool:
        """Whether the answer so far is whole, and the model has a token to say so."""
        return self._vocabulary.end is not None and self._whole

    @property
    def _whole(self) -> bool:
        """Whether the answer so far is whole."""
        return self._state.whole and not self._part

    def allows(self, token: int) -> bool:
        """Return whether a token may come next.

        Raises:
            InputError: the grammar has too many ways to read the text.
        """
        self._budget.renew()
        return self._allows(token)

    def choose(self, logits: NDArray[np.float32]) -> int | None:
        """Return the likeliest token that may come next; None if there is none.

        Raises:
            InputError: the grammar has too many ways to read the text.
        """
        best = int(logits.argmax())
        if self.allows(best):  # nearly always
            return best
        self._budget.renew()
        order = np.argsort(-logits, kind="stable").tolist()
        return next((token for token in order if self._allows(token)), None)

    def accept(self, token: int) -> None:
        """Go on to the place after a token, which must be allowed."""
        self._budget.renew()
        reached = self._after(token)
        assert reached is not None
        self._state, self._part = reached

    def _allows(self, token: int) -> bool:
        """Return whether a token may come next."""
        if self._vocabulary.ends(token):
            return self._whole
        return self._after(token) is not None

    def _after(self, token: int) -> tuple[State, bytes] | None:
        """Return the state after a token, and the beginning of a character there; None if it may not come."""
        piece = self._vocabulary.piece(token)
        split = _split(self._part + piece) if piece else None
        if split is None:
            return None
        state, (text, part) = self._state, split
        for character in text:
            state = state.after(character)
            if state.dead:
                return None
        return None if part and not state.may_begin(part) else (state, part)


def _split(data: bytes) -> tuple[str, bytes] | None:
    """Return the text of UTF-8, and the bytes of a character that has only begun; None if it is not UTF-8."""
    try:
        text, part = data.decode(), b""
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return None
        text, part = data[: error.start].decode(), data[error.start :]
    return None if "\0" in text else (text, part)
