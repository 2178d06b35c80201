"""One question, from the store's state to an answer: recalled, judged or written.

A question that was taught gets the output that was taught for it. Otherwise, where the store's outputs are
labels, they are judged: by the prior of all examples, and by the model where it can matter. Where they are free
text, the model writes. Everything here is a function of the state, the question and the options, so the answer
after a forget is the answer of a store that never held the example.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.answer import recall
from edge_icl.answer.behind import Behind
from edge_icl.answer.judging import Judge, Judgement, Question, model_alone
from edge_icl.answer.options import AUTO
from edge_icl.answer.reply import Reply, Shown
from edge_icl.answer.selection import FOR_LABELS, FOR_TEXT
from edge_icl.errors import (
    AskCancelledError,
    ExamplesChangedError,
    InputError,
    StoreEmptyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.answer.judging import Leaning
    from edge_icl.answer.options import Options
    from edge_icl.answer.prompting import Prompting
    from edge_icl.llm.grammar import Grammar
    from edge_icl.llm.model import Model
    from edge_icl.results import Held, Labelling
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.lifetime import Lifetime
    from edge_icl.store.reading import StoreReader

    Embed = Callable[[Sequence[str]], NDArray[np.int8]]
    """From texts to their vectors i8[n, d]."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to an answer.

    Attributes:
        text: normalised.
        options: how to ask.
        grammar: what a written answer must keep to, if anything.
        select: how examples for a prompt are chosen.
        vector: i8[d].
        cancel: set it from any thread, and the model stops.
    """

    text: str
    options: Options
    grammar: Grammar | None
    select: str
    vector: NDArray[np.int8]
    cancel: Cancel


class Asker:
    """Answers questions from one snapshot of a store. Safe to use from several threads.

    Args:
        store: the store.
        derived: from the snapshot that is asked.
        load: returns the LLM's name and the LLM; called when a question first needs it.
    """

    def __init__(self, store: StoreReader, derived: Derived, load: Callable[[], tuple[str, Model]]) -> None:
        self.derived = derived
        self._store = store
        self._load = load
        self._judge = Judge(derived)
        self._behind = Behind(derived)
        self._lock = threading.Lock()
        self._made: Prompting | None = None

    def clear(self) -> None:
        """Drop every KV state in memory."""
        if self._made is not None:
            self._made.clear()

    def ask(
        self, question: str, options: Options, *, embed: Embed, cancel: Cancel, lifetime: Lifetime
    ) -> Reply:
        """Prepare an answer; the model runs when its pieces are asked for.

        Args:
            question: normalised.
            options: how to ask.
            embed: gives the question's vector, where it is needed.
            cancel: set it from any thread, and the model stops.
            lifetime: the open store's; the model runs within it.

        Raises:
            AskCancelledError: `cancel` was set.
            InputError: the grammar is not valid, or the question is too long.
            StoreEmptyError: there is no example.
            ModelMissingError: a model that is needed is not on this machine.
            ModelFileError: its file is not usable.
        """
        cancel.check()
        grammar = options.constraint()
        if not self.derived.snapshot.manifest.count:
            raise StoreEmptyError(
                "the store holds no examples to answer from", "teach it some: edge-icl add INPUT OUTPUT"
            )
        begun = time.perf_counter()
        timings: dict[str, float] = {}
        # Before the texts are looked through: pages that are read for them hold their vectors, too.
        _ = self.derived.points
        known = recall.taught(self.derived.snapshot, question) if options.recalls else []
        shown: Shown
        pieces: Generator[Judgement | str, None, bool]
        if known:
            shown, pieces = self._recalled(known)
        else:
            embedding = time.perf_counter()
            (vector,) = embed([question])
            timings["embed"] = time.perf_counter() - embedding
            cancel.check()
            labelling = self.derived.labelling("off" if grammar else options.labels)
            select: str = options.select
            if select == AUTO:
                select = FOR_LABELS if labelling.labels else FOR_TEXT
            asked = Asked(question, options, grammar, select, vector, cancel)
            shown, pieces = (
                self._chosen(asked, labelling) if labelling.labels else self._written(asked, labelling)
            )
        timings["select"] = time.perf_counter() - begun - timings.get("embed", 0.0)
        return Reply(question, shown, pieces, cancel=cancel, lifetime=lifetime, timings=timings)

    def _recalled(self, known: Sequence[Held]) -> tuple[Shown, Generator[Judgement, None, bool]]:
        """Answer with what was taught."""
        counts = recall.outputs(known)
        total = sum(counts.values())
        judgement = Judgement({output: count / total for output, count in counts.items()}, {})
        return Shown("recalled", tuple(known)), self._given(lambda: judgement)

    def _chosen(self, asked: Asked, labelling: Labelling) -> tuple[Shown, Generator[Judgement, None, bool]]:
        """Choose among the labels."""
        options = asked.options
        leaning = self._judge.lean(asked.vector) if options.prior else None
        near = self._behind.nearest(leaning.voters) if leaning else ()
        unlike = leaning.unlike if leaning else self._behind.unlike(asked.vector)
        if leaning and not self._asks_model(leaning, options):
            return (
                Shown("judged", near, nearest=near, labelling=labelling, unlike=unlike),
                self._given(partial(self._judge.judge, leaning, None, options.abstain)),
            )
        labels = leaning.shortlist if leaning else sorted(self.derived.outputs)
        prompting, question, examples = self._put(asked, labels)
        return (
            Shown(
                "judged",
                examples,
                nearest=near,
                labelling=labelling,
                unlike=unlike,
                prompt=question.prompt,
                select=asked.select,
                model=prompting.name,
                count=question.prefixes.count,
            ),
            self._given(
                partial(self._judge.judge, leaning, question, options.abstain)
                if leaning
                else partial(model_alone, question),
                question,
            ),
        )

    def _asks_model(self, leaning: Leaning, options: Options) -> bool:
        """Tell whether the model is to be asked beside the prior."""
        if options.ask_model == AUTO:
            return self._judge.model_matters(leaning)
        return options.ask_model == "always"

    def _written(self, asked: Asked, labelling: Labelling) -> tuple[Shown, Generator[str, None, bool]]:
        """Let the model write.

        Raises:
            InputError: the model must not be asked, or the answer is to be a sure one.
        """
        if asked.options.ask_model == "never":
            raise InputError(
                f"the answer is not known, and only the model can write one ({labelling.why})",
                "let it be asked",
            )
        if asked.options.abstain is not None:
            raise InputError(
                f"how sure a written answer is cannot be told ({labelling.why})",
                "ask without abstaining, or with labels on",
            )
        unlike = self._behind.unlike(asked.vector)
        prompting, question, examples = self._put(asked, ())
        return (
            Shown(
                "written",
                examples,
                labelling=labelling,
                unlike=unlike,
                prompt=question.prompt,
                select=asked.select,
                model=prompting.name,
                count=question.prefixes.count,
            ),
            self._generated(asked, question),
        )

    def _put(self, asked: Asked, labels: Sequence[str]) -> tuple[Prompting, Question, tuple[Held, ...]]:
        """Return a question as it is put to the model, with the examples in its prompt; loads the model."""
        prompting = self._prompting()
        chosen = self._behind.choose(asked.select, asked.options.shots, asked.vector)
        examples = self._behind.read(chosen, asked.vector)
        prompt = prompting.fit(asked.text, chosen, examples, labels, asked.options)
        question = Question(prompt, labels, prompting.prefixes(asked.select, asked.options), asked.cancel)
        return prompting, question, examples[len(prompt.dropped) :]

    def _prompting(self) -> Prompting:
        """Return the model beside this snapshot; loads it the first time."""
        from edge_icl.answer.prompting import Prompting

        name, model = self._load()
        with self._lock:
            if self._made is None:
                self._made = Prompting(self._store, self.derived.snapshot, model, name)
            return self._made

    def _given(
        self, judge: Callable[[], Judgement], question: Question | None = None
    ) -> Generator[Judgement, None, bool]:
        """Give what is thought of the labels, unless the question is cancelled first."""
        try:
            judgement = judge()
        except AskCancelledError:
            return False
        self._refuse_changed(question)
        yield judgement
        return True

    def _generated(self, asked: Asked, question: Question) -> Generator[str, None, bool]:
        """Give the answer as the model writes it; return whether it came to its own end."""
        from edge_icl.llm.generate import Limits, generate

        prefixes, prompt = question.prefixes, question.prompt
        return (
            yield from generate(
                prefixes,
                prefixes.tokens(prompt.prefix, start=True),
                prefixes.tokens(prompt.question),
                Limits(
                    stop=prompt.stop if asked.grammar is None else prompt.form.close,
                    lead=prompt.form.lead,
                    grammar=asked.grammar,
                    max_tokens=asked.options.max_tokens,
                ),
                cancel=asked.cancel,
                check=partial(self._refuse_changed, question),
            )
        )

    def _refuse_changed(self, question: Question | None) -> None:
        """Raise if the store is no longer in the state that is asked, by this process or another.

        Raises:
            ExamplesChangedError: it is not; the model's memory of that state is gone.
        """
        if not self._store.is_current(self.derived.snapshot):
            if question is not None:
                question.prefixes.clear()
            raise ExamplesChangedError("the examples have changed since this answer began", "ask again")
