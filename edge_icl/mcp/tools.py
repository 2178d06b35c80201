"""What an assistant can do with a store: one table of tools.

Each tool's arguments are a model, from which the client gets a schema and the tool gets checked values. What it
returns is said twice, as text and as fields, since clients differ in what they show to their model.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edge_icl.answer.labels import slips
from edge_icl.errors import ExampleNotFoundError, InputError
from edge_icl.example import Example
from edge_icl.mcp.arguments import (
    AddArguments,
    Arguments,
    AskArguments,
    DryRunArguments,
    ForgetArguments,
    SearchArguments,
    StatusArguments,
)
from edge_icl.mcp.plans import LIFETIME, Plan, Plans
from edge_icl.mcp.quoting import quoted
from edge_icl.search.matching import as_json, only_folded
from edge_icl.search.spelling import did_you_mean, stripped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_icl.memory import Memory
    from edge_icl.results import Held

MOST_SHOWN = 200
"""Examples of one dry run: a person must be able to read what would go."""

_BY_HAND = "the user can forget them all in a terminal, as `edge-icl forget --help` says"


class Opener(Protocol):
    """Opens the store."""

    def __call__(self, *, create: bool) -> Memory:
        """Open it; make it if nothing is there and `create` is true."""


class Desk:
    """One store, opened when a tool first needs it, and the forgets that were shown.

    Args:
        open_store: opens it.
        plans: where forgets wait for their tokens.
    """

    def __init__(self, open_store: Opener, plans: Plans) -> None:
        self.plans = plans
        self._open_store = open_store
        self._lock = threading.Lock()
        self._memory: Memory | None = None

    def memory(self, *, create: bool = False) -> Memory:
        """Return the store.

        Raises:
            StoreError: it cannot be opened, or is not there and `create` is false.
            ModelMissingError: it must be made, and the encoder is not on this machine.
        """
        with self._lock:
            if self._memory is None:
                self._memory = self._open_store(create=create)
            return self._memory

    def close(self) -> None:
        """Give models and memory back."""
        with self._lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool returns.

    Attributes:
        text: for a model to read.
        fields: the same, and more, for a program.
    """

    text: str
    fields: dict[str, Any]


def add(desk: Desk, given: AddArguments) -> Result:
    """Teach the store one example: an input and the output wanted for it. Makes the store if there is none."""
    memory, output = desk.memory(create=True), stripped(given.output)
    example = Example.create(given.input, output, tags=given.tags, source=given.source)
    new = [] if memory.has_output(example.output) else [example.output]
    added = memory.add_many([example])
    alike = slips(new, memory.outputs() if new else {}, memory.labels_setting)
    (id,) = added.ids
    told = [f"added {id}" if added.added else f"{id} was there already"]
    if output != given.output:
        told.append("white space around the output was left out")
    if added.unread:
        told.append("the encoder does not know its characters, and cannot tell it from others")
    told += [f"the label is new, and like {quoted(one.known)}: ask the user which is meant" for one in alike]
    fields = {"look_alikes": [one.as_json() for one in alike]} if alike else {}
    return Result("; ".join(told), added.as_json() | fields)


def ask(desk: Desk, given: AskArguments) -> Result:
    """Answer a question from the examples, with the local model."""
    answer = desk.memory().ask(given.question)
    return Result(answer.text or "", answer.as_json())


def search(desk: Desk, given: SearchArguments) -> Result:
    """Find the examples whose inputs mean most nearly the same as a text, the nearest first."""
    found = desk.memory().search(given.text, limit=given.limit)
    return Result("\n".join(_lines(found)) or "the store is empty", {"examples": _fields(found)})


def status(desk: Desk, _given: StatusArguments) -> Result:
    """Say where the store is, what it holds and was made with, and its root, the fingerprint of all of it."""
    memory = desk.memory()
    fields = {
        "path": str(memory.path),
        "examples": len(memory),
        "shots": memory.settings.shots,
        "task": memory.settings.task or None,
        "labels_setting": memory.labels_setting,
        "encoder": memory.settings.encoder,
        "root": memory.root,
    }
    told = {name: quoted(value) if isinstance(value, str) else value for name, value in fields.items()}
    return Result("\n".join(f"{name}: {value}" for name, value in told.items() if value is not None), fields)


def forget_dry_run(desk: Desk, given: DryRunArguments) -> Result:
    """Show which examples would be forgotten, with a token that forgets exactly these; change nothing.

    Show the user what would go before giving the token back. It serves once, and only while nothing else in the
    store changes.
    """
    memory = desk.memory()
    root = memory.root  # read first: what changes from here on makes the token invalid
    found = _find(memory, given)
    folded = only_folded(found, given.match)
    token = desk.plans.keep(Plan(tuple(one.id for one in found), root))
    text = "\n".join(
        [
            f"{_counted(found)} would be forgotten; nothing was changed",
            *_lines(found),
            *_only_folded(folded),
            f"to forget exactly these, call forget within {LIFETIME:.0f} s with the token {token}",
        ]
    )
    return Result(text, {"examples": as_json(found, folded), "token": token, "expires_in": LIFETIME})


def forget(desk: Desk, given: ForgetArguments) -> Result:
    """Forget exactly the examples that forget_dry_run showed with this token. Cannot be undone."""
    plan = desk.plans.take(given.token)
    memory = desk.memory()
    done = memory.forget(*plan.ids, root=plan.root, similar=memory.likeness)
    left = done.similar or ()
    lines = [f"forgot {_counted(done.ids)}"]
    if left:
        lines += ["these that are left are nearly the same:", *_lines(left)]
    return Result("\n".join(lines), done.as_json() | {"similar": _fields(left)})


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the table.

    Attributes:
        run: does it; its name and its docstring are the tool's.
        arguments: what it takes.
        reads_only: whether it changes nothing.
        destroys: whether what it does cannot be undone.
    """

    run: Callable[[Desk, Any], Result]
    arguments: type[Arguments]
    reads_only: bool = False
    destroys: bool = False


TOOLS = {
    tool.run.__name__: tool
    for tool in (
        Tool(add, AddArguments),
        Tool(ask, AskArguments, reads_only=True),
        Tool(search, SearchArguments, reads_only=True),
        Tool(status, StatusArguments, reads_only=True),
        Tool(forget_dry_run, DryRunArguments, reads_only=True),
        Tool(forget, ForgetArguments, destroys=True),
    )
}
"""Name -> tool."""


def _find(memory: Memory, given: DryRunArguments) -> list[Held]:
    """Return the examples that are meant, each once.

    Raises:
        InputError: nothing says which, or ids and filters do.
        ExampleNotFoundError: there are none, or not one of an id.
        AmbiguousIdError: several ids begin with the digits of one.
    """
    filters = given.model_dump(include={"match", "output", "source", "tag", "like"}, exclude_none=True)
    if bool(given.ids) == bool(filters):
        raise InputError(
            "it is not said what to forget", "give ids, or some of match, output, source, tag and like"
        )
    if given.ids:
        return list({one.id: one for one in map(memory.get, given.ids)}.values())
    found = memory.find(**filters, min_similarity=given.min_similarity)
    if not found and given.output is not None and not memory.has_output(given.output):
        hint = did_you_mean(given.output, memory.outputs()) or "search shows what is there"
        raise ExampleNotFoundError(f"no example has the output {quoted(given.output)}", hint)
    if not found:
        raise ExampleNotFoundError("no example fits", "search shows what is there")
    if len(found) > MOST_SHOWN:
        raise InputError(f"{len(found):,} examples fit, more than a person reads", f"say less: {_BY_HAND}")
    if len(found) == len(memory) > 1:
        raise InputError(f"all {len(found):,} examples fit", f"give their ids: {_BY_HAND}")
    return found


def _counted(examples: Sequence[object]) -> str:
    """Return how many examples these are."""
    return f"{len(examples):,} example{'' if len(examples) == 1 else 's'}"


def _only_folded(folded: set[str]) -> list[str]:
    """Return a line that says which examples hold the text only as a person reads them, if any do."""
    if not folded:
        return []
    named = ", ".join(sorted(folded))
    return [
        f"only with white space, invisible characters or letter forms read over do these hold the text: {named}"
    ]


def _lines(examples: Sequence[Held]) -> list[str]:
    """Return examples as text, a line each, their own texts in quotes."""
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


def _fields(examples: Sequence[Held]) -> list[dict[str, Any]]:
    """Return examples as fields."""
    return [one.as_json() for one in examples]
