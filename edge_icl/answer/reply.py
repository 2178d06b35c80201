"""An answer in the making: the model runs when its pieces are asked for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from edge_icl.answer.judging import Judgement
from edge_icl.results import Answer
from edge_icl.runtime import fork
from edge_icl.runtime.bound import Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from edge_icl.prompt.prompt import Prompt
    from edge_icl.results import AnswerKind, Held, Labelling
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.lifetime import Lifetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of an answer before it is there.

    Attributes:
        kind: how it is made.
        examples: those in the prompt; without one, those that the answer rests on.
        nearest: those nearest to the question, where the prior is asked.
        labelling: what the store's outputs are taken to be; None where that was not looked at.
        unlike: whether the question is unlike everything that was taught.
        prompt: what the model is shown; None where it is not asked.
        select: how the examples in the prompt were chosen.
        model: the model's name.
        count: how many tokens a text has; None where the model is not asked.
    """

    kind: AnswerKind
    examples: tuple[Held, ...]
    nearest: tuple[Held, ...] = ()
    labelling: Labelling | None = None
    unlike: bool = False
    prompt: Prompt | None = None
    select: str | None = None
    model: str | None = None
    count: Callable[[str], int] | None = None


class Reply(Bound):
    """An answer in the making: iterate over its pieces, and leave its `with` statement to stop the model.

    Safe to use from several threads: one iterates, another one cancels or closes.

        >>> with Memory.open("work") as memory:
        ...     taught = memory.add("There was a king", "He had a daughter, and she had a golden ball.")
        ...     with memory.stream("Once upon a time", labels="off", max_tokens=99) as reply:
        ...         piece = next(reply)
        >>> reply.answer.complete, reply.answer.text == piece
        (False, True)

    Attributes:
        question: in Unicode NFC.
        prompt: what the model is shown; None where it is not asked.
        examples: those in the prompt; without one, those that the answer rests on.
        nearest: those nearest to the question, where the prior is asked.
    """

    instead = "ask in the process that needs the answer, or send its `answer`"

    def __init__(
        self,
        question: str,
        shown: Shown,
        pieces: Generator[Judgement | str, None, bool],
        *,
        cancel: Cancel,
        lifetime: Lifetime,
        timings: dict[str, float],
    ) -> None:
        self.question = question
        self.prompt = shown.prompt
        self.examples = shown.examples
        self.nearest = shown.nearest
        self._shown = shown
        self._pieces = pieces
        self._cancel = cancel
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._timings = timings
        self._text = ""
        self._complete = False
        self._judgement = Judgement({}, {})
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock in a forked process; the model then says that it is the parent's."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        with self._lifetime.at_work(self._cancel), self._lock:
            begun = time.perf_counter()
            try:
                piece = self._next()
            finally:
                self._timings["answer"] = self._timings.get("answer", 0.0) + time.perf_counter() - begun
            self._timings.setdefault("first", self._timings["answer"])
            self._text += piece or ""
        if piece is None:
            if not self._complete:
                self._lifetime.check()
            raise StopIteration
        return piece

    def cancel(self) -> None:
        """Stop the model within a token, and return at once; what came so far stays in `answer`."""
        self._cancel.set()

    def close(self) -> None:
        """Stop the model, and return when it has stopped; what came so far stays in `answer`."""
        self.cancel()
        with self._lock:
            self._pieces.close()

    @property
    def tokens(self) -> tuple[int, int]:
        """How many tokens the prompt has, and how many were written so far; both 0 where no model is asked."""
        count, prompt = self._shown.count, self.prompt
        if count is None or prompt is None:
            return 0, 0
        written = count(self._text) if self._text and self._shown.kind == "written" else 0
        return count(prompt.prefix) + count(prompt.question), written

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        spent = sum(self._timings.get(step, 0.0) for step in ("embed", "select", "answer"))
        shares = self._judgement.shares
        return Answer(
            question=self.question,
            text=self._text if self._judgement.given else None,
            kind=self._shown.kind,
            probability=next(iter(shares.values()), None),
            labels=shares,
            parts=self._judgement.parts,
            examples=self.examples,
            nearest=self.nearest,
            complete=self._complete,
            dropped=len(self.prompt.dropped) if self.prompt else 0,
            model=self._shown.model,
            select=self._shown.select,
            labelling=self._shown.labelling,
            unlike=self._shown.unlike,
            timings={**self._timings, "total": spent},
            prompt=self.prompt.text if self.prompt else None,
        )

    def _next(self) -> str | None:
        """Return the next piece, None after the last: a label at once, or the text as the model writes it."""
        try:
            piece = next(self._pieces)
        except StopIteration as end:
            self._complete = self._complete or bool(end.value)
            return None
        if isinstance(piece, Judgement):
            self._judgement, self._complete = piece, True
            return piece.label
        return piece
