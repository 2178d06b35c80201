"""Another wrapping for the data key of an encrypted store: a new file in place of the old, which is wiped."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from edge_icl.store import files as fs
from edge_icl.store import keys
from edge_icl.store.lock import locked
from edge_icl.store.os_errors import access
from edge_icl.store.wiping import wipe, wiper

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.store.disk import Store
    from edge_icl.store.files import Files
    from edge_icl.store.keys import Key

NOT_WIPED = (
    "the passphrase is changed, but the old wrapped key may not be wiped: check the disk, and change it again"
)


def rewrap(store: Store, key: Key, *, timeout: float) -> None:
    """Wrap the data key of an encrypted store again, and wipe the file that held it.

    Args:
        store: the store.
        key: the store's own key, with another wrapping.
        timeout: seconds to wait for another writer.

    Raises:
        StoreBusyError: another writer held the lock for longer than that.
        StoreChangedError: it is another store now, or has another key; nothing was changed.
        StoreAccessError: the operating system refused; `committed` tells whether the change was made.
    """
    files = store.files
    path, draft, old = (store.path / name for name in (keys.NAME, keys.DRAFT, keys.OLD))
    with locked(store.path, timeout=timeout), ExitStack() as held:
        with access(store.path, "given another key"):
            keys.refuse_changed(files, store.path, key)
            wipe_old = held.enter_context(wiper(files, path))
            wipe(files, [draft, old])
            _keep_name(files, path, old)
            interrupt = fs.replace(
                files,
                draft,
                path,
                make=lambda: fs.create(files, [(draft, key.wrapped.encode())]),
                undo=lambda: wipe(files, [draft, old]),
            )
        store.key = key
        store.commits += 1
        with access(store.path, "cleaned up", hint=NOT_WIPED, committed=True):
            files.flush_directory(store.path)
            wipe_old()
            with suppress(FileNotFoundError):
                files.unlink(old)
                files.flush_directory(store.path)
            files.rest(store.path)
    if interrupt:
        raise interrupt


def _keep_name(files: Files, path: Path, second: Path) -> None:
    """Give the file a name that it keeps when another takes its place: what is killed then is finished later.

    A file system without second names, such as FAT, does without.
    """
    with suppress(OSError):
        files.link(path, second)
        files.flush_directory(path.parent)
