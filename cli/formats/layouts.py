"""The table of layouts, and which one a row has.

    >>> of({"conversations": [{"from": "human", "value": "Taxi"}]}, "input", "output").title
    'ShareGPT'

Each row says by itself what it is, so that one file may hold several layouts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import pairs
from edge_icl.cli.formats.alpaca import ALPACA
from edge_icl.cli.formats.doccano import DOCCANO
from edge_icl.cli.formats.dolly import DOLLY
from edge_icl.cli.formats.messages import MESSAGES
from edge_icl.cli.formats.prodigy import PRODIGY
from edge_icl.cli.formats.prompt_completion import PROMPT_COMPLETION
from edge_icl.cli.formats.sharegpt import SHAREGPT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.cli.formats.layout import Layout

LAYOUTS = (MESSAGES, SHAREGPT, ALPACA, DOLLY, PROMPT_COMPLETION, PRODIGY, DOCCANO)

plain = cache(pairs.layout)
"""The layout of rows with two fields, made once for each two."""


def of(fields: Mapping[str, Any], input: str, output: str) -> Layout | None:
    """Return the layout of a row, if there is no doubt about it.

    Args:
        fields: of the row.
        input: what a plain row calls its input.
        output: what it calls its output.
    """
    if ALPACA.fits(fields):  # it has an input and an output, which are less than half of what it asks
        return ALPACA
    if plain(input, output).fits(fields):
        return plain(input, output)
    found = next((one for one in LAYOUTS if one.fits(fields)), None)
    pair = pairs.known(fields) if found is None else None
    return plain(*pair) if pair else found


def of_question(fields: Mapping[str, Any]) -> Layout | None:
    """Return the layout of a row that is asked, if there is no doubt about it; it may have no output."""
    if "instruction" in fields:
        return DOLLY if "context" in fields and "input" not in fields else ALPACA
    if "input" in fields:
        return plain("input", "output")
    return of(fields, "input", "output")


def of_table(header: Sequence[str], input: str, output: str) -> Layout | None:
    """Return the layout of a table with this header, if there is no doubt about it; see `of`."""
    found = of(dict.fromkeys(header, ""), input, output)
    return found if found is not None and found.columns else None


def left_out(fields: Mapping[str, Any], layout: Layout, *, plainly: bool) -> list[str]:
    """Return the fields that say something and are not looked at.

    Args:
        fields: of a row.
        layout: how the row is read.
        plainly: whether its fields are the ones that a user or our own format names. Such rows may have any
            other fields; only those are told that change the meaning of a question or an answer.
    """
    from edge_icl.cli.formats import values

    others = (name for name in fields if name not in layout.used and not values.is_empty(fields[name]))
    if plainly:
        return [name for name in others if name.lower() in pairs.MEANING]
    return [name for name in others if not pairs.is_bookkeeping(name)]
