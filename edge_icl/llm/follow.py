r"""Where a text stands in a grammar, and what may follow.

    >>> state = begin(compiled('root ::= "a" "b"*'), Budget())
    >>> state.after("a").whole, state.after("b").dead
    (True, True)

A text may stand at several places at once, each with the places that rules go back to: a stack. What stacks
have in common they share, and a state that was once computed is kept for as long as it may be asked for again.

A grammar may have so many ways to read a text that they double with every character. So steps are counted, and
at `MOST_STEPS` for one token there is an error, where llama.cpp would never end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.errors import InputError
from edge_icl.llm.characters import Characters
from edge_icl.llm.rules import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_icl.llm.rules import Rule

MOST_STEPS = 1 << 17
"""A second or so. A JSON schema takes a dozen for a token, and a list of a thousand words a thousand."""

_FIRST = {4: 0xF0, 3: 0xE0, 2: 0xC0}
"""The smallest first byte of each length in UTF-8."""

_LEAST = {2: 0x80, 3: 0x800, 4: 0x10000}
"""The smallest code point of each length."""


@dataclass(eq=False, slots=True)
class _Stack:
    """A place, and where to go on after the end of its rule: both None at the end of everything."""

    place: Place
    below: _Stack | None


class Budget:
    """How many steps are left, and the stacks there are, each once."""

    def __init__(self) -> None:
        self._left = MOST_STEPS
        self._stacks: dict[tuple[Place, _Stack | None], _Stack] = {}

    def renew(self) -> None:
        """Begin with another token."""
        self._left = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            InputError: there were too many.
        """
        self._left -= steps
        if self._left < 0:
            raise InputError(
                "the grammar has too many ways to read one text",
                "write it so that the next characters tell which rule they belong to",
            )

    def stack(self, place: Place, below: _Stack | None) -> _Stack:
        """Return the stack of a place on another stack."""
        key = (place, below)
        found = self._stacks.get(key)
        if found is None:
            found = self._stacks[key] = _Stack(place, below)
        return found


class State:
    """Where a text stands.

    Attributes:
        whole: whether it may end here.
    """

    def __init__(self, budget: Budget, reached: Iterable[tuple[Place | None, _Stack | None]]) -> None:
        self._budget = budget
        self._after: dict[str, State] = {}
        self.whole = False
        self._single: dict[int, list[_Stack]] = {}  # those that take one character, by that
        self._stacks: list[tuple[_Stack, Characters]] = []  # those that take one of several
        self._follow(list(reached))

    @property
    def dead(self) -> bool:
        """Whether the grammar allows no such text."""
        return not (self.whole or self._stacks or self._single)

    def after(self, character: str) -> State:
        """Return the state after one more character.

        Raises:
            InputError: the grammar has too many ways to read the text.
        """
        found = self._after.get(character)
        if found is None:
            self._budget.spend(len(self._stacks))
            code = ord(character)
            taking = [one for one, takes in self._stacks if takes.meets(code, code)]
            taking += self._single.get(code, ())
            found = self._after[character] = State(
                self._budget, [(one.place.next, one.below) for one in taking]
            )
        return found

    def may_begin(self, part: bytes) -> bool:
        """Return whether a character may come whose UTF-8 begins with these bytes, which are not all of it."""
        length = next(length for length, first in _FIRST.items() if part[0] >= first)
        code = part[0] & (0xFF >> (length + 1))
        for byte in part[1:]:
            code = code << 6 | byte & 0x3F
        missing = 6 * (length - len(part))
        low, high = max(code << missing, _LEAST[length]), (code + 1 << missing) - 1
        self._budget.spend(len(self._stacks) + len(self._single))
        return any(low <= code <= high for code in self._single) or any(
            takes.meets(low, high) for _, takes in self._stacks
        )

    def _follow(self, reached: list[tuple[Place | None, _Stack | None]]) -> None:
        """Follow rules from the places reached to those that take a character."""
        seen = set(reached)
        while reached:
            place, below = reached.pop()
            self._budget.spend(1)
            if place is None and below is None:
                self.whole = True
                continue
            if place is None:
                assert below is not None
                onward: list[tuple[Place | None, _Stack | None]] = [(below.place, below.below)]
            elif place.takes is not None:
                self._keep(self._budget.stack(place, below), place.takes)
                continue
            else:
                assert place.rule is not None
                back = below if place.next is None else self._budget.stack(place.next, below)
                onward = [(first, back) for first in place.rule.alternatives]
            fresh = [one for one in onward if one not in seen]
            seen.update(fresh)
            reached += fresh

    def _keep(self, stack: _Stack, takes: Characters) -> None:
        """Keep a stack whose place takes a character."""
        if takes.single is not None:
            self._single.setdefault(takes.single, []).append(stack)
        else:
            self._stacks.append((stack, takes))


def begin(root: Rule, budget: Budget, *, lead: str = "") -> State:
    """Return the state before an answer.

    Args:
        root: what the answer follows.
        budget: for all states that come from this one.
        lead: a text that comes before.

    Raises:
        InputError: the grammar has too many ways to begin.
    """
    place = Place(None, root, None)
    for character in reversed(lead):
        place = Place(Characters.of([(ord(character), ord(character))]), None, place)
    return State(budget, [(place, None)])
