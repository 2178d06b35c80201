"""Whether a store is exactly what its manifest says: a list of typed findings, empty for a sound store.

`edge-icl verify` and the test suite check a store with this same function. It reads the files itself, without
the retries and shortcuts of a reader, while the lock keeps writers away. It leaves the store as it was, except
for what an interrupted change left: this it reports, and then wipes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_icl.cluster import record
from edge_icl.errors import (
    EdgeIclError,
    StoreDamagedError,
    StoreError,
    StoreFormatError,
)
from edge_icl.runtime.progress import silent
from edge_icl.store import files as fs
from edge_icl.store import keys, lock, manifest, ownership, pages, prefix_cache, presence, settings
from edge_icl.store.consistency import ids_in, wrong_in, wrong_in_clustering
from edge_icl.store.disk import Store
from edge_icl.store.findings import Problem, Verification
from edge_icl.store.inspection import Inspection
from edge_icl.store.keys import Key, Unlock, no_passphrase
from edge_icl.store.layout import DIRECTORIES, REBUILD
from edge_icl.store.manifest import Manifest, clustering_file, page_file
from edge_icl.store.os_errors import access
from edge_icl.store.recovery import LEFT, at_rest, recover
from edge_icl.store.settings import Settings
from edge_icl.store.wiping import wipe_to_the_end
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.runtime.progress import Progress
    from edge_icl.store.pages import Page
    from edge_icl.store.trie import Leaf


def audit(
    path: Path,
    *,
    deep: bool = False,
    progress: Progress = silent,
    timeout: float = 30.0,
    unlock: Unlock = no_passphrase,
    files: fs.Files | None = None,
    home_key: bytes | None = None,
) -> Verification:
    """Check every file of a store.

    Args:
        path: the store's directory.
        deep: also rebuild the store from its examples and vectors, in a temporary directory of mode 0700
            that is wiped, and compare every byte. It lies in the store: if this process is killed, the next
            opening wipes it. Elsewhere nothing would find that copy of the examples.
        progress: told about each page.
        timeout: seconds to wait for a writer.
        unlock: called if the store is encrypted.
        files: the file system.
        home_key: the key of this home, which shows what it put into the cache; all else there is wiped.

    Raises:
        PassphraseError: the store is encrypted, and `unlock` cannot unwrap its key.
        NotInstalledError: it is encrypted, and the package cryptography is not installed.
        StoreFormatError: a newer edge-icl made the store.
        StoreBusyError: a writer held the lock for too long.
        StoreNotFoundError: nothing is at `path`.
        NotAStoreError: something else is.
        StoreExposedError: another user owns it or may write to it.
    """
    path = path.resolve()
    with access(path, "read"):
        presence.require_store(path)
        ownership.refuse_exposed(path)
    audit = _Audit(path, files or fs.Files(), progress, home_key, deep=deep)
    if not audit.unlock(unlock):  # not under the lock: the user may be asked to type
        return audit.report("", 0)
    with lock.locked_where_writable(path, timeout=timeout) as read_only:
        return audit.run(read_only=read_only)


class _Audit(Inspection):
    """One audit: goes through the files."""

    def __init__(
        self, path: Path, files: fs.Files, progress: Progress, home_key: bytes | None, *, deep: bool
    ) -> None:
        super().__init__(path, files)
        self.key: Key | None = None
        self.progress = progress
        self.home_key = home_key
        self.deep = deep
        self.leftovers: list[str] = []
        self.foreign: list[str] = []

    def unlock(self, unlock: Unlock) -> bool:
        """Unwrap the key of an encrypted store; tell whether that was done, or is not needed."""
        data = self.read(settings.NAME)
        if data is None or settings.sealed_in(data) is None:
            return data is not None
        if self.read(keys.NAME) is None:
            return False
        try:
            with access(self.path, "read"):
                wrapped = keys.read(self.files, self.path)
        except StoreDamagedError:
            self.found(Problem.DAMAGED, keys.NAME, "its content is not what edge-icl writes")
            return False
        self.key = Key(unlock(wrapped), wrapped)
        self.folder = keys.folder(self.files, self.path, self.key)
        return True

    def run(self, *, read_only: str = "") -> Verification:
        """Go through all files, then wipe what an interrupted change left.

        Args:
            read_only: why nothing can be wiped; empty if it can be.
        """
        data = self.read(settings.NAME)
        named = self.read(manifest.NAME)
        if data is None or named is None:
            return self.report("", 0)
        try:
            found = Settings.decode(data)
            current = Manifest.decode(named)
        except StoreFormatError:
            raise
        except StoreDamagedError as error:
            self.found(Problem.DAMAGED, error.message.split(" ")[0], "its content is not what edge-icl writes")
            return self.report("", 0)
        root = found.digest(named)
        if found.digest(data) != current.settings:
            self.found(Problem.DAMAGED, settings.NAME, "the manifest names another digest")
            return self.report(root, current.count)
        for directory in DIRECTORIES:
            self.names(directory)
        if any(
            finding.path in DIRECTORIES and finding.problem is not Problem.MISSING for finding in self.findings
        ):
            return self.report(root, current.count)
        held = self.read_pages(found, current)
        self.check_clustering(found, current, held)
        self.check_strays(current)
        if self.leftovers or self.foreign or not at_rest(self.path, locked=True):
            self.finish(found, read_only)
        if self.deep and not self.findings:
            self.rebuild(found, current, held)
        return self.report(root, current.count)

    def report(self, root: str, examples: int) -> Verification:
        return Verification(self.deep, root, examples, tuple(self.findings))

    def found_leftover(self, path: str, detail: str) -> None:
        """Note a file where only an interrupted change leaves one."""
        self.leftovers.append(path)
        self.found(Problem.STRAY, path, detail)

    def finish(self, current: Settings, read_only: str) -> None:
        """Wipe what was left, now that it is noted, and note whether that was possible."""
        store = Store(self.path, current, self.files, self.key)
        refused = read_only
        try:
            if not read_only:
                with access(self.path, "cleaned up"):
                    recover(store, store.snapshot())
                    prefix_cache.discard(store, self.foreign)
        except StoreError as error:
            refused = error.message
        wiped = {*self.leftovers, *self.foreign}
        outcome = f"it cannot be wiped: {refused}" if refused else "it is wiped now"
        self.findings = [
            replace(one, detail=f"{one.detail}; {outcome}") if one.path in wiped else one
            for one in self.findings
        ]

    def read_pages(self, current: Settings, named: Manifest) -> list[Page]:
        """Check every page; return those that can be read."""
        held = []
        for i, leaf in enumerate(named.pages):
            self.progress("verify", i, len(named.pages))
            page = self.read_page(current, leaf)
            if page is not None:
                held.append(page)
        self.progress("verify", len(named.pages), len(named.pages))
        return held

    def read_page(self, current: Settings, leaf: Leaf) -> Page | None:
        """Check one page; return it if it can be read."""
        name = page_file(leaf.digest)
        data = self.read(name)
        if data is None:
            return None
        if current.digest(data) != leaf.digest:
            self.found(Problem.DAMAGED, name, "its content is not what its name says")
            return None
        try:
            page = pages.decode(data, current.dimension)
            for detail in wrong_in(page, leaf, current.seed):
                self.found(Problem.INCONSISTENT, name, detail)
        except (ValueError, EdgeIclError) as error:
            self.found(Problem.DAMAGED, name, str(error))
            return None
        if pages.encode(page) != data:
            self.found(Problem.DAMAGED, name, "it is not in canonical form")
        return page

    def check_clustering(self, current: Settings, named: Manifest, held: list[Page]) -> None:
        """Check the clustering file, short of computing it again."""
        name = clustering_file(named.clustering)
        data = self.read(name)
        if data is None:
            return
        if current.digest(data) != named.clustering:
            self.found(Problem.DAMAGED, name, "its content is not what its name says")
            return
        try:
            clustering = record.decode(data, current.clustering())
        except ValueError as error:
            self.found(Problem.DAMAGED, name, str(error))
            return
        if record.encode(clustering) != data:
            self.found(Problem.DAMAGED, name, "it is not in canonical form")
        if wrong := wrong_in_clustering(clustering, named.count):
            self.found(Problem.INCONSISTENT, name, wrong)
        ids = {row.id for page in held for row in page.rows()}
        if len(ids) == named.count and not ids_in(clustering) <= ids:  # else a page is at fault
            self.found(Problem.INCONSISTENT, name, "it names an example that the store does not hold")
        self.check_cache(current, clustering.representative_ids())

    def check_cache(self, current: Settings, representatives: list[bytes]) -> None:
        """Check that every cache entry belongs to the current representatives and to this home."""
        group = f"{prefix_cache.group(current, representatives)}-"
        for name in self.names(prefix_cache.DIRECTORY):
            path = f"{prefix_cache.DIRECTORY}/{name}"
            if not name.startswith(group):
                self.found_leftover(path, "it does not belong to the current examples")
            elif self.home_key is None or not prefix_cache.is_ours(name, self.home_key):
                self.foreign.append(path)
                self.found(Problem.FOREIGN, path, "another home made it, or an unknown program: it is not used")
            elif (data := self.read(path)) is not None and not prefix_cache.is_authentic(
                current, name, data, self.home_key
            ):
                self.found(Problem.DAMAGED, path, "its content is not what was put in")

    def check_strays(self, named: Manifest) -> None:
        """Check that every other file is one that the manifest names."""
        expected = {settings.NAME, manifest.NAME, lock.NAME, *DIRECTORIES, *([keys.NAME] if self.key else [])}
        for name in self.names(""):
            if name in LEFT:
                self.found_leftover(name, "an interrupted change or check left it")
            elif name not in expected:
                self.found(Problem.STRAY, name, "it is not part of a store")
        for directory in ("pages", "clustering"):
            for name in self.names(directory):
                if f"{directory}/{name}" not in named.files:
                    self.found_leftover(f"{directory}/{name}", "the manifest does not name it")

    def rebuild(self, current: Settings, named: Manifest, held: list[Page]) -> None:
        """Make the store again from its examples and vectors, and compare every byte."""
        draft = self.path / REBUILD
        self.progress("rebuild", 0, 0)
        with access(self.path, "made again"):
            try:
                self.files.make_directory(draft)
                fresh = Store.create(
                    draft / "fresh", current, labels=named.labels, key=self.key, files=self.files
                )
                with writing(fresh) as writer:
                    writer.commit(added=[row for page in held for row in page.rows()])
                for name in sorted(
                    {settings.NAME, manifest.NAME, *named.files, *writer.snapshot.manifest.files}
                ):
                    if self.content(self.path / name) != self.content(fresh.path / name):
                        self.found(
                            Problem.DIFFERENT, name, "a store made again from the same examples has other bytes"
                        )
            finally:
                if draft.exists():
                    wipe_to_the_end(self.files, [draft])
                self.files.rest(self.path)

    def content(self, path: Path) -> bytes | None:
        """Return what a file holds on the disk, or None if there is no such file."""
        try:
            return self.files.read(path)
        except FileNotFoundError:
            return None
