"""`edge-icl edit`: an example in the user's editor, as text between marked lines."""

from __future__ import annotations

from itertools import count, pairwise
from typing import TYPE_CHECKING, TypedDict

import click

from edge_icl.cli import completion, editor, sight
from edge_icl.cli.command import Command, examples
from edge_icl.cli.commands import fix
from edge_icl.cli.noticed import Corrected
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.cli.session import Session
    from edge_icl.example import Example

INTRODUCTION = """\
Change what stands below the marked lines, save, and close the editor.
The marked lines themselves must stay. If nothing is changed, nothing
happens. Line breaks around a changed text are left out.

"""
NOT_IN_MEMORY = (
    "this system has no files in memory: what the editor shows lies on the disk in the clear until it is wiped"
)
TITLES = {"input": "input", "output": "output", "tags": "tags, one a line", "source": "source"}
"""The parts of an example, and what their marked lines say."""


class Changes(TypedDict, total=False):
    """What `Memory.replace` takes."""

    input: str
    output: str
    tags: list[str]
    source: str


@click.command(cls=Command, epilog=examples("EDITOR=nano edge-icl edit 3f2a9c1e"))
@click.argument("id", metavar="ID", shell_complete=completion.ids)
@click.pass_obj
def edit(session: Session, id: str) -> None:
    """Correct an example in your editor: its input, output, tags and source.

    The editor is the one that $VISUAL or $EDITOR names, else a usual one: sensible-editor, nano, vim or vi. It
    opens a file that only you can read, in memory where the system has a place for that, which is overwritten
    with zeros and removed when the editor has closed. As with `edge-icl fix`, the old example is forgotten
    exactly, in the same step in which the new one comes. A new input needs the encoder.
    """
    with session.open() as memory:
        one = memory.get(id)
        markers = _markers(one.example)
        if memory.encrypted and not editor.in_memory():
            session.output.note(NOT_IN_MEMORY)
        changes = _changes(one.example, editor.edit(_text(one.example, markers)), markers)
        new = Corrected.of(memory, changes["output"]) if "output" in changes else None
        if new is not None:
            changes["output"] = new.output
        fix.show(session, memory, memory.replace(one.id, **changes), new)
        if "input" in changes and not session.output.json:
            sight.tell_of(session, memory, [changes["input"]])


def _parts(example: Example) -> dict[str, str]:
    """Return an example's parts as text."""
    tags, source = "\n".join(example.tags), example.source or ""
    return {"input": example.input, "output": example.output, "tags": tags, "source": source}


def _markers(example: Example) -> list[str]:
    """Return the lines that begin the parts: with as many dashes as it takes for no text to hold one."""
    lines = {line for text in _parts(example).values() for line in text.split("\n")}
    for dashes in map("-".__mul__, count(3)):
        markers = [f"{dashes} {title} {dashes}" for title in TITLES.values()]
        if not lines.intersection(markers):
            return markers
    raise AssertionError


def _text(example: Example, markers: Sequence[str]) -> str:
    """Return an example as the editor shows it."""
    parts = zip(markers, _parts(example).values(), strict=True)
    return INTRODUCTION + "".join(f"{marker}\n{text}\n" for marker, text in parts)


def _changes(example: Example, text: str, markers: Sequence[str]) -> Changes:
    """Return what was changed in the editor: a part that was not keeps its text to the last blank.

    Raises:
        InputError: a marked line is missing.
    """
    if "\r" not in _text(example, markers) and text.count("\r\n") == text.count("\n"):
        text = text.replace("\r\n", "\n")  # the editor writes all its lines so
    found = _read(text, markers)
    new = {name: part.strip("\n") for name, part in found.items() if part != _parts(example)[name]}
    return _typed(new)


def _typed(new: Mapping[str, str]) -> Changes:
    """Return changed texts as `Memory.replace` takes them."""
    changes: Changes = {}
    if "input" in new:
        changes["input"] = new["input"]
    if "output" in new:
        changes["output"] = new["output"]
    if "tags" in new:
        changes["tags"] = [tag.strip() for tag in new["tags"].split("\n") if tag.strip()]
    if "source" in new:
        changes["source"] = new["source"].strip()
    return changes


def _read(text: str, markers: Sequence[str]) -> dict[str, str]:
    """Return the parts that the editor left.

    Raises:
        InputError: a marked line is missing, twice there, or out of place.
    """
    lines = text.removesuffix("\n").split("\n")
    places = [i for i, line in enumerate(lines) if line.rstrip() in markers]
    if [lines[i].rstrip() for i in places] != list(markers):
        raise InputError("the marked lines are not as they were", f"leave lines such as {markers[0]} alone")
    bounds = pairwise([*places, len(lines)])
    return {name: "\n".join(lines[i + 1 : j]) for name, (i, j) in zip(TITLES, bounds, strict=True)}
