"""Prefixes that are evaluated once: their states, in memory and on the disk.

    >>> prefixes = Prefixes(model, disk=store_cache)
    >>> prefix = prefixes.tokens(prompt.prefix, start=True)
    >>> with prefixes.asked(prefix, prefixes.tokens(prompt.question)) as logits:
    ...     best = int(logits.argmax())

A cached answer must be the answer that would have been computed. llama.cpp's logits change when the tokens
before a question were evaluated in other calls (its issue 28368), so a prefix is always evaluated in calls of
its own, cut every BATCH tokens from its first, whether or not its state is kept.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import InputError
from edge_icl.llm.label import label_tokens
from edge_icl.llm.states import States
from edge_icl.prompt.prompt import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.llm.label import Tokens
    from edge_icl.llm.model import Model
    from edge_icl.llm.states import StateCache
    from edge_icl.llm.window import Owner, Window
    from edge_icl.prompt.prompt import PromptFormat
    from edge_icl.runtime.cancel import Cancel

MEMORY_BYTES = 128 << 20
"""Most bytes of states kept in memory: six prefixes of 900 tokens with the default model."""

WORTH_KEEPING = 32
"""Shorter prefixes are evaluated again: it takes no longer than reading their state."""

TEXTS, LABELS = 4, 256
"""How many texts' tokens are kept, and how many labels': those of a prefix are needed twice a question and take
a millisecond, those of a label twice for every question that it is put to."""

_THEN = " "
"""Stands between the names of a prefix and of a stem after it."""


class Prefixes:
    """The prefixes of one store, on one model.

    Args:
        model: the model that evaluates them.
        disk: where states outlive the process, if anywhere.
        memory: most bytes of states in memory.

    Attributes:
        model, disk: see above.
    """

    def __init__(self, model: Model, *, disk: StateCache | None = None, memory: int = MEMORY_BYTES) -> None:
        self.model = model
        self.disk = disk
        self._tokens = lru_cache(TEXTS)(model.tokenize)
        self._labels = lru_cache(LABELS)(partial(label_tokens, model.vocabulary))
        self._states = States(memory=memory, disk=disk)

    def tokens(self, text: str, *, start: bool = False) -> list[int]:
        """Return the tokens of a prefix or a question, as `Model.tokenize` does."""
        return [*(self.model.vocabulary.start if start else ()), *self._tokens(text)]

    def label(self, label: str, form: PromptFormat = PLAIN) -> Tokens:
        """Return the tokens of a label as an answer, as `label_tokens` does."""
        return self._labels(label, form)

    def count(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self._tokens(text))

    @contextmanager
    def asked(
        self,
        prefix: Sequence[int],
        question: Sequence[int],
        *,
        owner: Owner | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """Hold the model's lock with prefix and question evaluated; give the logits of the first token after.

        Args:
            prefix: tokens that other questions share.
            question: tokens of this question, at least one.
            owner: who comes back after the `with` block for what is in the window then; see `Window.enter`.
            cancel: set it from any thread, and the evaluation stops.

        Raises:
            AskCancelledError: it was set.
            InputError: they leave no room for an answer.
            ModelError: llama.cpp fails.
        """
        with self.before(prefix, question, owner=owner, cancel=cancel) as window:
            yield window.append(question)

    @contextmanager
    def before(
        self,
        prefix: Sequence[int],
        question: Sequence[int],
        *,
        stem: Sequence[int] = (),
        owner: Owner | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Window]:
        """Hold the model's lock with the prefix evaluated and the question not yet; otherwise as `asked`.

        Args:
            prefix: see `asked`.
            question: see `asked`.
            stem: tokens between them, evaluated too; their state is kept, but in memory only.
            owner: see `asked`.
            cancel: see `asked`.
        """
        model = self.model
        length = len(prefix) + len(stem) + len(question)
        if length >= model.context:
            raise InputError(
                f"the prompt has {length} tokens and the model has room for {model.context - 1}",
                "use fewer examples or a shorter question",
            )
        with model.evaluating(cancel) as window:
            window.enter(owner)
            if stem:
                self._place_stem(prefix, stem)
            else:
                self._place(prefix)
            yield window

    def clear(self) -> None:
        """Drop every state and text in memory and zero the window. What is on the disk is the store's to wipe.

        Answers of other stores that share the model go on.
        """
        with self.model.lock:
            self._states.clear()
            self._tokens.cache_clear()
            self._labels.cache_clear()
            self.model.window.purge(self)

    def state_name(self, prefix: Sequence[int]) -> str:
        """Return the name of a prefix's state: equal names mean equal bytes."""
        digest = hashlib.blake2b(self._fingerprint, digest_size=32)
        digest.update(np.asarray(prefix, dtype="<i4").tobytes())
        return digest.hexdigest()

    @cached_property
    def _fingerprint(self) -> bytes:
        """The model's, for which llama.cpp is asked much."""
        return self.model.fingerprint()

    def _place(self, prefix: Sequence[int]) -> None:
        """Leave exactly the prefix in the window: what is there, or a kept state, or an evaluation."""
        window = self.model.window
        name = self.state_name(prefix)
        # Another store's prefix may be the same: using it would leave this store's own cache without its state.
        if window.holder is self and name == window.held.partition(_THEN)[0]:  # perhaps with a stem after it
            window.held = name
            window.cut(len(prefix))
        else:
            window.empty()
        if window.held != name:
            if not (len(prefix) >= WORTH_KEEPING and self._restored(name, len(prefix))):
                self._evaluate(name, prefix)
            window.held, window.holder = name, self

    def _place_stem(self, prefix: Sequence[int], stem: Sequence[int]) -> None:
        """Leave exactly prefix and stem in the window, the stem evaluated in calls of its own."""
        window = self.model.window
        name = f"{self.state_name(prefix)}{_THEN}{self.state_name(stem)}"
        state = self._states.get(name, lasting=False)
        length = len(prefix) + len(stem)
        if window.held == name and window.holder is self:
            window.cut(length)
            return
        if state is not None:
            window.empty()
        if state is None or not (window.restore(state) and window.length() == length):
            self._place(prefix)
            window.append(stem)
            state = window.save()
        self._states.put(name, state, lasting=False)
        window.held, window.holder = name, self

    def _restored(self, name: str, length: int) -> bool:
        """Put a kept state into the empty window, if there is one that llama.cpp takes."""
        window = self.model.window
        state = self._states.get(name)
        if state is None:
            return False
        if window.fits(state, length) and window.restore(state) and window.length() == length:
            self._states.use(name, state)
            return True
        window.empty()
        return False

    def _evaluate(self, name: str, prefix: Sequence[int]) -> None:
        """Evaluate a prefix in the empty window and keep its state."""
        if not prefix:
            return
        self.model.window.append(prefix)
        if len(prefix) >= WORTH_KEEPING:
            self._states.put(name, self.model.window.save())
