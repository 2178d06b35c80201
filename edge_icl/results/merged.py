"""What a merge did, or would do: records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.display.markup import joined
from edge_icl.display.tables import facts, listing

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MergedStore:
    """One of the stores whose examples `merge` brought; it was only read.

    Attributes:
        path: its directory.
        root: the root of the state of it that was read.
        examples: how many it held.
        new: the ids of those that were not in the store that they came to, hex.
        only: how many of these are in no other of the stores.
    """

    path: Path
    root: str
    examples: int
    new: tuple[str, ...] = field(repr=False)
    only: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "path": str(self.path),
            "root": self.root,
            "examples": self.examples,
            "new": len(self.new),
            "only": self.only,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Merged:
    """What `merge` did; with `dry_run`, what it would do. As JSON it is no receipt.

    Attributes:
        path: the directory of the store that has all of it now: this one, or the new one.
        examples: how many it holds.
        new: the ids of the examples that came, hex; `forget` takes them back.
        duplicates: how many examples of the other stores were here already.
        replaced: how many of these have the other store's vector now, since its bytes are smaller.
        only_here: how many examples are here, and in none of the other stores.
        forgotten: the ids of the examples that were here and that the receipts name, hex: forgotten by this.
        left_out: how many examples of the other stores did not come, since the receipts name them.
        sources: the other stores.
        labels_setting: whether the outputs are labels: the setting of those stores that have one.
        root_before: the root of this store before.
        root_after: the root of the store at `path`; None if nothing was done.
        refit: whether all examples were clustered again.
        seconds: how long it took.
        dry_run: whether it is what would be done.
    """

    path: Path
    examples: int
    new: tuple[str, ...]
    duplicates: int
    replaced: int
    only_here: int
    forgotten: tuple[str, ...]
    left_out: int
    sources: tuple[MergedStore, ...]
    labels_setting: str
    root_before: str
    root_after: str | None
    refit: bool
    seconds: float
    dry_run: bool = False

    @property
    def added(self) -> int:
        """How many examples came."""
        return len(self.new)

    def __repr__(self) -> str:
        about = f"root_after={self.root_after!r}, refit={self.refit}, seconds={self.seconds:.3g}"
        names = ("added", "duplicates", "replaced")
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in names)
        return f"Merged({counts}, forgotten={len(self.forgotten)}, {about})"

    def _repr_html_(self) -> str:
        names = ("examples", "added", "duplicates", "replaced", "only_here")
        counts = [(name.replace("_", " "), getattr(self, name)) for name in names]
        rows = [("path", str(self.path)), *counts, ("forgotten", len(self.forgotten) or None)]
        rows += [
            ("left out", self.left_out or None),
            ("root after", self.root_after),
            ("seconds", self.seconds),
        ]
        told = [(str(one.path), one.examples, len(one.new), one.only) for one in self.sources]
        return joined(facts("Merged", rows), listing("Stores", ("path", "examples", "new", "only"), told))

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "dry_run": self.dry_run,
            "path": str(self.path),
            "examples": self.examples,
            "added": self.added,
            "new": list(self.new),
            "duplicates": self.duplicates,
            "replaced": self.replaced,
            "only_here": self.only_here,
            "forgotten": list(self.forgotten),
            "left_out": self.left_out,
            "sources": [one.as_json() for one in self.sources],
            "labels_setting": self.labels_setting,
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
        }
