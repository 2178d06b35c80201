"""What should be looked at, with the commands that correct it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edge_icl.display.markup import Safe, element, joined, spoken
from edge_icl.display.unseen import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge_icl.answer.check import Check
    from edge_icl.answer.suspect import Suspect
    from edge_icl.results import Held

MOST_OPEN = 12
"""Cards of a kind that are open; the others are behind a line that opens them."""

MOST_PAIRS = 10
"""Pairs of labels that are mixed up."""


def remarks(check: Check, short: Mapping[str, str], command: str) -> Safe:
    """Return what should be looked at; nothing where all is well.

    Args:
        check: what `check` found.
        short: short ids by id.
        command: how a command on this store begins, such as `edge-icl --store work`.
    """
    parts = [
        *_kind(
            _count(check.suspected, "example") + " possibly mislabelled",
            "Left out, all other examples say that another label is likelier. "
            "If that is right, run the command.",
            [_suspect(one, short, command) for one in check.suspects],
            of=check.suspected,
        ),
        *_kind(
            _count(len(check.contradictions), "contradiction"),
            "The same input was taught with different outputs. Keep the right one, and forget the others.",
            [_contradiction(group, short, command) for group in check.contradictions],
        ),
        *_kind(
            _count(len(check.duplicates), "input") + " taught more than once",
            "The same input and output, in other spellings, tags or sources: each counts.",
            [_duplicate(group, short, command) for group in check.duplicates],
        ),
        *_mixed_up(check),
    ]
    if not parts:
        return Safe("")
    return element("section", element("h2", "To look at"), *parts, aria_label="To look at")


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _kind(title: str, why: str, cards: Sequence[Safe], *, of: int = 0) -> Iterable[Safe]:
    """Yield remarks of a kind, if there are some."""
    if not cards:
        return
    yield element("h3", title)
    yield element("p", why, class_="quiet small lead")
    yield element("ul", *cards[:MOST_OPEN], class_="cards")
    if rest := cards[MOST_OPEN:]:
        left = f" of {of - MOST_OPEN:,}" if of > len(cards) else ""
        yield element(
            "details",
            element("summary", f"{len(rest):,}{left} more"),
            element("ul", *rest, class_="cards"),
            class_="more",
        )


def _suspect(one: Suspect, short: Mapping[str, str], command: str) -> Safe:
    """Return the card of an example that is possibly mislabelled."""
    return _card(
        one.input,
        joined("taught as ", _strong(one.output), ", rather ", _strong(one.likelier)),
        f" ({one.probability:.0%} likely)",
        run=[_fix(command, short[one.id], one.likelier)],
    )


def _contradiction(group: Sequence[Held], short: Mapping[str, str], command: str) -> Safe:
    """Return the card of examples with the same input and different outputs."""
    taught = [part for held in group for part in (", ", _strong(held.output))][1:]
    return _card(
        group[0].input,
        "taught as ",
        *taught,
        run=[f"{command} forget {short[held.id]}" for held in group],
        why=[joined("forget ", _strong(held.output)) for held in group],
    )


def _duplicate(group: Sequence[Held], short: Mapping[str, str], command: str) -> Safe:
    """Return the card of examples with the same input and output."""
    others = " ".join(short[held.id] for held in group[1:])
    return _card(
        group[0].input, _strong(group[0].output), f", {len(group)} times", run=[f"{command} forget {others}"]
    )


def _card(input: str, *about: str, run: Sequence[str], why: Sequence[str] = ()) -> Safe:
    """Return a card: an input, what is the matter with it, and commands that correct it."""
    commands: list[Safe] = []
    for i, one in enumerate(run):
        if why:
            commands.append(element("p", why[i], class_="quiet small"))
        commands.append(element("code", one, class_="run", dir="ltr", tabindex=0))
    return element(
        "li",
        spoken(clipped(input), name="p", class_="said"),
        element("p", *about, class_="small quiet"),
        element("div", *commands, class_="last"),
        class_="card",
    )


def clipped(text: str, most: int = 280) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= most else f"{text[:most]}…"


def _strong(label: str) -> Safe:
    return spoken(clipped(label, 80), name="strong")


def _fix(command: str, id: str, label: str) -> str:
    """Return the command that gives an example another label; the editor where it cannot be typed."""
    if shown(label) != label or "\n" in label:
        return f"{command} edit {id}"
    return " ".join([command, "fix", *(["--"] if label.startswith("-") else []), id, shlex.quote(label)])


def _mixed_up(check: Check) -> Iterable[Safe]:
    """Yield the labels that are mixed up most often."""
    if not check.confused:
        return
    yield element("h3", "Labels that are mixed up")
    yield element(
        "p", "How often an example was taken for another label when it was left out.", class_="quiet small"
    )
    head = element("tr", *(element("th", text, scope="col") for text in ("times", "label", "taken for")))
    body = [
        element(
            "tr",
            element("td", f"{one.count:,}"),
            spoken(one.label, name="td"),
            spoken(one.taken_for, name="td"),
        )
        for one in check.confused[:MOST_PAIRS]
    ]
    yield element("table", element("thead", head), element("tbody", *body))
