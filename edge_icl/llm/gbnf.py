r"""The syntax of GBNF, llama.cpp's language for grammars.

    >>> sorted(check('root ::= "yes" | no\nno ::= "no"'))
    ['no', 'root']

What is not clearly right is refused here, with its line. Left out are `<...>`, tokens by their number: a
grammar is about text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "root"
"""The rule that a whole answer follows."""

LONGEST = 1 << 18
"""Characters."""

DEEPEST = 1000
"""Parentheses inside one another."""

MOST_COPIES = 1000
"""Repetitions are written out. llama.cpp refuses more than 2,000 copies, counted by its own rule."""

_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[tnr\\\"\[\]-])"
_TOKEN = re.compile(
    rf"""
      (?P<blank>  [ \t]+ | \#[^\r\n]* )
    | (?P<line>   \r\n | \r | \n )
    | (?P<rule>   [a-zA-Z0-9-]+ [ \t]* ::= )
    | (?P<name>   [a-zA-Z0-9-]+ )
    | (?P<nothing> "" )
    | (?P<text>   "(?: [^"\\] | {_ESCAPE} )*" )
    | (?P<set>    \[(?: [^\]\\] | {_ESCAPE} )*\] | \. )
    | (?P<repeat> [*+?] | \{{[ \t]*[0-9]+[ \t]*(?:,[ \t]*[0-9]*[ \t]*)?\}} )
    | (?P<sign>   [()|] )
    """,
    re.VERBOSE,
)
_REPEATABLE = {"name", "text", "set", ")"}


class Token(NamedTuple):
    """A piece of a grammar: its kind, its text and its line."""

    kind: str
    text: str
    line: int


def check(grammar: str) -> frozenset[str]:
    """Return the names of a grammar's rules.

    Raises:
        InputError: it is not a grammar; says what is wrong, and in which line.
    """
    if len(grammar) > LONGEST:
        raise InputError(
            f"the grammar has {len(grammar):,} characters, more than {LONGEST:,}", "write a shorter one"
        )
    checker = _Checker()
    for token in tokens(grammar):
        checker.feed(token)
    return checker.end()


def tokens(grammar: str) -> Iterator[Token]:
    """Give the pieces that mean something."""
    at, line = 0, 1
    while at < len(grammar):
        found = _TOKEN.match(grammar, at)
        if found is None or found.lastgroup is None:
            raise _wrong(line, f"there is an unexpected {grammar[at]!r}")
        text = found.group()
        if found.lastgroup != "blank":
            yield Token(text if found.lastgroup == "sign" else found.lastgroup, text, line)
        line += len(re.findall(r"\r\n|\r|\n", text))
        at = found.end()


class _Checker:
    """Takes a grammar's pieces one after another."""

    def __init__(self) -> None:
        self._rules: set[str] = set()
        self._used: dict[str, int] = {}
        self._last = "line"
        self._open: list[int] = []  # copies inside each parenthesis that is open
        self._copies = 1  # of the last item, as llama.cpp would write it out

    def feed(self, token: Token) -> None:
        """Take the next piece.

        Raises:
            InputError: it cannot stand there.
        """
        kind = token.kind
        if kind == "line":
            if self._open or self._last in {"rule", "|"}:
                return
        elif (kind == "rule") != (self._last == "line"):
            raise _wrong(token.line, f"there is {token.text!r} where {self._wanted()} should be")
        match kind:
            case "rule":
                self._take_rule(token)
            case "(":
                self._take_open(token)
            case ")":
                self._take_close(token)
            case "repeat":
                self._take_repeat(token)
            case "name" | "text" | "set":
                self._take_item(token)
        self._last = kind

    def end(self) -> frozenset[str]:
        """Return the names of the rules, after the last piece.

        Raises:
            InputError: something is missing.
        """
        if self._open:
            raise InputError("the grammar ends before a ( is closed", "add the )")
        if ROOT not in self._rules:
            raise InputError(f"the grammar has no rule named {ROOT}", f"add one: {ROOT} ::= ...")
        for name, line in self._used.items():
            if name not in self._rules:
                raise _wrong(line, f"there is no rule named {name}")
        return frozenset(self._rules)

    def _wanted(self) -> str:
        """Return what may stand at the beginning of a line, or within one."""
        return "a rule (name ::= ...)" if self._last == "line" else "the end of the line"

    def _take_rule(self, token: Token) -> None:
        """Take the beginning of a rule."""
        name = token.text[:-3].rstrip()
        if name in self._rules:
            raise _wrong(token.line, f"there is a second rule named {name}")
        self._rules.add(name)

    def _take_item(self, token: Token) -> None:
        """Take a text, a set or a name."""
        if token.kind == "name":
            self._used.setdefault(token.text, token.line)
        self._copies = max(1, len(token.text) - 2) if token.kind == "text" else 1
        self._count(self._copies)

    def _take_open(self, token: Token) -> None:
        """Take a (."""
        self._open.append(1)
        if len(self._open) > DEEPEST:
            raise _wrong(token.line, f"there are more than {DEEPEST} parentheses inside one another")

    def _take_close(self, token: Token) -> None:
        """Take a )."""
        if not self._open:
            raise _wrong(token.line, "there is a ) without a (")
        self._copies = self._open.pop()
        self._count(self._copies)

    def _take_repeat(self, token: Token) -> None:
        """Take how often the last item may come."""
        if self._last not in _REPEATABLE:
            raise _wrong(token.line, f"there is nothing before {token.text!r} to repeat")
        numbers = [int(number[:9]) for number in re.findall(r"[0-9]+", token.text)]
        if numbers != sorted(numbers):
            raise _wrong(token.line, f"{token.text} counts down")
        if numbers:
            copies = self._copies * max(1, *numbers)
            if copies > MOST_COPIES:
                raise _wrong(token.line, f"{token.text} repeats too much: {copies:,} of {MOST_COPIES:,} copies")
            self._count(copies - self._copies)

    def _count(self, copies: int) -> None:
        """Note copies inside the innermost parenthesis."""
        if self._open:
            self._open[-1] += copies


def _wrong(line: int, what: str) -> InputError:
    """Return the error that something is wrong in a line."""
    return InputError(f"line {line} of the grammar is wrong: {what}", "see llama.cpp's grammars/README.md")
