"""What a format of files is: its name, how it is read, and how it is written.

    GREETINGS = Format("greetings", "a greeting a line", ("hi",), read=read, taught=taught)

What a format cannot do has no function: one that is only written has no `read`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from edge_icl.cli.formats.layout import Layout

    Behind = Callable[[str, Sequence[str]], str]
    Record = dict[str, Any]
    Written = str | Record


class Fields(NamedTuple):
    """What the parts of an example are called in a file."""

    input: str = "input"
    output: str = "output"
    tags: str = "tags"
    source: str = "source"


class Columns(NamedTuple):
    """The fields that are read of a file.

    Attributes:
        required: those that a table must have; the lines of a text become the first of them.
        optional: those that a table may have; its other columns are left out.
        header: whether the header of a table is wanted too, as the first row.
        known: returns the columns of a well-known layout from the header of a table; None where it has none.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    header: bool = False
    known: Callable[[Sequence[str]], Sequence[str] | None] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: where it begins, from 1.
        fields: what it holds, by name; empty for a bad row.
        problem: why it is a bad row; empty for a good one.
        cells: of a table, all that the row has, also where it is a bad one.
        text: of a table, the row as it stands in the file, with its line break.
        odd: of a row that is not in the file's encoding, the row with a lone surrogate for each byte that is no
            text; else empty.
        above: of the header of a table, the lines that stand above it, such as a title.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    cells: tuple[str, ...] = ()
    text: str = ""
    odd: str = ""
    above: str = ""

    @property
    def empty(self) -> bool:
        """Whether it is a row of a table that has cells and nothing in them."""
        return bool(self.cells) and not self.problem and not any(cell.strip() for cell in self.cells)

    def __getitem__(self, name: str) -> Any:
        """Return a field.

        Raises:
            InputError: there is none of this name, or the row is bad.
        """
        if self.problem:
            raise InputError(self.problem)
        if name not in self.fields:
            raise InputError(f"there is no field {name} (it has {listed(self.fields)})")
        return self.fields[name]


class Taught(NamedTuple):
    """What a row says of an example, before it is checked; see `Example`."""

    input: Any
    output: Any
    tags: Any = None
    source: Any = None


class Read(Protocol):
    """How a format is read."""

    def __call__(self, lines: Iterator[str], name: str, columns: Columns, /) -> Iterator[Row]:
        """Yield the rows of a file; a bad one with what is wrong with it.

        Args:
            lines: of the file, each with its own line break, or pieces of lines where `Format.pieces` is true;
                bytes that are not UTF-8 come as lone surrogates.
            name: of the file, for errors.
            columns: which fields are wanted.

        Raises:
            InputError: the file as a whole cannot be read.
        """


class Load(Protocol):
    """How a format is read that is no text."""

    def __call__(self, file: BinaryIO, name: str, columns: Columns, /) -> Iterator[Row]:
        """Yield the rows of a file; see `Read`."""


class Save(Protocol):
    """How a format is written that is no text."""

    def __call__(self, file: BinaryIO, records: Iterable[Record], names: Sequence[str], /) -> int:
        """Write examples, each with the fields that are named; return how many."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        name: what `--format` calls it.
        content: what a file of it holds, for help texts.
        endings: how names of its files end, without the dot; none for one that only `--format` chooses.
        read: yields the rows of a file; None for one that is only written, or is no text.
        pieces: whether it reads pieces of lines, since a line of it may be of any length.
        load: yields the rows of a file that is no text; None for one that is.
        save: writes a file that is no text; None for one that is.
        taught: returns what a row says of an example; None for one that is not read, or has questions only.
        layout: what its rows look like, where its name says that; None where each row does.
        line: returns an example, with the fields that are named, as it is written: a text, or an object that is
            written as JSON; None for one that is only read.
        array: whether all examples stand in one JSON array, and else each on a line of its own.
        header: returns the line before the first example, from the names of the fields; any cells may be such
            a line. None for one that is no table.
        behind: from the header of a table and the columns that it must have, returns what puts cells behind a
            row of that table, both without a line break; None for one that is no table.
        fields: which ones are written if the user does not say.
        guarded: the same format for a spreadsheet, which must not run what it reads; None for one that no
            spreadsheet reads.
    """

    name: str
    content: str
    endings: tuple[str, ...]
    read: Read | None = None
    pieces: bool = False
    load: Load | None = None
    save: Save | None = None
    layout: Layout | None = None
    taught: Callable[[Row, Fields], Taught] | None = None
    line: Callable[[Record, Sequence[str]], Written] | None = None
    array: bool = False
    header: Callable[[Sequence[str]], str] | None = None
    behind: Callable[[str, Sequence[str]], Behind] | None = None
    fields: tuple[str, ...] = ("input", "output", "tags", "source")
    guarded: Format | None = None


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(names) or "none"
