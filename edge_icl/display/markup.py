"""Texts as HTML that shows and runs nothing of its own.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'

Examples may come from anywhere. What would change how a page is read, or hides, is shown as an escape, as a
terminal gets it; `<`, `&` and quotes are escaped; and a policy in the page's head lets no script, style, image
or request through but the style and the script whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib

from edge_icl.display.unseen import shown


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Safe:
    """Return a text as HTML; what is HTML already stays so."""
    from html import escape  # loads the names of 2,000 characters, which `list` and `forget` have no use for

    return text if isinstance(text, Safe) else Safe(escape(shown(text)))


def element(name: str, *content: str, **attributes: str | int | bool | None) -> Safe:
    """Return an element with its content.

    Args:
        name: of the element.
        content: texts, which are escaped, and elements, which are not.
        attributes: a final underscore is dropped, others become hyphens; True is an attribute without a value,
            None and False are none.
    """
    inside = "".join(map(escaped, content))
    return Safe(f"<{name}{_written(attributes)}>{inside}</{name}>")


def alone(name: str, **attributes: str | int | bool | None) -> Safe:
    """Return an element without content."""
    return Safe(f"<{name}{_written(attributes)}>")


def joined(*parts: str) -> Safe:
    """Return texts and elements one after another."""
    return Safe("".join(map(escaped, parts)))


def spoken(text: str, *, name: str = "span", **attributes: str | int | bool | None) -> Safe:
    """Return what an example says: its language is not known, and its own direction turns nothing around it."""
    return element(name, text, dir="auto", lang="", **attributes)


def policy(style: str, script: str) -> str:
    """Return the page's Content-Security-Policy: nothing but this style and this script."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    """Return how a policy names a style or a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _written(attributes: dict[str, str | int | bool | None]) -> str:
    """Return attributes as they stand in a tag."""
    given = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    return "".join(
        f" {name}" if value is True else f' {name}="{escaped(str(value))}"'
        for name, value in given
        if value is not None and value is not False
    )
