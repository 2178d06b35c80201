"""Hints of the program: found in its source, and taken from what it tells."""

from __future__ import annotations

import ast
import functools
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from repository import REPOSITORY

from edge_icl.cli.commandline import apart
from edge_icl.cli.program import COMMANDS, cli

_COMMAND = re.compile(
    r"""(?:(?P<quote>`)|[:?][ ]|\bsee[ ])edge-icl[ ]
    (?P<words>(?(quote)[^`]+|(?:'[^']*'|"[^"]*"|(?![;,)?](?:\s|$))[^'"])+))""",
    re.VERBOSE,
)
"""A command in a sentence: in backquotes, or behind a colon up to what ends a clause."""

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def commands(told: str) -> list[list[str]]:
    """Return the commands that a sentence advises, each as words after the program's name."""
    return [shlex.split(found["words"]) for line in told.splitlines() for found in _COMMAND.finditer(line)]


def for_the_shell(told: str) -> list[list[str]]:
    """Return the other commands that a sentence advises: those that change what a file may be used for."""
    return [shlex.split(found) for found in re.findall(r"`(chmod [^`]+)`", told)]


def options(told: str) -> set[str]:
    """Return the options that a sentence names outside of commands."""
    return set(_OPTION.findall(_COMMAND.sub("", told)))


def known_options(words: list[str]) -> set[str]:
    """Return the options of the command of a command line."""
    context = _context(words)
    return {option for one in context.command.get_params(context) for option in one.opts + one.secondary_opts}


def _context(words: list[str]) -> click.Context:
    """Return the context of the command of a command line, of which nothing is run."""
    context = click.Context(cli, info_name="edge-icl", resilient_parsing=True)
    for word in words:
        found = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if found is not None:
            context = click.Context(found, context, info_name=word, resilient_parsing=True)
    return context


def parse(words: list[str]) -> None:
    """Let click read a command, and run nothing.

    Raises:
        click.UsageError: there is no such command, or option.
    """
    apart(_context(words), words)


@dataclass(frozen=True)
class Hint:
    """A text of the source that advises something to type.

    Attributes:
        place: where it is.
        pieces: what it says between what is filled in.
    """

    place: str
    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return "{}".join(self.pieces)


@functools.cache
def in_source() -> list[Hint]:
    """Return every text of the source that names a command or, in an error, an option."""
    found = []
    for folder in ("edge_icl", "models", "cli"):
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            place = str(path.relative_to(REPOSITORY))
            found += [Hint(place, pieces) for pieces in _hints(ast.parse(path.read_text(encoding="utf-8")))]
    return found


def _hints(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """Yield the pieces of each hint of a module."""
    nodes = [*ast.walk(tree)]
    told = _told(nodes)
    for node in nodes:
        if id(node) in told:
            pieces, filled = _pieces(node)
            text = "\0".join(pieces)
            names_one = _NAMED.search(text) or _ADVISED.search(filled) or _TO_TYPE.search(text)
            if re.search("[a-z]", text) and (names_one or (told[id(node)] and _OPTION.search(text))):
                yield pieces


_NAMED = re.compile(rf"edge-icl (--store|--help|{'|'.join(COMMANDS)})\b")
_TO_TYPE = re.compile(r"(\bto [^:;]+|quote each|start over): \0$")
_ADVISED = re.compile(
    r"command_line\(|\.typed\(|_typed\(|\bLine\(|line\.|\.line\(\)|command_path|PROGRAM|_put\(|quoted\(line"
)
"""What in a text is filled in with a command."""


def _told(nodes: list[ast.AST]) -> dict[int, bool]:
    """Return the texts of a module that are told to a user; of each whether it is in an error.

    Not docstrings, help texts, and examples of commands, which other tests type.
    """
    texts = {id(node): False for node in nodes if _is_text(node)}
    for node in nodes:
        if isinstance(node, ast.Call) and _called(node).endswith(("Error", "Advised", "Parameter")):
            texts |= {id(part): True for part in ast.walk(node) if _is_text(part)}
    skipped = {id(part) for node in nodes for one in _not_told(node) for part in ast.walk(one)}
    return {one: in_error for one, in_error in texts.items() if one not in skipped}


def _not_told(node: ast.AST) -> Sequence[ast.AST]:
    """Return what in a node is no text that is told."""
    if isinstance(node, ast.Expr):
        return [node.value] if isinstance(node.value, ast.Constant) else []
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.Call):
        return [node] if _called(node) in {"examples", "compile"} else []
    return [node] if isinstance(node, ast.keyword) and node.arg in {"help", "epilog", "metavar"} else []


def _called(node: ast.Call) -> str:
    """Return the name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _pieces(node: ast.AST) -> tuple[tuple[str, ...], str]:
    """Return what a text says between what is filled in, and the source of what is."""
    if isinstance(node, ast.Constant):
        return (node.value,), ""
    assert isinstance(node, ast.JoinedStr)
    pieces, filled = [""], ""
    for value in node.values:
        if isinstance(value, ast.Constant):
            pieces[-1] += value.value
        else:
            filled += ast.unparse(value)
            pieces.append("")
    return tuple(pieces), filled
