"""Memories of stores that no model was made for."""

from edge_icl import Memory
from edge_icl.answer.engines import Engines
from edge_icl.runtime.lifetime import Lifetime
from edge_icl.store.disk import Store


def without_models(store: Store) -> Memory:
    """Return an open store whose encoder and model are on no machine."""
    engines = Engines(store.settings)
    return Memory(store, engines, Lifetime(store.path), timeout=5)
