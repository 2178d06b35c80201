"""A file system that counts what is asked of it: a cost that is the same on every machine."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from edge_icl.store.files import Files

if TYPE_CHECKING:
    from pathlib import Path


class Counting(Files):
    """A file system that counts what is asked of it. Safe to use from several threads.

    Attributes:
        seen: number of operations and bytes by name.
        read_files: the folders of the files that were read.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.seen: Counter[str] = Counter()
        self.read_files: list[str] = []

    def clear(self) -> None:
        """Count from nothing again."""
        self.seen.clear()
        self.read_files.clear()

    def read(self, path: Path) -> bytes:
        data = super().read(path)
        self.read_files.append(path.parent.name if path.suffix == ".safetensors" else path.name)
        self._count("files read")
        self._count("bytes read", len(data))
        return data

    def write(self, file: int, data: bytes) -> None:
        self._count("bytes written", len(data))
        super().write(file, data)

    def open(self, path: Path, *, create: bool) -> int:
        self._count("files made" if create else "files wiped")
        return super().open(path, create=create)

    def flush(self, file: int) -> None:
        self._count("flushes")
        super().flush(file)

    def flush_overwritten(self, file: int) -> None:
        self._count("flushes")
        super().flush_overwritten(file)

    def flush_directory(self, path: Path) -> None:
        self._count("flushes")
        super().flush_directory(path)

    def _count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.seen[what] += number
