"""What is noticed of examples that were just taught: labels that look like others, and contradictions."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from edge_icl.answer.labels import slips
from edge_icl.cli.tables import counted
from edge_icl.display.unseen import visible
from edge_icl.errors import EdgeIclError, StoreError
from edge_icl.example import folded, normalise
from edge_icl.search.spelling import stripped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edge_icl.cli.session import Session
    from edge_icl.example import Example
    from edge_icl.memory import Memory
    from edge_icl.results import Held
    from edge_icl.search.spelling import LookAlike

MOST_TOLD = 3
"""Of each kind; more are counted."""

FEW = 20
"""Different outputs: of more it is quicker to count those of the store than to look for each."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was noticed.

    Attributes:
        look_alikes: the labels that are new and look like another one.
        contradictions: the examples whose input was taught with another output, by their inputs.
    """

    look_alikes: Sequence[LookAlike] = ()
    contradictions: Sequence[Held] = ()

    @classmethod
    def of(cls, session: Session, memory: Memory, taught: Sequence[Example], new: Sequence[str]) -> Noticed:
        """Look at examples that were taught; those are in the store in any case.

        Args:
            session: where it is told if that cannot be done.
            memory: the store.
            taught: the examples.
            new: those of their outputs that were new.
        """
        found = look_alikes(session, memory, new)
        with _whatever(session, "it cannot be told whether an input was taught with another output"):
            others = memory.contradictions(*taught)
            return cls(found, sorted(others, key=lambda one: (folded(one.input), one.id)))
        return cls(found)

    @property
    def contradicted(self) -> int:
        """How many inputs have several outputs."""
        return len({folded(one.input) for one in self.contradictions})

    def as_json(self) -> dict[str, object]:
        """Return the fields for JSON; without what there is none of."""
        found = {
            "contradictions": [one.as_json() for one in self.contradictions],
            "look_alikes": [one.as_json() for one in self.look_alikes],
        }
        return {name: some for name, some in found.items() if some}

    def tell(self, session: Session, memory: Memory, taught: Mapping[str, Example]) -> None:
        """Tell it, with the commands that correct it.

        Args:
            session: where it is told.
            memory: the store.
            taught: the examples that were taught, by their ids.
        """
        tell_look_alikes(session, memory, self.look_alikes, {id: one.output for id, one in taught.items()})
        given: dict[str, list[tuple[str, str]]] = {}
        for id, example in taught.items():
            given.setdefault(folded(example.input), []).append((id, example.output))
        groups = groupby(self.contradictions, key=lambda one: folded(one.input))
        told = 0
        for text, group in [(text, [*group]) for text, group in groups][:MOST_TOLD]:
            told += len(group)
            session.output.note(_contradiction(session, memory, given[text], group))
        if len(self.contradictions) > told:
            more = counted(len(self.contradictions) - told, "more example")
            check = session.command_line("check")
            session.output.note(f"{more} have an input that is taught with another output too; see {check}")


def new_labels(memory: Memory, outputs: Iterable[str]) -> list[str]:
    """Return those of some outputs that no example has yet; none where a damaged store does not tell.

    Raises:
        InputError: one is not valid text.
    """
    wanted = dict.fromkeys(outputs)
    try:
        known = memory.outputs() if len(wanted) > FEW else {one for one in wanted if memory.has_output(one)}
    except (StoreError, OSError, MemoryError):
        return []  # the change that follows says what is wrong, if it matters to it
    return [one for one in wanted if one not in known]


def look_alikes(session: Session, memory: Memory, new: Sequence[str]) -> list[LookAlike]:
    """Return the new labels that look like another one."""
    if new:
        with _whatever(session, "it cannot be told which labels look alike"):
            return slips(new, memory.outputs(), memory.labels_setting)
    return []


@dataclass(frozen=True, slots=True)
class Corrected:
    """An output that is put in the place of another one.

    Attributes:
        output: without white space around it.
        trimmed: whether there was some.
        new: the output, if no example had it before.
    """

    output: str
    trimmed: bool
    new: Sequence[str]

    @classmethod
    def of(cls, memory: Memory, text: str) -> Corrected:
        """Return an output as it is taken.

        Raises:
            InputError: it is not valid text, or nothing is left of it.
        """
        output = normalise(stripped(text), "output")
        return cls(output, output != normalise(text, "output"), new_labels(memory, [output]))

    def shown(self, session: Session, memory: Memory, id: str) -> dict[str, object]:
        """Tell what was noticed of it once an example has it, or return that for JSON.

        Args:
            session: where it is told.
            memory: the store.
            id: of an example that has it now.
        """
        found = look_alikes(session, memory, self.new)
        if session.output.json:
            fields = {"stripped": int(self.trimmed), "look_alikes": [one.as_json() for one in found]}
            return {name: value for name, value in fields.items() if value}
        if self.trimmed:
            session.output.note("white space around the output was left out")
        tell_look_alikes(session, memory, found, {id: self.output})
        return {}


def tell_look_alikes(
    session: Session, memory: Memory, found: Sequence[LookAlike], taught: Mapping[str, str]
) -> None:
    """Tell which new labels look like others, with the command that makes them one.

    Args:
        session: where it is told.
        memory: the store.
        found: the labels.
        taught: of each example that was just taught, by its id, the output.
    """
    for one in found[:MOST_TOLD]:
        ids = [id for id, output in taught.items() if output == one.new]
        session.output.note(f"{one}; {_remedy(session, memory, one, ids)}")
    if len(found) > MOST_TOLD:
        left = len(found) - MOST_TOLD
        more = f"{counted(left, 'more new label')} {'looks' if left == 1 else 'look'} like another one"
        session.output.note(f"{more}; `{session.command_line('labels')}` lists them all")


def _remedy(session: Session, memory: Memory, one: LookAlike, ids: Sequence[str]) -> str:
    """Return the command that makes two labels one; by ids, where a label cannot be typed."""
    typed = visible(one.new) == one.new
    if ids and (not typed or (len(ids) == 1 and not one.same)):
        fix = session.fix(memory, ids[0], one.known)
        also = "" if len(ids) == 1 else f", and so for {len(ids) - 1:,} more"
        return f"did you mean {visible(one.known)}? {fix}{also}"
    return f"to make them one: {session.command_line('labels', '--rename', one.new, one.known)}"


def _contradiction(
    session: Session, memory: Memory, given: Sequence[tuple[str, str]], others: Sequence[Held]
) -> str:
    """Return in words that an input has several outputs, with the command that corrects it.

    Args:
        session: says how its store is named.
        memory: the store.
        given: ids and outputs of the examples with this input that were just taught.
        others: the examples that contradict one of those.
    """
    outputs = list(dict.fromkeys(output for _, output in given))
    one = next((other for other in others if other.output not in outputs), None)
    if one is not None:
        fix = session.fix(memory, one.id, outputs[0])
        return f"{one.input} is already taught as {one.output}; to correct that: {fix}"
    first, another = outputs[0], next(id for id, output in given if output != outputs[0])
    fix = session.fix(memory, another, first)
    return f"{others[0].input} is taught as {' and as '.join(outputs)}; to have {first} alone: {fix}"


@contextmanager
def _whatever(session: Session, told: str) -> Iterator[None]:
    """Let a command go on that has done what it was asked for, or will, if something cannot be looked at."""
    try:
        yield
    except (EdgeIclError, OSError, MemoryError) as error:
        session.output.note(f"{told}: {str(error) or 'there is not enough memory'}")
