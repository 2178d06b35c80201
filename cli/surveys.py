"""A look through a file of questions before they are asked: what it has, so that a table can be made of it."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.cli import encodings, questions
from edge_icl.cli.encodings import Begun
from edge_icl.cli.formats.answered import Source
from edge_icl.cli.given import MARK
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_icl.cli.formats.format import Row
    from edge_icl.cli.questions import File


class Survey(NamedTuple):
    """What a look through a file of questions has found.

    Attributes:
        rows: reads its rows from the beginning, without the header of a table.
        source: what is known of it.
        total: how many rows it has.
        digest: of its rows, and of where they have their questions.
    """

    rows: Callable[[], Iterator[Row]]
    source: Source
    total: int
    digest: str


def survey(file: File) -> Survey:
    """Look through a file of questions.

    Raises:
        InputError: it cannot be read, or has no questions.
    """
    rows = partial(file.read, header=True)
    if not file.is_there:
        kept = list(rows())  # a pipe is read once
        rows = partial(iter, kept)
    is_table, digest = file.kind.header is not None, blake2b((file.field or "").encode(), digest_size=16)
    header, total, columns = None, 0, dict.fromkeys([file.field] if file.field else [])
    for row in rows():
        digest.update(repr((row.line, row.problem, row.fields, row.cells)).encode(errors="surrogateescape"))
        if is_table and header is None:
            header = row
        else:
            total += 1
            columns |= dict.fromkeys(row.fields)
    if not total:
        raise questions.no_questions()
    source = source_of(file, header) if header else Source(file.kind, tuple(columns), None, ())
    return Survey(lambda: islice(rows(), int(is_table), None), source, total, digest.hexdigest())


def source_of(file: File, header: Row) -> Source:
    """Return what is known of a table.

    Raises:
        InputError: its header cannot be read.
    """
    if header.problem:
        raise InputError(f"the header of {file.path} is no row of a table: {header.problem}", "correct it")
    begun = Begun(encodings.UTF8)
    if file.is_there:
        with Path(file.path).open("rb") as stream:
            begun = encodings.begun(stream.read(encodings.SEEN))
    name = begun.name if begun.mark or file.encoding is None else file.encoding
    mark, required = MARK if begun.mark else "", file.where.required(header.cells)
    return Source(file.kind, header.cells, header, required, mark, name)
