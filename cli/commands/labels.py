"""`edge-icl labels`: the different outputs of the store, another name for one, and whether they are labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.answer.labels import decide
from edge_icl.cli import completion, noticed
from edge_icl.cli.command import Command, examples
from edge_icl.cli.tables import counted
from edge_icl.cli.wanted import refuse_unknown
from edge_icl.display.unseen import visible
from edge_icl.errors import ConfirmationError
from edge_icl.example import normalise
from edge_icl.search.spelling import look_alikes, stripped
from edge_icl.store.manifest import LABELS_SETTINGS

if TYPE_CHECKING:
    from edge_icl.cli.output import Output
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.store.manifest import LabelsSetting

MEANINGS: dict[LabelsSetting, str] = {
    "auto": "what the outputs show decides",
    "yes": "an answer is one of the outputs",
    "no": "an answer is written",
}


@click.command(
    cls=Command,
    epilog=examples("edge-icl labels", "edge-icl labels --rename travle travel", "edge-icl labels --set yes"),
)
@click.option(
    "--rename",
    nargs=2,
    metavar="OLD NEW",
    help="Give all examples with the label OLD the label NEW, in one step.",
    shell_complete=completion.outputs,
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--set",
    "setting",
    type=click.Choice(LABELS_SETTINGS),
    help="Say whether these outputs are labels; with auto, what they show decides.",
)
@click.pass_obj
def labels(
    session: Session, *, rename: tuple[str, str] | None, yes: bool, setting: LabelsSetting | None
) -> None:
    """List the different outputs and how many examples have each, the most frequent first.

    --rename gives a label another name. The store is then one that was taught the new name from the beginning:
    no byte of it tells the old one. If NEW is a label already, both become one, which nothing can take apart:
    on a terminal you are asked, elsewhere --yes is needed.

    Where outputs are labels, an answer is always one of them; where not, it is written. What the outputs show
    decides that. Where this is wrong, --set yes or --set no says it for all questions; --set auto takes it
    back. `edge-icl ask --labels on` or `off` says it for one question, whatever is set.
    """
    if rename is not None and setting is not None:
        raise click.UsageError("give --rename or --set, not both")
    if yes and rename is None:
        raise click.UsageError("--yes goes with --rename")
    with session.open() as memory:
        if rename is not None:
            _rename(session, memory, *rename, yes=yes)
        elif setting is not None:
            _set(session, memory, setting)
        else:
            _show(session, memory)


def explained(setting: LabelsSetting) -> str:
    """Return a setting, and what it means."""
    return f"{setting} ({MEANINGS[setting]})"


def _show(session: Session, memory: Memory) -> None:
    """Show the outputs."""
    found = memory.outputs()
    if session.output.json:
        session.output.documents({"label": output, "count": count} for output, count in found.items())
    elif found:
        session.output.table(("count", "label"), ((f"{count}", output) for output, count in found.items()))
        if session.output.terminal:
            labelling = decide(found, memory.labels_setting)
            session.output.line(f"\nthe outputs are {labelling}")
            alike = [one for one in look_alikes(found, {}) if one.same and labelling.labels]
            noticed.tell_look_alikes(session, memory, alike, {})
    else:
        session.output.note("the store is empty")


def _rename(session: Session, memory: Memory, old: str, new: str, *, yes: bool) -> None:
    """Rename a label, and say what that did.

    Raises:
        ConfirmationError: two labels would become one, and the user did not say so, or cannot be asked.
    """
    old, new = normalise(old, "label"), normalise(stripped(new), "new label")
    known = memory.outputs()
    refuse_unknown(session, memory, old, so="nothing was renamed")
    if new in known and new != old and not yes:
        _confirm(session.output, f"{counted(known[old])} with {visible(old)} and {known[new]:,} with {new}")
    done = memory.rename_label(old, new)
    alike = [] if new in known else noticed.look_alikes(session, memory, [new])
    if session.output.json:
        more = {"look_alikes": [one.as_json() for one in alike]} if alike else {}
        session.output.document(done.as_json() | more)
    elif not done.ids:
        session.output.line(f"{visible(old)} stays as it is; nothing was changed")
    else:
        were = "was" if done.duplicates == 1 else "were"
        there = f"; {done.duplicates:,} of them {were} there already" if done.duplicates else ""
        session.output.line(f"renamed {visible(old)} to {new} in {counted(len(done.ids))}{there}")
        noticed.tell_look_alikes(session, memory, alike, {})


def _confirm(output: Output, both: str) -> None:
    """Return if two labels may become one.

    Raises:
        ConfirmationError: the user did not say so, or there is no terminal to ask on.
    """
    if not output.can_ask:
        raise ConfirmationError(
            f"making one label of {both} must be confirmed, and there is no terminal to ask on", "give --yes"
        )
    if not output.confirm(f"make one label of {both}? Nothing can take it apart again."):
        raise ConfirmationError("it was not confirmed", "nothing was renamed")


def _set(session: Session, memory: Memory, setting: LabelsSetting) -> None:
    """Change the setting, and say what it is now."""
    changed = memory.set_labels(setting)
    if session.output.json:
        session.output.document({"labels_setting": setting, "changed": changed, "root": memory.root})
    elif changed:
        session.output.line(f"labels is now {explained(setting)}")
    else:
        session.output.line(f"labels is already {explained(setting)}; nothing was changed")
