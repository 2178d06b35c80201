"""Which models there are, as `edge-icl models list` tells of them: those of the catalogue, then others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli import tables
from edge_icl.models import catalogue, default, location, record, remedies
from edge_icl.models.default import By
from edge_icl.runtime.folders import bytes_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.models.entry import Entry
    from edge_icl.models.installed import Installed, InstalledEncoder

COLUMNS = ("name", "kind", "", "on disk", "to download")

STATES = {"here": "installed", "default": "default"}
"""What is said of a model, and the field that says whether it holds."""


def models() -> list[dict[str, Any]]:
    """Return every model, as JSON has it."""
    names = {default.chosen().name, catalogue.DEFAULT_ENCODER}
    imported = [model for model in location.installed() if catalogue.find(model.name) is None]
    return [
        *(_entry(entry, default=entry.name in names) for entry in catalogue.CATALOGUE),
        *(_imported(model, default=model.name in names) for model in imported),
    ]


def row(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a model as a row of a table with COLUMNS."""
    return (
        fields["name"],
        fields["kind"],
        ", ".join(word for word, field in STATES.items() if fields[field]),
        _size(fields["bytes"]),
        "" if fields["installed"] else _size(fields["size"]),
    )


def definition(model: InstalledEncoder) -> str:
    """Return in a sentence how an encoder works."""
    parts = [
        f"{how.pooling} pooling, "
        + (f"instruction {how.instruction!r}" if how.instruction else "no instruction")
        for how in (network.settings for network in model.networks)
    ]
    size, near = model.settings.dimension, model.likeness
    return f"{size} dimensions; {'; '.join(parts)}; near copies from a similarity of {near:.2f} on"


def told_default() -> str:
    """Return, after another one was removed, what the default LLM is, and what to do if it is not here."""
    chosen, here = default.chosen(), location.names()
    by = f", since {default.VARIABLE} says so" if chosen.by is By.ENVIRONMENT else ""
    if chosen.name in here:
        return f"that is {chosen.name} now{by}"
    return f"that is {chosen.name}{by}, and not here: {remedies.missing(chosen.name, here).hint}"


def _entry(entry: Entry, *, default: bool) -> dict[str, Any]:
    """Return a model of the catalogue as JSON."""
    place = location.folder(entry.name)
    installed = (place / record.NAME).is_file()
    return {
        "name": entry.name,
        "kind": entry.kind,
        "installed": installed,
        "default": default,
        "size": entry.size,
        "bytes": bytes_in(place) if installed else None,
        "installed_size": record.read(place).size if installed else entry.installed_size,
        "licence": entry.licence,
        "summary": entry.summary,
    }


def _imported(model: Installed, *, default: bool) -> dict[str, Any]:
    """Return a model that the user brought as JSON."""
    known = record.read(location.folder(model.name))
    return {
        "name": model.name,
        "kind": known.kind,
        "installed": True,
        "default": default,
        "size": known.size,
        "bytes": bytes_in(location.folder(model.name)),
        "installed_size": known.size,
        "licence": known.licence,
        "summary": known.source if known.encoder and known.encoder.parts else "imported",
    }


def _size(size: int | None) -> str:
    """Return a size as people read it, nothing for one that is not known."""
    return "" if size is None else tables.size(size)
