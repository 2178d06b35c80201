"""Examples in lines, their own texts in quotes; and how much of them one result may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge_icl.mcp.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_icl.results import Held

MOST_CHARACTERS = 100_000
"""Of the texts in one result: an assistant's context is not filled by one long example after another."""

T = TypeVar("T")


def counted(count: int, noun: str = "example") -> str:
    """Return a number of things in words."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lines(examples: Iterable[Held]) -> list[str]:
    """Return examples as text, a line each: id, similarity where there is one, output, input."""
    return [
        "\t".join(
            [
                one.id,
                *([] if one.similarity is None else [f"{one.similarity:.2f}"]),
                quoted(one.output),
                quoted(one.input),
            ]
        )
        for one in examples
    ]


def room_for(some: Sequence[T], length: Callable[[T], int]) -> Sequence[T]:
    """Return the first few of some things that one result has room for, at least one of them.

    Args:
        some: the things.
        length: returns how many characters one has.
    """
    left = MOST_CHARACTERS
    for at, one in enumerate(some):
        left -= length(one)
        if left < 0:
            return some[: max(at, 1)]
    return some


def examples_with_room(examples: Sequence[Held]) -> Sequence[Held]:
    """Return the first few examples that one result has room for, at least one of them."""
    return room_for(examples, lambda one: len(one.input) + len(one.output))
