"""What an audit reports: typed findings, which tests check and the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What can be wrong with a file of a store, or with an example that a receipt says is forgotten."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    STRAY = "stray"
    LINK = "link"
    FOREIGN = "foreign"
    INCONSISTENT = "inconsistent"
    DIFFERENT = "different"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: the kind.
        path: the file, relative to the store.
        detail: what is wrong with it, in a clause.
    """

    problem: Problem
    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found.

    Attributes:
        root: the store's root; empty if the settings or the manifest cannot be read.
        examples: how many examples it holds; then 0.
        findings: empty for a sound store.
    """

    root: str
    examples: int
    findings: tuple[Finding, ...]
