"""A store that appears with its first change: with its examples, or not at all.

    store = Pending(path, settings)       nothing is on the disk
    with writing(store) as writer:        a draft is, beside the path
        writer.commit(added=rows)
    ...                                   the draft has got its name: this was the commit

Until then it reads as the empty store that it would be. What a kill leaves is a draft, which the next command
that makes or opens a store of that name wipes; while it is being written its lock is held.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from edge_icl.errors import StoreError, StoreExistsError
from edge_icl.store import keys, ownership, presence
from edge_icl.store.disk import MADE, Store, empty, lay_out, make_parents
from edge_icl.store.drafts import draft_of, wipe_abandoned
from edge_icl.store.files import Files, replace
from edge_icl.store.manifest import AUTO
from edge_icl.store.os_errors import access
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot


class Pending(Store):
    """A plain store that its first change makes. Safe to use from several threads and processes at once.

    Args:
        path: where it will be.
        settings: what it is made with.
        labels: whether the outputs are labels.
        files: the file system.

    Raises:
        NotAStoreError: something is there already.
        StoreExposedError: it would lie in a folder that another user owns or may write to.
        StoreAccessError: the operating system refused.
    """

    def __init__(
        self, path: Path, settings: Settings, *, labels: LabelsSetting = AUTO, files: Files | None = None
    ) -> None:
        path = path.resolve()
        with access(path, "made"):
            presence.require_free(path)
            ownership.refuse_exposed(path)
        super().__init__(draft_of(path), settings, files or Files())
        self._target = path
        self._labels = labels
        self._manifest, self._clustering = empty(settings, labels)
        self._making = threading.Lock()
        self._there = self._made = False

    @property
    def place(self) -> Path:
        """The directory that it will have, whatever its draft is called."""
        return self._target

    def read_manifest(self) -> bytes:
        """Return the bytes of the manifest; of an empty store until there is one.

        Raises:
            StoreExistsError: another process has made a store there.
        """
        if self._there:
            return super().read_manifest()
        if presence.is_store(self._target):
            raise self._exists("this one is not open")
        return self._manifest.encode()

    def is_current(self, snapshot: Snapshot) -> bool:
        """Tell whether the store is still in this state."""
        if self._there:
            return super().is_current(snapshot)
        return not presence.is_store(self._target) and snapshot.root == self.snapshot().root

    @contextmanager
    def present(self) -> Iterator[None]:
        """Have a draft while the block makes the first change, and give it the store's name after that.

        Raises:
            StoreExistsError: another process has made a store there; nothing was changed.
            StoreAccessError: the operating system refused.
        """
        if not self._made:
            with self._making:
                if not self._made:
                    with self._draft():
                        yield
                    return
        yield

    @contextmanager
    def _draft(self) -> Iterator[None]:
        """Have a draft while the block runs, which then gets the store's name, or is wiped."""
        before, draft = self.commits, str(self.path)
        try:
            self._begin()
            try:
                yield
            finally:
                self._end(changed=self.commits > before)
        except StoreError as error:  # the user knows the store by its own name
            named = [text.replace(draft, str(self._target)) for text in (error.message, error.hint)]
            raise type(error)(*named, committed=error.committed) from error
        finally:
            if not self._made:
                self.commits = before

    def _begin(self) -> None:
        """Make the draft."""
        with access(self._target, "made"):
            make_parents(self.files, self._target)
            wipe_abandoned(self.files, self._target)
            try:
                lay_out(keys.folder(self.files, self.path, None), self.settings, self._labels, None)
            except BaseException:
                self._wipe()
                raise
        self._there = True

    def _end(self, *, changed: bool) -> None:
        """Give the draft the store's name, or wipe it if nothing was changed."""
        if not changed:
            self._there = False
            self._wipe()
            return
        interrupt = self._publish()
        self.path, self._made = self._target, True
        self.folder = keys.folder(self.files, self.path, None)
        with access(self.path, "brought to the disk", hint=MADE, committed=True):
            self.files.flush_directory(self.path.parent)
        if interrupt is not None:
            raise interrupt

    def _publish(self) -> BaseException | None:
        """Rename the draft; return what was raised too late to go back."""
        try:
            with access(self._target, "made"):
                return replace(self.files, self.path, self._target, make=lambda: None, undo=self._wipe)
        except BaseException as error:
            self._there = False
            if isinstance(error, StoreError) and presence.is_store(self._target):
                raise self._exists("nothing was added") from error
            raise

    def _exists(self, so: str) -> StoreExistsError:
        """Return the error where another process has made a store."""
        return StoreExistsError(
            f"another process has just made the store {self._target}: {so}",
            "type the same again; a program opens the store again",
        )

    def _wipe(self) -> None:
        """Wipe the draft; where that fails, the next command of its name does it."""
        with suppress(OSError):
            wipe(self.files, [self.path])

    def _read_named(self, name: str, digest: str) -> bytes:
        """Return the bytes of a file that is named by its digest; an empty store has one."""
        return super()._read_named(name, digest) if self._there else self._clustering
