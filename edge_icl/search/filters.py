"""Which examples fit what is said of them: their texts, their output, where they came from, a tag.

>>> [held.input for held in Filters(output="travel", tag="2026").fitting(examples)]
['Uber to the airport']
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from edge_icl.example import normalise
from edge_icl.search.matching import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from edge_icl.results import Held


@dataclass(frozen=True, slots=True)
class Filters:
    """What is said of examples; those fit that fit all of it, and each does where nothing is said.

    Attributes:
        match: text that the input or the output holds, as a person reads them: see `matching`.
        output: the output, to the letter.
        source: where they came from, to the letter.
        tag: a tag that they have, to the letter.
    """

    match: str | None = None
    output: str | None = None
    source: str | None = None
    tag: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return any(text is not None for text in astuple(self))

    def fitting(self, examples: Iterable[Held]) -> Iterator[Held]:
        """Return an iterator over the examples that fit, in their order.

        Raises:
            InputError: see `test`.
        """
        return filter(self.test(), examples)

    def test(self) -> Callable[[Held], bool]:
        """Return what tells whether an example fits.

        Raises:
            InputError: one of the texts is not valid, or nothing of `match` can be seen.
        """
        pattern = None if self.match is None else Pattern(self.match)
        output, source, tag = (
            None if text is None else normalise(text, what)
            for what, text in (("output", self.output), ("source", self.source), ("tag", self.tag))
        )

        def fits(one: Held) -> bool:
            return (
                (output is None or one.output == output)
                and (source is None or one.source == source)
                and (tag is None or tag in one.tags)
                and (pattern is None or pattern.within(one.input, one.output))
            )

        return fits
