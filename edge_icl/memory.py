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
from typing import TYPE_CHECKING, Self

import numpy as np

from edge_icl.access.opening import make
from edge_icl.access.passphrases import change_passphrase, means_encrypted, refuse_plain, unlocking
from edge_icl.access.paths import DEFAULT_STORE, locate
from edge_icl.answer.engines import Engines
from edge_icl.encode.vector import Vector, usable
from edge_icl.errors import (
    EdgeIclError,
    InputError,
    StoreChangedError,
    StoreEncoderError,
    StoreExistsError,
    StoreNotFoundError,
)
from edge_icl.example import Example, checked
from edge_icl.reader import Reader
from edge_icl.results import RECEIPT, Added, Held, Receipt, Replaced
from edge_icl.runtime.lifetime import Lifetime
from edge_icl.runtime.progress import Progress, silent
from edge_icl.store import settings
from edge_icl.store.disk import Store
from edge_icl.store.keys import STRETCH
from edge_icl.store.pages import Row
from edge_icl.store.settings import DEFAULT_SHOTS
from edge_icl.store.writer import DEFAULT_TIMEOUT, writing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.store.keys import Stretch
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change


class Memory(Reader):
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
        if means_encrypted(passphrase):
            refuse_plain(path)
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
            InputError: an example is none or too long for the model, or a vector cannot be one of this store.
            ValueError: there are not as many vectors as examples.
            ModelMissingError: the encoder is not on this machine.
            StoreAccessError: the operating system refused; nothing was added.
        """
        keyed = [(example.id(self.settings.seed), example) for example in checked(examples)]
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
        left, why = (None, None) if similar is None else self._left(np.stack(vectors), similar)
        return Receipt(
            ids=tuple(key.hex() for key in keys),
            root_before=change.root_before,
            root_after=change.root_after,
            refit=change.refit,
            seconds=seconds,
            similar=left,
            similar_error=why,
            store=self.settings.digest(RECEIPT),
        )

    @property
    def commits(self) -> int:
        """How many changes were made through this handle, the making of the store included."""
        return self._store.commits

    def _left(
        self, vectors: NDArray[np.int8], similar: float
    ) -> tuple[tuple[Held, ...], None] | tuple[None, str]:
        """Return the examples that are left and alike, or why nobody can tell: the others are forgotten."""
        try:
            return tuple(self._alike(vectors, similar)), None
        except (EdgeIclError, OSError, MemoryError) as error:
            return None, str(error) or "there is not enough memory"

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
            store=self.settings.digest(RECEIPT),
        )

    def change_passphrase(self, passphrase: Passphrase) -> None:
        """Give an encrypted store another passphrase; the old one does not open it any more.

        Only the file `key` changes. Whoever kept the old one and knows its passphrase can still open the store.

        Raises:
            PassphraseError: the store is not encrypted, or the operating system's keyring refuses.
            NotInstalledError: the package keyring is asked for and not installed.
            InputError: the passphrase is empty or no valid text.
            StoreChangedError: another process gave it another passphrase since it was opened, or put another
                store in its place; nothing was changed.
            StoreAccessError: the operating system refused.
        """
        with self._lifetime.at_work():
            change_passphrase(self._store, passphrase, timeout=self._timeout)

    def _commit(self, choose: Callable[[Snapshot], tuple[Sequence[Row], Sequence[bytes]]]) -> Change:
        """Add and remove what `choose` says of the state under the lock, and drop what was kept of it."""
        with self._lifetime.at_work():
            with writing(self._store, timeout=self._timeout) as writer:
                added, removed = choose(writer.snapshot)
                change = writer.commit(added=added, removed=removed)
            self._now.move_on(change)
        return change
