"""A page that shows a store, as a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_icl.display.tables import page


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

    html: str = field(repr=False)
    root: str
    examples: int
    mapped: int
    suspects: int
    contradictions: int
    duplicates: int

    def _repr_html_(self) -> str:
        return page(self.html, "Report")

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON, without the page."""
        names = ("examples", "mapped", "suspects", "contradictions", "duplicates", "root")
        return {name: getattr(self, name) for name in names}
