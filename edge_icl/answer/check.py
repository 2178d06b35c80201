"""What `check` finds: frozen records, with the JSON that the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.answer.suspect import Suspect, suspected
from edge_icl.display.markup import joined
from edge_icl.display.tables import facts
from edge_icl.results import Held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_icl.encode.languages import Foreign
    from edge_icl.results import Labelling

Groups = tuple[tuple[Held, ...], ...]
"""Examples that belong together, group by group."""


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """How one label fared.

    Attributes:
        label: the label.
        count: how many of those tested have it.
        right: how many of these were called so.
    """

    label: str
    count: int
    right: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"label": self.label, "count": self.count, "right": self.right}


@dataclass(frozen=True, slots=True)
class Confused:
    """Two labels that are mixed up.

    Attributes:
        label: what examples have.
        taken_for: what they were called.
        count: how often.
    """

    label: str
    taken_for: str
    count: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"label": self.label, "taken_for": self.taken_for, "count": self.count}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A held-out row that was called something else.

    Attributes:
        input: its input.
        output: its label.
        likelier: what it was called.
        probability: of that label, from 0 to 1.
    """

    input: str
    output: str
    likelier: str
    probability: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "input": self.input,
            "output": self.output,
            "likelier": self.likelier,
            "probability": round(self.probability, 6),
        }


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the held-out rows were.

    Attributes:
        rows: how many.
        taught: how many of their inputs are in the store, so that they are not held out.
        untaught: their labels that no example of the store has; rows with one count as wrong.
        wrong: rows that were called something else, in their order.
    """

    rows: int
    taught: int
    untaught: tuple[str, ...]
    wrong: tuple[Wrong, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "rows": self.rows,
            "taught": self.taught,
            "untaught": list(self.untaught),
            "wrong": [one.as_json() for one in self.wrong],
        }


@dataclass(frozen=True, slots=True)
class OtherEncoder:
    """How examples fare with another encoder than the store's: each left out and judged by all others of them.

    Attributes:
        name: the other encoder.
        examples: how many, the first by id and 1,000 at most; they are all that is known to both.
        right: how many of them were called what they are, with the other encoder.
        own_right: how many, with the store's own.
        interval: of the difference of the two accuracies, from -1 to 1, 95 % (Bonett and Price's, for paired
            cases).
    """

    name: str
    examples: int
    right: int
    own_right: int
    interval: tuple[float, float]

    @property
    def accuracy(self) -> float:
        """The share that was called what it is, with the other encoder."""
        return self.right / self.examples

    @property
    def own_accuracy(self) -> float:
        """The same with the store's own."""
        return self.own_right / self.examples

    @property
    def difference(self) -> float:
        """How much is gained, from -1 to 1."""
        return (self.right - self.own_right) / self.examples

    @property
    def better(self) -> bool:
        """Whether so much is gained that it is hardly chance."""
        return self.interval[0] > 0

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "name": self.name,
            "accuracy": round(self.accuracy, 6),
            "own_accuracy": round(self.own_accuracy, 6),
            "examples": self.examples,
            "difference": round(self.difference, 6),
            "interval": [round(end, 6) for end in self.interval],
        }


@dataclass(frozen=True, slots=True, repr=False)
class Check:
    """How good a store is: a function of the set of its examples, and of held-out rows where there are some.

    Attributes:
        examples: how many the store holds.
        labelling: what the store's outputs are taken to be.
        untested: why there is no accuracy; None where there is one.
        tested: how many examples were left out and judged by all others, or how many held-out rows were judged.
        right: how many of them were called what they are.
        interval: of the accuracy, 95 % (Wilson's); None where there is no accuracy.
        labels: each label of those tested, sorted.
        confused: labels that are mixed up, the most frequent pair first.
        suspects: examples that are possibly mislabelled, the likeliest first, at most 100; none where held-out
            rows were judged.
        suspected: how many there are in all.
        duplicates: examples with the same input, as a person reads it, and the same output.
        contradictions: examples with the same input and different outputs.
        single: labels with one example.
        unread: examples of whose input the encoder knows less than half of the tokens; None where the encoder
            is not on this machine.
        cut: examples whose input is longer than the encoder reads; None where `unread` is.
        foreign: how many inputs, of a sample, are in a language that the encoder does not read.
        held_out: what the held-out rows were; None without them.
        other_encoder: how examples fare with another encoder; None where none was asked for, or nothing was
            tested.
    """

    examples: int
    labelling: Labelling
    untested: str | None
    tested: int
    right: int
    interval: tuple[float, float] | None
    labels: tuple[LabelCheck, ...]
    confused: tuple[Confused, ...]
    suspects: tuple[Suspect, ...]
    suspected: int
    duplicates: Groups
    contradictions: Groups
    single: tuple[str, ...]
    unread: tuple[Held, ...] | None
    cut: tuple[Held, ...] | None
    foreign: Foreign
    held_out: HeldOut | None = None
    other_encoder: OtherEncoder | None = None

    def __repr__(self) -> str:
        sure = "None" if self.accuracy is None else f"{self.accuracy:.3g}"
        return f"Check(examples={self.examples}, accuracy={sure}, suspected={self.suspected})"

    @property
    def accuracy(self) -> float | None:
        """The share that was called what it is; None where nothing was tested."""
        return self.right / self.tested if self.tested else None

    def _repr_html_(self) -> str:
        known = "" if self.interval is None else f"{self.interval[0]:.3f} to {self.interval[1]:.3f}"
        rows: list[tuple[str, str | float | None]] = [
            ("examples", self.examples),
            ("outputs", str(self.labelling)),
            ("accuracy", self.accuracy),
            ("95 % interval", known or None),
            ("tested", self.tested or None),
            ("no accuracy", self.untested),
            ("inputs with different outputs", len(self.contradictions)),
            ("inputs taught more than once", len(self.duplicates)),
        ]
        table = facts("Check", rows)
        return joined(table, suspected(self.suspects, total=self.suspected) if self.suspects else "")

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "examples": self.examples,
            "outputs": self.labelling.as_json(),
            "untested": self.untested,
            "tested": self.tested,
            "right": self.right,
            "accuracy": None if self.accuracy is None else round(self.accuracy, 6),
            "interval": None if self.interval is None else [round(end, 6) for end in self.interval],
            "labels": [one.as_json() for one in self.labels],
            "confused": [one.as_json() for one in self.confused],
            "suspects": [one.as_json() for one in self.suspects],
            "suspected": self.suspected,
            "duplicates": _groups(self.duplicates),
            "contradictions": _groups(self.contradictions),
            "single": list(self.single),
            "unread": None if self.unread is None else _examples(self.unread),
            "cut": None if self.cut is None else _examples(self.cut),
            "foreign": self.foreign.as_json(),
            "held_out": None if self.held_out is None else self.held_out.as_json(),
            "other_encoder": None if self.other_encoder is None else self.other_encoder.as_json(),
        }


def _groups(groups: Groups) -> list[list[dict[str, Any]]]:
    """Return groups for JSON."""
    return [_examples(group) for group in groups]


def _examples(some: Iterable[Held]) -> list[dict[str, Any]]:
    """Return examples for JSON."""
    return [held.as_json() for held in some]
