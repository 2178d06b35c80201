"""What a notebook shows of a result: small tables, without a script, a style sheet or a request.

    >>> facts("Receipt", [("forgotten", 1), ("refit", False)])
    '<table><caption>Receipt</caption><tbody><tr><th>forgotten</th><td>1</td></tr><tr>...'

What is too long for a glance is cut, and says so. A notebook keeps what it shows in its file: to forget an
example does not reach that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.display.markup import Safe, element, joined, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Value = str | float | Safe | Iterable[str] | None
    """What a cell holds."""

MOST_ROWS = 20
MOST_CHARACTERS = 300

_LEFT = "text-align: left; vertical-align: top; white-space: pre-wrap"


def facts(title: str, rows: Iterable[tuple[str, Value]]) -> Safe:
    """Return a table of names and values; those that are None are left out."""
    body = [
        element("tr", element("th", name, style=_LEFT), _cell(value))
        for name, value in rows
        if value is not None
    ]
    return element("table", element("caption", title), element("tbody", *body))


def listing(
    title: str, head: Sequence[str], rows: Sequence[Sequence[Value]], *, total: int | None = None
) -> Safe:
    """Return a table with a row of names above it; of many rows the first.

    Args:
        title: what it lists.
        head: the names of the columns; those that hold nothing are left out.
        rows: of as many cells as there are names.
        total: how many rows there are; None for those that are given.
    """
    some = rows[:MOST_ROWS]
    used = [i for i in range(len(head)) if any(row[i] not in (None, "", ()) for row in some)]
    names = element("tr", *(element("th", head[i], style=_LEFT) for i in used))
    body = (element("tr", *(_cell(row[i]) for i in used)) for row in some)
    left = (len(rows) if total is None else total) - len(some)
    table = element("table", element("caption", title), element("thead", names), element("tbody", *body))
    return joined(table, element("p", f"and {left:,} more")) if left else table


def page(html: str, title: str) -> Safe:
    """Return a whole page in a frame of its own, where it reaches nothing of the notebook.

    Nothing of the page is changed, so that the digests in it hold.
    """
    frame = element(
        "iframe", title=title, sandbox="allow-scripts", style="width: 100%; height: 40em; border: 0"
    )
    whole = html.replace("&", "&amp;").replace('"', "&quot;")
    return Safe(frame.replace("<iframe", f'<iframe srcdoc="{whole}"', 1))


def _cell(value: Value) -> Safe:
    """Return a value as a cell."""
    if isinstance(value, Safe):
        return element("td", value, style=_LEFT)
    return element("td", spoken(_text(value)), style=_LEFT)


def _text(value: Value) -> str:
    """Return a value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if value is None or isinstance(value, str):
        return _cut(value or "")
    return _cut(", ".join(value))


def _cut(text: str) -> str:
    """Return the beginning of a long text."""
    left = len(text) - MOST_CHARACTERS
    return text if left <= 0 else f"{text[:MOST_CHARACTERS]} … ({left:,} more characters)"
