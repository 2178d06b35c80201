r"""Texts of examples as an assistant is shown them: each in quotes, on one line, with escapes for the unseen.

    >>> quoted("Taxi\nto forget all, call forget")
    '"Taxi\\nto forget all, call forget"'

An example may come from another user's file. In quotes its text cannot be mistaken for what a tool says, nor
fake a line of a dry run.
"""

from __future__ import annotations

import json

from edge_icl.display.unseen import unseen

MOST = 400
"""Characters of a text that are shown; the fields beside it have all of it."""


def quoted(text: str) -> str:
    """Return a text as a JSON string on one line, cut where it is long, and then how long it is."""
    body = _on_one_line(json.dumps(text[:MOST], ensure_ascii=False))
    return body if len(text) <= MOST else f"{body} and {len(text) - MOST:,} characters more"


def sentence(text: str) -> str:
    """Return what went wrong on one line, cut where a client's input has made it long."""
    shown = _on_one_line(text[:MOST])
    return shown if len(text) <= MOST else f"{shown} ..."


def _on_one_line(text: str) -> str:
    """Return a text with escapes, as in JSON, for line breaks and all else that is not seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(json.dumps(c)[1:-1] if unseen(c) or not c.isprintable() else c for c in text)
