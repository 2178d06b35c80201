"""Rows whose fields are called by everyday names: what may be the input, and what the output.

    >>> pair = layout("question", "answer")
    >>> pair.said({"question": "Taxi", "answer": "travel"}, "last").pairs
    [('Taxi', 'travel')]

Only a row that has nothing else but an id and the like is taken for such a pair. Otherwise the user says which
fields are meant, and is told which ones probably are.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import values
from edge_icl.cli.formats.layout import Layout, Said, field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from edge_icl.cli.formats.layout import Turns

KNOWN = (("text", "label"), ("sentence", "label"), ("question", "answer"), ("prompt", "response"))
"""The names of public data sets that mean the same in all of them."""

INPUTS = (
    "input",
    "text",
    "question",
    "sentence",
    "prompt",
    "instruction",
    "query",
    "message",
    "title",
    "subject",
)
OUTPUTS = (
    "output",
    "label",
    "answer",
    "completion",
    "response",
    "category",
    "intent",
    "class",
    "target",
    "tag",
)
"""Names that probably mean the input and the output, the likeliest first."""

BOOKKEEPING = frozenset(
    {
        "annotations_by",
        "annotator",
        "comments",
        "created",
        "created_at",
        "date",
        "encoder",
        "guid",
        "id",
        "idx",
        "index",
        "lang",
        "language",
        "meta",
        "metadata",
        "model",
        "qid",
        "source",
        "split",
        "tags",
        "time",
        "timestamp",
        "uid",
        "updated_at",
        "url",
        "user",
        "user_id",
        "uuid",
        "vector",
    }
)
"""Names of fields that say where a row comes from, and nothing of what is asked or answered."""

MEANING = frozenset(
    {
        "chain_of_thought",
        "context",
        "explanation",
        "functions",
        "history",
        "instruction",
        "instructions",
        "rationale",
        "reasoning",
        "reasoning_content",
        "system",
        "system_prompt",
        "thinking",
        "tools",
    }
)
"""Names of fields that say something of what is asked or answered, whatever else a row has."""


def is_bookkeeping(name: str) -> bool:
    """Tell whether a field says nothing of what is asked or answered."""
    plain = name.strip().lower()
    return not plain or plain in BOOKKEEPING or plain.startswith("_") or plain.endswith("_id")


def known(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the pair that a row with these fields is, if there is no doubt."""
    said = {name for name in names if not is_bookkeeping(name)}
    return next((pair for pair in KNOWN if said == {*pair}), None)


def likely(names: Sequence[str], *, questions: bool = False) -> str:
    """Return the options that name the fields which probably are the input and the output.

    Args:
        names: of the fields that there are.
        questions: whether only the input is wanted.
    """
    input = _likeliest(INPUTS, names, ()) or "A"
    output = _likeliest(OUTPUTS, names, (input,)) or "B"
    asked = f"--input-field {shlex.quote(input)}"
    return asked if questions else f"{asked} --output-field {shlex.quote(output)}"


def naming(fields: Mapping[str, Any], *, questions: bool = False) -> str:
    """Return the advice for a row of which no field is known by its name.

    Args:
        fields: of the row.
        questions: whether only the input is wanted.
    """
    texts = [name for name, value in fields.items() if values.is_text(value)]
    if sum(not is_bookkeeping(name) for name in texts) < (1 if questions else 2):
        wanted = "the field input, a text" if questions else "the fields input and output, both texts"
        return f"give each row {wanted}"
    options = likely(texts, questions=questions)
    return f"name {'the one with the question' if questions else 'its fields'}: {options}"


def is_table(fields: Mapping[str, Any]) -> bool:
    """Tell whether what was read as a row is a whole table: each field a column, a list or by number."""
    columns = [[*one.values()] if isinstance(one, dict) else one for one in fields.values()]
    if not all(isinstance(column, list) and len(column) > 1 for column in columns):
        return False
    cells = [cell for column in columns for cell in column]
    return len({*map(len, columns)}) == 1 and not any(isinstance(cell, list | dict) for cell in cells)


def _likeliest(wanted: Sequence[str], names: Sequence[str], taken: Collection[str]) -> str | None:
    """Return the field that is called most like what is wanted, or else the first that is not taken."""
    left = [name for name in names if name not in taken and not is_bookkeeping(name)]
    exact = (name for one in wanted for name in left if name.lower() == one)
    part = (name for one in wanted for name in left if one in name.lower())
    return next(exact, None) or next(part, None) or next(iter(left), None)


def layout(input: str, output: str, *, title: str = "") -> Layout:
    """Return the layout of rows with two fields.

    Args:
        input: the field that has the input.
        output: the field that has the output.
        title: what notes call it; "" for the names of the two fields.
    """

    def fits(fields: Mapping[str, Any]) -> bool:
        return input in fields and output in fields

    def said(fields: Mapping[str, Any], _turns: Turns) -> Said:
        return Said([(asked(fields), values.text(field(fields, output), "output"))])

    def asked(fields: Mapping[str, Any]) -> Any:
        return values.text(field(fields, input), "input")

    name = title or f"{input} and {output}"
    return Layout(name, name, name, fits, said, asked, frozenset({input, output}), columns=True)
