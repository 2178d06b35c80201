"""Examples that are possibly mislabelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.display.tables import listing
from edge_icl.results.held import SHOWN_DIGITS, Held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.display.markup import Safe


@dataclass(frozen=True, slots=True)
class Suspect(Held):
    """An example that is possibly mislabelled.

    Attributes:
        likelier: the label that all others say is likelier.
        probability: of that label, from 0 to 1.
        own: the probability of the example's own label.
    """

    likelier: str = field(kw_only=True)
    probability: float = field(kw_only=True)
    own: float = field(kw_only=True)

    @property
    def held(self) -> Held:
        """The example."""
        return Held(self.id, self.input, self.output, self.tags, self.source)

    def _repr_html_(self) -> str:
        return suspected([self])

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            **Held.as_json(self),
            "likelier": self.likelier,
            "probability": round(self.probability, 6),
            "own_probability": round(self.own, 6),
        }


def suspected(some: Sequence[Suspect], *, total: int | None = None) -> Safe:
    """Return examples that are possibly mislabelled as a table for a notebook; see `results.held.listed`."""
    head = ("id", "input", "taught as", "rather", "probability")
    rows = [(one.id[:SHOWN_DIGITS], one.input, one.output, one.likelier, one.probability) for one in some]
    return listing("Possibly mislabelled", head, rows, total=total)
