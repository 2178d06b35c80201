"""What went wrong, as an assistant is told it: hints name tools where those help, and the user where not.

    >>> told(InputError("no example has the id ff", "`edge-icl list` shows the ids"), "edge-icl")
    'no example has the id ff; the tool list shows the ids'
    >>> told(ModelMissingError("there is no x", "fetch it: edge-icl models fetch x"), "edge-icl")
    'there is no x; fetch it: `edge-icl models fetch x` (for the user to run in a terminal)'

The library's hints are for those who type: each command stands in backquotes, or behind a colon up to what ends
its clause, and a test types them all. Only hints are read so, and none that a tool makes by itself: in those
alone may be the text of an example, which must not be taken for a command.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_icl.errors import EdgeIclError

PROGRAM = "edge-icl"
BY_HAND = "(for the user to run in a terminal)"
SETTING = "(an option for the user to put into the client's configuration)"

TOOLS = {
    "add": "add",
    "ask": "ask",
    "check": "check",
    "fix": "fix_dry_run",
    "forget": "forget_dry_run",
    "init": "add",
    "labels": "labels",
    "list": "list",
    "search": "search",
    "status": "status",
}
"""Command -> the tool that does the same; only where it is given no option. (`add` makes the store.)"""

ANYWHERE = ("models", "stores", "completion")
"""Commands that are about no store."""

_COMMAND = (
    rf"""`(?P<quoted>(?:{PROGRAM}|chmod|pip|rm)[ ][^`]+)`"""
    rf"""|(?<=:[ ])(?P<bare>(?:{PROGRAM}|pip)[ ](?:'[^']*'|"[^"]*"|(?![;,)?](?:\s|$))[^'"])+)"""
    r"""|(?<![\w`-])(?P<option>--[a-z][a-z-]+(?:[ ][\w./'-]+(?=\?|[ ]or[ ]--))?)"""
)
"""What in a hint is for those who type: a command, or an option outside of one."""


def told(error: EdgeIclError, program: str) -> str:
    """Return an error in a sentence.

    Args:
        error: what went wrong.
        program: how a command on the store begins, such as `edge-icl --store work`.
    """
    hint = re.sub(_COMMAND, lambda found: _said(found, program), error.hint, flags=re.VERBOSE)
    return f"{error.message}; {hint}" if hint else error.message


def by_hand(program: str, *words: str) -> str:
    """Return a command on the store that only the user can run."""
    return f"`{program} {shlex.join(words)}` {BY_HAND}"


def _said(found: re.Match[str], program: str) -> str:
    """Return a command or an option in an assistant's words."""
    if found["option"]:
        return f"{found['option']} {SETTING}"
    command = found["quoted"] or found["bare"]
    if not command.startswith(f"{PROGRAM} "):
        return f"`{command}` {BY_HAND}"
    words = command.removeprefix(f"{program} ").removeprefix(f"{PROGRAM} ")
    name, _, rest = words.partition(" ")
    if name in TOOLS and "--" not in rest:
        return f"{'the' if found['quoted'] else 'call the'} tool {TOOLS[name]}"
    begin = PROGRAM if name in ANYWHERE or name.startswith("-") else program
    return f"`{begin} {words}` {BY_HAND}"
