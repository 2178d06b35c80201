"""The manifest: the one file that names all others. Renaming it is the commit.

Its keyed digest is the root, a fingerprint of the whole store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING, Literal, get_args

from edge_icl.errors import InputError, StoreDamagedError
from edge_icl.runtime import strict_json
from edge_icl.store.trie import Leaf, Trie, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "manifest"
DIGEST_DIGITS = 64

_HEAD, _BETWEEN, _END = b'{"pages":[\n', b",\n", b"\n],\n"
"""What stands before the pages, between two of them, and after them."""

LabelsSetting = Literal["auto", "yes", "no"]
"""Whether a store's outputs are labels; "auto" for what they themselves show."""

AUTO: LabelsSetting = "auto"

LABELS_SETTINGS: tuple[LabelsSetting, ...] = get_args(LabelsSetting)


def checked_labels(setting: str) -> LabelsSetting:
    """Return a setting for labels that a user gave.

    Raises:
        InputError: there is no such setting.
    """
    for known in LABELS_SETTINGS:
        if setting == known:
            return known
    raise InputError(f"{setting!r} does not say whether outputs are labels", "give auto, yes or no")


@dataclass(frozen=True)
class Manifest:
    """What a store holds.

    Attributes:
        settings: digest of store.json.
        count: number of examples.
        clustering: digest of the clustering file.
        pages: the leaves, in the order of their paths.
        labels: whether the outputs are labels: the one setting that can be changed, so it is not in store.json;
            for AUTO it is not in the file, which then is that of a version that did not know it.
    """

    settings: str
    count: int
    clustering: str
    pages: tuple[Leaf, ...]
    labels: LabelsSetting = AUTO

    @cached_property
    def trie(self) -> Trie:
        """The pages by their paths."""
        return Trie(self.pages)

    @cached_property
    def files(self) -> frozenset[str]:
        """The paths of the files that it names, relative to the store."""
        return self._files(self.pages)

    def _files(self, pages: Sequence[Leaf]) -> frozenset[str]:
        """Return the paths of the clustering and of some of the pages."""
        return frozenset([clustering_file(self.clustering), *[page_file(leaf.digest) for leaf in pages]])

    def after(self, *, count: int, clustering: str, pages: Sequence[Leaf], labels: LabelsSetting) -> Manifest:
        """Return the manifest after a change; what is known of the pages that stay is not worked out again."""
        new = Manifest(self.settings, count, clustering, tuple(pages), labels)
        start, old_stop, stop = difference(self.pages, new.pages)
        gone, made = self._files(self.pages[start:old_stop]), new._files(new.pages[start:stop])
        new.__dict__["files"] = (self.files - gone) | made  # where `cached_property` keeps it
        new.__dict__["trie"] = Trie(new.pages, like=self.trie)
        return new

    def encode(self, *, before: tuple[Manifest, bytes] | None = None) -> bytes:
        """Return the bytes of the manifest: canonical JSON, one page a line so that two can be compared.

        Args:
            before: a manifest and its bytes; the lines of pages that are in both are copied.
        """
        fields = {"clustering": self.clustering, "count": self.count, "settings": self.settings}
        fields |= {} if self.labels == AUTO else {"labels": self.labels}
        tail = json.dumps(fields, separators=(",", ":"), sort_keys=True)[1:]
        pages = _lines(self.pages) if before is None else self._spliced(*before)
        return b"".join([_HEAD, pages, _END, tail.encode(), b"\n"])

    def _spliced(self, old: Manifest, data: bytes) -> bytes:
        """Return the lines of the pages, given another manifest and its bytes."""
        start, old_stop, stop = difference(old.pages, self.pages)
        end = data.rindex(_END)

        def begin(i: int) -> int:
            return data.rindex(b"[", 0, data.index(old.pages[i].digest.encode())) if i < len(old.pages) else end

        parts = [
            data[len(_HEAD) : begin(start)].removesuffix(_BETWEEN),
            _lines(self.pages[start:stop]),
            data[begin(old_stop) : end],
        ]
        return _BETWEEN.join(filter(None, parts))

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read what `encode` wrote.

        Raises:
            StoreDamagedError: these are not the bytes of a manifest.
        """
        try:
            fields = strict_json.parse(data)
            fields["pages"] = tuple(starmap(Leaf, fields["pages"]))
            manifest = cls(**fields)
            if manifest.encode() == data and manifest._is_valid():
                return manifest
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        raise StoreDamagedError(f"{NAME} is damaged", "restore the store from a backup")

    def _is_valid(self) -> bool:
        """Tell whether digests are digests, counts add up and pages follow the rule of the trie."""
        paths, counts, digests = zip(*self.pages, strict=True) if self.pages else ((), (), ())
        return (
            set(map(type, (self.count, *counts))) == {int}
            and set("".join(paths)) <= {"0", "1"}
            and _are_digests([self.settings, self.clustering, *digests])
            and self.count == sum(counts)
            and self.labels in LABELS_SETTINGS
            and self.trie.follows_rule()
        )


def _lines(pages: Sequence[Leaf]) -> bytes:
    """Return the lines of pages. By hand: `json.dumps` a line takes three times as long."""
    lines = [f'["{path}",{count},"{digest}"]' for path, count, digest in pages]
    return ",\n".join(lines).encode()


def _are_digests(names: Sequence[str]) -> bool:
    """Tell whether all of these are digests in lower-case hex, as files are named."""
    joined = "".join(names)  # in one step: a store has thousands, and checks them before each change
    return set(map(len, names)) == {DIGEST_DIGITS} and bytes.fromhex(joined).hex() == joined


def page_file(digest: str) -> str:
    """Return the path of a page, relative to the store."""
    return f"pages/{digest}.safetensors"


def clustering_file(digest: str) -> str:
    """Return the path of a clustering, relative to the store."""
    return f"clustering/{digest}.safetensors"
