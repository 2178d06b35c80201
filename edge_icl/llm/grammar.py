"""Grammars that a written answer keeps to, by llama.cpp's own sampler.

    >>> grammar = Grammar.from_text('root ::= "yes" | "no"')
    >>> with grammar.at_work(model.vocabulary) as constraint:
    ...     token = constraint.choose(logits)
    ...     constraint.accept(token)

The answer stays the likeliest one, among those that the grammar allows. llama.cpp takes a special token for the
characters of its name, so that a grammar with free text would allow `<|im_end|>`, which is no text: such tokens
are left out here.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_icl.errors import InputError
from edge_icl.llm.gbnf import ROOT, check
from edge_icl.llm.native import complaint, llama

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_icl.llm.vocabulary import Vocabulary

_FIELDS = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar. Make one with `from_text` or `from_schema`.

    Attributes:
        text: in GBNF.
        rules: the names of its rules.
    """

    text: str
    rules: frozenset[str]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Take a grammar written in GBNF.

        Raises:
            InputError: it is none; says what is wrong, and in which line.
        """
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError("the grammar holds NUL or half a surrogate pair, which is no text", "take it out")
        return cls(text, check(text))

    @classmethod
    def from_schema(cls, schema: Mapping[str, Any]) -> Self:
        """Take the grammar of the JSON documents that a JSON schema allows.

        Raises:
            InputError: it is no schema, or has what a grammar cannot hold; says what.
            ModelError: llama.cpp cannot be loaded.
        """
        llama()  # in our way, before the converter loads it in its own
        from edge_icl.llm.schema import grammar_of  # noqa: PLC0415 - it loads llama.cpp

        text = grammar_of(schema)
        try:
            return cls.from_text(text)
        except InputError as error:
            raise InputError(
                f"the JSON schema cannot be made a grammar: {error.message}", "write it with simpler patterns"
            ) from error

    def check(self, vocabulary: Vocabulary) -> None:
        """Raise if llama.cpp refuses the grammar.

        Raises:
            InputError: it does.
        """
        with self.at_work(vocabulary):
            pass

    @contextmanager
    def at_work(self, vocabulary: Vocabulary, *, lead: str = "") -> Iterator[Constraint]:
        """Hold llama.cpp's sampler for one answer.

        Args:
            vocabulary: the model's.
            lead: a text that comes before what the grammar describes.

        Raises:
            InputError: llama.cpp refuses the grammar.
        """
        start = "answer"
        while start in self.rules:
            start += "-"
        text = f'{start} ::= "{lead}" {ROOT}\n{self.text}'  # first: a last rule may be open for one more line
        complaint()
        sampler = vocabulary.sampler(text, start)
        if not sampler:
            raise InputError(
                f"llama.cpp refuses the grammar: {complaint()}",
                "look for a rule that begins with itself, or for a part that may be empty and is repeated",
            )
        try:
            yield Constraint(vocabulary, sampler)
        finally:
            llama().llama_sampler_free(sampler)


class Constraint:
    """A grammar at one place of one answer."""

    def __init__(self, vocabulary: Vocabulary, sampler: Any) -> None:
        self._llama = llama()
        self._vocabulary = vocabulary
        self._sampler = sampler

    @property
    def may_end(self) -> bool:
        """Whether the answer so far is whole."""
        end = self._vocabulary.end
        return end is not None and self.allows(end)

    def allows(self, token: int) -> bool:
        """Return whether a token may come next."""
        if not (self._vocabulary.ends(token) or self._vocabulary.piece(token)):
            return False
        return bool(np.isfinite(self._filtered([token], np.zeros(1, np.float32))[0]))

    def choose(self, logits: NDArray[np.float32]) -> int | None:
        """Return the likeliest token that may come next; None if there is none."""
        best = int(logits.argmax())
        if self.allows(best):  # nearly always, and a thousand times cheaper than asking for all
            return best
        left = self._filtered(np.arange(len(logits)), logits)
        while np.isfinite(left[best := int(left.argmax())]):
            if self._vocabulary.ends(best) or self._vocabulary.piece(best):
                return best
            left[best] = -np.inf
        return None

    def accept(self, token: int) -> None:
        """Go on to the place after a token, which must be allowed: llama.cpp ends the process otherwise."""
        self._llama.llama_sampler_accept(self._sampler, token)

    def _filtered(self, tokens: Any, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits f32[n] of the tokens i32[n], minus infinity for those that are not allowed."""
        rows = np.zeros(len(tokens), _FIELDS)
        rows["id"], rows["logit"] = tokens, logits
        library = self._llama
        data = library.llama_token_data_array(
            data=rows.ctypes.data_as(library.llama_token_data_p), size=len(rows), selected=-1, sorted=False
        )
        library.llama_sampler_apply(self._sampler, ctypes.byref(data))
        return np.ascontiguousarray(rows["logit"])
