"""What the window knows of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import edge_icl


class State(NamedTuple):
    """What the window knows of the store.

    Attributes:
        root: names the store's whole content.
        count: how many examples it holds.
        outputs: the different outputs, sorted.
        labels: whether they are labels.
    """

    root: str = ""
    count: int = 0
    outputs: tuple[str, ...] = ()
    labels: bool = False


def counted(count: int) -> str:
    """Return a number of examples in words."""
    return f"{count:,} example{'' if count == 1 else 's'}"


def read(memory: edge_icl.Memory, known: State) -> State:
    """Return what a store holds; `known` itself where that has not changed."""
    root = memory.root
    if root == known.root:
        return known
    counts = memory.outputs()
    return State(root, sum(counts.values()), tuple(sorted(counts)), bool(counts) and memory.labelling().labels)
