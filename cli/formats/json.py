"""A JSON array of objects.

    [
    {"input": "Uber to the airport", "output": "travel"},
    {"input": "Lunch with a client", "output": "meals"}
    ]

It is read as JSON lines are, which find out by themselves how the objects are laid out.
"""

from __future__ import annotations

from edge_icl.cli.formats import jsonl
from edge_icl.cli.formats.format import Format

JSON = Format(
    "json",
    "a JSON array of objects",
    ("json",),
    read=jsonl.read,
    pieces=True,
    taught=jsonl.taught,
    line=jsonl.line,
    array=True,
)
