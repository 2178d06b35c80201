"""What `learn` shows: a question, its answer and why, so that they and the prompt fit a screen of 80 by 24.

Texts of examples and questions stand two columns in, or after words of ours: none of them looks like ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.answer.certainty import in_words
from edge_icl.cli import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.cli.output import Output
    from edge_icl.cli.pool import Question
    from edge_icl.cli.typed import Typing
    from edge_icl.results import Answer

INDENT = "  "
OWN_LINES = 9
"""Lines of a screen that are neither the question nor the answer."""

FEWEST_LINES = 2
MOST_OFFERED = 5
MOST_NARROW = 3
"""Labels that are offered: beside each other, or where they are too long for that each on a line."""


def offered(answer: Answer | None, columns: int) -> tuple[str, ...]:
    """Return the likeliest labels, which can be chosen by a number."""
    if answer is None or answer.kind != "judged" or len(answer.labels) <= 1:
        return ()
    some = tuple(answer.labels)[:MOST_OFFERED]
    return some if tables.width(_row(answer, some)) <= columns else some[:MOST_NARROW]


def show_question(output: Output, question: Question) -> None:
    """Show a question, as much of it as leaves room for its answer."""
    columns, lines = output.size
    most = max((lines - OWN_LINES) // 2, FEWEST_LINES)
    for line in tables.wrapped(question.text, columns - len(INDENT), most=most):
        output.line(f"{INDENT}{line}")


def show_answer(output: Output, question: Question, answer: Answer | None, typing: Typing) -> None:
    """Show the answer to a question, why it is that, and what may be typed."""
    columns, lines = output.size
    if answer is None:
        output.line("the store holds no examples yet: type the answer")
    else:
        text = "not sure enough" if answer.text is None else answer.text
        first, *others = tables.wrapped(
            text, columns - len("answer: "), most=max(lines - OWN_LINES - 8, FEWEST_LINES)
        )
        output.line(f"answer: {first}")
        for line in others:
            output.line(f"        {line}")
        for line in _why(answer):
            output.line(tables.cut(f"{INDENT}{tables.one_line(line)}", columns))
        _show_offered(output, answer, typing, columns)
    if question.said is not None:
        output.line(tables.cut(f"{INDENT}the file says: {tables.one_line(question.said)}", columns))
    for line in tables.wrapped(_help(answer, typing), columns, most=FEWEST_LINES):
        output.line(line)


def _why(answer: Answer) -> Iterator[str]:
    """Yield why an answer is what it is."""
    if answer.kind == "recalled":
        differs = "" if answer.agreed else f", with different outputs: {answer.likeliest}"
        yield f"the question was taught{differs}"
        return
    if answer.probability is not None:
        asked = "" if answer.model is None else f"; {answer.model} was asked too"
        yield f"{in_words(answer.probability)} (probability {answer.probability:.2f}){asked}"
    elif answer.model is not None:
        cut = "" if answer.complete else "; it is cut off"
        yield f"written by {answer.model}, from {tables.counted(len(answer.examples))}{cut}"
    if answer.unlike:
        yield "the question is unlike everything that was taught"
    near = max((*answer.nearest, *answer.examples), key=lambda one: one.similarity or -1.0, default=None)
    if near is not None and near.similarity is not None:
        yield f"the nearest example ({near.similarity:.2f}): {near.output}: {near.input}"


def _show_offered(output: Output, answer: Answer, typing: Typing, columns: int) -> None:
    """Show the likeliest labels, beside each other where they fit."""
    if not typing.offered:
        return
    row = _row(answer, typing.offered, numbered=typing.numbered)
    if tables.width(row) <= columns:
        output.line(row)
        return
    for i, label in enumerate(typing.offered):
        number = f"{i + 1} " if typing.numbered else ""
        text = tables.cut(tables.one_line(label), columns - len(INDENT) - len(number) - len(" 0.00"))
        output.line(f"{INDENT}{number}{text} {answer.labels[label]:.2f}")


def _row(answer: Answer, labels: tuple[str, ...], *, numbered: bool = True) -> str:
    """Return labels beside each other, with their probabilities."""
    cells = [
        f"{f'{i + 1} ' if numbered else ''}{tables.one_line(label)} {answer.labels[label]:.2f}"
        for i, label in enumerate(labels)
    ]
    return INDENT + "   ".join(cells)


def _help(answer: Answer | None, typing: Typing) -> str:
    """Return what may be typed, in a line."""
    other = "text" if typing.labels is None else "label"
    if typing.offered and typing.numbered:
        other += " or its number"
    known = answer is not None and answer.text is not None
    first = f"Enter: right; another {other}" if known else f"type a {other}"
    names = (("?", "examples"), ("u", "undo"), ("s", "skip"), ("q", "end"))
    return f"{first}; {', '.join(f'{typing.command(letter)} {does}' for letter, does in names)}"
