"""An answer in the making: the model runs when its pieces are asked for."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from edge_icl.answer.judging import Judgement
from edge_icl.errors import AskCancelledError, ExamplesChangedError
from edge_icl.llm.generate import generate
from edge_icl.results import Answer
from edge_icl.runtime import fork

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from edge_icl.answer.options import Options
    from edge_icl.llm.grammar import Grammar
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.prompt.prompt import Prompt
    from edge_icl.results import Held
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.lifetime import Lifetime


class Reply:
    """An answer in the making: iterate over its pieces, close it to stop the model.

    Safe to use from several threads: one iterates, another one cancels or closes.

        >>> with Memory.open("work") as memory:
        ...     reply = memory.stream("Once upon a time", Options(labels="off", max_tokens=99))
        ...     for piece in reply:
        ...         reply.cancel()
        >>> reply.answer.complete, reply.answer.text == piece
        (False, True)

    Attributes:
        prompt: what the model is shown.
        examples: those in the prompt.
        nearest: those nearest to the question, where the prior is asked.
    """

    def __init__(  # noqa: PLR0913 - all keyword-only, one for each part
        self,
        *,
        prompt: Prompt,
        examples: tuple[Held, ...],
        nearest: tuple[Held, ...],
        judge: Callable[[], Judgement] | None,
        prefixes: Prefixes,
        model_name: str,
        select: str,
        options: Options,
        grammar: Grammar | None,
        cancel: Cancel,
        lifetime: Lifetime,
        is_current: Callable[[], bool],
        timings: dict[str, float],
    ) -> None:
        self.prompt = prompt
        self.examples = examples
        self.nearest = nearest
        self._judge = judge
        self._prefixes = prefixes
        self._model_name = model_name
        self._select = select
        self._options = options
        self._grammar = grammar
        self._cancel = cancel
        self._lifetime = lifetime
        self._is_current = is_current
        self._lock = threading.Lock()
        self._timings = timings
        self._text = ""
        self._complete = False
        self._judgement = Judgement({}, {})
        self._pieces = self._run()
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock in a forked process; the model then says that it is the parent's."""
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        with self._lifetime.at_work(self._cancel), self._lock:
            begun = time.perf_counter()
            try:
                piece = next(self._pieces, None)
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
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        spent = sum(self._timings.get(step, 0.0) for step in ("embed", "select", "answer"))
        return Answer(
            text=self._text,
            labels=self._judgement.shares,
            parts=self._judgement.parts,
            examples=self.examples,
            nearest=self.nearest,
            complete=self._complete,
            dropped=len(self.prompt.dropped),
            model=self._model_name,
            select=self._select,
            timings={**self._timings, "total": spent},
        )

    def _run(self) -> Generator[str, None, None]:
        """Yield the pieces: a label at once, or the text as the model writes it."""
        if self._judge is not None:
            try:
                judgement = self._judge()
            except AskCancelledError:
                return
            self._refuse_changed()
            self._judgement = judgement
            self._complete = True
            yield next(iter(self._judgement.shares))
            return
        self._complete = yield from generate(
            self._prefixes,
            self._prefixes.tokens(self.prompt.prefix, start=True),
            self._prefixes.tokens(self.prompt.question),
            stop=self.prompt.stop if self._grammar is None else self.prompt.form.close,
            lead=self.prompt.form.lead,
            grammar=self._grammar,
            max_tokens=self._options.max_tokens,
            cancel=self._cancel,
            check=self._refuse_changed,
        )

    def _refuse_changed(self) -> None:
        """Raise if the store is no longer in the state that this answer comes from, whoever has changed it.

        Raises:
            ExamplesChangedError: it is not; the model's memory of that state is gone.
        """
        if not self._is_current():
            self._prefixes.clear()
            raise ExamplesChangedError("the examples have changed since this answer began", "ask again")
