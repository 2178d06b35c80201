"""One question, from the store's state to an answer: choose examples, make the prompt, run the model.

Where the store's outputs are a small closed set, every one of them is scored and the likeliest is the answer;
otherwise the model writes. Everything here is a function of the state, the question and the options, so the
answer after a forget is the answer of a store that never held the example.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge_icl import prompt as prompts
from edge_icl.errors import InputError
from edge_icl.llm.generate import generate
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import probabilities, score_labels
from edge_icl.records import Answer, Held
from edge_icl.selection import DEFAULT_SELECT, Scene, choose, similarities
from edge_icl.store.cache import PrefixCache

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from edge_icl.cluster.kmeans import Points
    from edge_icl.llm.model import Model
    from edge_icl.prompt import Prompt
    from edge_icl.selection import Chosen
    from edge_icl.store.disk import Store
    from edge_icl.store.snapshot import Snapshot

LabelMode = Literal["auto", "on", "off"]

MOST_LABELS = 256
"""More different outputs than this are no closed set; llama.cpp scores this many in one batch."""

LONGEST_LABEL = 80
"""Characters; a longer output is prose."""

ROOM_FOR_ANSWER = 64
"""Tokens of the context that a prompt leaves free at least."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask.

    Attributes:
        select: a name in `selection.SELECTIONS`.
        shots: how many examples to show; None for the store's own number.
        labels: whether to choose among the store's outputs ("on"), to write ("off"), or to look ("auto").
        max_tokens: most tokens of a written answer.
    """

    select: str = DEFAULT_SELECT
    shots: int | None = None
    labels: LabelMode = "auto"
    max_tokens: int = 256


class View:
    """One state of a store as questions need it: read once, kept until the state changes.

    Args:
        snapshot: the state.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @cached_property
    def points(self) -> Points:
        """All ids and vectors, sorted by id."""
        return self.snapshot.points()

    @cached_property
    def outputs(self) -> Counter[str]:
        """How often each output occurs."""
        return Counter(example.output for _, example in self.snapshot.examples())

    def labels(self, mode: LabelMode) -> list[str]:
        """Return the labels to choose among, sorted; none where the answer is to be written.

        A closed set shows in outputs that come again: with at least a quarter of the examples repeating an
        output that another one has, the next answer is likely to be among them too.

        Raises:
            InputError: labels are wanted and the store has no examples, or too many different outputs.
        """
        if mode == "off":
            return []
        found = self.outputs
        if mode == "on":
            if not 0 < len(found) <= MOST_LABELS:
                raise InputError(
                    f"the store has {len(found)} different outputs and can choose among 1 to {MOST_LABELS}",
                    "ask with --labels off",
                )
            return sorted(found)
        few = len(found) <= MOST_LABELS and 4 * (found.total() - len(found)) >= found.total()
        closed = found and few and max(map(len, found)) <= LONGEST_LABEL
        return sorted(found) if closed else []


class Asker:
    """Asks a model about one state of a store.

    Args:
        store: the store.
        view: the state.
        model: the LLM.
        model_name: what the user calls it.
    """

    def __init__(self, store: Store, view: View, model: Model, model_name: str) -> None:
        self.view = view
        self.model_name = model_name
        # Only the representatives are explained by the state alone, so only their KV states may be on disk.
        self._lasting = Prefixes(model, disk=PrefixCache(store, view.snapshot))
        self._passing = Prefixes(model)

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
        cancel: threading.Event | None = None,
        embedded: float = 0.0,
    ) -> Reply:
        """Prepare an answer; the model runs when its pieces are asked for.

        Args:
            question: normalised.
            vector: i8[d], its vector.
            options: how to ask.
            cancel: set it from any thread, and the answer ends before its next token.
            embedded: seconds that the vector took, for the answer's timings.

        Raises:
            InputError: an option makes no sense, or the question is too long.
        """
        begun = time.perf_counter()
        labels = self.view.labels(options.labels)
        chosen = choose(options.select, self._scene(vector, options))
        shown = self._shown(chosen, vector)
        model = self._lasting.model
        prompt = prompts.fit(
            question,
            prefix=[held.example for held in shown[: len(chosen.prefix)]],
            extra=[held.example for held in shown[len(chosen.prefix) :]],
            budget=model.context - ROOM_FOR_ANSWER,
            count=model.count,
        )
        return Reply(
            prompt=prompt,
            examples=shown[len(prompt.dropped) :],
            labels=labels,
            prefixes=self._lasting if options.select in {"erase", "hybrid"} else self._passing,
            model_name=self.model_name,
            options=options,
            cancel=cancel,
            timings={"embed": embedded, "select": time.perf_counter() - begun},
        )

    def _scene(self, vector: NDArray[np.int8], options: Options) -> Scene:
        """Return what the selection may look at."""
        settings = self.view.snapshot.settings
        return Scene(
            seed=settings.seed,
            points=self.view.points,
            clustering=self.view.snapshot.clustering,
            question=vector,
            shots=settings.shots if options.shots is None else options.shots,
        )

    def _shown(self, chosen: Chosen, vector: NDArray[np.int8]) -> tuple[Held, ...]:
        """Return the chosen examples, each with its similarity to the question."""
        found = []
        for key in (*chosen.prefix, *chosen.extra):
            page, row = self.view.snapshot.row(key)
            similarity = float(similarities(page.vectors[row : row + 1], vector)[0])
            found.append(Held(key.hex(), page.example(row), similarity))
        return tuple(found)


class Reply:
    """An answer in the making: iterate over its pieces, close it to stop the model.

    Attributes:
        prompt: what the model is shown.
        examples: those in the prompt.
    """

    def __init__(
        self,
        *,
        prompt: Prompt,
        examples: tuple[Held, ...],
        labels: list[str],
        prefixes: Prefixes,
        model_name: str,
        options: Options,
        cancel: threading.Event | None,
        timings: dict[str, float],
    ) -> None:
        self.prompt = prompt
        self.examples = examples
        self._labels = labels
        self._prefixes = prefixes
        self._model_name = model_name
        self._options = options
        self._cancel = cancel
        self._timings = timings
        self._text = ""
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
            shares = probabilities(score_labels(self._prefixes, prefix, question, self._labels))
            order = np.argsort(-shares, kind="stable")
            self._probabilities = {self._labels[i]: float(shares[i]) for i in order}
            yield self._labels[order[0]]
            return
        yield from generate(
            self._prefixes,
            prefix,
            question,
            stop=self.prompt.stop,
            max_tokens=self._options.max_tokens,
            cancel=self._cancel,
        )
