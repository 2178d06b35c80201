r"""The rules of a grammar, written out so that a text can be followed through them character by character.

    >>> root = compiled('root ::= "a" [b-d]*')
    >>> root.alternatives[0].takes.holds("a")
    True

As in llama.cpp, `S*` stands for a rule `R ::= S R |`, and `S{2,4}` for `S S R2`, where `R2 ::= S R1 |` and
`R1 ::= S |`.

A rule that may begin with itself could be followed without end, with no character read, so it is refused. That
may be hidden: `root ::= space root "a" | "b"` does where `space` may be empty, and so does `(x*)*`. llama.cpp
sees some of these. Others took all memory; and a plain chain of 40 rules, each of which names the next one
twice, took it hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_icl.errors import InputError
from edge_icl.llm.characters import Characters, of_set, of_text
from edge_icl.llm.gbnf import ROOT, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.llm.gbnf import Token

LARGEST = 1 << 18
"""Places in all rules, repetitions written out."""


@dataclass(eq=False, slots=True)
class Place:
    """A place in a rule.

    Attributes:
        takes: the characters that may stand here, or
        rule: the rule that is to be followed here.
        next: the place after it, None at the end.
    """

    takes: Characters | None
    rule: Rule | None
    next: Place | None


@dataclass(eq=False, slots=True)
class Rule:
    """A rule.

    Attributes:
        name: the user's, or that of the rule that it was made for.
        alternatives: the first place of each, None for nothing.
    """

    name: str
    alternatives: list[Place | None] = field(default_factory=list)


Item = Characters | Rule
Sequence = list[Item]


def compiled(grammar: str) -> Rule:
    """Return the rule that a whole answer follows.

    Args:
        grammar: one that `gbnf.check` has taken.

    Raises:
        InputError: a rule may begin with itself, or the rules are too many.
    """
    compiler = _Compiler()
    for token in tokens(grammar):
        compiler.feed(token)
    rules = compiler.end()
    _refuse_loops(rules)
    for rule, alternatives in rules.items():
        rule.alternatives = [_chain(items) for items in alternatives]
    return compiler.named(ROOT)


class _Compiler:
    """Takes a grammar's pieces one after another."""

    def __init__(self) -> None:
        self._named: dict[str, Rule] = {}
        self._rules: dict[Rule, list[Sequence]] = {}
        self._open: list[tuple[Rule, Sequence]] = []
        self._rule = Rule("")
        self._items: Sequence = []
        self._start = 0  # of the last item, which a repetition repeats
        self._size = 0

    def named(self, name: str) -> Rule:
        """Return the rule of a name."""
        return self._named.setdefault(name, Rule(name))

    def feed(self, token: Token) -> None:
        """Take the next piece."""
        match token.kind:
            case "rule":
                self._begin(self.named(token.text[:-3].rstrip()))
            case "|":
                self._alternative()
            case "(":
                self._open.append((self._rule, self._items))
                self._begin(Rule(self._rule.name))
            case ")":
                inner = self._rule
                self._rule, self._items = self._open.pop()
                self._add([inner])
            case "name":
                self._add([self.named(token.text)])
            case "text":
                self._add([*of_text(token.text)])
            case "set":
                self._add([*of_set(token.text)])
            case "nothing":
                self._add([])
            case "repeat":
                self._repeat(token)

    def end(self) -> dict[Rule, list[Sequence]]:
        """Return all rules."""
        return self._rules

    def _begin(self, rule: Rule) -> None:
        """Begin a rule."""
        self._rule = rule
        self._rules[rule] = []
        self._alternative()

    def _alternative(self) -> None:
        """Begin another alternative of the rule."""
        self._items = []
        self._rules[self._rule].append(self._items)
        self._start = 0

    def _add(self, items: Sequence) -> None:
        """Add an item."""
        self._start = len(self._items)
        self._items += items
        self._count(len(items))

    def _repeat(self, token: Token) -> None:
        """Write the last item out as often as it may come."""
        item = self._items[self._start :]
        if not item:
            raise InputError(
                f"line {token.line} of the grammar is wrong: there is nothing before {token.text!r} to repeat",
                "see llama.cpp's grammars/README.md",
            )
        least, most = _times(token.text)
        del self._items[self._start :]
        self._items += item * least
        self._count(len(item) * (least - 1))
        if most is None:
            rule = Rule(self._rule.name)
            self._rules[rule] = [[*item, rule], []]
            self._items.append(rule)
            return
        rest: Sequence = []
        for _ in range(most - least):
            rule = Rule(self._rule.name)
            self._rules[rule] = [item + rest, []]
            rest = [rule]
            self._count(len(item) + 1)
        self._items += rest

    def _count(self, places: int) -> None:
        """Count places."""
        self._size += places
        if self._size > LARGEST:
            raise InputError(
                f"the grammar has more than {LARGEST:,} places with its repetitions written out",
                "write a smaller one",
            )


def _times(text: str) -> tuple[int, int | None]:
    """Return how often at least and at most an item may come; None without an end."""
    if text in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[text]
    numbers = list(map(int, re.findall(r"[0-9]+", text)))
    if "," not in text:
        return numbers[0], numbers[0]
    return numbers[0], numbers[1] if len(numbers) > 1 else None


def _chain(items: Sequence) -> Place | None:
    """Return the first place of a sequence."""
    place = None
    for item in reversed(items):
        taken, rule = (item, None) if isinstance(item, Characters) else (None, item)
        place = Place(taken, rule, place)
    return place


def _refuse_loops(rules: dict[Rule, list[Sequence]]) -> None:
    """Raise for a rule that may begin with itself."""
    empty = _empty(rules)
    known: set[Rule] = set()
    for rule in rules:
        path: dict[Rule, Iterator[Rule]] = {}
        following: Rule | None = None if rule in known else rule
        while following is not None:
            path[following] = _first(rules[following], empty)
            following = None
            while path and following is None:
                last, others = next(reversed(path.items()))
                following = next((one for one in others if one not in known), None)
                if following is None:
                    known.add(last)
                    del path[last]
            if following in path:
                raise InputError(
                    f"the grammar's rule {following.name} may begin with itself",
                    "look for a rule that begins with itself, or for a part that may be empty and is repeated",
                )


def _first(alternatives: list[Sequence], empty: set[Rule]) -> Iterator[Rule]:
    """Give the rules that may be followed before a character is read."""
    for items in alternatives:
        for item in items:
            if isinstance(item, Characters):
                break
            yield item
            if item not in empty:
                break


def _empty(rules: dict[Rule, list[Sequence]]) -> set[Rule]:
    """Return the rules that the empty text follows."""
    used: dict[Rule, list[tuple[Rule, list[int]]]] = {}
    found: set[Rule] = set()
    todo: list[Rule] = []
    for rule, alternatives in rules.items():
        for items in alternatives:
            if not items:
                todo.append(rule)
            elif all(isinstance(item, Rule) for item in items):
                left = [len(items)]  # rules of this alternative that are not known to be empty
                for item in items:
                    assert isinstance(item, Rule)
                    used.setdefault(item, []).append((rule, left))
    while todo:
        rule = todo.pop()
        if rule not in found:
            found.add(rule)
            for other, left in used.get(rule, ()):
                left[0] -= 1
                todo += [other] if left[0] == 0 else []
    return found
