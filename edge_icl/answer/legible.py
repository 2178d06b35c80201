"""How many inputs of a store are in a language that its encoder does not read; nothing is loaded for it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from edge_icl.encode import languages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.answer.open_store import OpenStore
    from edge_icl.encode.languages import Foreign

SAMPLE = 200
"""Inputs that are looked at: the first by id, which are a random sample, as ids are keyed digests."""


def foreign(opened: OpenStore) -> Foreign:
    """Look at some inputs of an open store; see `Memory.foreign`."""
    texts = opened.read(lambda snapshot: [one.input for _, one in islice(snapshot.examples(), SAMPLE)])
    return foreign_of(opened, texts)


def foreign_of(opened: OpenStore, texts: Sequence[str]) -> Foreign:
    """Look at the first of some inputs."""
    return languages.count(texts[:SAMPLE], opened.engines.languages())
