"""The table of formats: what can be read and written, and which format a file has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.jsonl import JSONL
from edge_icl.cli.formats.messages import MESSAGES
from edge_icl.cli.formats.tsv import TSV
from edge_icl.cli.formats.txt import TXT
from edge_icl.cli.given import STDIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.formats.format import Format

FORMATS = (JSONL, CSV, TSV, TXT, MESSAGES)

EXAMPLES = tuple(one for one in FORMATS if one.taught is not None)
QUESTIONS = tuple(one for one in FORMATS if one.read is not None)
WRITTEN = tuple(one for one in FORMATS if one.line is not None)
ANSWERED = tuple(one for one in WRITTEN if one.read is not None)
GUARDED = tuple(one for one in FORMATS if one.guarded is not None)


def names(formats: Sequence[Format]) -> tuple[str, ...]:
    """Return what `--format` calls them."""
    return tuple(one.name for one in formats)


def endings(formats: Sequence[Format], *, last: str) -> str:
    """Return how names of their files end, for a sentence; `last` stands before the last one."""
    *others, end = _endings(formats)
    return f"{', '.join(others)} {last} {end}"


def explained(formats: Sequence[Format]) -> str:
    """Return what files of them hold, for a sentence."""
    return ", ".join(f"{one.name} ({one.content})" for one in formats)


def of_file(file: str, name: str | None, allowed: Sequence[Format]) -> Format:
    """Return the format of a file that is read: the one that is named, or as its name ends; JSONL for stdin.

    Raises:
        click.UsageError: the name ends in nothing known.
    """
    if file == STDIN and name is None:
        return JSONL
    found = _named(name, allowed) or _by_ending(file, allowed)
    if found is None:
        ends = ", ".join(_endings(allowed))
        raise click.UsageError(f"{file} ends in none of {ends}: say what it is with --format")
    return found


def of_new_file(file: Path | None, name: str | None) -> Format:
    """Return the format of a file that is written: the one that is named, or as its name ends; else JSONL."""
    return _named(name, WRITTEN) or _by_ending(file or "", WRITTEN) or JSONL


def of_answers(file: Path, source: Format) -> Format | None:
    """Return the format in which questions and their answers go into a new file: as its name ends.

    If the name does not tell, it is the format of the questions; None where that holds no answers.
    """
    return _by_ending(file, ANSWERED) or next((one for one in ANSWERED if one is source), None)


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
