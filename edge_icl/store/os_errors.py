"""What the operating system refuses, as errors that say what to do next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


READ_AGAIN = "check permissions and the disk, and try again"

UNCHANGED = "nothing was changed; check free space and permissions and try again"


@contextmanager
def access(path: Path, verb: str, *, hint: str | None = None, committed: bool = False) -> Iterator[None]:
    """Turn what the operating system refuses into a StoreAccessError that says what was refused, and why.

    Args:
        path: the store's directory.
        verb: what is done to it, as a participle.
        hint: what to do next; None for the default, which for reading does not speak of changes: one may have
            been made before.
        committed: whether the change has been made already.
    """
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        if hint is None:
            hint = READ_AGAIN if verb == "read" else UNCHANGED
        raise StoreAccessError(
            f"the store {path} cannot be {verb}: {error.strerror}{where}", hint, committed=committed
        ) from error


@contextmanager
def expected(name: str) -> Iterator[None]:
    """Turn the absence of a file that a store must have into a StoreDamagedError that names it."""
    try:
        yield
    except FileNotFoundError:
        raise StoreDamagedError(f"{name} is missing", "restore the store from a backup") from None
