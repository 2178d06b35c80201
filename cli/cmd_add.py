"""`edge-icl add`: teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from edge_icl.cli import rows
from edge_icl.cli.session import Command, Session, examples
from edge_icl.cli.tables import counted
from edge_icl.errors import InputError
from edge_icl.example import Example

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_icl.lengths import Lengths
    from edge_icl.records import Added

FORMATS = ("jsonl", "csv", "tsv")
MOST_TOLD = 3
"""Bad rows that an error names at most."""

PAIR = 2


class Labels(NamedTuple):
    """What a file's examples get beside their texts.

    Attributes:
        tags: in addition to their own.
        source: instead of their own, if given.
    """

    tags: tuple[str, ...]
    source: str | None


@click.command(
    cls=Command,
    epilog=examples(
        'edge-icl add "Uber to the airport" travel',
        "edge-icl add --file expenses.csv --input-field text --output-field label",
    ),
)
@click.argument("texts", nargs=-1, metavar="[INPUT OUTPUT | -]")
@click.option("--file", metavar="F", help="Read examples from a .jsonl, .csv or .tsv file.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="What the file is, whatever its name.")
@click.option(
    "--input-field", metavar="NAME", default="input", show_default=True, help="Where a row has its input."
)
@click.option(
    "--output-field", metavar="NAME", default="output", show_default=True, help="Where a row has its output."
)
@click.option(
    "--tag", "tags", metavar="T", multiple=True, help="A word to find the examples by; may be repeated."
)
@click.option("--source", metavar="S", help="Where the examples come from, such as a file or a person.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out, and list them, instead of adding nothing.")
@click.pass_obj
def add(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    texts: tuple[str, ...],
    file: str | None,
    kind: str | None,
    input_field: str,
    output_field: str,
    tags: tuple[str, ...],
    source: str | None,
    skip_bad: bool,
) -> None:
    """Teach: add an INPUT with the OUTPUT that you want for it, or a file of such pairs.

    A file is JSON lines with the fields input and output (and, if you like, tags and source), or a table with
    a header. With - the JSON lines come from stdin. A file is added whole or not at all; an example that is in
    the store already changes nothing. A text that begins with a dash goes after --.
    """
    from edge_icl.lengths import Lengths  # noqa: PLC0415 - not for --help

    if texts == (rows.STDIN,) and file is None:
        file, texts = rows.STDIN, ()
    if (file is None) == (not texts) or (texts and len(texts) != PAIR):
        raise click.UsageError("give an INPUT and an OUTPUT, or --file F, or -")
    labels = Labels(tags, source)
    bad: list[tuple[int, str]] = []
    with Lengths() as lengths:  # before there is a store, and while a row still has its line number
        if file is None:
            examples = [Example.create(*texts, tags=tags, source=source)]
            lengths.check(examples[0])
        else:
            found = rows.read(file, rows.format_of(file, kind, FORMATS), (input_field, output_field))
            examples, bad = _sort(found, (input_field, output_field), labels, lengths)
            _refuse(file, examples, bad, skip_bad=skip_bad)
    with session.open(create=True) as memory, session.output.progress() as progress:
        added = memory.add_many(examples, progress=progress)
    _show(session, added, bad, skip_bad=skip_bad)


def _sort(
    found: Iterable[rows.Row], fields: tuple[str, str], labels: Labels, lengths: Lengths
) -> tuple[list[Example], list[tuple[int, str]]]:
    """Return the examples of a file, and of each bad row the line and the reason."""
    good: list[Example] = []
    bad: list[tuple[int, str]] = []
    for row in found:
        try:
            example = _example(row, fields, labels)
            lengths.check(example)
        except InputError as error:
            bad.append((row.line, error.message))
        else:
            good.append(example)
    return good, bad


def _example(row: rows.Row, fields: tuple[str, str], labels: Labels) -> Example:
    """Return the example that a row is."""
    texts = [row[name] for name in fields]
    own = row.fields.get("tags") or []
    if not isinstance(own, list):
        raise InputError("its tags are not a list")
    source = row.fields.get("source") if labels.source is None else labels.source
    return Example.create(*texts, tags=[*own, *labels.tags], source=source)


def _refuse(file: str, good: list[Example], bad: list[tuple[int, str]], *, skip_bad: bool) -> None:
    """Raise if the file is not fit to be added."""
    name = "stdin" if file == rows.STDIN else file
    if bad and not (skip_bad and good):
        told = "; ".join(f"line {line}: {reason}" for line, reason in bad[:MOST_TOLD])
        more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
        hint = "none of its rows can be used" if skip_bad else "correct them, or leave them out with --skip-bad"
        raise InputError(f"{name} has {counted(len(bad), 'bad row')} ({told}{more})", hint)
    if not good:
        raise InputError(f"{name} holds no examples", "give one JSON object a line, or a header and rows")


def _show(session: Session, added: Added, bad: list[tuple[int, str]], *, skip_bad: bool) -> None:
    """Show what was added."""
    if session.output.json:
        skipped = [{"line": line, "reason": reason} for line, reason in bad]
        session.output.document(added.as_json() | ({"skipped": skipped} if skip_bad else {}))
        return
    for line, reason in bad:
        session.output.note(f"skipped line {line}: {reason}")
    if bad or len(added.ids) > 1:
        known = f"; {added.duplicates:,} were there already" if added.duplicates else ""
        session.output.line(f"added {counted(added.added)}{known}")
    else:
        session.output.line(f"added {added.ids[0]}" if added.added else f"{added.ids[0]} was there already")
