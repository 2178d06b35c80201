r"""A command line taken apart, so that a corrected one can be advised.

    >>> str(Line(("ask", "--shots", "4"), ("-20% on shoes",)))
    "edge-icl ask --shots 4 -- '-20% on shoes'"

What is advised works when it is typed as it stands, so it begins with the words that were typed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_icl.cli.given import STDIN
from edge_icl.cli.output import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import click

OPTION = r"(?s)--?[A-Za-z][\w-]*(=.*)?"
"""What a word must look like to be meant as an option; another one with a dash in front is a text.

A pattern is compiled when it is first used: most commands need none."""

END = "--"
"""What follows it is no option."""

_WITH_STORE = rf"(`|: ){PROGRAM} (?!models\b|stores\b|merge\b|completion\b)(?=[a-z])"


@dataclass(frozen=True, slots=True)
class Line:
    """A command line.

    Attributes:
        words: the command, with its options and their values.
        texts: what else it is given.
    """

    words: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def __str__(self) -> str:
        end = [END] if any(text.startswith("-") and text != STDIN for text in self.texts) else []
        return shlex.join([PROGRAM, *self.words, *end, *self.texts])

    def given(self, *texts: str) -> Line:
        """Return the same command with other texts."""
        return replace(self, texts=texts)

    def also(self, *words: str) -> Line:
        """Return the same command with more options."""
        return replace(self, words=(*self.words, *words))

    def reading(self, file: str) -> Line:
        """Return the same command with a file in place of texts."""
        return Line((*self.words, "--file", file))


class _Word(str):
    """A word of a command line, told from an equal one by its identity; click's parser keeps that."""

    __slots__ = ("said",)

    said: str


def apart(ctx: click.Context, words: Sequence[str], *, text: str | None = None) -> Line:
    """Take a command line apart.

    Args:
        ctx: of the command that was called.
        words: what was typed after the program's name.
        text: a word that click takes for an option, and that is meant as a text.
    """
    commands = [ctx]
    while commands[0].parent is not None:
        commands.insert(0, commands[0].parent)
    begin: list[_Word] = []
    rest = [_word(one, text) for one in words]
    for group in commands[:-1]:
        _, left, _ = group.command.make_parser(group).parse_args(list(rest))
        called = len(rest) - len(left) + 1
        begin, rest = [*begin, *rest[:called]], rest[called:]
    given, left, _ = ctx.command.make_parser(ctx).parse_args(list(rest))
    texts = {id(one) for name in _arguments(ctx) for one in _flat(given.get(name))} | set(map(id, left))
    options = [one for one in rest if id(one) not in texts and one != END]
    return Line(_said((*begin, *options)), _said(one for one in rest if id(one) in texts))


def _word(typed: str, text: str | None) -> _Word:
    """Return a word as click's parser is given it: what is meant as a text has no dash in front."""
    meant = typed == text or (typed.startswith("-") and len(typed) > 1 and not re.fullmatch(OPTION, typed))
    word = _Word(typed.lstrip("-") or "text" if meant and typed != END else typed)
    word.said = typed
    return word


def _said(words: Iterable[_Word]) -> tuple[str, ...]:
    """Return words as they were typed."""
    return tuple(word.said for word in words)


def _arguments(ctx: click.Context) -> list[str]:
    """Return what a command calls the texts that it is given."""
    return [one.name for one in ctx.command.params if one.param_type_name == "argument" and one.name]


def _flat(value: object) -> Iterator[object]:
    """Yield one word or several."""
    if isinstance(value, (tuple, list)):
        yield from value
    else:
        yield value


def in_store(hint: str, program: str) -> str:
    """Return a hint whose commands name a store.

    Args:
        hint: its commands stand in backquotes, or after a colon.
        program: its name, with the words that name the store where it is not the usual one.
    """
    return re.sub(_WITH_STORE, lambda found: f"{found[1]}{program} ", hint)
