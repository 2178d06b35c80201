"""Memory: a store, its encoder and an LLM behind one object; the only module that knows all the others.

    with edge_icl.Memory.open("work") as memory:
        memory.add("Uber to the airport", "travel")
        answer = memory.ask("Taxi downtown")
        receipt = memory.forget(answer.examples[0].id)
        assert memory.verify(deep=True).ok

Opening reads two small files. The encoder loads with the first text that must be embedded and the LLM with the
first question, so forgetting by id, listing and verifying never load either. Every call sees the store as it
is at that moment, also after another process has changed it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from edge_icl.cancel import Cancel
from edge_icl.engines import Engines
from edge_icl.errors import (
    ExamplesChangedError,
    InputError,
    StoreChangedError,
    StoreEncoderError,
    StoreExistsError,
    StoreNotFoundError,
)
from edge_icl.example import Example, normalise
from edge_icl.lifetime import Lifetime
from edge_icl.now import Now
from edge_icl.opening import DEFAULT_STORE, locate, make
from edge_icl.options import Options
from edge_icl.progress import Progress, silent
from edge_icl.records import Added, Answer, Held, Receipt, Replaced, Verification
from edge_icl.searching import alike, fitting, held, nearest
from edge_icl.store import settings
from edge_icl.store.disk import Store
from edge_icl.store.keys import STRETCH, no_passphrase
from edge_icl.store.pages import Row
from edge_icl.store.settings import DEFAULT_SHOTS, Settings
from edge_icl.store.writer import DEFAULT_TIMEOUT, writing
from edge_icl.unlocking import change_passphrase, refuse_plain, unlocking
from edge_icl.vector import Vector, usable
from edge_icl.verification import verify

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_icl.reply import Reply
    from edge_icl.store.keys import Stretch
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change
    from edge_icl.unlocking import Passphrase

T = TypeVar("T")

DEFAULT_OPTIONS = Options()

ATTEMPTS = 5
"""How often a question is asked whose examples change while the answer is written."""

NEARLY_THE_SAME = 0.9
"""Similarity from which two inputs count as nearly the same."""


class Memory:
    """An open store. Make one with `open` or `create`; close it, or use it in a `with` statement.

        >>> memory = Memory.open("work")
        >>> memory.add("Uber to the airport", "travel").added
        1
        >>> memory.add_many([Example.create("Lunch with a client", "meals")]).added
        1
        >>> memory.ask("Taxi downtown", Options(labels="on")).text
        'travel'
        >>> [held.input for held in memory.search("dinner", limit=1)]
        ['Lunch with a client']
        >>> receipt = memory.forget(*[held.id for held in memory.find(match="lunch")])
        >>> memory.verify(deep=True).ok, len(memory)
        (True, 1)
        >>> memory.close()

    Safe to call from several threads; starts no thread that outlives the call. Stores that are open in one
    process share models: a model evaluates for one question at a time, and answers take turns at every token.
    """

    def __init__(self, store: Store, engines: Engines, lifetime: Lifetime, *, timeout: float) -> None:
        self._store = store
        self._engines = engines
        self._timeout = timeout
        self._lifetime = lifetime
        self._now = Now(store, engines)

    @classmethod
    def open(  # noqa: PLR0913 - all by name, each with a default
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        create: bool = True,
        encoder: str | None = None,
        model: str | None = None,
        gpu_layers: int | None = None,
        threads: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        passphrase: Passphrase | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Open a store.

        Args:
            store: its name, or a path (anything with a separator).
            create: make it, with default settings, if nothing is there.
            encoder: the encoder that it must have been made with; None for whichever it was.
            model: name of an LLM, or path of a GGUF file; None for the default.
            gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for one.
            threads: processor threads; None is one for each core that this process may use.
            timeout: seconds to wait for another writer.
            passphrase: of an encrypted store; if it must be made, it is encrypted. What is called for one is
                called only if it is needed.
            progress: told about models that are loaded, in bytes, from the thread that first needs them; what
                it raises ends the loading and the call.

        Raises:
            PassphraseError: it is encrypted and this is not its passphrase, or it is not and this is one.
            NotInstalledError: it is encrypted, and a package for that is not installed.
            StoreNotFoundError: nothing is there, and `create` is false.
            NotAStoreError: something else is there.
            StoreExposedError: somebody else owns it or may write to it.
            StoreFormatError: a newer edge-icl made it.
            StoreEncoderError: it was made with another encoder.
            StoreDamagedError: its settings or its manifest are damaged.
            ModelMissingError: it must be made, and the encoder is not on this machine.
        """
        path = locate(store)
        refuse_plain(path, passphrase)
        try:
            opened = Store.open(path, unlock=unlocking(passphrase))
        except StoreNotFoundError:
            if not create:
                raise
            opened = make(path, encoder=encoder, passphrase=passphrase)
        settings = opened.settings
        if encoder is not None and encoder != settings.encoder:
            raise StoreEncoderError(
                f"the store {path} was made with encoder {settings.encoder}, not {encoder}",
                "leave the encoder out, or make a new store",
            )
        lifetime = Lifetime(path)
        engines = Engines(
            settings,
            model=model,
            gpu_layers=gpu_layers,
            threads=threads,
            progress=lifetime.heeded_by(progress),
        )
        return cls(opened, engines, lifetime, timeout=timeout)

    @classmethod
    def create(
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        shots: int = DEFAULT_SHOTS,
        seed: bytes | None = None,
        encoder: str | None = None,
        task: str | None = None,
        passphrase: Passphrase | None = None,
        stretch: Stretch = STRETCH,
    ) -> Self:
        """Make a new store.

        Args:
            store: its name, or a path.
            shots: how many examples go into a prompt: the number of clusters.
            seed: 32 bytes that every id and digest depends on; for tests and audits. None for random ones.
            encoder: name of the encoder; None for the default.
            task: what is asked of the model, in words, such as "Classify the expense"; None for nothing.
            passphrase: encrypts the store; None for a plain one. With a seed, the data key follows from both.
            stretch: what trying a passphrase costs; less than the default is for tests and audits.

        Raises:
            NotInstalledError: it is to be encrypted, and a package for that is not installed.
            PassphraseError: the operating system's keyring refuses.
            StoreExistsError: a store is there already.
            NotAStoreError: something else is there.
            ModelMissingError: the encoder is not on this machine.
            InputError: the shots, the seed, the task or the passphrase make no sense.
        """
        path = locate(store)
        if (path / settings.NAME).exists():
            raise StoreExistsError(f"there is a store at {path} already", "use it, or choose another name")
        opened = make(
            path, encoder=encoder, shots=shots, seed=seed, task=task, passphrase=passphrase, stretch=stretch
        )
        return cls(
            opened,
            Engines(opened.settings, model=None, gpu_layers=None, threads=None),
            Lifetime(path),
            timeout=DEFAULT_TIMEOUT,
        )

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

    def add(self, input: str, output: str, *, tags: Iterable[str] = (), source: str | None = None) -> Added:
        """Add one example; adding it again changes nothing.

        Raises:
            InputError: a text is empty, too long for the model, or no valid text.
        """
        return self.add_many([Example.create(input, output, tags=tags, source=source)])

    def add_many(
        self,
        examples: Iterable[Example],
        *,
        vectors: Iterable[Vector | None] | None = None,
        progress: Progress = silent,
    ) -> Added:
        """Add examples in one commit: all of them, or none.

        Args:
            examples: made with `Example.create`.
            vectors: one for each example, as `export` gives them. Those that this store's encoder made are
                taken as they are; what has no other vector is embedded.
            progress: told about each text that is embedded.

        Raises:
            InputError: an example is too long for the model, or a vector cannot be one of this store.
            ValueError: there are not as many vectors as examples.
            ModelMissingError: the encoder is not on this machine.
            StoreAccessError: the operating system refused; nothing was added.
        """
        keyed = [(example.id(self.settings.seed), example) for example in examples]
        wanted = dict(keyed)
        new = self._read(lambda now: {key: e for key, e in wanted.items() if now.locate(key) is None})
        for example in new.values():
            self._engines.lengths.check(example)
        given = {} if vectors is None else usable((key for key, _ in keyed), vectors, self.settings)
        missing = [key for key in new if key not in given]
        if missing:
            made = self._embed([new[key].input for key in missing], progress)
            given |= zip(missing, made, strict=True)
        added: Sequence[Row] = ()
        if new:
            rows = [Row(key, given[key], example.canonical()) for key, example in new.items()]
            added = self._commit(lambda _: (rows, ())).added
        return Added(
            ids=tuple(key.hex() for key, _ in keyed),
            added=len(added),
            duplicates=len(keyed) - len(added),
            carried=len(added) - len(set(missing).intersection(row.id for row in added)),
        )

    def forget(self, *ids: str, similar: float | None = None, root: str | None = None) -> Receipt:
        """Forget examples in one commit: all of them, or none; returns when they are wiped from the disk.

        Args:
            ids: of the examples; a unique prefix of an id will do.
            similar: also look for examples that are left with a similarity from this on; reads every vector.
            root: the store's, when it was decided what to forget; None if changes since then do not matter.

        Raises:
            InputError: no id is given.
            StoreChangedError: the root is another one by now; nothing was forgotten.
            ExampleNotFoundError: no example has one of the ids; nothing was forgotten.
            AmbiguousIdError: several ids begin with one of them; nothing was forgotten.
            StoreAccessError: the operating system refused.
        """
        if not ids:
            raise InputError("there is nothing to forget", "give the ids of examples")
        begun = time.perf_counter()
        keys: list[bytes] = []
        vectors: list[NDArray[np.int8]] = []

        def choose(now: Snapshot) -> tuple[Sequence[Row], Sequence[bytes]]:
            if root is not None and root != now.root:
                raise StoreChangedError(
                    "the store has changed since it was looked at: nothing was forgotten", "look again"
                )
            keys.extend(sorted({now.resolve(prefix) for prefix in ids}))
            vectors.extend(page.vectors[i] for page, i in map(now.row, keys))
            return (), keys

        change = self._commit(choose)
        seconds = time.perf_counter() - begun
        left = None if similar is None else tuple(self._alike(np.stack(vectors), similar))
        return Receipt(
            ids=tuple(key.hex() for key in keys),
            root_before=change.root_before,
            root_after=change.root_after,
            refit=change.refit,
            seconds=seconds,
            similar=left,
        )

    def replace(
        self,
        id: str,
        *,
        input: str | None = None,
        output: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
    ) -> Replaced:
        """Put a corrected example in the place of one, in one commit: the old one is forgotten as by `forget`.

        Fields that are not given stay as they are, and while the input does so does its vector: no model is
        needed then.

        Args:
            id: of the example; a unique prefix of it will do.
            input: the new input.
            output: the new output.
            tags: the new tags, in place of all old ones.
            source: the new source; "" for none.

        Raises:
            InputError: a text is empty, too long for the model, or no valid text.
            ExampleNotFoundError: no example has the id; nothing was changed.
            AmbiguousIdError: several ids begin with it; nothing was changed.
            ModelMissingError: the input is new, and the encoder is not on this machine.
            StoreAccessError: the operating system refused.
        """
        begun = time.perf_counter()
        old = self.get(id)
        new = old.example.changed(input=input, output=output, tags=tags, source=source)
        gone, key = bytes.fromhex(old.id), new.id(self.settings.seed)
        if key != gone:
            self._engines.lengths.check(new)
        vector = None if new.input == old.input else self._embed([new.input])[0]

        def choose(now: Snapshot) -> tuple[Sequence[Row], Sequence[bytes]]:
            page, i = now.row(gone)
            row = Row(key, page.vectors[i] if vector is None else vector, new.canonical())
            return ([row], [gone]) if key != gone else ((), ())

        change = self._commit(choose)
        return Replaced(
            old=old.id,
            new=key.hex(),
            root_before=change.root_before,
            root_after=change.root_after,
            refit=change.refit,
            seconds=time.perf_counter() - begun,
        )

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
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(ExamplesChangedError):
                return self._ask(question, options, cancel)
        return self._ask(question, options, cancel)

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
            match: text that the input or the output holds, upper and lower case alike.
            source: where they came from.
            tag: a tag that they have.
            like: a text that their inputs are similar to.
            min_similarity: how similar, from -1 to 1.

        Raises:
            InputError: one of the texts is no valid text.
        """
        if like is None:
            examples = self.examples()
        else:
            examples = iter(self._alike(self._embed([normalise(like, "text")]), min_similarity))
        return fitting(examples, match=match, source=source, tag=tag)

    def examples(self) -> Iterator[Held]:
        """Return all examples, in the order of their ids."""
        return iter(self._read(lambda now: [Held(key.hex(), example) for key, example in now.examples()]))

    def export(self) -> Iterator[tuple[Held, Vector]]:
        """Return all examples with their vectors, in the order of their ids.

        They are those of this moment, whatever changes meanwhile. The store's pages stay in memory: the
        vectors and texts, and little else.
        """
        pages = self._read(lambda now: list(now.pages()))
        encoder = self.settings.encoder_digest
        return (
            (Held(key.hex(), page.example(i)), Vector(encoder, page.vectors[i].tobytes()))
            for page in pages
            for i, key in enumerate(page.keys())
        )

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

    def change_passphrase(self, passphrase: Passphrase) -> None:
        """Give an encrypted store another passphrase; the old one does not open it any more.

        Only the file `key` changes. Whoever kept the old one and knows its passphrase can still open the store.

        Raises:
            PassphraseError: the store is not encrypted, or the operating system's keyring refuses.
            NotInstalledError: the package keyring is asked for and not installed.
            InputError: the passphrase is empty or no valid text.
            StoreAccessError: the operating system refused.
        """
        with self._lifetime.at_work():
            change_passphrase(self._store, passphrase, timeout=self._timeout)

    def _read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot) for the state as of now."""
        with self._lifetime.at_work():
            return self._store.read(work)

    def _commit(self, choose: Callable[[Snapshot], tuple[Sequence[Row], Sequence[bytes]]]) -> Change:
        """Add and remove what `choose` says of the state under the lock, and drop what was kept of it."""
        with self._lifetime.at_work():
            with writing(self._store, timeout=self._timeout) as writer:
                added, removed = choose(writer.snapshot)
                change = writer.commit(added=added, removed=removed)
            self._now.move_on(change)
        return change

    def _alike(self, vectors: NDArray[np.int8], threshold: float) -> list[Held]:
        """Return the examples with a similarity to one of the vectors i8[m, d] from the threshold on."""
        return self._read(lambda now: alike(now, self._now.view(now).points, vectors, threshold))

    def _embed(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.int8]:
        """Return the vectors i8[n, d] of texts."""
        with self._lifetime.at_work():
            return self._engines.encoder().encode(texts, progress=self._lifetime.heeded_by(progress))
