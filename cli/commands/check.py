"""`edge-icl check`: how good the store is, and what to correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, sight, teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.formats import table
from edge_icl.cli.tables import counted
from edge_icl.cli.teaching import FileOptions, Labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.answer.check import Check, Groups
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Held

MOST_SHOWN = 10
"""Rows of a table that a person reads; --json has all."""

MOST_ADVISED = 3
"""Suspects for which a command is shown."""


@click.command(
    cls=Command,
    epilog=examples(
        "edge-icl check",
        "edge-icl check --file held_out.csv --output-field label",
        "edge-icl check --encoder multilingual-e5-small",
    ),
)
@click.option(
    "--file",
    metavar="F",
    type=click.Path(),
    help=f"Test on the rows of a {table.endings(table.EXAMPLES, last='or')} file, or - for stdin.",
)
@click.option(
    "--encoder",
    metavar="NAME",
    help="Compare the store's encoder with another one on this machine; see `edge-icl models list`.",
    shell_complete=completion.encoders,
)
@teaching.file_options
@click.pass_obj
@taking(FileOptions)
def check(session: Session, options: FileOptions, *, file: str | None, encoder: str | None) -> None:
    """Say how good the store is: how often it is right, and which examples to look at.

    Each example is left out, and all others say what its label should be. That shows how often they are right,
    which labels are mixed up, and which examples probably have a wrong label. Besides, it finds examples with
    the same input, labels with one example, and inputs that the encoder cannot read. The model is not asked,
    and nothing in the store changes.

    With --file the rows of a file are tested instead, which must not be in the store; the options for files are
    those of `edge-icl add`.

    With --encoder at most 1,000 examples, a random sample, are also left out with another encoder, which shows
    whether a new store with that one would be right more often. Both are given the same examples.
    """
    if file is not None and encoder is not None:
        raise click.UsageError(
            "--encoder does not go with --file: encoders are compared by the store's examples"
        )
    if file is not None:
        session.output.waiting_for_rows(file)
    with session.output.progress() as progress:
        rows = None if file is None else _read(session, file, options)
        with session.open(progress=progress) as memory:
            found = memory.check(held_out=rows, encoder=encoder, progress=progress)
            if session.output.json:
                session.output.document(found.as_json())
                return
            _show(session, memory, found)
            if found.interval is not None and file is None and encoder is None:
                _tell_how_to_compare(session, memory)
            elif found.interval is None and encoder is not None:
                session.output.note(f"the encoder {encoder} was not compared: there is no accuracy")


def _read(session: Session, file: str, options: FileOptions) -> list[tuple[str, str]]:
    """Return the rows of a file as pairs of input and output."""
    from edge_icl.answer.lengths import Lengths
    from edge_icl.runtime.progress import silent

    with Lengths() as lengths:
        lesson = teaching.read(file, options, Labels(), lengths, progress=silent)
    for note in lesson.notes:
        session.output.note(note)
    for line, reason in lesson.bad:
        session.output.note(f"skipped line {line}: {reason}")
    return [(example.input, example.output) for example in lesson.examples]


def _show(session: Session, memory: Memory, found: Check) -> None:
    """Show what was found, the most important first."""
    for line in (*_accuracy(found), *_compared(session, found)):
        session.output.line(line)
    _show_labels(session, found)
    _show_suspects(session, memory, found)
    _show_wrong(session, found)
    _show_groups(session, memory, "the same input with different outputs", found.contradictions)
    _show_groups(session, memory, "the same input and output more than once", found.duplicates)
    if found.single:
        _title(session, f"{counted(len(found.single), 'label')} with one example; add more of each")
        session.output.line(", ".join(found.single[:MOST_SHOWN]))
        _tell_more(session, len(found.single))
    if told := sight.advice(session, memory, found.foreign):
        _title(session, told)
    _show_examples(
        session, memory, "that the encoder cannot read: it knows few of the characters", found.unread
    )
    _show_examples(session, memory, "longer than the encoder reads: the end is not looked at", found.cut)
    if found.unread is None:
        session.output.note("the store's encoder is not on this machine: what it cannot read is not known")


def _accuracy(found: Check) -> Iterator[str]:
    """Yield how often the store is right, or why that cannot be said."""
    if found.interval is None:
        yield f"no accuracy: {found.untested}"
        return
    low, high = (f"{100 * end:.1f}" for end in found.interval)
    yield f"right: {100 * found.right / found.tested:.1f} %, 95 % interval {low} to {high}"
    seen = f"{found.right:,} of {found.tested:,}"
    if found.held_out is not None:
        yield f"{seen} held-out rows"
    else:
        sampled = f", a random sample of {found.examples:,}" if found.tested < found.examples else ""
        yield f"{seen} examples{sampled}, each left out and judged by all others"
    if found.held_out is not None and found.held_out.taught:
        yield f"{counted(found.held_out.taught, 'row')} not held out: the input is in the store"
    if found.held_out is not None and found.held_out.untaught:
        yield f"labels that no example has, always wrong: {', '.join(found.held_out.untaught[:MOST_SHOWN])}"


def _compared(session: Session, found: Check) -> Iterator[str]:
    """Yield how another encoder fares, and the command that makes a store with it where that is better."""
    if (other := found.other_encoder) is None:
        return
    sampled = ", a random sample" if other.examples < found.examples else ""
    right, own = (f"{100 * share:.1f} %" for share in (other.accuracy, other.own_accuracy))
    gain, low, high = (f"{100 * share:+.1f}" for share in (other.difference, *other.interval))
    chance = ": may be chance" if other.interval[0] <= 0 <= other.interval[1] else ""
    yield (
        f"with encoder {other.name}: {right} right instead of {own} (of the same {counted(other.examples)}"
        f"{sampled}; {gain}, 95 % interval {low} to {high}{chance})"
    )
    if other.better:
        yield f"a store with it: {sight.change(session, other.name)}"


def _tell_how_to_compare(session: Session, memory: Memory) -> None:
    """Tell how to see whether another encoder that is here would be better."""
    if others := sight.others(memory):
        told = f"to compare the store's encoder with another one that is here ({', '.join(others)})"
        session.output.note(f"{told}: {session.command_line('check', '--encoder', others[0])}")


def _title(session: Session, text: str) -> None:
    """Begin a part."""
    session.output.line(f"\n{text}" if session.output.terminal else text)


def _tell_more(session: Session, count: int) -> None:
    """Tell how many rows are not shown."""
    if count > MOST_SHOWN:
        session.output.line(f"and {count - MOST_SHOWN:,} more; --json has all")


def _show_labels(session: Session, found: Check) -> None:
    """Show the labels that are right least often, and the pairs that are mixed up."""
    worst = sorted(found.labels, key=lambda one: (one.right / one.count, -one.count, one.label))
    worst = [one for one in worst if one.right < one.count]
    if not worst:
        return
    _title(session, "labels that are right least often")
    rows = [(f"{one.right} of {one.count}", one.label) for one in worst[:MOST_SHOWN]]
    session.output.table(("right", "label"), rows)
    _tell_more(session, len(worst))
    _title(session, "labels that are mixed up")
    pairs = [(f"{one.count}", one.label, one.taken_for) for one in found.confused[:MOST_SHOWN]]
    session.output.table(("times", "label", "taken for"), pairs)
    _tell_more(session, len(found.confused))


def _show_suspects(session: Session, memory: Memory, found: Check) -> None:
    """Show the examples that are possibly mislabelled, and what to do about the first."""
    if not found.suspects:
        return
    shown = found.suspects[:MOST_SHOWN]
    _title(session, "possibly mislabelled, the likeliest first")
    session.output.table(
        ("id", "output", "likelier", "probability", "input"),
        [
            (
                session.short(memory, one.id),
                one.output,
                one.likelier,
                f"{one.probability:.2f}",
                one.input,
            )
            for one in shown
        ],
    )
    _tell_more(session, found.suspected)
    _title(session, "if that is right, correct them:")
    for one in shown[:MOST_ADVISED]:
        session.output.line(session.fix(memory, one.id, one.likelier))


def _show_wrong(session: Session, found: Check) -> None:
    """Show held-out rows that were taken for something else."""
    wrong = () if found.held_out is None else found.held_out.wrong
    if not wrong:
        return
    _title(session, "held-out rows that are wrong")
    session.output.table(
        ("output", "taken for", "probability", "input"),
        [(one.output, one.likelier, f"{one.probability:.2f}", one.input) for one in wrong[:MOST_SHOWN]],
    )
    _tell_more(session, len(wrong))


def _show_groups(session: Session, memory: Memory, title: str, groups: Groups) -> None:
    """Show examples that belong together."""
    flat = [held for group in groups for held in group]
    if flat:
        _title(session, f"{title}: {counted(len(flat))}")
        _show_rows(session, memory, flat)


def _show_examples(session: Session, memory: Memory, title: str, some: Sequence[Held] | None) -> None:
    """Show examples of which something is to be known."""
    if some:
        _title(session, f"{counted(len(some), 'input')} {title}")
        _show_rows(session, memory, some)


def _show_rows(session: Session, memory: Memory, some: Sequence[Held]) -> None:
    """Show the first examples, and how many more there are."""
    session.output.table(("id", "output", "input"), session.rows(memory, some[:MOST_SHOWN]))
    _tell_more(session, len(some))
