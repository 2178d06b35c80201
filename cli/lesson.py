"""What is taught: the examples of a file or of a command line, and what became of their texts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_icl.display.unseen import visible
from edge_icl.errors import InputError
from edge_icl.search.spelling import did_you_mean, refuse_blank, stripped

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_icl.encode.vector import Vector
    from edge_icl.example import Example


@dataclass(slots=True)
class Lesson:
    """What a file teaches.

    Attributes:
        examples: in the order of the file.
        vectors: for each the one that came with it, if any.
        bad: of each row that is no example its line and the reason.
        longer: how many conversations had more turns than the one that was taken.
        read_as: what the rows of the file were read as, where they are not our own; see `FileExamples`.
        notes: what a user should know of how the file was read.
        allowed: the labels that an output must be one of; None for any output.
        refused: how many outputs were none of these.
        written: of each output that lost white space around it, how often it was written in which way.
    """

    examples: list[Example] = field(default_factory=list)
    vectors: list[Vector | None] = field(default_factory=list)
    bad: Sequence[tuple[int, str]] = field(default_factory=list)
    longer: int = 0
    read_as: str = ""
    notes: tuple[str, ...] = ()
    allowed: Collection[str] | None = None
    refused: int = 0
    written: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def stripped(self) -> int:
        """How many outputs lost the white space around them."""
        return sum(ways.total() for ways in self.written.values())

    def take(self, example: Example, vector: Vector | None = None) -> None:
        """Take an example in, with the vector that came with it, if any."""
        self.examples.append(example)
        self.vectors.append(vector)

    def trim(self, example: Example) -> Example:
        """Return an example without the white space around its output; see `spelling.stripped`.

        Raises:
            InputError: nothing is left of it, or the input has nothing that can be seen.
        """
        refuse_blank(example.input)
        output = stripped(example.output)
        if output == example.output:
            return example
        trimmed = example.changed(output=output)
        self.written.setdefault(trimmed.output, Counter())[example.output] += 1
        return trimmed

    def check(self, example: Example) -> None:
        """Refuse an example whose output is none of the labels that are allowed.

        Raises:
            InputError: it is.
        """
        if self.allowed is None or example.output in self.allowed:
            return
        self.refused += 1
        meant = did_you_mean(example.output, self.allowed)
        told = f"{visible(example.output)} is no label of the store{f' ({meant})' if meant else ''}"
        raise InputError(told, "leave out --strict-labels to take it as a new one")

    def made_one(self, new: Collection[str]) -> dict[str, int]:
        """Return the labels that were written in several ways, and in how many.

        Args:
            new: those of them that the store did not have before.
        """
        having = Counter(example.output for example in self.examples)
        found = {
            label: len(ways) + (label not in new or having[label] > ways.total())
            for label, ways in self.written.items()
        }
        return {label: ways for label, ways in found.items() if ways > 1}
