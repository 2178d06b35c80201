"""What the shell may complete: stores, ids, labels, tags, sources, models and files.

Called while the user is typing, so nothing here loads a model, writes, or fails: where something cannot be
read, nothing is offered. Large stores are read in part, since an answer that comes late is of no use.
"""

from __future__ import annotations

import functools
from itertools import islice
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from edge_icl.cli import tables
from edge_icl.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click

    from edge_icl.example import Example
    from edge_icl.store.disk import Store
    from edge_icl.store.snapshot import Snapshot

    Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
    Find = Callable[[Session, str], Iterable[CompletionItem | str]]

MOST_READ = 20_000
"""Examples that are looked through for labels, tags and sources: a third of a second."""

MOST_OFFERED = 200
"""More would fill the screen. A part of them would mislead: the shell types what all that are offered share."""

SHOWN = 60
"""Columns of an example's input beside its id, in shells that show it."""


def _harmless(find: Find) -> Offer:
    """Return what click calls: what `find` finds that begins with what was typed, and nothing if it fails."""

    @functools.wraps(find)
    def offer(ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
        try:
            found = find(ctx.ensure_object(Session), typed)
            items = [one if isinstance(one, CompletionItem) else CompletionItem(one) for one in found]
        except Exception:  # noqa: BLE001 - no error may disturb a user who is typing
            return []
        items = [one for one in items if one.type != "plain" or _fits(one.value, typed)]
        return items if len(items) <= MOST_OFFERED else []

    return offer


@_harmless
def stores(_session: Session, typed: str) -> Iterator[CompletionItem | str]:
    """Offer the names of stores; folders, once there is a slash."""
    from edge_icl.runtime.home import home

    if "/" in typed:
        yield CompletionItem(typed, type="dir")
        return
    yield from sorted(path.name for path in (home() / "stores").iterdir() if path.name[0] != ".")


@_harmless
def places(_session: Session, typed: str) -> Iterator[CompletionItem | str]:
    """Offer folders, once there is a slash: a new store has a name of its own."""
    if "/" in typed:
        yield CompletionItem(typed, type="dir")


@_harmless
def ids(session: Session, typed: str) -> list[CompletionItem]:
    """Offer ids, as short as `list` shows them, with their inputs; reads only the pages that can hold them."""

    def find(snapshot: Snapshot) -> list[tuple[str, Example]]:
        if not typed and snapshot.manifest.count > MOST_OFFERED:
            return []
        found = snapshot.beginning(typed)[: MOST_OFFERED + 1]
        rows = [(id, *snapshot.row(id)) for id in found]
        return [(snapshot.short(id), page.example(i)) for id, page, i in rows]

    found = _store(session).read(find)
    return [CompletionItem(max(short, typed, key=len), help=_shown(example)) for short, example in found]


@_harmless
def outputs(session: Session, _typed: str) -> list[str]:
    """Offer the outputs of the store's examples."""
    return sorted({example.output for example in _some(session)})


@_harmless
def tags(session: Session, _typed: str) -> list[str]:
    """Offer the tags of the store's examples."""
    return sorted({tag for example in _some(session) for tag in example.tags})


@_harmless
def sources(session: Session, _typed: str) -> list[str]:
    """Offer the sources of the store's examples."""
    return sorted({example.source for example in _some(session) if example.source is not None})


@_harmless
def fetchable(_session: Session, _typed: str) -> list[CompletionItem]:
    """Offer the models of the catalogue."""
    from edge_icl.models import catalogue

    return [CompletionItem(entry.name, help=entry.summary) for entry in catalogue.CATALOGUE]


@_harmless
def installed(_session: Session, _typed: str) -> list[str]:
    """Offer the models on this machine."""
    from edge_icl.models import location

    return [model.name for model in location.installed()]


@_harmless
def llms(_session: Session, typed: str) -> Iterator[CompletionItem | str]:
    """Offer the LLMs on this machine; files, once there is a slash."""
    from edge_icl.models import location
    from edge_icl.models.installed import InstalledLlm

    if "/" in typed:
        yield CompletionItem(typed, type="file")
        return
    yield from (model.name for model in location.installed() if isinstance(model, InstalledLlm))


@_harmless
def encoders(_session: Session, _typed: str) -> list[str]:
    """Offer the encoders on this machine."""
    from edge_icl.models import location
    from edge_icl.models.installed import InstalledEncoder

    return [model.name for model in location.installed() if isinstance(model, InstalledEncoder)]


def _fits(value: str, typed: str) -> bool:
    """Tell whether a value begins with what was typed, and can be put into a command line."""
    from edge_icl.cli.shells import offerable

    return value.startswith(typed) and offerable(value)


def _some(session: Session) -> list[Example]:
    """Return the store's examples, or as many as are looked through."""
    return _store(session).read(
        lambda snapshot: [example for _, example in islice(snapshot.examples(), MOST_READ)]
    )


def _store(session: Session) -> Store:
    """Open the store; an encrypted one raises, since a user who is typing is not asked for a passphrase."""
    from edge_icl.access.paths import locate
    from edge_icl.store.disk import Store

    return Store.open(locate(session.store))


def _shown(example: Example) -> str:
    """Return an example's input on one line."""
    return tables.cut(tables.one_line(example.input), SHOWN)
