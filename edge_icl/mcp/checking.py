"""The tool that says how good the store is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.mcp.advice import by_hand
from edge_icl.mcp.desk import Desk, Result
from edge_icl.mcp.quoting import quoted
from edge_icl.mcp.returned import Checked
from edge_icl.mcp.wording import counted, examples_with_room, lines, room_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.answer.check import Check, Groups, LabelCheck
    from edge_icl.mcp.arguments import CheckArguments
    from edge_icl.results import Held


def check(desk: Desk, given: CheckArguments) -> Result:
    """Say how good the store is: how often it is right, and which examples to look at.

    Use it where the user asks how well it works, or what to improve. Each example is left out and judged by all
    others. It finds labels that are mixed up, examples that are possibly mislabelled, the same input taught
    twice, labels with one example, and inputs that the encoder cannot read. Nothing is changed, and the model
    is not asked; of a large store it takes seconds. A suspect may be right: ask the user before you correct one
    with fix_dry_run and fix.
    """
    found = desk.memory().check()
    shown = _Shown(found, given.limit)
    text = [*_accuracy(found), *shown.lines()]
    if found.foreign.mostly:
        advice = by_hand(desk.program, "status")
        text.append(f"most inputs are in a language that the encoder does not read; {advice} says what helps")
    return Result("\n".join(text), Checked.model_validate(shown.as_json()))


class _Shown:
    """What of a check is shown: the first few of each kind.

    Args:
        found: all of it.
        limit: how many of each kind.
    """

    def __init__(self, found: Check, limit: int) -> None:
        worst = sorted(found.labels, key=lambda one: (one.right / one.count, -one.count, one.label))
        self.found = found
        self.labels = [one for one in worst if one.right < one.count]
        self.limit = limit

    def lines(self) -> Iterator[str]:
        """Yield what was found in lines, the most important first."""
        found, limit = self.found, self.limit
        if self.labels:
            yield f"{counted(len(self.labels), 'label')} not always right, the worst first:"
            yield from map(_label, self.labels[:limit])
        if found.confused:
            yield f"{counted(len(found.confused), 'pair')} of labels mixed up (times, label, taken for):"
            for pair in found.confused[:limit]:
                yield f"{pair.count}\t{quoted(pair.label)}\t{quoted(pair.taken_for)}"
        if found.suspects:
            yield f"{counted(found.suspected)} possibly mislabelled, the worst first, with what is likelier:"
            for one in found.suspects[:limit]:
                yield f"{lines([one.held])[0]}\t{quoted(one.likelier)} {one.probability:.2f}"
        yield from self._examples("with the same input and output", _flat(found.duplicates))
        yield from self._examples("with the same input and different outputs", _flat(found.contradictions))
        if found.single:
            yield f"{counted(len(found.single), 'label')} with one example; more of each would help:"
            yield from map(quoted, found.single[:limit])
        yield from self._examples("that the encoder cannot read: it knows few of the characters", found.unread)
        yield from self._examples("longer than the encoder reads: the end is not looked at", found.cut)
        if found.unread is None:
            yield "the store's encoder is not on this machine: what it cannot read is not known"

    def as_json(self) -> dict[str, Any]:
        """Return the fields, each list cut to what is shown, and how long it is in all."""
        found, limit = self.found, self.limit
        every = found.as_json() | {"labels": [one.as_json() for one in self.labels]}
        lists = {name: value for name, value in every.items() if isinstance(value, list) and name != "interval"}
        cut = {name: room_for(value[:limit], lambda one: len(str(one))) for name, value in lists.items()}
        counts = {name: len(value) for name, value in lists.items()} | {"suspects": found.suspected}
        return every | cut | {"counts": counts}

    def _examples(self, what: str, some: Sequence[Held] | None) -> Iterator[str]:
        """Yield the first examples of which something is to be known."""
        if some:
            yield f"{counted(len(some))} {what}:"
            yield from lines(examples_with_room(some[: self.limit]))


def _accuracy(found: Check) -> Iterator[str]:
    """Yield how often the store is right, or why that cannot be said."""
    if found.interval is None:
        yield f"no accuracy: {found.untested}"
        return
    low, high = (f"{100 * end:.1f}" for end in found.interval)
    sampled = f", a random sample of {found.examples:,}" if found.tested < found.examples else ""
    yield (
        f"right: {100 * found.right / found.tested:.1f} %, 95 % interval {low} to {high} ({found.right:,} of "
        f"{counted(found.tested)}{sampled}, each left out and judged by all others)"
    )


def _label(one: LabelCheck) -> str:
    """Return in a line how a label fared."""
    return f"{one.right} of {one.count}\t{quoted(one.label)}"


def _flat(groups: Groups) -> list[Held]:
    """Return all examples of some groups."""
    return [held for group in groups for held in group]
