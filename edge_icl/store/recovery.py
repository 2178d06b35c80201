"""Finishing what a writer left that was cut off: an add is gone, a forget is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.errors import StoreDamagedError
from edge_icl.store import cache, keys
from edge_icl.store import files as fs
from edge_icl.store.layout import DIRECTORIES, DRAFT, REBUILD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_icl.store.disk import Store
    from edge_icl.store.snapshot import Snapshot


def recover(store: Store, snapshot: Snapshot) -> None:
    """Wipe what a writer that was cut off left behind.

    Only where everything is ours: a file of somebody else's beside the manifest is for `verify` to report.
    And only where the manifest's own files are all there: else it may be the manifest that is wrong, an old one
    from a backup, say, and what it does not name all that is left of the examples.
    """
    files, named = store.files, snapshot.manifest.files
    top = files.names(store.path)
    folders = [folder for folder in ("pages", "clustering") if folder in top]
    held = {f"{folder}/{name}" for folder in folders for name in files.names(store.path / folder)}
    if missing := sorted(named - held):
        raise StoreDamagedError(f"{missing[0]} is missing", "restore the store from a backup")
    representatives = snapshot.clustering.representative_ids()
    for folder in DIRECTORIES:
        if folder not in top:  # empty ones get lost in some copies, and anybody may remove the cache
            files.make_directory(store.path / folder)
    left = [name for name in top if name in (DRAFT, REBUILD, keys.DRAFT)]
    left += sorted(held - named)
    left += cache.stale(store, representatives, forgetting=False)
    if left:
        # What the killed writer renamed may not be on the disk yet, the manifest above all; and a power cut
        # that brings its predecessor back must find the predecessor's files.
        for directory in sorted({"", *directories_of(left)}):
            files.flush_directory(store.path / directory)
        wipe_all(store, left)


def wipe_all(store: Store, names: Sequence[str]) -> None:
    """Wipe files, and see to it that they stay away; Ctrl-C is heard when all are wiped."""
    interrupt: KeyboardInterrupt | None = None
    paths = [store.path / name for name in names]
    try:
        fs.wipe(store.files, paths)
    except KeyboardInterrupt as pressed:
        interrupt = pressed
        fs.wipe(store.files, paths)
    for directory in directories_of(names):
        store.files.flush_directory(store.path / directory)
    if interrupt:
        raise interrupt


def directories_of(names: Iterable[str]) -> list[str]:
    """Return the directories that these paths are in."""
    return sorted({name.rpartition("/")[0] for name in names})
