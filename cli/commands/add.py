"""`edge-icl add`: teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, given, sight, teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.formats import table
from edge_icl.cli.given import STDIN
from edge_icl.cli.lesson import Lesson
from edge_icl.cli.tables import counted
from edge_icl.cli.teaching import MOST_TOLD, FileOptions, Labels
from edge_icl.cli.usage import Advised, quoted
from edge_icl.errors import EdgeIclError, StoreExistsError
from edge_icl.example import Example, same_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Added, Held

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
@click.pass_obj
@taking(FileOptions)
def add(
    session: Session,
    options: FileOptions,
    *,
    texts: tuple[str, ...],
    file: str | None,
    tags: tuple[str, ...],
    source: str | None,
) -> None:
    """Teach: add an INPUT with the OUTPUT that you want for it, or a file of such pairs.

    A file is JSON lines with the fields input and output (and, if you like, tags and source), or a table with
    a header; the header of a .csv shows which character separates its columns. --file - reads JSON lines from
    stdin, or with --format another kind of file. A file is added whole or not at all; an example that is in the
    store already changes nothing.

    With - in place of INPUT or OUTPUT that text comes from stdin. A text that begins with a dash goes after --.

    Conversations in the OpenAI messages format, one JSON object a line, are examples too: the last message of
    the user is the input, the assistant's answer to it the output. Earlier turns and system messages are left
    out.

    What `edge-icl export --vectors` wrote is not sent through the encoder again.
    """
    from edge_icl.answer.lengths import Lengths

    if file is None:
        texts = _pair(session, texts)
    elif texts:
        raise Advised("both a file and texts are given", f"leave the texts out: {session.line().given()}")
    else:
        session.output.waiting_for_rows(file)
    # Before there is a store, and while a row still has its line number.
    with Lengths() as lengths, session.output.progress() as progress:
        if file is None:
            lesson = Lesson()
            lesson.take(Example.create(*texts, tags=tags, source=source))
            lengths.check(lesson.examples[0])
        else:
            lesson = teaching.read(file, options, Labels(tags, source), lengths, progress=progress)
    try:
        _teach(session, lesson, skip_bad=options.skip_bad)
    except StoreExistsError:  # another process has made the store since it was looked for
        _teach(session, lesson, skip_bad=options.skip_bad)


def _teach(session: Session, lesson: Lesson, *, skip_bad: bool) -> None:
    """Add what is taught to the store, which is made with it if nothing is there."""
    with session.open(create=True) as memory, session.output.progress() as progress:
        added = memory.add_many(lesson.examples, vectors=lesson.vectors, progress=progress)
        others = _contradictions(session, memory, lesson)
        show(session, memory, added, lesson, others, skip_bad=skip_bad)
        _tell_contradictions(session, memory, lesson, others)


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
        input = given.from_stdin(session.output, "the input")
    elif output == STDIN:
        output = given.from_stdin(session.output, "the output")
    return input, output


def show(
    session: Session, memory: Memory, added: Added, lesson: Lesson, others: Sequence[Held], *, skip_bad: bool
) -> None:
    """Show what was added, and what of it the encoder does not read."""
    if session.output.json:
        skipped = [{"line": line, "reason": reason} for line, reason in lesson.bad]
        more = {"skipped": skipped} if skip_bad else {}
        shortened = {"shortened": lesson.longer} if lesson.longer else {}
        shortened |= {"stripped": lesson.stripped} if lesson.stripped else {}
        contradictions = {"contradictions": [one.as_json() for one in others]} if others else {}
        session.output.document(added.as_json() | session.made(memory) | more | shortened | contradictions)
        return
    for line, reason in lesson.bad:
        session.output.note(f"skipped line {line}: {reason}")
    if lesson.longer:
        what = counted(lesson.longer, "conversation")
        session.output.note(f"of {what} with earlier turns only the last question and answer was taken")
    if lesson.stripped:
        session.output.note(f"white space around {counted(lesson.stripped, 'output')} was left out")
    if lesson.bad or len(added.ids) > 1:
        known = f"; {added.duplicates:,} were there already" if added.duplicates else ""
        carried = f", {added.carried:,} with the vectors that came along" if added.carried else ""
        session.output.line(f"added {counted(added.added)}{carried}{known}")
    else:
        session.output.line(f"added {added.ids[0]}" if added.added else f"{added.ids[0]} was there already")
    sight.tell(session, memory, unread=added.unread, cut=added.cut, of=len(added.ids))


def _contradictions(session: Session, memory: Memory, lesson: Lesson) -> list[Held]:
    """Return the examples that contradict those that were added; these are in the store in any case."""
    try:
        return memory.contradictions(*lesson.examples)
    except (EdgeIclError, OSError, MemoryError) as error:
        why = str(error) or "there is not enough memory"
        session.output.note(f"it cannot be told whether an input was taught with another output: {why}")
        return []


def _tell_contradictions(session: Session, memory: Memory, lesson: Lesson, others: Sequence[Held]) -> None:
    """Tell which inputs were taught with another output already, and how to correct that."""
    if session.output.json:
        return
    for one in others[:MOST_TOLD]:
        wanted = next(
            taught.output
            for taught in lesson.examples
            if same_text(taught.input, one.input) and taught.output != one.output
        )
        fix = session.command_line("fix", session.short(memory, one.id), wanted)
        session.output.note(f"{one.input} is already taught as {one.output}; to correct that: {fix}")
    if len(others) > MOST_TOLD:
        more = counted(len(others) - MOST_TOLD, "more example")
        check = session.command_line("check")
        session.output.note(f"{more} have an input that is taught with another output too; to see all: {check}")
