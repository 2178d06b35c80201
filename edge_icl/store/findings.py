"""What an audit reports: typed findings, which tests check and the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge_icl.display.markup import joined
from edge_icl.display.tables import facts, listing


class Problem(StrEnum):
    """What can be wrong with a file of a store, a receipt, or an example that a receipt says is forgotten."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    STRAY = "stray"
    LINK = "link"
    FOREIGN = "foreign"
    INCONSISTENT = "inconsistent"
    DIFFERENT = "different"
    PRESENT = "present"
    UNPROVEN = "unproven"


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
class Signature:
    """Who signed a receipt. That it is what was signed is certain; who has the key is for its reader to know.

    Attributes:
        key: the public key, 64 hex digits.
        time: when it was signed, in UTC, by the clock of who signed it.
        own: whether the key is that of this home.
    """

    key: str
    time: str
    own: bool

    def __str__(self) -> str:
        return f"signed at {self.time}, as it says, with {'the key of this home, ' * self.own}{self.key}"

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"key": self.key, "time": self.time, "own": self.own}


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        deep: whether the store was also made again and compared.
        root: the store's root, the fingerprint of all that it holds; empty if its settings or its manifest
            cannot be read.
        examples: how many examples it holds; then 0.
        differences: empty for a sound store.
        moved_on: with a receipt: whether the store has another root now; None without one.
        same_store: with a receipt: whether it is known to be of this store; a receipt that an earlier edge-icl
            wrote shows that only as long as the root is the same.
        signature: with a receipt that is signed, and is what was signed: who signed it.
    """

    deep: bool
    root: str
    examples: int
    differences: tuple[Finding, ...]
    moved_on: bool | None = None
    same_store: bool | None = None
    signature: Signature | None = None

    @property
    def ok(self) -> bool:
        """Whether the store is exactly what its manifest says."""
        return not self.differences

    def _repr_html_(self) -> str:
        rows: list[tuple[str, str | float | None]] = [
            ("as the manifest says", self.ok),
            ("rebuilt and compared", self.deep),
            ("examples", self.examples),
            ("root", self.root),
            ("moved on since the receipt", self.moved_on),
            ("of the receipt's store", self.same_store),
            ("the receipt is", None if self.signature is None else str(self.signature)),
        ]
        wrong = [(one.path, one.problem, one.detail) for one in self.differences]
        found = listing("Differences", ("file", "problem", "detail"), wrong) if wrong else ""
        return joined(facts("Verification", rows), found)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        fields: dict[str, Any] = {
            "ok": self.ok,
            "deep": self.deep,
            "differences": [str(difference) for difference in self.differences],
            "root": self.root,
        }
        if self.moved_on is not None:
            fields |= {"moved_on": self.moved_on, "same_store": self.same_store}
            fields["signed"] = None if self.signature is None else self.signature.as_json()
        return fields
