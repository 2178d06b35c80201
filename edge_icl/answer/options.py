"""How to ask: one record for every way in, `Memory.ask`, `Memory.stream` and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.llm.grammar import Grammar

LabelMode = Literal["auto", "on", "off"]
PromptMode = Literal["auto", "plain", "chat"]

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask.

        >>> yes_or_no = Options(json_schema={"enum": ["yes", "no"]})
        >>> with Memory.open("work") as memory:
        ...     memory.ask("Is a taxi a car?", yes_or_no).text in ('"yes"', '"no"')
        True

    Attributes:
        select: a name in `selection.SELECTIONS`, or "auto": erase for labels, hybrid for written answers.
        shots: how many examples to show, if the store has so many; None for the store's own number.
        prior: whether labels are judged by the examples' prior and the model together, or by the model alone.
        labels: whether to choose among the store's outputs ("on"), to write ("off"), or to look ("auto").
        prompt: the prompt's format: "plain", lines of text; "chat", turns in the model's own chat template; or
            the one that was measured to be better with the default model, which is plain ("auto").
        max_tokens: most tokens of a written answer.
        grammar: what a written answer must keep to, in GBNF, llama.cpp's language for grammars.
        json_schema: what a written answer must keep to, as a JSON schema. With either, answers are written.
    """

    select: str = AUTO
    shots: int | None = None
    labels: LabelMode = "auto"
    prior: bool = True
    prompt: PromptMode = "auto"
    max_tokens: int = 256
    grammar: str | None = None
    json_schema: Mapping[str, Any] | None = None

    def constraint(self) -> Grammar | None:
        """Return the grammar that a written answer must keep to, if any.

        Raises:
            InputError: the grammar or the schema is bad, or both are given, or labels are wanted too.
        """
        if self.grammar is None and self.json_schema is None:
            return None
        if self.grammar is not None and self.json_schema is not None:
            raise InputError("an answer cannot keep to a grammar and a JSON schema", "give one of them")
        if self.labels == "on":
            raise InputError("labels are chosen and not written, so a grammar is of no use", "leave one out")
        from edge_icl.llm.grammar import Grammar

        if self.grammar is not None:
            return Grammar.from_text(self.grammar)
        assert self.json_schema is not None
        return Grammar.from_schema(self.json_schema)
