"""Files that llama.cpp has mapped into memory: what is written into one of them becomes weights at once.

A file that is replaced is another one, and the mapped one stays as it was: only its own times are looked at.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Mapped:
    """The files of a loaded model. Close it with the model.

    Args:
        paths: the files; one that cannot be opened is not watched.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files: dict[int, tuple[Path, tuple[int, int]]] = {}
        for path in paths:
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY)
                self._files[descriptor] = (path, _written(descriptor))

    def check(self) -> None:
        """Raise if a file was written into.

        Raises:
            ModelFileError: one was.
        """
        for descriptor, (path, written) in self._files.items():
            if _written(descriptor) != written:
                raise ModelFileError(
                    f"{path} was written to while it was in use",
                    "see with `edge-icl models verify` whether it is whole, then start this program again",
                )

    def close(self) -> None:
        """Let go of the files. Calling it again does nothing."""
        while self._files:
            os.close(self._files.popitem()[0])


def _written(descriptor: int) -> tuple[int, int]:
    """Return when an open file was last written to, and its size."""
    status = os.fstat(descriptor)
    return status.st_mtime_ns, status.st_size
