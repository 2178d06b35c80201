"""The manifest: the one file that names all others. Its rename is the commit; its keyed digest is the root."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

from edge_icl.errors import StoreDamagedError
from edge_icl.store.trie import Leaf, Trie

NAME = "manifest"
DIGEST = re.compile(r"[0-9a-f]{64}")
PAGE = re.compile(r'\["([01]{0,128})",([0-9]+),"([0-9a-f]{64})"\]')


@dataclass(frozen=True)
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

    @cached_property
    def trie(self) -> Trie:
        """The pages by their prefixes."""
        return Trie(self.pages)

    def files(self) -> set[str]:
        """Return the paths of the files that it names, relative to the store."""
        return {clustering_file(self.clustering), *(page_file(leaf.digest) for leaf in self.pages)}

    def encode(self) -> bytes:
        """Return the bytes of the manifest: canonical JSON, one page a line so that two can be compared."""
        fields = {"clustering": self.clustering, "count": self.count, "settings": self.settings}
        head = json.dumps(fields, separators=(",", ":"), sort_keys=True)
        # By hand, since every change writes all pages: `json.dumps` a line takes three times as long.
        pages = ",\n".join(f'["{leaf.prefix}",{leaf.count},"{leaf.digest}"]' for leaf in self.pages)
        return f'{{"pages":[\n{pages}\n],\n{head[1:]}\n'.encode()

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read what `encode` wrote.

        Raises:
            StoreDamagedError: these are not the bytes of a manifest.
        """
        try:
            text = data.decode()
            pages = tuple(Leaf(prefix, int(count), digest) for prefix, count, digest in PAGE.findall(text))
            fields = json.loads("{" + text[text.index("\n],\n") + len("\n],\n") :])
            manifest = cls(pages=pages, **fields)
            if manifest.encode() == data and manifest._sensible():
                return manifest
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        raise StoreDamagedError(f"{NAME} is damaged", "restore the store from a backup")

    def _sensible(self) -> bool:
        """Tell whether names are names, counts add up and pages follow the rule of the trie."""
        return (
            type(self.count) is int
            and all(DIGEST.fullmatch(name) for name in (self.settings, self.clustering))
            and self.count == sum(leaf.count for leaf in self.pages)
            and self.trie.follows_rule()
        )


def page_file(digest: str) -> str:
    """Return the path of a page, relative to the store."""
    return f"pages/{digest}.safetensors"


def clustering_file(digest: str) -> str:
    """Return the path of a clustering, relative to the store."""
    return f"clustering/{digest}.safetensors"
