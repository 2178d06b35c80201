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
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    header: bool = False


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
    """What a row says of an example, before it is checked.

    Attributes:
        input, output, tags, source: see `Example`.
        turns: how many questions the row has, of which the last is the input.
    """

    input: Any
    output: Any
    tags: Any = None
    source: Any = None
    turns: int = 1


class Read(Protocol):
    """How a format is read."""

    def __call__(self, lines: Iterator[str], name: str, columns: Columns, /) -> Iterator[Row]:
        """Yield the rows of a file; a bad one with what is wrong with it.

        Args:
            lines: of the file, each with its own line break; bytes that are not UTF-8 come as lone surrogates.
            name: of the file, for errors.
            columns: which fields are wanted.

        Raises:
            InputError: the file as a whole cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        name: what `--format` calls it.
        content: what a file of it holds, for help texts.
        endings: how names of its files end, without the dot; none for one that only `--format` chooses.
        read: yields the rows of a file; None for one that is only written.
        taught: returns what a row says of an example; None for one that is not read, or has questions only.
        line: returns an example, with the fields that are named, as it is written: a text, or an object that is
            written as JSON; None for one that is only read.
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
    taught: Callable[[Row, Fields], Taught] | None = None
    line: Callable[[Record, Sequence[str]], Written] | None = None
    header: Callable[[Sequence[str]], str] | None = None
    behind: Callable[[str, Sequence[str]], Behind] | None = None
    fields: tuple[str, ...] = ("input", "output", "tags", "source")
    guarded: Format | None = None


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(names) or "none"
