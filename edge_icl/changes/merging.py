"""Merging: one store on several devices.

A merge is the exact union of stores with one seed, encoder and settings. Reading them takes long and is done
before the lock; under the lock it is looked whether each is still in the state that was read, and if not, they
are read again until that is so. So what is forgotten in one of them meanwhile does not come.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_icl.access.filling import prepared, refuse_within
from edge_icl.access.meant import not_found
from edge_icl.access.mergeable import about, refuse_in_the_clear, refuse_twice, refuse_unlike
from edge_icl.access.merging import Union, settled
from edge_icl.access.passphrases import inherited, means_encrypted, refuse_plain, unlocking
from edge_icl.errors import InputError, StoreError, StoreNotFoundError
from edge_icl.store.disk import Store
from edge_icl.store.keys import STRETCH
from edge_icl.store.spool import spooled
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.access.merging import Named
    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.results import Merged


def merge(
    opened: OpenStore,
    stores: Sequence[OpenStore | Path],
    passphrase: Passphrase | None,
    *,
    leave: Named,
    dry_run: bool,
) -> Merged:
    """Bring the examples of other stores into one; see `Memory.merge`."""
    if not stores:
        raise InputError("there is nothing to merge", "give the names of stores, their paths, or open ones")
    begun, store = time.perf_counter(), opened.store
    with _opened(opened, stores, passphrase) as others:
        for one in others:
            refuse_in_the_clear(store, one)
        union = Union.of(store, others, leave)
        if dry_run:
            return union.told(seconds=time.perf_counter() - begun)
        with ExitStack() as spool:
            with writing(store, timeout=opened.timeout) as writer:
                while not union.is_of(writer.snapshot):
                    union = Union.of(store, others, leave, here=writer.snapshot)
                coming = spool.enter_context(spooled(union.coming(), store.path))
                change = writer.commit(added=coming, removed=union.going(), labels=union.labels)
            opened.cache.move_on(change)
    return replace(
        union.told(seconds=time.perf_counter() - begun),
        root_after=change.root_after,
        refit=change.refit,
        dry_run=False,
    )


def merge_into(
    opened: OpenStore,
    stores: Sequence[OpenStore | Path],
    into: Path,
    passphrase: Passphrase | None,
    *,
    leave: Named,
    dry_run: bool,
) -> Merged:
    """Make a new store of the examples of one and others; see `Memory.merge`."""
    begun, store, path = time.perf_counter(), opened.store, into.resolve()
    with _opened(opened, stores, passphrase) as others:
        for one in (store, *others):
            refuse_within(path, one)
        sealed = next((one for one in (store, *others) if one.key is not None), store)
        secret = None if dry_run else inherited(sealed, passphrase)
        stretch = STRETCH if sealed.key is None else sealed.key.wrapped.stretch
        with prepared(path, store.settings, secret, stretch=stretch) as new:
            union, rows = settled(store, others, leave)
            told = replace(union.told(seconds=0), path=path)
            if dry_run:
                return replace(told, seconds=time.perf_counter() - begun)
            try:
                root = new.fill(rows, union.labels, timeout=opened.timeout)
            finally:
                store.commits += new.filled
    seconds = time.perf_counter() - begun
    return replace(told, root_after=root, refit=True, seconds=seconds, dry_run=False)


@contextmanager
def opened_as(given: OpenStore | Path, passphrase: Passphrase | None) -> Iterator[Store]:
    """Have a store open that is, or that is given by its path.

    Args:
        given: the store.
        passphrase: of one that is given by its path.

    Raises:
        StoreNotFoundError: nothing is there.
        StoreClosedError: it was open, and is closed.
        StoreError: it cannot be opened; the message says which one.
    """
    if not isinstance(given, Path):
        with given.lifetime.at_work():
            yield given.store
        return
    if means_encrypted(passphrase):
        refuse_plain(given)
    try:
        store = Store.open(given, unlock=unlocking(passphrase))
    except StoreNotFoundError:
        raise not_found(given) from None
    except StoreError as error:
        raise about(given, error) from error
    try:
        yield store
    finally:
        store.forget_key()


@contextmanager
def _opened(
    opened: OpenStore, stores: Sequence[OpenStore | Path], passphrase: Passphrase | None
) -> Iterator[list[Store]]:
    """Have the other stores open, those that can be merged with the one; refuse all if one cannot."""
    with ExitStack() as stack:
        stack.enter_context(opened.lifetime.at_work())
        others = []
        for one in stores:
            others.append(stack.enter_context(opened_as(one, passphrase)))
            refuse_unlike(opened.store, others[-1])
        refuse_twice(others)
        yield others
