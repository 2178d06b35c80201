"""What is taught: the examples of a file or of a command line, and what became of their texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        stripped: how many outputs lost the white space around them.
    """

    examples: list[Example] = field(default_factory=list)
    vectors: list[Vector | None] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    longer: int = 0
    stripped: int = 0

    def take(self, example: Example, vector: Vector | None = None, *, strip: bool = True) -> None:
        """Take an example in.

        Args:
            example: as it was written.
            vector: the one that came with it, if any.
            strip: leave out the white space around its output, if that is one line: "travel " and "travel" are
                one label. Lines of a longer text may begin with white space that belongs to them.
        """
        output = example.output.strip()
        if strip and output != example.output and len(output.splitlines()) == 1:
            example = example.changed(output=output)
            self.stripped += 1
        self.examples.append(example)
        self.vectors.append(vector)
