"""`edge-icl import`: a store from an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.commands import add
from edge_icl.cli.noticed import Noticed
from edge_icl.cli.teaching import FileOptions, Labels
from edge_icl.errors import StoreExistsError, StoreNotFoundError

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(
    "import",
    cls=Command,
    epilog=examples("edge-icl export --vectors --file work.jsonl", "edge-icl --store copy import work.jsonl"),
)
@click.argument("file", metavar="FILE | -", type=click.Path())
@teaching.file_options
@click.pass_obj
@taking(FileOptions)
def import_(session: Session, options: FileOptions, *, file: str) -> None:
    """Make a store of the examples in a FILE, such as one that `edge-icl export` wrote.

    The store must be a new one, or one that `edge-icl init` has just made; `edge-icl add --file` adds to one
    that holds something. It takes the whole file or nothing of it.

    Vectors that were exported are taken as they are if this store has the same encoder; otherwise the encoder
    makes every vector again. With the vectors, and a store made by `edge-icl init` with the seed and the other
    settings of the old one, the new store is the same byte for byte, and has the same root, which is the
    fingerprint of the whole store.
    """
    from edge_icl.answer.lengths import Lengths

    _refuse_filled(session, file)
    session.output.waiting_for_rows(file)
    with Lengths() as lengths, session.output.progress() as progress:
        lesson = teaching.read(file, options, Labels(), lengths, progress=progress, strip=False)
    with session.open(create=True) as memory, session.output.progress() as progress:
        added = memory.add_many(lesson.examples, vectors=lesson.vectors, progress=progress)
        add.show(session, memory, added, lesson, Noticed(), made_one={}, skip_bad=options.skip_bad)


def _refuse_filled(session: Session, file: str) -> None:
    """Raise if the store holds examples.

    Raises:
        StoreExistsError: it does.
    """
    try:
        with session.open() as memory:
            path, count = memory.path, len(memory)
    except StoreNotFoundError:
        return
    if count:
        raise StoreExistsError(
            f"the store {path} holds examples already",
            f"choose another with --store, or add to it: {session.command_line('add', '--file', file)}",
        )
