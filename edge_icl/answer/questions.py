"""Questions to an open store: embedded, then answered from one snapshot, again if it changes meanwhile.

Of many questions the vectors are made first, for some at a time and on all cores. A vector is a function of its
text alone, so each question gets the answer that it gets when it is asked alone, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Sized
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from edge_icl.errors import ExamplesChangedError, InputError
from edge_icl.example import normalise
from edge_icl.runtime import arguments
from edge_icl.runtime.cancel import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.answer.open_store import OpenReader
    from edge_icl.answer.options import Options
    from edge_icl.answer.reply import Reply
    from edge_icl.results import Answer
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.snapshot import Snapshot

R = TypeVar("R", bound="Iterable[str]")

ATTEMPTS, PATIENCE = 5, 60.0
"""So often, and for so many seconds, a question is asked again whose examples change before it is answered."""

AHEAD = 64
"""Of many questions, so many are embedded before the first of them is answered: a fifth of a second's work."""


class Ahead(NamedTuple):
    """What is known of some questions before they are asked.

    Attributes:
        snapshot: the state in which none of them is the input of an example.
        vectors: theirs, i8[d], by text.
    """

    snapshot: Snapshot
    vectors: Mapping[str, NDArray[np.int8]]


def stream(
    opened: OpenReader, question: str, options: Options, cancel: Cancel | None, ahead: Ahead | None = None
) -> Reply:
    """Return an answer in the making, from the store as it is now; see `Memory.stream`.

    Args:
        opened: the store.
        question: as it was typed.
        options: how to ask.
        cancel: stops it.
        ahead: what is known of this question and others.
    """
    _refuse_other(cancel)
    own = Cancel(cancel)
    question = normalise(question, "question")
    vector = None if ahead is None else ahead.vectors.get(question)
    embed = opened.embed if vector is None else (lambda _: vector[None])

    def ask(snapshot: Snapshot) -> Reply:
        looked_up = vector is not None and ahead is not None and ahead.snapshot is snapshot
        return opened.cache.asker(snapshot).ask(
            question,
            replace(options, recall=False) if looked_up else options,
            embed=embed,
            cancel=own,
            lifetime=opened.lifetime,
        )

    return opened.read(ask)


def complete(start: Callable[[], R], show: Callable[[str], None] | None = None) -> R:
    """Return a reply when it is complete or cancelled; started again where the examples change meanwhile.

    Args:
        start: begins to answer.
        show: takes each piece as it comes. It cannot be taken back, so from then on a change ends the answer.

    Raises:
        ExamplesChangedError: they changed each time, for a minute at least; or after a piece was shown.
    """
    until, attempts = time.monotonic() + PATIENCE, 0
    while True:
        reply, shown = start(), False
        try:
            for piece in reply:
                if show is not None:
                    show(piece)
                    shown = True
        except ExamplesChangedError:
            attempts += 1
            if shown or (attempts >= ATTEMPTS and time.monotonic() > until):
                raise
        else:
            return reply


def answered(start: Callable[[], Reply], cancel: Cancel | None) -> Answer:
    """Return a complete answer; see `complete`.

    Raises:
        AskCancelledError: it was cancelled before that.
    """
    answer = complete(start).answer
    if cancel is not None and not answer.complete:
        cancel.check()
    return answer


def many(
    opened: OpenReader, questions: Iterable[str], options: Options, progress: Progress, cancel: Cancel | None
) -> Iterator[Answer | InputError]:
    """Return an iterator over the answers to questions; see `Memory.ask_many`.

    Raises:
        InputError: the grammar is not valid.
    """
    options.constraint()
    arguments.told(progress)
    arguments.each(questions, "questions")
    _refuse_other(cancel)
    return _each(opened, questions, options, progress, cancel)


def _refuse_other(cancel: object) -> None:
    """Refuse what cannot stop a question.

    Raises:
        InputError: it is no `Cancel`.
    """
    if not isinstance(cancel, Cancel | None):
        raise InputError(
            f"cancel is {arguments.kind(cancel)}, not a Cancel", "give an `edge_icl.Cancel()`, or leave it out"
        )


def _each(
    opened: OpenReader, questions: Iterable[str], options: Options, progress: Progress, cancel: Cancel | None
) -> Iterator[Answer | InputError]:
    """Yield the answer to each question, or why it has none."""
    total = len(questions) if isinstance(questions, Sized) else 0
    progress("ask", 0, total)
    done, rest = 0, iter(questions)
    while some := [_question(text) for text in islice(rest, AHEAD)]:
        texts = [text for text in some if not isinstance(text, InputError)]
        ahead = _ahead(opened, texts, options, cancel)
        for text in some:
            found = text if isinstance(text, InputError) else _found(opened, text, options, cancel, ahead)
            done += 1
            progress("ask", done, total)
            yield found


def _question(text: str) -> str | InputError:
    """Return a question in Unicode NFC, or why it is none."""
    try:
        return normalise(text, "question")
    except InputError as error:
        return error


def _found(
    opened: OpenReader, text: str, options: Options, cancel: Cancel | None, ahead: Ahead
) -> Answer | InputError:
    """Return the answer to a question, or why it cannot be answered."""
    try:
        return answered(partial(stream, opened, text, options, cancel, ahead), cancel)
    except InputError as error:
        return error


def _ahead(opened: OpenReader, texts: Sequence[str], options: Options, cancel: Cancel | None) -> Ahead:
    """Look which texts are the inputs of examples, as the store is now, and embed the others."""
    from edge_icl.answer import recall

    def look(snapshot: Snapshot) -> tuple[Snapshot, list[str]]:
        if not snapshot.manifest.count:
            return snapshot, []  # which is told for the first question, and needs no encoder
        opened.cache.points(snapshot)  # first, as `Asker.ask` does
        unknown = [
            text for text in dict.fromkeys(texts) if not (options.recalls and recall.taught(snapshot, text))
        ]
        return snapshot, unknown

    def heed(stage: str, done: int, total: int) -> None:  # noqa: ARG001 - as Progress has it
        if cancel is not None:
            cancel.check()

    snapshot, wanted = opened.read(look)
    vectors = opened.embed(wanted, heed) if wanted else ()
    return Ahead(snapshot, dict(zip(wanted, vectors, strict=True)))
