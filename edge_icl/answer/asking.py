"""One question, from the store's state to an answer: choose examples, make the prompt, run the model.

Where the store's outputs are a small closed set, they are judged and the likeliest is the answer; otherwise the
model writes. Everything here is a function of the state, the question and the options, so the
answer after a forget is the answer of a store that never held the example.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, get_args

from edge_icl.access.cache_key import home_key
from edge_icl.answer.judging import Judge, Question
from edge_icl.answer.options import AUTO, PromptMode
from edge_icl.answer.reply import Reply, Shown
from edge_icl.answer.selection import FOR_LABELS, FOR_TEXT, SELECTIONS, Scene, choose
from edge_icl.errors import (
    AskCancelledError,
    ExampleNotFoundError,
    ExamplesChangedError,
    InputError,
    StoreDamagedError,
)
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.prefix import Prefixes
from edge_icl.prompt import prompt as prompts
from edge_icl.results import Held
from edge_icl.search.finding import nearest
from edge_icl.search.similarity import similarities
from edge_icl.store.prefix_cache import PrefixCache

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.answer.judging import Judgement
    from edge_icl.answer.options import Options
    from edge_icl.answer.selection import Chosen
    from edge_icl.llm.grammar import Grammar
    from edge_icl.llm.model import Model
    from edge_icl.prompt.chat import Chat
    from edge_icl.prompt.prompt import PromptFormat
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.lifetime import Lifetime
    from edge_icl.store.disk import Store

MOST_NAMED = 4
"""Nearest examples that an answer names."""

ROOM_FOR_ANSWER = 64
"""Tokens of the context that a prompt leaves free at least."""


class Asker:
    """Asks a model about one snapshot of a store.

    Args:
        store: the store.
        derived: from the snapshot that is asked.
        model: the LLM.
        model_name: what the user calls it.
    """

    def __init__(self, store: Store, derived: Derived, model: Model, model_name: str) -> None:
        self.derived = derived
        self._store = store
        self.model_name = model_name
        self._lasting = Prefixes(model, disk=PrefixCache(store, derived.snapshot, home_key(make=True)))
        self._passing = Prefixes(model)
        self._judge = Judge(derived)
        self._chat: Chat | None = None

    def clear(self) -> None:
        """Drop every KV state in memory."""
        self._lasting.clear()
        self._passing.clear()

    def ask(
        self,
        question: str,
        vector: NDArray[np.int8],
        options: Options,
        *,
        cancel: Cancel,
        lifetime: Lifetime,
        embedded: float = 0.0,
    ) -> Reply:
        """Prepare an answer; the model runs when its pieces are asked for.

        Args:
            question: normalised.
            vector: i8[d], its vector.
            options: how to ask.
            cancel: set it from any thread, and the model stops.
            lifetime: the open store's; the model runs within it.
            embedded: seconds that the vector took, for the answer's timings.

        Raises:
            InputError: an option is not valid, or the question is too long.
        """
        begun = time.perf_counter()
        grammar = options.constraint()
        labels = self.derived.labels("off" if grammar else options.labels)
        select = (FOR_LABELS if labels else FOR_TEXT) if options.select == AUTO else options.select
        chosen = choose(select, self._scene(vector, options))
        examples = self._examples(chosen, vector)
        prefixes = self._lasting if SELECTIONS[select].lasting else self._passing
        prompt = prompts.fit(
            question,
            prefix=[held.example for held in examples[: len(chosen.prefix)]],
            extra=[held.example for held in examples[len(chosen.prefix) :]],
            budget=prefixes.model.context - ROOM_FOR_ANSWER,
            count=prefixes.count,
            form=self._form(options.prompt),
        )
        put = Question(prompt, vector, labels, prefixes, cancel)
        return Reply(
            Shown(
                prompt,
                examples=examples[len(prompt.dropped) :],
                nearest=self._nearest(vector) if labels and options.prior else (),
                select=select,
                model=self.model_name,
            ),
            self._judged(put, options) if labels else self._written(put, options, grammar),
            cancel=cancel,
            lifetime=lifetime,
            timings={"embed": embedded, "select": time.perf_counter() - begun},
        )

    def _judged(self, question: Question, options: Options) -> Generator[Judgement, None, bool]:
        """Give what is thought of the labels, unless the question is cancelled first."""
        try:
            judgement = self._judge.judge(question, prior=options.prior)
        except AskCancelledError:
            return False
        self._refuse_changed(question.prefixes)
        yield judgement
        return True

    def _written(
        self, question: Question, options: Options, grammar: Grammar | None
    ) -> Generator[str, None, bool]:
        """Give the answer as the model writes it; return whether it came to its own end."""
        prefixes, prompt = question.prefixes, question.prompt
        return (
            yield from generate(
                prefixes,
                prefixes.tokens(prompt.prefix, start=True),
                prefixes.tokens(prompt.question),
                Limits(
                    stop=prompt.stop if grammar is None else prompt.form.close,
                    lead=prompt.form.lead,
                    grammar=grammar,
                    max_tokens=options.max_tokens,
                ),
                cancel=question.cancel,
                check=partial(self._refuse_changed, prefixes),
            )
        )

    def _refuse_changed(self, prefixes: Prefixes) -> None:
        """Raise if the store is no longer in the state that is asked, by this process or another.

        Raises:
            ExamplesChangedError: it is not; the model's memory of that state is gone.
        """
        if not self._store.is_current(self.derived.snapshot):
            prefixes.clear()
            raise ExamplesChangedError("the examples have changed since this answer began", "ask again")

    def _form(self, mode: PromptMode) -> PromptFormat:
        """Return the prompt's format.

        Raises:
            InputError: there is no such format.
            ModelError: it is to be a chat, and the model has no template for one.
        """
        known = get_args(PromptMode)
        if mode not in known:
            raise InputError(f"there is no prompt format {mode!r}", f"choose one of {', '.join(known)}")
        task = self.derived.snapshot.settings.task
        if mode != "chat":  # benchmarks/prompts.py: plain is what "auto" stands for
            return prompts.Plain(task)
        if self._chat is None:
            self._chat = self._lasting.model.chat(task)
        return self._chat

    def _scene(self, vector: NDArray[np.int8], options: Options) -> Scene:
        """Return what the selection may look at."""
        settings = self.derived.snapshot.settings
        return Scene(
            seed=settings.seed,
            points=self.derived.points,
            clustering=self.derived.snapshot.clustering,
            question=vector,
            shots=settings.shots if options.shots is None else options.shots,
        )

    def _nearest(self, vector: NDArray[np.int8]) -> tuple[Held, ...]:
        """Return the examples whose votes weigh most."""
        return tuple(nearest(self.derived.snapshot, self.derived.points, vector, MOST_NAMED))

    def _examples(self, chosen: Chosen, vector: NDArray[np.int8]) -> tuple[Held, ...]:
        """Return the chosen examples, each with its similarity to the question."""
        found = []
        for id in (*chosen.prefix, *chosen.extra):
            try:
                page, row = self.derived.snapshot.row(id)
            except ExampleNotFoundError as error:
                raise StoreDamagedError(
                    f"the clustering names an example that the store does not hold: {id.hex()}",
                    "restore the store from a backup",
                ) from error
            similarity = float(similarities(page.vectors[row : row + 1], vector)[0])
            found.append(Held(id.hex(), page.example(row), similarity))
        return tuple(found)
