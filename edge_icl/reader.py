"""An open store, as far as nothing of it changes: reading, searching and asking. `Memory` adds the changes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from edge_icl.access.verification import verify
from edge_icl.answer.options import Options
from edge_icl.answer.snapshot_cache import SnapshotCache
from edge_icl.encode.vector import Vector
from edge_icl.errors import ExamplesChangedError
from edge_icl.example import normalise
from edge_icl.results import Answer, Held, Verification
from edge_icl.runtime.cancel import Cancel
from edge_icl.runtime.progress import Progress, silent
from edge_icl.search.finding import alike, fitting, held, nearest, select
from edge_icl.store.keys import no_passphrase
from edge_icl.store.recovery import Unfinished, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.answer.engines import Engines
    from edge_icl.answer.reply import Reply
    from edge_icl.runtime.lifetime import Lifetime
    from edge_icl.store.disk import Store
    from edge_icl.store.pages import Page
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot

T = TypeVar("T")

DEFAULT_OPTIONS = Options()

ATTEMPTS, PATIENCE = 5, 60.0
"""So often, and for so many seconds, a question is asked anew whose examples change before it is answered."""

NEARLY_THE_SAME = 0.9
"""Similarity from which two inputs count as nearly the same."""


class Reader:
    """An open store that is read and asked; see `Memory`, which is what programs open."""

    def __init__(self, store: Store, engines: Engines, lifetime: Lifetime, *, timeout: float) -> None:
        self._store = store
        self._engines = engines
        self._timeout = timeout
        self._lifetime = lifetime
        self._now = SnapshotCache(store, engines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what other threads do here and give models and memory back; nothing runs when it returns.

        Questions that are being answered raise StoreClosedError within a token, as does what takes long:
        loading, embedding, checking. A change that is being written is finished. Calling it again does nothing.

        Raises:
            StoreBusyError: called from a progress callback of this store.
        """
        self._lifetime.close()
        self._now.drop()
        self._engines.close()
        self._store.forget_key()

    @property
    def path(self) -> Path:
        """The store's directory."""
        return self._store.path

    @property
    def settings(self) -> Settings:
        """What the store was made with."""
        return self._store.settings

    @property
    def encrypted(self) -> bool:
        """Whether the files of the store are sealed."""
        return self._store.key is not None

    @property
    def root(self) -> str:
        """One string that names the whole content of the store: equal roots mean equal stores."""
        return self._read(lambda snapshot: snapshot.root)

    def __len__(self) -> int:
        return self._read(lambda snapshot: snapshot.manifest.count)

    @property
    def wiped(self) -> int:
        """How many files were wiped on opening the store, since a change that was cut off had left them."""
        return self._store.wiped

    def unfinished(self) -> Unfinished | None:
        """Return what a change left that was cut off and cannot be wiped now, and why; None if nothing is."""
        with self._lifetime.at_work():
            return unfinished(self._store)

    def load(self) -> None:
        """Load the encoder and the LLM now, rather than with the first text and the first question.

        Raises:
            ModelMissingError: one of them is not on this machine.
            ModelFileError: a model's file is not usable.
        """
        with self._lifetime.at_work():
            self._engines.encoder()
            self._engines.model()

    def ask(self, question: str, options: Options = DEFAULT_OPTIONS, *, cancel: Cancel | None = None) -> Answer:
        """Answer a question from the examples.

        Args:
            question: an input like those of the examples.
            options: how.
            cancel: set it from any thread, and the model stops within a token.

        Raises:
            AskCancelledError: it was set before the answer was complete.
            StoreClosedError: the store was closed before the answer was complete.
            InputError: the question is empty or too long, or an option makes no sense.
            ModelMissingError: the encoder or the LLM is not on this machine.
            ModelFileError: a model's file is not usable.
            ExamplesChangedError: the examples changed each time before the answer was complete, for a minute.
        """
        until, attempts = time.monotonic() + PATIENCE, 0
        while True:
            try:
                return self._ask(question, options, cancel)
            except ExamplesChangedError:
                attempts += 1
                if attempts >= ATTEMPTS and time.monotonic() > until:
                    raise

    def _ask(self, question: str, options: Options, cancel: Cancel | None) -> Answer:
        """Answer a question from the examples of this moment."""
        reply = self.stream(question, options, cancel=cancel)
        for _ in reply:
            pass
        answer = reply.answer
        if cancel is not None and not answer.complete:
            cancel.check()
        return answer

    def stream(
        self, question: str, options: Options = DEFAULT_OPTIONS, *, cancel: Cancel | None = None
    ) -> Reply:
        """Answer a question piece by piece, as `ask` does.

        Args:
            question: see `ask`.
            options: see `ask`.
            cancel: set it from any thread, and the answer ends before its next token.

        Returns:
            An iterator over pieces of text. Closing it stops the model; its `answer` is the answer so far. It
            raises StoreClosedError if the store is closed meanwhile, ExamplesChangedError if it is changed.

        Raises:
            AskCancelledError: it was set before the model had been asked.
        """
        own = Cancel(cancel)
        question = normalise(question, "question")
        begun = time.perf_counter()
        (vector,) = self._embed([question])
        embedded = time.perf_counter() - begun
        own.check()
        return self._read(
            lambda now: self._now.asker(now).ask(
                question, vector, options, cancel=own, lifetime=self._lifetime, embedded=embedded
            )
        )

    def search(self, text: str, *, limit: int = 10) -> list[Held]:
        """Return the examples whose inputs are nearest to a text, the nearest first.

        Raises:
            InputError: the text is empty or no valid text.
            ModelMissingError: the encoder is not on this machine.
        """
        (vector,) = self._embed([normalise(text, "text")])
        return self._read(lambda now: nearest(now, self._now.view(now).points, vector, limit))

    def find(
        self,
        *,
        match: str | None = None,
        source: str | None = None,
        tag: str | None = None,
        like: str | None = None,
        min_similarity: float = NEARLY_THE_SAME,
    ) -> list[Held]:
        """Return the examples that fit everything that is given, in the order of their ids.

        Args:
            match: text that the input or the output holds, as a person reads them.
            source: where they came from.
            tag: a tag that they have.
            like: a text that their inputs are similar to.
            min_similarity: how similar, from -1 to 1.

        Raises:
            InputError: one of the texts is no valid text.
        """
        if like is None:
            return self._read(lambda now: select(now, match=match, source=source, tag=tag))
        near = self._alike(self._embed([normalise(like, "text")]), min_similarity)
        return list(fitting(near, match=match, source=source, tag=tag))

    def examples(self) -> Iterator[Held]:
        """Return all examples, in the order of their ids.

        They are those of this moment, whatever changes meanwhile. Their ids and texts are in memory until the
        iterator is gone; as objects, which take four times as much, only those that the caller keeps.
        """
        pages = self._read(lambda now: now.visit(_without_vectors))
        return (Held(key.hex(), example) for page in pages for key, example in page.examples())

    def export(self) -> Iterator[tuple[Held, Vector]]:
        """Return all examples with their vectors, in the order of their ids.

        They are those of this moment, whatever changes meanwhile. The store's pages stay in memory: the
        vectors and texts, and little else.
        """
        pages = self._read(lambda now: now.load())
        encoder = self.settings.encoder_digest
        return (
            (Held(key.hex(), example), Vector(encoder, vector.tobytes()))
            for page in pages
            for (key, example), vector in zip(page.examples(), page.vectors, strict=True)
        )

    def ids(self) -> list[str]:
        """Return the ids of all examples, sorted. No text is read, so it does not matter if one is damaged."""
        return self._read(lambda now: [key.hex() for key in now.ids()])

    def get(self, id: str) -> Held:
        """Return the example whose id begins so.

        Raises:
            ExampleNotFoundError: no id does.
            AmbiguousIdError: several do.
        """
        return self._read(lambda now: held(now, now.resolve(id)))

    def short(self, id: str) -> str:
        """Return the shortest prefix, 8 hex digits at least, that no other example's id has."""
        return self._read(lambda now: now.short(now.resolve(id)))

    def verify(
        self, *, deep: bool = False, receipt: Mapping[str, Any] | None = None, progress: Progress = silent
    ) -> Verification:
        """Check every byte of the store against its manifest.

        Args:
            deep: also make the store anew from its examples and vectors, and compare every byte.
            receipt: a receipt of `forget`, as JSON: are its examples gone, is the store still the one it names?
            progress: told about each page.

        Raises:
            InputError: this is no receipt.
        """
        key = self._store.key
        with self._lifetime.at_work():
            return verify(
                self.path,
                deep=deep,
                receipt=receipt,
                progress=self._lifetime.heeded_by(progress),
                timeout=self._timeout,
                unlock=no_passphrase if key is None else lambda _: key.data,
            )

    def _read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot) for the state as of now."""
        with self._lifetime.at_work():
            return self._store.read(work)

    def _alike(self, vectors: NDArray[np.int8], threshold: float) -> list[Held]:
        """Return the examples with a similarity to one of the vectors i8[m, d] from the threshold on."""
        return self._read(lambda now: alike(now, vectors, threshold))

    def _embed(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.int8]:
        """Return the vectors i8[n, d] of texts."""
        with self._lifetime.at_work():
            return self._engines.encoder().encode(texts, progress=self._lifetime.heeded_by(progress))


def _without_vectors(page: Page) -> Page:
    """Return a page that does not keep the bytes of its file in memory."""
    return replace(page, ids=page.ids.copy(), vectors=page.vectors[:, :0].copy())
