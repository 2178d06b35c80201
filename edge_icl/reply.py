"""An answer in the making: the model runs when its pieces are asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.llm.generate import generate
from edge_icl.llm.score import probabilities, score_labels
from edge_icl.records import Answer

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator

    from edge_icl.llm.grammar import Grammar
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.options import Options
    from edge_icl.prompt import Prompt
    from edge_icl.records import Held


class Reply:
    """An answer in the making: iterate over its pieces, close it to stop the model.

    Attributes:
        prompt: what the model is shown.
        examples: those in the prompt.
    """

    def __init__(  # noqa: PLR0913 - all keyword-only, one for each part
        self,
        *,
        prompt: Prompt,
        examples: tuple[Held, ...],
        labels: list[str],
        prefixes: Prefixes,
        model_name: str,
        options: Options,
        grammar: Grammar | None,
        cancel: threading.Event | None,
        timings: dict[str, float],
    ) -> None:
        self.prompt = prompt
        self.examples = examples
        self._labels = labels
        self._prefixes = prefixes
        self._model_name = model_name
        self._options = options
        self._grammar = grammar
        self._cancel = cancel
        self._timings = timings
        self._text = ""
        self._complete = False
        self._probabilities: dict[str, float] = {}
        self._pieces = self._run()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        begun = time.perf_counter()
        try:
            piece = next(self._pieces)
        finally:
            self._timings["answer"] = self._timings.get("answer", 0.0) + time.perf_counter() - begun
        self._timings.setdefault("first", self._timings["answer"])
        self._text += piece
        return piece

    def close(self) -> None:
        """Stop the model; what came so far stays in `answer`."""
        self._pieces.close()

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        spent = sum(self._timings.get(step, 0.0) for step in ("embed", "select", "answer"))
        return Answer(
            text=self._text,
            labels=self._probabilities,
            examples=self.examples,
            complete=self._complete,
            dropped=len(self.prompt.dropped),
            model=self._model_name,
            select=self._options.select,
            timings={**self._timings, "total": spent},
        )

    def _run(self) -> Generator[str, None, None]:
        """Yield the pieces: a label at once, or the text as the model writes it."""
        model = self._prefixes.model
        prefix = model.tokenize(self.prompt.prefix, start=True)
        question = model.tokenize(self.prompt.question)
        if self._labels:
            form = self.prompt.form
            shares = probabilities(score_labels(self._prefixes, prefix, question, self._labels, form=form))
            order = np.argsort(-shares, kind="stable")
            self._probabilities = {self._labels[i]: float(shares[i]) for i in order}
            self._complete = True
            yield self._labels[order[0]]
            return
        self._complete = yield from generate(
            self._prefixes,
            prefix,
            question,
            stop=self.prompt.stop if self._grammar is None else self.prompt.form.close,
            lead=self.prompt.form.lead,
            grammar=self._grammar,
            max_tokens=self._options.max_tokens,
            cancel=self._cancel,
        )
