"""How a file of examples is read: what its fields are called, and what its rows are taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import layouts, pairs
from edge_icl.cli.formats.format import Columns, Fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.cli.formats.format import Format
    from edge_icl.cli.formats.layout import Layout, Turns

VECTOR, ENCODER = "vector", "encoder"
"""Fields with which an export brings what the encoder made of an input."""


@dataclass(frozen=True, slots=True)
class How:
    """How a file of examples is read.

    Attributes:
        kind: its format.
        input_field: where a row has its input; None if each row shows it.
        output_field: where it has its output; None if each row shows it.
        tags_field: where it may have tags.
        source_field: where it may have its source.
        turns: which of the turns of a conversation are taught.
        skip_bad: whether bad rows are left out; else the first of them refuse the file.
        encoding: of the file; None for UTF-8, or what its mark says.
    """

    kind: Format
    input_field: str | None = None
    output_field: str | None = None
    tags_field: str = "tags"
    source_field: str = "source"
    turns: Turns = "last"
    skip_bad: bool = False
    encoding: str | None = None

    @property
    def named(self) -> bool:
        """Whether the user says which fields are meant."""
        return self.input_field is not None or self.output_field is not None

    @property
    def fields(self) -> Fields:
        """What the parts of an example are called in the file, where nothing else is known."""
        return Fields(
            self.input_field or "input", self.output_field or "output", self.tags_field, self.source_field
        )

    @property
    def columns(self) -> Columns:
        """What is read of it."""
        names = self.fields
        more = (names.tags, names.source, VECTOR, ENCODER, *sorted(pairs.MEANING))
        return Columns((names.input, names.output), more, known=None if self.named else self._known)

    def layout(self, fields: Mapping[str, Any]) -> Layout | None:
        """Return how a row is read; None if it does not show that."""
        if self.kind.layout is not None:
            return self.kind.layout
        names = self.fields
        if not self.named:
            return layouts.of(fields, names.input, names.output)
        plain = layouts.plain(names.input, names.output)
        return plain if plain.fits(fields) else None

    def _known(self, header: Sequence[str]) -> Sequence[str] | None:
        """Return the columns of a layout that a table has by its header."""
        names = self.fields
        found = self.kind.layout or layouts.of_table(header, names.input, names.output)
        return None if found is None else [name for name in header if name in found.used]
