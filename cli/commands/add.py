"""`edge-icl add`: teach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, fleet, given, noticed, sight, teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.fleet import Builders
from edge_icl.cli.formats import table
from edge_icl.cli.formats.examples import MOST_TOLD
from edge_icl.cli.given import STDIN
from edge_icl.cli.lesson import Lesson
from edge_icl.cli.noticed import Noticed
from edge_icl.cli.stdin import from_stdin
from edge_icl.cli.tables import counted
from edge_icl.cli.teaching import FileOptions, Labels
from edge_icl.cli.usage import Advised, quoted
from edge_icl.errors import StoreExistsError
from edge_icl.example import Example

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Added

PAIR = 2


@click.command(
    cls=Command,
    epilog=examples(
        'edge-icl add "Uber to the airport" travel',
        "edge-icl add --file expenses.csv --input-field text --output-field label",
        "edge-icl add --file conversations.jsonl --tag chat",
    ),
)
@click.argument("texts", nargs=-1, metavar="[INPUT OUTPUT]")
@click.option(
    "--file",
    metavar="F",
    type=click.Path(),
    help=f"Read examples from a {table.endings(table.EXAMPLES, last='or')} file, or - for stdin.",
)
@teaching.file_options
@click.option(
    "--tag",
    "tags",
    metavar="T",
    multiple=True,
    help="A word to find the examples by; may be repeated.",
    shell_complete=completion.tags,
)
@click.option(
    "--source",
    metavar="S",
    help="Where the examples come from, such as a file or a person.",
    shell_complete=completion.sources,
)
@click.option(
    "--strict-labels",
    is_flag=True,
    help="Refuse an output that no example of the store has: a new label, or a slip.",
)
@fleet.building
@click.pass_obj
@taking(FileOptions, Builders)
def add(
    session: Session,
    options: FileOptions,
    builders: Builders,
    *,
    texts: tuple[str, ...],
    file: str | None,
    tags: tuple[str, ...],
    source: str | None,
    strict_labels: bool,
) -> None:
    """Teach: add an INPUT with the OUTPUT that you want for it, or a file of such pairs.

    A file is JSON lines with the fields input and output (and, if you like, tags and source), or a table with
    a header; the header of a .csv shows which character separates its columns. --file - reads JSON lines from
    stdin, or with --format another kind of file. A file is added whole or not at all; an example that is in the
    store already changes nothing.

    With - in place of INPUT or OUTPUT that text comes from stdin. A text that begins with a dash goes after --.

    What other programs write is found out row by row, and said: OpenAI messages, ShareGPT, Alpaca, Dolly,
    prompt and completion, doccano, Prodigy, as JSON lines or in a JSON array; --format says it instead. Of a
    conversation the last message of the user is the input, the assistant's answer to it the output; --turns
    all teaches every answer. System messages are left out.

    White space around an output of one line is left out. New labels that look like a known one are named, with
    the command that makes them one; --strict-labels refuses every new label.

    What `edge-icl export --vectors` wrote is not sent through the encoder again.

    --engine ray has many processes make the vectors of a large file; the store is written by this one, at once,
    and is the same.
    """
    from edge_icl.answer.lengths import Lengths

    builders.check(session, texts=file is None and bool(texts))
    if file is None:
        texts = _pair(session, texts)
    elif texts:
        raise Advised("both a file and texts are given", f"leave the texts out: {session.line().given()}")
    else:
        session.output.waiting_for_rows(file)
    allowed = _labels(session) if strict_labels else None
    # Before there is a store, and while a row still has its line number.
    with Lengths() as lengths, session.output.progress() as progress:
        if file is None:
            lesson = Lesson(allowed=allowed)
            lesson.take(lesson.trim(Example.create(*texts, tags=tags, source=source)))
            lesson.check(lesson.examples[0])
            lengths.check(lesson.examples[0])
        else:
            labels = Labels(tags, source)
            lesson = teaching.read(file, options, labels, lengths, progress=progress, allowed=allowed)
    teach = partial(_teach, session, lesson, builders, create=not strict_labels, skip_bad=options.skip_bad)
    try:
        teach()
    except StoreExistsError:  # another process has made the store since it was looked for
        teach()


def _teach(session: Session, lesson: Lesson, builders: Builders, *, create: bool, skip_bad: bool) -> None:
    """Add what is taught to the store.

    Args:
        session: which store, and where it is told.
        lesson: what is taught.
        builders: who makes vectors.
        create: make the store with it if nothing is there.
        skip_bad: whether rows could be left out.
    """
    with session.open(create=create) as memory, session.output.progress() as progress:
        new = noticed.new_labels(memory, (example.output for example in lesson.examples))
        added = builders.add(memory, lesson.examples, lesson.vectors, progress)
        found = Noticed.of(session, memory, lesson.examples, new)
        show(session, memory, added, lesson, found, made_one=lesson.made_one(new), skip_bad=skip_bad)
        if not session.output.json:
            found.tell(session, memory, dict(zip(added.ids, lesson.examples, strict=True)))


def _pair(session: Session, texts: tuple[str, ...]) -> tuple[str, str]:
    """Return an input and an output, of which one may come from stdin.

    Raises:
        click.UsageError: it is something else that is given.
        InputError: stdin holds no text.
    """
    if not texts:
        raise click.UsageError("give an INPUT and an OUTPUT, or --file F")
    line = session.line()
    if len(texts) > PAIR:
        pair = quoted(line, click.get_current_context().command)
        raise Advised(f"an INPUT and an OUTPUT are two texts, and {len(texts)} came", f"quote each: {pair}")
    input, output = (*texts, "")[:PAIR]
    if len(texts) < PAIR and (input == STDIN or given.is_file(input)):
        file = line.given().reading(input)
        what = "what comes from stdin" if input == STDIN else "what that file holds"
        raise Advised("an OUTPUT is missing", f"to add {what}, a row a line: {file}")
    if len(texts) < PAIR:
        raise Advised("an OUTPUT is missing", f"give the one that you want: {line.given(input, 'OUTPUT')}")
    if texts == (STDIN, STDIN):
        raise Advised("two texts cannot both come from stdin", f"give one: {line.given(STDIN, 'OUTPUT')}")
    if given.is_file(input):
        file = line.given().reading(input)
        session.output.note(f"{input} is taught as a text; to add what is in the file of that name: {file}")
    if input == STDIN:
        input = from_stdin(session.output, "the input")
    elif output == STDIN:
        output = from_stdin(session.output, "the output")
    return input, output


def show(
    session: Session,
    memory: Memory,
    added: Added,
    lesson: Lesson,
    found: Noticed,
    *,
    made_one: Mapping[str, int],
    skip_bad: bool,
) -> None:
    """Show what was added, and what of it the encoder does not read.

    Args:
        session: where it is shown.
        memory: the store.
        added: what was added.
        lesson: what was given.
        found: what was noticed.
        made_one: labels that were written in several ways, and in how many.
        skip_bad: whether rows could be left out.
    """
    if session.output.json:
        shown = _as_json(added, lesson, found, made_one, skip_bad=skip_bad)
        session.output.document(shown | session.made(memory))
        return
    for line, reason in lesson.bad:
        session.output.note(f"skipped line {line}: {reason}")
    for note in lesson.notes:
        session.output.note(note)
    if lesson.stripped:
        what = f"white space around {counted(lesson.stripped, 'output')} was left out"
        session.output.note(f"{what}{_made_one(made_one)}")
    if lesson.bad or len(added.ids) > 1:
        carried = f", {added.carried:,} with the vectors that came along" if added.carried else ""
        session.output.line(f"added {counted(added.added)}{carried}{_known(added)}{_contradicted(found)}")
    else:
        session.output.line(f"added {added.ids[0]}" if added.added else f"{added.ids[0]} was there already")
    sight.tell(session, memory, unread=added.unread, cut=added.cut, of=len(added.ids))


def _labels(session: Session) -> Collection[str]:
    """Return the labels of the store, which must be there: a new one has none that could be allowed."""
    with session.open() as memory:
        return memory.outputs()


def _as_json(
    added: Added, lesson: Lesson, found: Noticed, made_one: Mapping[str, int], *, skip_bad: bool
) -> dict[str, object]:
    """Return all that is shown, for JSON."""
    fields: dict[str, object] = {
        "format": lesson.read_as,
        "notes": lesson.notes,
        "shortened": lesson.longer,
        "stripped": lesson.stripped,
        "made_one": [*made_one],
    }
    skipped = {"skipped": [{"line": line, "reason": reason} for line, reason in lesson.bad]}
    told = {name: value for name, value in fields.items() if value}
    return added.as_json() | told | (skipped if skip_bad else {}) | found.as_json()


def _made_one(made_one: Mapping[str, int]) -> str:
    """Return which labels are one now that were written in several ways; empty where none were."""
    if not made_one:
        return ""
    names, more, ways = [*made_one][:MOST_TOLD], len(made_one) - MOST_TOLD, sum(made_one.values())
    shown = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
    made = f"{ways:,} labels one" if len(made_one) == 1 else f"{len(made_one):,} labels of {ways:,}"
    return f", which made {made}: {shown}"


def _known(added: Added) -> str:
    """Return how many examples changed nothing, and why; empty where all did."""
    again = len(added.ids) - len({*added.ids})
    there = added.duplicates - again
    were = f"; {there:,} {'was' if there == 1 else 'were'} there already" if there else ""
    return f"{were}; {again:,} came again" if again else were


def _contradicted(found: Noticed) -> str:
    """Return how many inputs have several outputs; empty where none has."""
    count = found.contradicted
    return f"; {counted(count, 'input')} {'has' if count == 1 else 'have'} different outputs" if count else ""
