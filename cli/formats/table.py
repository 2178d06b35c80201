"""The table of formats: what can be read and written, and which format a file has."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import known
from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.json import JSON
from edge_icl.cli.formats.jsonl import JSONL
from edge_icl.cli.formats.layouts import LAYOUTS
from edge_icl.cli.formats.parquet import PARQUET
from edge_icl.cli.formats.tsv import TSV
from edge_icl.cli.formats.txt import TXT
from edge_icl.cli.given import STDIN
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.formats.format import Format
    from edge_icl.cli.formats.layout import Layout

TEXTS = ("input", "output")


def _line(layout: Layout, record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return an example as a row of a layout, with the other fields that are named beside it."""
    assert layout.line is not None
    said = layout.line(record["input"], record["output"])
    return {**said, **{name: record[name] for name in names if name in record and name not in TEXTS}}


def _lines(layout: Layout) -> Format:
    """Return the format of JSON with rows of one layout."""
    line = None if layout.line is None else partial(_line, layout)
    return replace(
        JSONL, name=layout.name, content=layout.content, endings=(), layout=layout, line=line, fields=TEXTS
    )


FORMATS = (JSONL, JSON, CSV, TSV, TXT, PARQUET, *map(_lines, LAYOUTS))

EXAMPLES = tuple(one for one in FORMATS if one.taught is not None)
QUESTIONS = tuple(one for one in FORMATS if one.read is not None or one.load is not None)
WRITTEN = tuple(one for one in FORMATS if one.line is not None)
ANSWERED = tuple(one for one in WRITTEN if one.endings and one.save is None)
PACKED = {".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".tar", ".tgz", ".rar"}
"""How names of files end in which others are."""

BINARY = {
    *(".xlsx", ".xlsm", ".xls", ".ods", ".numbers", ".feather", ".arrow", ".orc", ".avro", ".db", ".sqlite"),
    *(".pdf", ".doc", ".docx", ".html"),
    *PACKED,
}
"""How names of files end that a program would not open if there were a table in them."""

GUARDED = tuple(one for one in FORMATS if one.guarded is not None)


def names(formats: Sequence[Format]) -> tuple[str, ...]:
    """Return what `--format` calls them."""
    return tuple(one.name for one in formats)


def endings(formats: Sequence[Format], *, last: str) -> str:
    """Return how names of their files end, for a sentence; `last` stands before the last one."""
    return known.in_words(_endings(formats), last=last)


def explained(formats: Sequence[Format]) -> str:
    """Return what files of them hold, for a sentence."""
    return ", ".join(f"{one.name} ({one.content})" for one in formats)


def of_file(file: str, name: str | None, allowed: Sequence[Format]) -> Format:
    """Return the format of a file that is read: the one that is named, or as its name ends; JSONL for stdin.

    Where the name says what a row looks like, the file's own name says how it has its rows.

    Raises:
        InputError: the name is empty, or ends in nothing known.
    """
    if not file:
        raise InputError("the name of the file is empty", "name one, or - for stdin")
    if file == STDIN and name is None:
        return JSONL
    named, by_ending = _named(name, allowed), _by_ending(file, allowed)
    if (
        named is not None
        and named.layout is not None
        and by_ending is not None
        and by_ending.taught is not None
    ):
        return replace(by_ending, layout=named.layout)
    found = named or by_ending
    if found is None:
        raise InputError(f"{file} ends in none of {', '.join(_endings(allowed))}", _advice(file))
    return found


def of_new_file(file: Path | None, name: str | None) -> Format:
    """Return the format of a file that is written: the one that is named, or as its name ends; else JSONL.

    Raises:
        InputError: the rows of the one that is named are objects, and the name is that of a table; or none is
            named, and the name is one of files that are no text.
    """
    named, by_ending = _named(name, WRITTEN), _by_ending(file or "", WRITTEN)
    if named is None and by_ending is None and file is not None and _is_another(file):
        raise InputError(f"{file} ends in none of {endings(WRITTEN, last='and')}", "give it another name")
    if named is None or named.layout is None:
        return named or by_ending or JSONL
    if by_ending not in (None, JSONL, JSON):
        raise InputError(f"{named.name} is written as JSON", "name the file .jsonl or .json")
    return replace(named, array=by_ending is JSON)


def of_answers(file: Path, source: Format) -> Format | None:
    """Return the format in which questions and their answers go into a new file: as its name ends.

    If the name does not tell, it is the format of the questions; None where that holds no answers, or the name
    is one of files that are no text.
    """
    if _is_another(file):
        return None
    return _by_ending(file, ANSWERED) or next((one for one in ANSWERED if one.name == source.name), None)


def _advice(file: str) -> str:
    """Return what to do with a file that is read, and whose name does not tell how."""
    ending = Path(file).suffix.lower()
    if ending in PACKED:
        return "unpack it, and name what was in it"
    if ending in BINARY:
        return "save its rows as a .csv, with a header, and name that"
    return "say what it is with --format"


def _is_another(file: str | Path) -> bool:
    """Tell whether a name ends as those of files do that are no text."""
    found = _by_ending(file, FORMATS)
    return Path(file).suffix.lower() in BINARY or (found is not None and found.load is not None)


def _named(name: str | None, allowed: Sequence[Format]) -> Format | None:
    """Return the format of this name."""
    return next((one for one in allowed if one.name == name), None)


def _endings(formats: Sequence[Format]) -> list[str]:
    """Return how names of their files end."""
    return [f".{ending}" for one in formats for ending in one.endings]


def _by_ending(file: str | Path, allowed: Sequence[Format]) -> Format | None:
    """Return the format that a file's name tells of."""
    ending = Path(file).suffix.removeprefix(".").lower()
    return next((one for one in allowed if ending in one.endings), None)
