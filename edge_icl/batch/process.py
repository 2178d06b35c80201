"""What this process has loaded of stores, once, however many labelers and copies of them there are.

Engines give every task an unpickled copy of a labeler, and drop it after the task: what is loaded must outlive
the copies. So it is kept here by what it was loaded from, until `close`.
"""

from __future__ import annotations

import pickle
import platform
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edge_icl.access.opening import place_of, refuse_other
from edge_icl.access.passphrases import means_encrypted, refuse_plain, unlocking
from edge_icl.answer.engines import Engines
from edge_icl.answer.open_store import OpenReader
from edge_icl.batch.machine import Machine, measured
from edge_icl.errors import InputError, StoreChangedError, StoreDamagedError, StoreError, StoreNotFoundError
from edge_icl.runtime import fork
from edge_icl.runtime.lifetime import Lifetime
from edge_icl.store import presence
from edge_icl.store.reading import StoreReader

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.options import Options
    from edge_icl.llm.engine_options import EngineOptions
    from edge_icl.store.snapshot import Snapshot

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """What a process loads from.

    Attributes:
        path: the store's directory, absolute.
        encoder: name or path of the encoder that the store must have; None for whichever it has.
        model: name or path of the model; None for the default.
        options: how the models are run.
        passphrase: of an encrypted store.
    """

    path: Path
    encoder: str | None
    model: str | None
    options: EngineOptions
    passphrase: Passphrase | None = field(repr=False)

    def name(self) -> Hashable:
        """Return what is equal for sources that load the same."""
        secret: Hashable = self.passphrase
        if callable(secret):
            secret = self._pickled() or id(secret)  # a copy of a function may be another object
        return (self.path, self.encoder, self.model, self.options, secret)

    def refuse_private(self) -> None:
        """Refuse to be given to other processes with a function that these do not find.

        Raises:
            InputError: the passphrase is one.
        """
        if callable(self.passphrase) and self._pickled() is None:
            raise InputError(
                "the passphrase is a function that other processes do not find",
                "give a function at the top level of a module, the passphrase itself, or Keyring()",
            )

    def _pickled(self) -> bytes | None:
        """Return the passphrase, a function, as bytes; None where that cannot be."""
        try:
            return pickle.dumps(self.passphrase)
        except (pickle.PicklingError, AttributeError, TypeError):
            return None


class Pinned(OpenReader):
    """What is loaded of a store, in one state of it: another is refused whenever it is read."""

    def __init__(self, opened: OpenReader, root: str) -> None:
        super().__init__(opened.store, opened.engines, opened.lifetime)
        self.cache = opened.cache
        self._root = root

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot) for the state that is pinned.

        Raises:
            StoreChangedError: the store is in another state.
            StoreNotFoundError: it is not there any more.
        """

        def pinned(snapshot: Snapshot) -> T:
            if snapshot.root != self._root:
                raise StoreChangedError(
                    f"the store {self.store.path} has changed: its root is {snapshot.root}, and the rows are "
                    f"labelled from {self._root}",
                    "label all rows again from the store as it is, with a new Labeler; or from a copy of the "
                    "store as it was",
                )
            return work(snapshot)

        try:
            return super().read(pinned)
        except StoreDamagedError:
            _require(self.store.path)
            raise


class Loaded:
    """What a process has loaded of a store.

    Attributes:
        opened: the store and its models.
    """

    def __init__(self, opened: OpenReader) -> None:
        self.opened = opened
        self._store = opened.store.snapshot().manifest.settings
        self._machines: dict[bool, Machine] = {}
        self.renew()
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock, in a forked process; the machine is the same."""
        self._lock = threading.Lock()

    def root(self) -> str:
        """Return the root of the store as it is now."""
        return self.opened.read(lambda snapshot: snapshot.root)

    def machine(self, options: Options) -> Machine:
        """Return what this process computes; computed once."""
        asks = options.ask_model != "never"
        with self._lock:
            if asks not in self._machines:
                self._machines[asks] = measured(self.opened, options)
            return self._machines[asks]

    def is_current(self) -> bool:
        """Tell whether the store at the path is still the one that was opened, in whichever state."""
        try:
            return self.opened.store.snapshot().manifest.settings == self._store
        except StoreError:
            return False


class _Process:
    """All that this process has loaded. Safe to use from several threads."""

    def __init__(self) -> None:
        self._loaded: dict[Hashable, Loaded] = {}
        self.renew()
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock, in a forked process; what was opened goes on to work there."""
        self._lock = threading.Lock()

    def loaded(self, source: Source) -> Loaded:
        """Return what is loaded from a source; opened the first time, and where another store is there now."""
        name = source.name()
        with self._lock:
            found = self._loaded.get(name)
            if found is not None and not found.is_current():
                self._loaded.pop(name).opened.close()
                found = None
            if found is None:
                found = self._loaded[name] = Loaded(_opened(source))
            return found

    def close(self, source: Source) -> None:
        """Give back what is loaded from a source, if anything is."""
        with self._lock:
            found = self._loaded.pop(source.name(), None)
        if found is not None:
            found.opened.close()


_process = _Process()


def loaded(source: Source) -> Loaded:
    """Return what this process has loaded from a source, or loads now.

    Raises:
        StoreNotFoundError: there is no store on this machine.
        StoreError: it cannot be opened; see `StoreReader.open`.
    """
    return _process.loaded(source)


def close(source: Source) -> None:
    """Give back what this process has loaded from a source."""
    _process.close(source)


def _opened(source: Source) -> OpenReader:
    """Open a store to be read."""
    if means_encrypted(source.passphrase):
        refuse_plain(source.path)
    _require(source.path)
    store = StoreReader.open(source.path, unlock=unlocking(source.passphrase))
    refuse_other(store, source.encoder)
    engines = Engines(
        store.settings, model=source.model, encoder=place_of(source.encoder), options=source.options
    )
    return OpenReader(store, engines, Lifetime(store.path))


def _require(path: Path) -> None:
    """Refuse a path where no store is, saying on which machine.

    Raises:
        StoreNotFoundError: none is.
    """
    if not presence.is_store(path):
        raise StoreNotFoundError(
            f"there is no store at {path} on the machine {platform.node()}",
            "give a path at which every machine has it, such as that of a read-only mount",
        )
