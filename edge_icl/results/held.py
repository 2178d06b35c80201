"""Examples as a store returns them: flat records, so that a table has their fields as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from edge_icl.display.tables import listing
from edge_icl.example import Example, unchecked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.display.markup import Safe

SHOWN_DIGITS = 8
"""Of an id in a table."""

_new: Any = object.__new__


@dataclass(frozen=True, slots=True)
class Held:
    """An example in a store.

    Attributes:
        id: hex; its first digits are enough to name the example where no other id begins with them.
        input: the example's input.
        output: its output.
        tags: sorted, each once.
        source: where it came from; None where that is not known.
    """

    id: str
    input: str
    output: str
    tags: tuple[str, ...] = ()
    source: str | None = None

    @classmethod
    def of(cls, id: str, example: Example, similarity: float | None = None) -> Self:
        """Return an example with its id, and a `Near` where it was compared.

        Args:
            id: hex.
            example: the example.
            similarity: cosine of its vector and another one; None where nothing was compared.
        """
        held: Self = _new(cls if similarity is None else Near)
        _set_id(held, id)
        _set_input(held, example.input)
        _set_output(held, example.output)
        _set_tags(held, example.tags)
        _set_source(held, example.source)
        if similarity is not None:
            _set_similarity(held, similarity)
        return held

    @property
    def example(self) -> Example:
        """The example, as it was added."""
        return unchecked(self.input, self.output, self.tags, self.source)

    @property
    def similarity(self) -> float | None:
        """Cosine of its vector and the question's; None where nothing was compared."""
        return None

    def _repr_html_(self) -> str:
        return listed("Example", [self])

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON; without tags, source and similarity where there are none."""
        fields: dict[str, Any] = {"id": self.id, "input": self.input, "output": self.output}
        if self.tags:
            fields["tags"] = list(self.tags)
        if self.source is not None:
            fields["source"] = self.source
        if self.similarity is not None:
            fields["similarity"] = round(self.similarity, 4)
        return fields


@dataclass(frozen=True, slots=True)
class Near(Held):
    """An example in a store that was compared with a text.

    Attributes:
        similarity: cosine of its vector and the text's, from -1 to 1.
    """

    similarity: float = field(kw_only=True)


# A store may hold hundreds of thousands; a frozen dataclass's own constructor takes twice as long.
_set_id, _set_input, _set_output, _set_tags, _set_source = (
    vars(Held)[name].__set__ for name in ("id", "input", "output", "tags", "source")
)
_set_similarity = vars(Near)["similarity"].__set__


def listed(title: str, some: Sequence[Held], *, total: int | None = None) -> Safe:
    """Return examples as a table for a notebook.

    Args:
        title: what they are.
        some: the examples.
        total: how many there are; None for those that are given.
    """
    head = ("id", "input", "output", "tags", "source", "similarity")
    rows = [
        (one.id[:SHOWN_DIGITS], one.input, one.output, one.tags, one.source, one.similarity) for one in some
    ]
    return listing(title, head, rows, total=total)
