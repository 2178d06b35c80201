"""`edge-icl labels`: the different outputs of the store, and whether they are labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli.command import Command, examples
from edge_icl.store.manifest import LABELS_SETTINGS

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.store.manifest import LabelsSetting

MEANINGS: dict[LabelsSetting, str] = {
    "auto": "what the outputs show decides",
    "yes": "an answer is one of the outputs",
    "no": "an answer is written",
}


@click.command(cls=Command, epilog=examples("edge-icl labels", "edge-icl labels --set yes"))
@click.option(
    "--set",
    "setting",
    type=click.Choice(LABELS_SETTINGS),
    help="Say whether these outputs are labels; with auto, what they show decides.",
)
@click.pass_obj
def labels(session: Session, setting: LabelsSetting | None) -> None:
    """List the different outputs and how many examples have each, the most frequent first.

    Where outputs are labels, an answer is always one of them; where not, it is written. What the outputs show
    decides that. Where this is wrong, --set yes or --set no says it for all questions; --set auto takes it
    back. `edge-icl ask --labels on` or `off` says it for one question, whatever is set.
    """
    with session.open() as memory:
        if setting is None:
            _show(session, memory)
        else:
            _set(session, memory, setting)


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
            session.output.line(f"\nthe outputs are {memory.labelling()}")
    else:
        session.output.note("the store is empty")


def _set(session: Session, memory: Memory, setting: LabelsSetting) -> None:
    """Change the setting, and say what it is now."""
    changed = memory.set_labels(setting)
    if session.output.json:
        session.output.document({"labels_setting": setting, "changed": changed, "root": memory.root})
    elif changed:
        session.output.line(f"labels is now {explained(setting)}")
    else:
        session.output.line(f"labels is already {explained(setting)}; nothing was changed")
