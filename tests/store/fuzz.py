"""Bytes of any kind put before the decoders of a store, led by what they have reached so far (atheris).

    make fuzz

    python tests/store/fuzz.py -max_total_time=3600 corpus/     # keeps in corpus/ what reaches more of them

The first byte says which decoder gets the rest. It may return or refuse: a ValueError, or an error of ours. All
else is a find, as is what reads well and is written otherwise; the input is left in a file named `crash-...`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edge_icl"]):
    from edge_icl.answer import calibration
    from edge_icl.cluster import kmeans, record
    from edge_icl.cluster.certificate import revise
    from edge_icl.cluster.kmeans import Parameters
    from edge_icl.cluster.points import Points
    from edge_icl.errors import EdgeIclError
    from edge_icl.example import Example
    from edge_icl.store import pages, settings
    from edge_icl.store.consistency import ids_in, wrong_in, wrong_in_clustering
    from edge_icl.store.keys import Stretch, WrappedKey
    from edge_icl.store.manifest import Manifest
    from edge_icl.store.settings import Settings
    from edge_icl.store.trie import Leaf

import numpy as np

SEED = bytes(range(32))
DIMENSION = 2
PARAMETERS = Parameters(SEED, shots=2, iterations=2, step=9, dimension=DIMENSION)
EXAMPLES = [
    Example.create("a\n\\", "b", tags=["y", "z"], source="s"),
    Example.create("é\u2028", "\x1b"),
    Example.create("c", "d"),
]
ROWS = sorted(
    pages.Row(example.id(SEED), np.array([7 * i, -127], np.int8), example.canonical())
    for i, example in enumerate(EXAMPLES)
)
POINTS = Points(
    np.frombuffer(b"".join(row.id for row in ROWS), np.uint8).reshape(-1, 16),
    np.array([row.vector for row in ROWS]),
)
SETTINGS = Settings(SEED, "e", "d", DIMENSION, 100, shots=2, iterations=2, step=9, task="t")


MANY = Points(
    np.arange(64 * 16, dtype=np.uint8).reshape(64, 16),
    np.random.default_rng(0).integers(-127, 128, (64, DIMENSION)).astype(np.int8),
)


class FoundError(Exception):
    """What decodes is not to be used as what it is."""


def read_page(data: bytes) -> None:
    page = pages.decode(data, DIMENSION)
    assert pages.encode(page) == data
    assert len(list(page.rows())) == len(page)
    list(wrong_in(page, Leaf("0", len(page), ""), SEED))
    assert len(list(page.examples())) == len(page)


def read_manifest(data: bytes) -> None:
    found = Manifest.decode(data)
    assert found.encode() == data
    assert sum(leaf.count for leaf in found.pages) == found.count
    ids = [int.from_bytes(row.id) for row in ROWS]
    for one in ids:
        found.trie.leaf_of(one)
    list(found.trie.regions(ids, []))


def read_clustering(data: bytes) -> None:
    found = record.decode(data, PARAMETERS)
    assert record.encode(found) == data
    ids_in(found)
    count = int(found.counts[0].sum())
    if wrong_in_clustering(found, count):
        return
    none = Points.join([], DIMENSION)
    for added, removed in ((POINTS, none), (none, POINTS)):
        after = count + len(added.ids) - len(removed.ids)
        if not 0 <= after <= len(MANY.ids):
            continue
        everything = Points(MANY.ids[:after], MANY.vectors[:after])
        try:
            revised, _ = revise(
                PARAMETERS, found, added=added, removed=removed, everything=lambda e=everything: e
            )
        except ValueError as error:
            raise FoundError from error
        assert not wrong_in_clustering(revised, after)


def read_settings(data: bytes) -> None:
    assert Settings.decode(data).encode() == data


def read_envelope(data: bytes) -> None:
    sealed = settings.sealed_in(data)
    assert sealed is None or settings.envelope(sealed) == data


def read_key(data: bytes) -> None:
    assert WrappedKey.decode(data).encode() == data


def read_examples(data: bytes) -> None:
    texts = data.split(b"\0")
    found = Example.all_from_canonical(texts)
    assert len(found) == len(texts)
    for example, text in zip(found, texts, strict=True):
        assert Example.from_canonical(text) == example
        example.canonical()  # what cannot be written is not read either


def read_scores(data: bytes) -> None:
    assert all(np.isfinite(score) for score in calibration.decode(data).values())


DECODERS: list[Callable[[bytes], None]] = [
    read_page,
    read_manifest,
    read_clustering,
    read_settings,
    read_envelope,
    read_key,
    read_examples,
    read_scores,
]


def try_one(data: bytes) -> None:
    """Let one decoder read what the fuzzer made up."""
    with suppress(ValueError, EdgeIclError):
        DECODERS[data[0] % len(DECODERS) if data else 0](data[1:])


def honest() -> list[bytes]:
    """What each decoder is there for, in their order."""
    page = pages.encode(pages.Page.of(ROWS))
    clustering = record.encode(kmeans.fit(PARAMETERS, POINTS))
    digest = SETTINGS.digest
    leaves = (Leaf("0", 200, digest(page)), Leaf("1", 57, digest(b"")))
    manifest = Manifest(digest(b"s"), 257, digest(clustering), leaves, labels="yes")
    key = WrappedKey(bytes(16), Stretch(8, 1, 1), keyring=False, wrapped=bytes(80))
    return [
        page,
        manifest.encode(),
        clustering,
        SETTINGS.encode(),
        settings.envelope(bytes(40)),
        key.encode(),
        b"\0".join(row.text for row in ROWS),
        calibration.encode({"a": -1.5, "b": -1e-300}),
    ]


def main() -> None:
    """Begin with what is honest; libFuzzer's options are taken as they are."""
    with tempfile.TemporaryDirectory() as folder:
        for i, data in enumerate(honest()):
            DECODERS[i](data)
            (Path(folder) / str(i)).write_bytes(bytes([i]) + data)
        atheris.Setup([*sys.argv, folder], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
