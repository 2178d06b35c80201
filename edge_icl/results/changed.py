"""What a change did: records, each a receipt as JSON where something was forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.display.markup import joined
from edge_icl.display.tables import facts
from edge_icl.results.held import listed

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.results.held import Held

RECEIPT = b"receipt"
"""Its digest, keyed with a store's seed, names the store in receipts and says nothing of its content."""


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did.

    Attributes:
        ids: of all examples given, in their order, also of those that were in the store already.
        added: how many are new.
        duplicates: how many were in the store already, or came twice.
        carried: how many of the new ones came with their vectors and were not embedded.
        unread: how many of those embedded are in characters that the encoder does not know.
        cut: how many of those embedded are longer than the encoder reads.
        new: the ids of those that are new, in their order: what `forget` takes back when it is given this.
    """

    ids: tuple[str, ...] = field(repr=False)
    added: int
    duplicates: int
    carried: int = 0
    unread: int = 0
    cut: int = 0
    new: tuple[str, ...] = field(default=(), kw_only=True, repr=False)

    def _repr_html_(self) -> str:
        names = ("added", "duplicates", "carried", "unread", "cut")
        always = names[:2]
        rows = [(name, getattr(self, name)) for name in names if name in always or getattr(self, name)]
        return facts("Added", rows)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        names = ("added", "duplicates", "carried", "unread", "cut")
        return {name: getattr(self, name) for name in names} | {"ids": list(self.ids)}


@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """What `forget` did.

    With a receipt and the store, a guess of what was forgotten can be tested: keep it elsewhere or not at all.

    Attributes:
        ids: of the forgotten examples, hex.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that never held them.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        similar: examples still in the store that are nearly the same; None if that was not looked for.
        similar_error: why it was asked for and could not be looked for; the examples are forgotten all the
            same.
        store: names the store, independent of what it holds.
        signed: the signed receipt, as the text of the file that others get; None if it was not asked for.
    """

    ids: tuple[str, ...]
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    similar: tuple[Held, ...] | None = field(default=None)
    similar_error: str | None = None
    store: str = field(default="", kw_only=True)
    signed: str | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        about = f"root_after={self.root_after!r}, refit={self.refit}, seconds={self.seconds:.3g}"
        return f"Receipt(forgotten={len(self.ids)}, {about})"

    def _repr_html_(self) -> str:
        rows = [("forgotten", len(self.ids)), *_roots(self)]
        table = facts("Receipt", [*rows, ("near copies left not looked for", self.similar_error)])
        return joined(table, listed("Near copies left", self.similar) if self.similar else "")

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "forgotten": len(self.ids),
            "ids": list(self.ids),
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "similar_left": None if self.similar is None else len(self.similar),
            "store": self.store,
            **({} if self.similar_error is None else {"similar_error": self.similar_error}),
        }


@dataclass(frozen=True, slots=True)
class Reencoded:
    """What `reencode` made.

    Attributes:
        path: the directory of the new store.
        encoder: the name of its encoder.
        examples: how many it holds.
        encrypted: whether its files are sealed.
        root: its root.
        source_root: the root of the state of the old store that it holds.
        seconds: how long it took.
        unread: how many inputs are in characters that its encoder does not know.
        cut: how many are longer than its encoder reads.
    """

    path: Path
    encoder: str
    examples: int
    encrypted: bool
    root: str
    source_root: str
    seconds: float
    unread: int = 0
    cut: int = 0

    def _repr_html_(self) -> str:
        names = ("examples", "encoder", "encrypted", "root", "source_root", "seconds")
        shown = [*names, *(name for name in ("unread", "cut") if getattr(self, name))]
        rows = [(name.replace("_", " "), getattr(self, name)) for name in shown]
        return facts("Reencoded", [("path", str(self.path)), *rows])

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "path": str(self.path),
            "encoder": self.encoder,
            "examples": self.examples,
            "encrypted": self.encrypted,
            "root": self.root,
            "source_root": self.source_root,
            "unread": self.unread,
            "cut": self.cut,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, slots=True)
class Replaced:
    """What `replace` did. As JSON it is also a receipt of what was forgotten; see `Receipt`.

    Attributes:
        old: the id of the example that was forgotten, hex.
        new: the id of the one in its place; the same where nothing was to be changed.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that was given the new example and never held the old one.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        store: names the store, independent of what it holds.
    """

    old: str
    new: str
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    store: str = field(default="", kw_only=True)

    @property
    def changed(self) -> bool:
        """Whether another example is in its place now."""
        return self.old != self.new

    def _repr_html_(self) -> str:
        return facts("Replaced", [("old id", self.old), ("new id", self.new), *_roots(self)])

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "changed": self.changed,
            "id": self.new,
            "ids": [self.old] if self.changed else [],
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "store": self.store,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Renamed:
    """What `rename_label` did. As JSON it is also a receipt of what was forgotten; see `Receipt`.

    Attributes:
        ids: of the examples that had the old label, hex; they are forgotten. () if both labels are one.
        duplicates: how many of them were, with the new label, an example that was there already.
        root_before: the store's root, the fingerprint of all that it holds, before.
        root_after: its root after: that of a store that was taught the new label from the beginning.
        refit: whether all examples were clustered again.
        seconds: how long it took until everything was wiped.
        store: names the store, independent of what it holds.
    """

    ids: tuple[str, ...]
    duplicates: int
    root_before: str
    root_after: str
    refit: bool
    seconds: float
    store: str = field(default="", kw_only=True)

    def __repr__(self) -> str:
        about = f"root_after={self.root_after!r}, refit={self.refit}, seconds={self.seconds:.3g}"
        return f"Renamed(renamed={len(self.ids)}, {about})"

    def _repr_html_(self) -> str:
        rows = [("renamed", len(self.ids)), ("duplicates", self.duplicates), *_roots(self)]
        return facts("Renamed", rows)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "renamed": len(self.ids),
            "duplicates": self.duplicates,
            "ids": list(self.ids),
            "root_before": self.root_before,
            "root_after": self.root_after,
            "refit": self.refit,
            "seconds": round(self.seconds, 6),
            "store": self.store,
        }


def _roots(change: Receipt | Replaced | Renamed) -> list[tuple[str, str | float]]:
    """Return what a table says of a store before and after a change."""
    return [
        ("root before", change.root_before),
        ("root after", change.root_after),
        ("clustered again", change.refit),
        ("seconds", change.seconds),
    ]
