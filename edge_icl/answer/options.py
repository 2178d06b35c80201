"""How to ask: one record for every way in, `Memory.ask`, `Memory.stream` and the command line alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from edge_icl.errors import InputError
from edge_icl.example import normalise

if TYPE_CHECKING:
    from edge_icl.llm.grammar import Grammar

SelectMode = Literal["auto", "erase", "nearest", "hybrid", "random", "none"]
LabelMode = Literal["auto", "on", "off"]
PromptMode = Literal["auto", "plain", "chat"]
AskMode = Literal["auto", "always", "never"]

AUTO: Literal["auto"] = "auto"

_MODES = {"select": SelectMode, "labels": LabelMode, "ask_model": AskMode, "prompt": PromptMode}
_OTHER_WORDS: Mapping[str, Mapping[object, str]] = {
    "labels": {"yes": "on", "no": "off", True: "on", False: "off"},
    "ask_model": {"yes": "always", "no": "never", True: "always", False: "never"},
}
"""What programs write in place of a mode, and the mode that is meant."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask. Checked when it is made, and when `dataclasses.replace` makes another of it.

        >>> yes_or_no = Options(json_schema={"enum": ["yes", "no"]})
        >>> with Memory.open("work") as memory:
        ...     taught = memory.add("Is a tram a train?", "yes")
        ...     memory.ask("Is a taxi a car?", yes_or_no).text in ('"yes"', '"no"')
        True

    Attributes:
        select: a name in `selection.SELECTIONS`, or "auto": erase for labels, hybrid for written answers.
        shots: how many examples to show, 1 or more, if the store has so many; None for the store's own number.
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
        task: what is asked of the model, in words, in the place of the store's task; "" for nothing, None for
            the store's. Where the model is not asked, it changes nothing.
        max_tokens: most tokens of a written answer, 1 or more.
        grammar: what a written answer must keep to, in GBNF, llama.cpp's language for grammars.
        json_schema: what a written answer must keep to, as a JSON schema. With either, answers are written.

    Raises:
        InputError: a field is not valid, or two of them exclude each other.
    """

    select: SelectMode = AUTO
    shots: int | None = None
    labels: LabelMode = "auto"
    recall: bool = True
    ask_model: AskMode = "auto"
    abstain: float | None = None
    prior: bool = True
    prompt: PromptMode = "auto"
    task: str | None = None
    max_tokens: int = 256
    grammar: str | None = None
    json_schema: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is not valid, before anything is loaded."""
        for name, modes in _MODES.items():
            _check_mode(name, getattr(self, name), get_args(modes))
        for name, optional in (("shots", True), ("max_tokens", False)):
            _check_count(name, getattr(self, name), optional=optional)
        for name in ("recall", "prior"):
            if not isinstance(value := getattr(self, name), bool):
                raise InputError(f"{name} cannot be {shortened(value)}", "give True or False")
        if self.abstain is not None and not (_is_a(Real, self.abstain) and 0 < self.abstain < 1):
            raise InputError(
                f"abstain cannot be {shortened(self.abstain)}",
                "it is a share of wrong answers: give one above 0 and below 1, such as 0.05",
            )
        if self.task:
            normalise(self.task, "task")
        elif not isinstance(self.task, str | None):
            raise InputError(f"the task is {type(self.task).__name__}, not text", "give it as a string")
        if not isinstance(self.grammar, str | None):
            raise InputError(f"the grammar is {type(self.grammar).__name__}, not text", "give it in GBNF")
        if not isinstance(self.json_schema, Mapping | None):
            raise InputError(
                f"the JSON schema is {type(self.json_schema).__name__}, not a dict",
                "give what json.loads makes of it",
            )
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        """Refuse options of which one leaves nothing for the other to do."""
        formed = self.grammar is not None or self.json_schema is not None
        if self.grammar is not None and self.json_schema is not None:
            raise InputError("an answer cannot keep to a grammar and a JSON schema", "give one of them")
        if formed and self.labels == "on":
            raise InputError("labels are chosen and not written, so a grammar is of no use", "leave one out")
        if not self.prior and self.ask_model == "never":
            raise InputError("without the prior only the model can judge", "let the model be asked")
        if not self.prior and self.abstain is not None:
            raise InputError("how sure an answer is comes from the prior", "leave the prior in to abstain")
        if (formed or self.labels == "off") and self.abstain is not None:
            raise InputError(
                "how sure a written answer is cannot be told", "ask without abstain, or with labels on"
            )
        if (formed or (self.labels == "off" and not self.recall)) and self.ask_model == "never":
            raise InputError("only the model can write an answer", "let the model be asked")

    @property
    def recalls(self) -> bool:
        """Whether a question that was taught gets what was taught: not where a form is asked for."""
        return self.recall and self.grammar is None and self.json_schema is None

    def constraint(self) -> Grammar | None:
        """Return the grammar that a written answer must keep to, if any.

        Raises:
            InputError: the grammar or the schema is bad.
        """
        if self.grammar is None and self.json_schema is None:
            return None
        from edge_icl.llm.grammar import Grammar

        if self.grammar is not None:
            return Grammar.from_text(self.grammar)
        assert self.json_schema is not None
        return Grammar.from_schema(self.json_schema)


class OptionFields(TypedDict, total=False):
    """The fields of `Options`, for functions that take them by name: `**named: Unpack[OptionFields]`."""

    select: SelectMode
    shots: int | None
    labels: LabelMode
    recall: bool
    ask_model: AskMode
    abstain: float | None
    prior: bool
    prompt: PromptMode
    task: str | None
    max_tokens: int
    grammar: str | None
    json_schema: Mapping[str, Any] | None


def combined(options: Options, named: OptionFields) -> Options:
    """Return options with those that are given by name in the place of the record's.

    Raises:
        InputError: one is not valid, or two exclude each other.
        TypeError: there is no option of a name, or the record is something else.
    """
    if not isinstance(options, Options):
        raise TypeError(f"the options are {type(options).__name__}, not Options: give them by name")
    known = [field.name for field in fields(Options)]
    for name in named:
        if name not in known:
            raise TypeError(
                f"there is no option {name}: {_meant(name, known)}the options are {', '.join(known)}"
            )
    return replace(options, **named) if named else options


def _check_mode(name: str, value: object, modes: tuple[str, ...]) -> None:
    """Refuse a word that is no mode."""
    if isinstance(value, str) and value in modes:
        return
    others = _OTHER_WORDS.get(name, {})
    other = others.get(value) if isinstance(value, str | bool) else None
    meant = f"did you mean {other}? " if other else _meant(value, modes)
    raise InputError(f"{name} cannot be {shortened(value)}", f"{meant}choose one of {', '.join(modes)}")


def _check_count(name: str, value: Any, *, optional: bool) -> None:
    """Refuse what is no number from 1 on."""
    if (value is None and optional) or (_is_a(Integral, value) and int(value) >= 1):
        return
    hint = "give a whole number, 1 or more"
    if optional:
        hint += ', or None for the store\'s own; select "none" shows no example'
    raise InputError(f"{name} cannot be {shortened(value)}", hint)


def _is_a(kind: type, value: object) -> bool:
    """Tell whether a value is a number of a kind and not a truth value, which Python counts as one."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _meant(word: object, known: Iterable[str]) -> str:
    """Return the beginning of a hint that says what was probably meant; nothing where that cannot be told."""
    from edge_icl.search.spelling import did_you_mean

    likely = did_you_mean(word, known) if isinstance(word, str) else ""
    return f"{likely} " if likely else ""
