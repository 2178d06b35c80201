"""File systems that fail: one that stops at its n-th operation, and one that also forgets what was not flushed.

    Faulty      stops, tears a write or refuses once; what was written before stays
    PowerLoss   besides, knows what a power cut may leave: `outcomes` yields the trees

The model of a power cut is the one that POSIX allows, harsher than any disk: the content of a file is certain
once the file is flushed, a name (made, replaced or removed) once its directory is flushed. A file that is
flushed as one that was overwritten keeps the length that was certain before. Everything else may have reached
the disk or not, in any combination; a write also in part, with zeros for the rest.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from edge_icl.store import settings
from edge_icl.store.files import Files

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree = dict[str, bytes]
"""As stores.tree gives it: paths and bytes; directories end with a slash."""

Count = Callable[[str, int], None]
"""What the fixture `count` is: takes a name and a number, of which `make campaign` prints the sums."""

NEVER = -1
ASIDE = "look aside"
"""A listing of a folder with stores in it: by this a store looks for what killed processes left beside it."""

PREFIXES = {
    "none of it": lambda n: 0,
    "half of it": lambda n: n // 2,
    "all but a byte": lambda n: max(n - 1, 0),
}
"""How much of a torn write arrives."""


class Crash(BaseException):
    """The process is no more: no operation succeeds after this one, so no handler can tidy up."""


class Faulty(Files):
    """A file system that stops at its n-th operation (from 0), reads and listings included.

    Closing is not counted: it changes nothing.

    Attributes:
        stop: the number of the operation that does not happen, or NEVER.
        error: raised by it instead of a crash; the operations after it succeed again unless `stuck`.
        stuck: whether all later operations that write raise the error too.
        torn: how many bytes of a write that it stops at arrive, of how many.
        done: the operations so far, by name.
        fired: whether it has stopped.
    """

    def __init__(
        self,
        stop: int = NEVER,
        *,
        error: OSError | None = None,
        stuck: bool = False,
        torn: str | None = None,
    ) -> None:
        self.stop = stop
        self.error = error
        self.stuck = stuck
        self.torn = torn
        self.done: list[str] = []
        self.fired = False

    def live(self, stop: int = NEVER) -> None:
        """Begin another process on the same disk, which stops at its n-th operation."""
        self.stop, self.done, self.fired = stop, [], False

    def step(self, name: str) -> None:
        if self.fired and self.error is None:
            raise Crash(name)
        if len(self.done) == self.stop or (self.fired and self.stuck and name not in ("read", "names", ASIDE)):
            self.fired = True
            self.done.append(name)
            raise self.error or Crash(name)
        self.done.append(name)

    def read(self, path: Path) -> bytes:
        self.step("read")
        return super().read(path)

    def names(self, path: Path) -> list[str]:
        self.step(ASIDE if any(path.glob(f"*/{settings.NAME}")) else "names")
        return super().names(path)

    def open(self, path: Path, *, create: bool) -> int:
        self.step("create" if create else "open")
        return super().open(path, create=create)

    def write(self, file: int, data: bytes) -> None:
        if self.torn and len(self.done) == self.stop:
            super().write(file, data[: PREFIXES[self.torn](len(data))])
        self.step("write")
        super().write(file, data)

    def flush(self, file: int) -> None:
        self.step("flush")

    def flush_overwritten(self, file: int) -> None:
        self.step("flush")

    def rename(self, source: Path, target: Path) -> None:
        self.step("rename")
        super().rename(source, target)

    def rest(self, path: Path) -> None:
        self.step("rest")
        super().rest(path)

    def use(self, path: Path) -> None:
        self.step("use")
        super().use(path)

    def unlink(self, path: Path) -> None:
        self.step("unlink")
        super().unlink(path)

    def link(self, path: Path, second: Path) -> None:
        self.step("link")
        super().link(path, second)

    def swap(self, one: Path, other: Path) -> None:
        self.step("swap")
        super().swap(one, other)

    def flush_directory(self, path: Path) -> None:
        self.step("flush directory")

    def make_directory(self, path: Path) -> None:
        self.step("make directory")
        super().make_directory(path)

    def remove_directory(self, path: Path) -> None:
        self.step("remove directory")
        super().remove_directory(path)


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def broken_disk() -> OSError:
    return OSError(errno.EIO, "Input/output error")


@dataclass(eq=False)
class Blob:
    """A file's content, on the disk for certain and as written since; and how many names it has."""

    durable: bytes
    now: bytes
    names: int = 1

    def versions(self) -> list[bytes]:
        """Return what a power cut may leave of it."""
        old, new = self.durable, self.now
        half = len(new) // 2
        zeros = bytes(len(new))
        mixed = [new[:half], new[:half] + zeros[half:], zeros, new[:half] + old[half:], old[:half] + new[half:]]
        return list(dict.fromkeys([old, new, *mixed])) if old != new else [old]


@dataclass(eq=False)
class Folder:
    """A directory: the names on the disk for certain, and the changes since, in their order.

    A change is one step of the disk: it happens whole or not at all, a rename too.
    """

    durable: dict[str, Blob | Folder] = field(default_factory=dict)
    pending: list[dict[str, Blob | Folder | None]] = field(default_factory=list)

    def names(self, kept: tuple[bool, ...] | None = None) -> dict[str, Blob | Folder]:
        """Return the names when these of the pending changes happened; all of them, if not given."""
        names: dict[str, Blob | Folder | None] = dict(self.durable)
        for i, change in enumerate(self.pending):
            if kept is None or kept[i]:
                names |= change
        return {name: found for name, found in names.items() if found is not None}

    def choices(self) -> list[tuple[bool, ...]]:
        return list(product((False, True), repeat=len(self.pending)))


class PowerLoss(Faulty):
    """A faulty file system that keeps account of what is on the disk for certain.

    Args:
        root: the directory that it watches; everything in it now is certain.
        stop: as for Faulty.

    Attributes:
        remnants: files that lost their name while the disk still held some of their content.
    """

    def __init__(self, root: Path, stop: int = NEVER) -> None:
        super().__init__(stop)
        self.root = root
        self.top = _load(root)
        self.opened: dict[int, tuple[Blob, int]] = {}
        self.remnants: list[str] = []

    def at(self, path: Path) -> Blob | Folder:
        found: Blob | Folder = self.top
        for name in path.relative_to(self.root).parts:
            found = found.names()[name]
        return found

    def open(self, path: Path, *, create: bool) -> int:
        file = super().open(path, create=create)
        if create:
            self.at(path.parent).pending.append({path.name: Blob(b"", b"")})
        self.opened[file] = (self.at(path), 0)
        return file

    def write(self, file: int, data: bytes) -> None:
        super().write(file, data)
        blob, position = self.opened[file]
        blob.now = blob.now[:position] + bytes(data) + blob.now[position + len(data) :]
        self.opened[file] = (blob, position + len(data))

    def flush(self, file: int) -> None:
        super().flush(file)
        blob, _ = self.opened[file]
        blob.durable = blob.now

    def flush_overwritten(self, file: int) -> None:
        super().flush_overwritten(file)
        blob, _ = self.opened[file]
        size = len(blob.durable)
        blob.durable = blob.now[:size] + blob.durable[len(blob.now) :]

    def rename(self, source: Path, target: Path) -> None:
        moved = self.at(source)
        super().rename(source, target)
        assert source.parent == target.parent
        self.at(source.parent).pending.append({source.name: None, target.name: moved})

    def unlink(self, path: Path) -> None:
        blob = self.at(path)
        super().unlink(path)
        self.at(path.parent).pending.append({path.name: None})
        blob.names -= 1
        if any(blob.durable) and not blob.names:
            self.remnants.append(path.name)

    def link(self, path: Path, second: Path) -> None:
        blob = self.at(path)
        super().link(path, second)
        blob.names += 1
        self.at(second.parent).pending.append({second.name: blob})

    def swap(self, one: Path, other: Path) -> None:
        first, second = self.at(one), self.at(other)
        super().swap(one, other)
        assert one.parent == other.parent
        self.at(one.parent).pending.append({one.name: second, other.name: first})

    def flush_directory(self, path: Path) -> None:
        super().flush_directory(path)
        folder = self.at(path)
        folder.durable, folder.pending = folder.names(), []

    def make_directory(self, path: Path) -> None:
        super().make_directory(path)
        self.at(path.parent).pending.append({path.name: Folder()})

    def remove_directory(self, path: Path) -> None:
        super().remove_directory(path)
        self.at(path.parent).pending.append({path.name: None})

    def outcomes(self, most: int) -> Iterator[Tree]:
        """Yield what a power cut at this moment may leave: everything possible, or a sample of `most`."""
        folders, blobs = [], []
        _collect(self.top, folders, blobs)
        options = [*(folder.choices() for folder in folders), *(blob.versions() for blob in blobs)]
        if prod(map(len, options)) <= most:
            picks = list(product(*options))
        else:
            chance = random.Random(f"{self.done}")
            extremes = [[option[0] for option in options], [option[-1] for option in options]]
            picks = [*extremes, *([chance.choice(option) for option in options] for _ in range(most - 2))]
        for pick in picks:
            of_folder = dict(zip(map(id, folders), pick, strict=False))
            of_blob = dict(zip(map(id, blobs), pick[len(folders) :], strict=True))
            yield dict(_tree(self.top, "", of_folder, of_blob))


def _load(path: Path) -> Folder:
    entries = {p.name: _load(p) if p.is_dir() else Blob(p.read_bytes(), p.read_bytes()) for p in path.iterdir()}
    return Folder(entries)


def _collect(folder: Folder, folders: list[Folder], blobs: list[Blob]) -> None:
    """Find everything of which a power cut may leave more than one version."""
    if folder.pending:
        folders.append(folder)
    found = [*folder.durable.values(), *(one for change in folder.pending for one in change.values() if one)]
    for one in dict.fromkeys(found):
        if isinstance(one, Folder):
            _collect(one, folders, blobs)
        elif one.durable != one.now and one not in blobs:
            blobs.append(one)


def _tree(folder: Folder, prefix: str, of_folder: dict[int, object], of_blob: dict[int, object]) -> Iterator:
    for name, found in folder.names(of_folder.get(id(folder))).items():
        if isinstance(found, Folder):
            yield f"{prefix}{name}/", b""
            yield from _tree(found, f"{prefix}{name}/", of_folder, of_blob)
        else:
            yield f"{prefix}{name}", of_blob.get(id(found), found.now)


def without_entries(tree: Tree) -> Tree:
    """Return the tree of a store without cache entries, which a fresh store does not have."""
    return {name: data for name, data in tree.items() if name == "cache/" or not name.startswith("cache/")}


def lay_out(tree: Tree, path: Path, *, at_rest: bool = False) -> None:
    """Make a directory that holds this tree; at rest, as a writer leaves it that was not cut off."""
    path.mkdir(mode=0o700)
    for name, data in sorted(tree.items()):
        if name.endswith("/"):
            (path / name).mkdir(mode=0o700)
        else:
            (path / name).write_bytes(data)
    for found in [*path.rglob("*"), path] if at_rest else ():
        Files().rest(found)
