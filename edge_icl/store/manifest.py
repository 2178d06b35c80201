"""The manifest: the one file that names all others. Its rename is the commit; its keyed digest is the root."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from edge_icl.errors import StoreDamagedError
from edge_icl.store.trie import Leaf, follows_rule

NAME = "manifest"
DIGEST = re.compile(r"[0-9a-f]{64}")
PREFIX = re.compile(r"[01]{0,128}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store holds.

    Attributes:
        settings: digest of store.json.
        count: number of examples.
        clustering: digest of the clustering file.
        pages: the leaves, in the order of their prefixes.
    """

    settings: str
    count: int
    clustering: str
    pages: tuple[Leaf, ...]

    def files(self) -> set[str]:
        """Return the paths of the files that it names, relative to the store."""
        return {clustering_file(self.clustering), *(page_file(leaf.digest) for leaf in self.pages)}

    def encode(self) -> bytes:
        """Return the bytes of the manifest: canonical JSON, one page a line so that two can be compared."""
        fields = {"clustering": self.clustering, "count": self.count, "settings": self.settings}
        head = json.dumps(fields, separators=(",", ":"), sort_keys=True)
        rows = ([leaf.prefix, leaf.count, leaf.digest] for leaf in self.pages)
        pages = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        return f'{{"pages":[\n{pages}\n],\n{head[1:]}\n'.encode()

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read what `encode` wrote.

        Raises:
            StoreDamagedError: these are not the bytes of a manifest.
        """
        try:
            fields = json.loads(data)
            pages = tuple(Leaf(*leaf) for leaf in fields.pop("pages"))
            manifest = cls(pages=pages, **fields)
            if manifest.encode() == data and manifest._sensible():
                return manifest
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            pass
        raise StoreDamagedError(f"{NAME} is damaged", "restore the store from a backup")

    def _sensible(self) -> bool:
        """Tell whether names are names, counts add up and pages follow the rule of the trie."""
        names = [self.settings, self.clustering, *(leaf.digest for leaf in self.pages)]
        return (
            all(DIGEST.fullmatch(name) for name in names)
            and all(PREFIX.fullmatch(leaf.prefix) for leaf in self.pages)
            and all(type(number) is int for number in (self.count, *(leaf.count for leaf in self.pages)))
            and self.count == sum(leaf.count for leaf in self.pages)
            and follows_rule(self.pages)
        )


def page_file(digest: str) -> str:
    """Return the path of a page, relative to the store."""
    return f"pages/{digest}.safetensors"


def clustering_file(digest: str) -> str:
    """Return the path of a clustering, relative to the store."""
    return f"clustering/{digest}.safetensors"
