"""Reading the files of a store that may hold anything: what is wrong with one is a finding, not an error."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreDamagedError
from edge_icl.store import entries
from edge_icl.store import files as fs
from edge_icl.store.findings import Finding, Problem

if TYPE_CHECKING:
    from pathlib import Path


class Inspection:
    """What was found in a store while its files and directories were read.

    Args:
        path: the store's directory.
        files: the file system.

    Attributes:
        path: as given.
        files: as given.
        folder: the content of the store's files; set again when the key of an encrypted store is unwrapped.
        findings: what is wrong, each thing once.
    """

    def __init__(self, path: Path, files: fs.Files) -> None:
        self.path = path
        self.files = files
        self.folder = fs.Folder(files, path)
        self.findings: list[Finding] = []

    def found(self, problem: Problem, path: str, detail: str) -> None:
        """Note what is wrong with a file."""
        finding = Finding(problem, path, detail)
        if finding not in self.findings:  # some files are read twice
            self.findings.append(finding)

    def read(self, name: str) -> bytes | None:
        """Return a file's content; one that is missing, a link, or cannot be read or opened is a finding."""
        if self.is_link(name):
            return None
        try:
            return self.folder.read(name)
        except FileNotFoundError:
            self.found(Problem.MISSING, name, "there is no such file")
        except StoreDamagedError:
            self.found(Problem.DAMAGED, name, "its content is not what was sealed")
        except OSError as error:
            self.found(Problem.UNREADABLE, name, _reason(error))
        return None

    def is_link(self, name: str) -> bool:
        """Tell whether a link is where a file or a directory should be; that is a finding."""
        if not (self.path / name).is_symlink():
            return False
        self.found(Problem.LINK, name, "nothing follows it, and a forget would not wipe what it points to")
        return True

    def names(self, directory: str) -> list[str]:
        """Return the names in a directory of the store; one that cannot be listed is a finding."""
        if directory and self.is_link(directory):
            return []
        try:
            if directory:
                entries.refuse_mount(self.path / directory)
            return self.files.names(self.path / directory)
        except FileNotFoundError:
            self.found(Problem.MISSING, directory, "there is no such directory")
        except OSError as error:
            self.found(Problem.UNREADABLE, directory, _reason(error))
        return []


def _reason(error: OSError) -> str:
    """Return why a file cannot be read, in a clause.

    Raises:
        StoreAccessError: the reason lies in this process, and not in the file.
    """
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        raise StoreAccessError(
            f"the store cannot be checked: {error.strerror}", "close other programs and try again"
        ) from error
    return error.strerror or "the operating system refused"
