"""What the library returns: frozen dataclasses, each with the JSON that the command line prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_icl.example import Example


@dataclass(frozen=True, slots=True)
class Held:
    """An example in a store.

    Attributes:
        id: hex; its first digits are enough to name the example where no other id begins with them.
        example: the example.
        similarity: cosine of its vector and the question's; None where nothing was compared.
    """

    id: str
    example: Example
    similarity: float | None = None

    @property
    def input(self) -> str:
        """The example's input."""
        return self.example.input

    @property
    def output(self) -> str:
        """The example's output."""
        return self.example.output

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON; without tags, source and similarity where there are none."""
        fields: dict[str, Any] = {"id": self.id, "input": self.input, "output": self.output}
        if self.example.tags:
            fields["tags"] = list(self.example.tags)
        if self.example.source is not None:
            fields["source"] = self.example.source
        if self.similarity is not None:
            fields["similarity"] = round(self.similarity, 4)
        return fields


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did.

    Attributes:
        ids: of all examples given, in their order, also of those that were in the store already.
        added: how many are new.
        duplicates: how many were in the store already, or came twice.
        carried: how many of the new ones came with their vectors and were not embedded.
        unread: how many of those embedded are in characters that the encoder does not know.
        cut: how many of those embedded are longer than the encoder reads.
        new: the ids of those that are new, in their order: what `forget` takes back when it is given this.
    """

    ids: tuple[str, ...]
    added: int
    duplicates: int
    carried: int = 0
    unread: int = 0
    cut: int = 0
    new: tuple[str, ...] = field(default=(), kw_only=True)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        names = ("added", "duplicates", "carried", "unread", "cut")
        return {name: getattr(self, name) for name in names} | {"ids": list(self.ids)}


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


MOST_LIKELY = 3
"""Labels that are named where none is sure enough to be given."""

AnswerKind = Literal["recalled", "judged", "written"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` found.

    Attributes:
        text: the answer; None where no label is sure enough to be given.
        kind: "recalled" if this question was taught, with this answer; "judged" if the answer was chosen among
            labels; "written" if the model wrote it.
        labels: the probability of each label, the likeliest first; of a recalled answer the share of each
            output that was taught for the question; empty where the text was written.
        parts: for each label that was looked at more closely, what each source said for it, as a
            log-probability (natural logarithm); "model" is among the sources where the model was asked.
        complete: whether the answer ended by itself, not at the end of the context or at `max_tokens`.
        examples: those in the prompt, in their order; where the model was not asked, those that the answer
            rests on: the taught ones, or the nearest.
        nearest: the examples nearest to the question, the nearest first, which count most in the prior; empty
            where it was not used.
        dropped: how many chosen examples did not fit into the prompt.
        model: the LLM's name; None where it was not asked.
        select: how the examples in the prompt were chosen; None where there is no prompt.
        prompt: what the model was shown; None where it was not asked.
        labelling: what the store's outputs were taken to be; None where that was not looked at, as the answer
            was taught.
        unlike: whether the question is unlike everything that was taught.
        timings: seconds by step, "total" among them.
    """

    text: str | None
    kind: AnswerKind
    labels: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    complete: bool
    examples: tuple[Held, ...]
    nearest: tuple[Held, ...]
    dropped: int
    model: str | None
    select: str | None
    labelling: Labelling | None
    unlike: bool
    timings: Mapping[str, float]
    prompt: str | None = None

    @property
    def asked_model(self) -> bool:
        """Whether the model was asked."""
        return self.model is not None

    @property
    def probability(self) -> float | None:
        """The probability of the likeliest label, from 0 to 1; None where the text was written."""
        return next(iter(self.labels.values()), None)

    @property
    def likeliest(self) -> str:
        """The likeliest few labels in words, with their probabilities; for an answer that is not given."""
        return ", ".join(f"{label} ({p:.2f})" for label, p in [*self.labels.items()][:MOST_LIKELY])

    @property
    def agreed(self) -> bool:
        """Whether the question was taught with one output, if it was taught."""
        return self.kind != "recalled" or len(self.labels) == 1

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

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "position": self.position,
            "question": self.question,
            "probability": None if self.probability is None else round(self.probability, 6),
            "similarity": None if self.similarity is None else round(self.similarity, 4),
        }


RECEIPT = b"receipt"
"""Its digest, keyed with a store's seed, names the store in receipts and says nothing of its content."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `forget` did.

    With a receipt and the store, a guess of what was forgotten can be tested: keep it elsewhere or not at all.

    Attributes:
        ids: of the forgotten examples, hex.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that never held them.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        similar: examples still in the store that are nearly the same; None if that was not looked for.
        similar_error: why it was asked for and could not be looked for; the examples are forgotten all the
            same.
        store: names the store, independent of what it holds.
    """

    ids: tuple[str, ...]
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    similar: tuple[Held, ...] | None = field(default=None)
    similar_error: str | None = None
    store: str = field(default="", kw_only=True)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "forgotten": len(self.ids),
            "ids": list(self.ids),
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "similar_left": None if self.similar is None else len(self.similar),
            "store": self.store,
            **({} if self.similar_error is None else {"similar_error": self.similar_error}),
        }


@dataclass(frozen=True, slots=True)
class Reencoded:
    """What `reencode` made.

    Attributes:
        path: the directory of the new store.
        encoder: the name of its encoder.
        examples: how many it holds.
        encrypted: whether its files are sealed.
        root: its root.
        source_root: the root of the state of the old store that it holds.
        seconds: how long it took.
    """

    path: Path
    encoder: str
    examples: int
    encrypted: bool
    root: str
    source_root: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "path": str(self.path),
            "encoder": self.encoder,
            "examples": self.examples,
            "encrypted": self.encrypted,
            "root": self.root,
            "source_root": self.source_root,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, slots=True)
class Replaced:
    """What `replace` did. As JSON it is also a receipt of what was forgotten; see `Receipt`.

    Attributes:
        old: the id of the example that was forgotten, hex.
        new: the id of the one in its place; the same where nothing was to be changed.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that was given the new example and never held the old one.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        store: names the store, independent of what it holds.
    """

    old: str
    new: str
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    store: str = field(default="", kw_only=True)

    @property
    def changed(self) -> bool:
        """Whether another example is in its place now."""
        return self.old != self.new

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "changed": self.changed,
            "id": self.new,
            "ids": [self.old] if self.changed else [],
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "store": self.store,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A page that shows a store.

    Attributes:
        html: the page: one HTML file that asks for nothing from elsewhere. It holds every example.
        root: the store's root.
        examples: how many the store holds.
        mapped: how many are on the map: all of them, or a random sample of 10,000.
        suspects: how many examples are possibly mislabelled.
        contradictions: how many inputs were taught with different outputs.
        duplicates: how many inputs were taught more than once with one output.
    """

    html: str
    root: str
    examples: int
    mapped: int
    suspects: int
    contradictions: int
    duplicates: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON, without the page."""
        names = ("examples", "mapped", "suspects", "contradictions", "duplicates", "root")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Renamed:
    """What `rename_label` did. As JSON it is also a receipt of what was forgotten; see `Receipt`.

    Attributes:
        ids: of the examples that had the old label, hex; they are forgotten. () if both labels are one.
        duplicates: how many of them were, with the new label, an example that was there already.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that was taught the new label from the beginning.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        store: names the store, independent of what it holds.
    """

    ids: tuple[str, ...]
    duplicates: int
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    store: str = field(default="", kw_only=True)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "renamed": len(self.ids),
            "duplicates": self.duplicates,
            "ids": list(self.ids),
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "store": self.store,
        }
