"""What was found for a question: records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge_icl.display.markup import joined
from edge_icl.display.tables import facts
from edge_icl.results.held import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.results.held import Held

MOST_LIKELY = 3
"""Labels that are named where none is sure enough to be given."""

LONGEST = 80
"""Characters that a `repr` shows of a text."""

AnswerKind = Literal["recalled", "judged", "written"]


@dataclass(frozen=True, slots=True)
class Labelling:
    """What the outputs of a store are taken to be.

    Attributes:
        labels: whether they are a closed set to choose from, or free text.
        why: in words.
        assumed: whether the store has too few examples to tell.
    """

    labels: bool
    why: str
    assumed: bool = False

    def __str__(self) -> str:
        word = "assumed to be" if self.assumed else "taken as"
        return f"{word} {'labels' if self.labels else 'free text'} ({self.why})"

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"labels": self.labels, "assumed": self.assumed, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What `ask` found. As a string it is its text, empty where none is given.

    Attributes:
        question: in Unicode NFC.
        text: the answer; None where no label is sure enough to be given.
        kind: "recalled" if this question was taught, with this answer; "judged" if the answer was chosen among
            labels; "written" if the model wrote it.
        probability: that of the likeliest label, from 0 to 1; of a recalled answer the share of those that were
            taught for the question; None where the text was written.
        unlike: whether the question is unlike everything that was taught.
        complete: whether the answer ended by itself, not at the end of the context or at `max_tokens`.
        model: the LLM's name; None where it was not asked.
        select: how the examples in the prompt were chosen; None where there is no prompt.
        dropped: how many chosen examples did not fit into the prompt.
        labels: the probability of each label, the likeliest first; of a recalled answer the share of each
            output that was taught for the question; empty where the text was written.
        parts: for each label that was looked at more closely, what each source said for it, as a
            log-probability (natural logarithm); "model" is among the sources where the model was asked.
        labelling: what the store's outputs were taken to be; None where that was not looked at, as the answer
            was taught.
        examples: those in the prompt, in their order; where the model was not asked, those that the answer
            rests on: the taught ones, or the nearest.
        nearest: the examples nearest to the question, the nearest first, which count most in the prior; empty
            where it was not used.
        prompt: what the model was shown; None where it was not asked.
        timings: seconds by step, "total" among them.
    """

    question: str
    text: str | None
    kind: AnswerKind
    probability: float | None
    unlike: bool
    complete: bool
    model: str | None
    select: str | None
    dropped: int
    labels: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    labelling: Labelling | None
    examples: tuple[Held, ...]
    nearest: tuple[Held, ...]
    prompt: str | None
    timings: Mapping[str, float]

    def __str__(self) -> str:
        return self.text or ""

    def __repr__(self) -> str:
        sure = "" if self.probability is None else f", probability={self.probability:.3g}"
        how = f"kind={self.kind!r}{sure}{'' if self.complete else ', complete=False'}"
        return f"Answer(question={_short(self.question)}, text={_short(self.text)}, {how})"

    @property
    def asked_model(self) -> bool:
        """Whether the model was asked."""
        return self.model is not None

    @property
    def likeliest(self) -> str:
        """The likeliest few labels in words, with their probabilities; for an answer that is not given."""
        return ", ".join(f"{label} ({p:.2f})" for label, p in [*self.labels.items()][:MOST_LIKELY])

    @property
    def agreed(self) -> bool:
        """Whether the question was taught with one output, if it was taught."""
        return self.kind != "recalled" or len(self.labels) == 1

    def _repr_html_(self) -> str:
        sure = [f"{label} ({p:.2f})" for label, p in [*self.labels.items()][:MOST_LIKELY]]
        rows: list[tuple[str, str | float | list[str] | None]] = [
            ("question", self.question),
            ("answer", "(none is sure enough)" if self.text is None else self.text),
            ("kind", self.kind if self.complete else f"{self.kind}, not complete"),
            ("probability", self.probability),
            ("likeliest", sure or None),
            ("unlike anything taught", self.unlike or None),
            ("model", self.model),
        ]
        return joined(
            facts("Answer", rows), listed("Examples behind it", self.examples) if self.examples else ""
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "answer": self.text,
            "kind": self.kind,
            "probability": None if self.probability is None else round(self.probability, 6),
            "asked_model": self.asked_model,
            "unlike": self.unlike,
            "labels": {label: round(p, 6) for label, p in self.labels.items()} or None,
            "labelling": None if self.labelling is None else self.labelling.as_json(),
            "complete": self.complete,
            "examples": [held.as_json() for held in self.examples],
            "nearest": [held.as_json() for held in self.nearest],
            "dropped": self.dropped,
            "model": self.model,
            "select": self.select,
            "timings": {step: round(seconds, 6) for step, seconds in self.timings.items()},
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that a store would learn much from.

    Attributes:
        position: among the questions that were given, from 0.
        question: normalised.
        probability: that of the likeliest label by the examples alone, from 0 to 1; None where the outputs are
            not labels, or there is no example.
        similarity: cosine of the nearest example; None where there is none.
    """

    position: int
    question: str
    probability: float | None
    similarity: float | None

    def _repr_html_(self) -> str:
        names = ("question", "probability", "similarity")
        return facts("Suggestion", [(name, getattr(self, name)) for name in names])

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "position": self.position,
            "question": self.question,
            "probability": None if self.probability is None else round(self.probability, 6),
            "similarity": None if self.similarity is None else round(self.similarity, 4),
        }


def _short(text: str | None) -> str:
    """Return a text as Python writes it, a long one cut."""
    cut = text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return repr(cut)
