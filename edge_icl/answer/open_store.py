"""An open store: what is on disk, the models that it uses, and what threads do in it until it is closed."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, TypeVar

from edge_icl.answer.snapshot_cache import SnapshotCache
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.answer.engines import Engines
    from edge_icl.encode.tokens import Reading
    from edge_icl.runtime.lifetime import Lifetime
    from edge_icl.store.disk import Store
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.pages import Row
    from edge_icl.store.reading import StoreReader
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change

    Choice = Callable[[Snapshot], tuple[Iterable[Row], Sequence[bytes]]]
    """From the snapshot under the lock to the rows to add and the ids to remove."""

T = TypeVar("T")


class OpenReader:
    """A store with its models, from opening to closing, to be read. Safe to use from several threads.

    Args:
        store: the store on disk.
        engines: the encoder and the model, loaded when they are first needed.
        lifetime: who is at work in it.

    Attributes:
        cache: what is kept of the present snapshot.
    """

    def __init__(self, store: StoreReader, engines: Engines, lifetime: Lifetime) -> None:
        self.store = store
        self.engines = engines
        self.lifetime = lifetime
        self.cache = SnapshotCache(store, engines)

    def described(self) -> str:
        """Return in words where the store is, how many examples it holds and how it is; never raises.

        Debuggers and logs ask for it, so it shows no text of an example, and wipes nothing as reading does.
        """
        words = [str(self.lifetime.path)]
        if self.lifetime.closed:
            words.append("closed")
        else:
            with suppress(Exception):
                count = self.store.snapshot().manifest.count
                words.append(f"{count:,} {'example' if count == 1 else 'examples'}")
        if self.store.key is not None:
            words.append("encrypted")
        return ", ".join(words)

    def close(self) -> None:
        """End what other threads do here, and give models and memory back.

        Raises:
            StoreBusyError: called from a progress callback of this store.
        """
        self.lifetime.close()
        self.cache.drop()
        self.engines.close()
        self.store.forget_key()

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot) for the store as it is now."""
        with self.lifetime.at_work():
            return self.store.read(work)

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.int8]:
        """Return the vectors i8[n, d] of texts; loads the encoder.

        Raises:
            ModelMissingError: the encoder is not on this machine.
        """
        with self.lifetime.at_work():
            return self.engines.encoder().encode(texts, progress=self.lifetime.heeded_by(progress))

    def readings(self, texts: Sequence[str], progress: Progress = silent) -> list[Reading]:
        """Return how much of texts the encoder reads; loads it.

        Raises:
            ModelMissingError: the encoder is not on this machine.
        """
        with self.lifetime.at_work():
            return self.engines.encoder().readings(texts, progress=self.lifetime.heeded_by(progress))


class OpenStore(OpenReader):
    """The same, to be changed too.

    Args:
        store: the store on disk.
        engines: see `OpenReader`.
        lifetime: see `OpenReader`.
        timeout: seconds to wait for another writer.
    """

    store: Store

    def __init__(self, store: Store, engines: Engines, lifetime: Lifetime, *, timeout: float) -> None:
        super().__init__(store, engines, lifetime)
        self.timeout = timeout

    def commit(self, choose: Choice, *, labels: LabelsSetting | None = None) -> Change:
        """Add and remove what `choose` says of the snapshot under the lock, and drop what was kept of it.

        Args:
            choose: says it.
            labels: whether the outputs are labels from now on; None for what the store says already.

        Raises:
            StoreBusyError: another writer held the lock for longer than the timeout.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.store.spool import spooled
        from edge_icl.store.writer import writing

        with self.lifetime.at_work(), ExitStack() as spool:
            with writing(self.store, timeout=self.timeout) as writer:
                rows, removed = choose(writer.snapshot)
                added = spool.enter_context(spooled(rows, self.store.path))
                change = writer.commit(added=added, removed=removed, labels=labels)
            self.cache.move_on(change)
        return change
