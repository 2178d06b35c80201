"""How to ask: one record for every way in, `Memory.ask`, `Memory.stream` and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.llm.grammar import Grammar

LabelMode = Literal["auto", "on", "off"]
PromptMode = Literal["auto", "plain", "chat"]
AskMode = Literal["auto", "always", "never"]

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask.

        >>> yes_or_no = Options(json_schema={"enum": ["yes", "no"]})
        >>> with Memory.open("work") as memory:
        ...     taught = memory.add("Is a tram a train?", "yes")
        ...     memory.ask("Is a taxi a car?", yes_or_no).text in ('"yes"', '"no"')
        True

    Attributes:
        select: a name in `selection.SELECTIONS`, or "auto": erase for labels, hybrid for written answers.
        shots: how many examples to show, if the store has so many; None for the store's own number.
        recall: whether a question that was taught is answered with the output that was taught for it. An answer
            that must keep to a grammar or a schema is never recalled.
        ask_model: whether the model judges labels beside the prior of the examples where it can matter
            ("auto"), always or never. "always" also where `prior` is false; a written answer needs the model.
        abstain: most wrong answers among those given, as a share above 0 and below 1, for inputs like those
            taught: a label that is not sure enough for that is not given. None gives the likeliest label in
            every case.
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
    recall: bool = True
    ask_model: AskMode = "auto"
    abstain: float | None = None
    prior: bool = True
    prompt: PromptMode = "auto"
    max_tokens: int = 256
    grammar: str | None = None
    json_schema: Mapping[str, Any] | None = None

    @property
    def recalls(self) -> bool:
        """Whether a question that was taught gets what was taught: not where a form is asked for."""
        return self.recall and self.grammar is None and self.json_schema is None

    def check(self) -> None:
        """Refuse what is not valid, before anything is loaded.

        Raises:
            InputError: a mode does not exist, the share is not between 0 and 1, or two options exclude each
                other.
        """
        for name, value, modes in (
            ("labels", self.labels, LabelMode),
            ("prompt", self.prompt, PromptMode),
            ("ask_model", self.ask_model, AskMode),
        ):
            if value not in get_args(modes):
                raise InputError(f"{name} cannot be {value!r}", f"choose one of {', '.join(get_args(modes))}")
        if self.abstain is not None and not (_is_number(self.abstain) and 0 < self.abstain < 1):
            raise InputError(
                f"{self.abstain!r} is no share of wrong answers", "give one above 0 and below 1, such as 0.05"
            )
        if not self.prior and self.ask_model == "never":
            raise InputError("without the prior only the model can judge", "let the model be asked")
        if not self.prior and self.abstain is not None:
            raise InputError("how sure an answer is comes from the prior", "leave the prior in to abstain")

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


def _is_number(value: object) -> bool:
    """Tell whether a value is a number and not a truth value, which Python counts as one."""
    return isinstance(value, int | float) and not isinstance(value, bool)
