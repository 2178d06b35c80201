"""What files of questions and answers are called, for options and their help: no format is loaded for it.

Every `ask` shows these names to click, and few read a file. A test compares them with the table of formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTIONS = (
    *("jsonl", "json", "csv", "tsv", "txt", "parquet"),
    *("messages", "sharegpt", "alpaca", "dolly", "prompt-completion", "prodigy", "doccano"),
)
"""What `--format` calls those that hold questions."""

ANSWERED = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
"""How names of files end that questions and their answers are written to."""

ASKED = (*ANSWERED, ".txt", ".parquet")
"""How names of files of questions end."""


def in_words(endings: Sequence[str], *, last: str) -> str:
    """Return endings for a sentence; `last` stands before the last one."""
    *others, end = endings
    return f"{', '.join(others)} {last} {end}"
