"""How an answer is made and shown: what it rests on, and with `--explain` all that led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.answer.certainty import in_words
from edge_icl.cli.tables import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Answer

LIKELY = 0.01
"""Labels below this share are only counted by `--explain`."""


def tell_cut(session: Session, answer: Answer, where: str = "") -> None:
    """Tell that an answer is cut off."""
    if not answer.complete:
        session.output.note(f"{where}the answer is cut off; give it more room with --max-tokens")


def tell_doubts(session: Session, answer: Answer, where: str = "") -> None:
    """Tell what a reader of the answer alone would not know: that it is cut off, missing or doubtful."""
    tell_cut(session, answer, where)
    if answer.text is None:
        session.output.note(f"{where}no answer is sure enough; the likeliest: {answer.likeliest}")
    if answer.unlike:
        session.output.note(f"{where}the question is unlike everything that was taught")
    if not answer.agreed:
        taught = ", ".join(answer.labels)
        session.output.note(f"{where}this question was taught with different outputs: {taught}")


def as_json(answer: Answer, *, explain: bool) -> dict[str, Any]:
    """Return an answer as JSON, with its prompt if that is wanted."""
    fields = answer.as_json()
    if explain:
        fields["prompt"] = answer.prompt
        fields["parts"] = {label: dict(parts) for label, parts in answer.parts.items()} or None
    return fields


def show_examples(session: Session, memory: Memory, answer: Answer) -> None:
    """Show what the answer rests on."""
    output = session.output
    output.line()
    _show_behind(session, memory, answer)
    if output.terminal:
        _tell_labelling(session, answer)


def _show_behind(session: Session, memory: Memory, answer: Answer) -> None:
    """Show the examples behind an answer, and how sure it is."""
    output = session.output
    if answer.kind == "recalled":
        output.line(f"taught: the question is the input of {counted(len(answer.examples))}")
        output.table(("id", "output", "input"), session.rows(memory, answer.examples))
        return
    if answer.probability is not None:
        among = counted(len(answer.labels), "output")
        words = in_words(answer.probability)
        output.line(f"{words} (probability {answer.probability:.2f} among {among} of the store)")
    left = f" ({answer.dropped} more found no room)" if answer.dropped else ""
    if answer.nearest:
        output.line("the nearest examples")
        output.table(("id", "similar", "output", "input"), session.rows(memory, answer.nearest))
        if answer.asked_model:
            output.line(f"the model was shown {counted(len(answer.examples))}{left}; --explain shows them")
        else:
            output.line("the examples alone decided; the model was not asked")
        return
    if not answer.examples:
        output.line("answered without examples")
        return
    output.line(f"answered from {counted(len(answer.examples))}{left}")
    likest_first = sorted(answer.examples, key=lambda one: -(one.similarity or 0.0))
    output.table(("id", "similar", "output", "input"), session.rows(memory, likest_first))


def _tell_labelling(session: Session, answer: Answer) -> None:
    """Tell what the store's outputs were taken to be, and how to correct that where it is only assumed."""
    labelling = answer.labelling
    if labelling is None:
        return
    session.output.line(f"the outputs are {labelling}")
    if labelling.assumed:
        other = session.command_line("labels", "--set", "no" if labelling.labels else "yes")
        session.output.line(f"if they are not: {other}")


def _part(parts: Mapping[str, float], source: str) -> str:
    """Return what a source says of an output; nothing where the model was not asked about that output."""
    return f"{parts[source]:+.2f}" if source in parts else ""


def explain(session: Session, answer: Answer) -> None:
    """Show the prompt, the labels and the times."""
    output = session.output
    if answer.prompt is None:
        output.line("\nthe model was not asked")
    else:
        output.line("\nprompt:\n")
        output.line(answer.prompt)
    if answer.parts:
        shown = [(label, share) for label, share in answer.labels.items() if share >= LIKELY]
        output.line("\nprobabilities:\n")
        sources = list(dict.fromkeys(source for parts in answer.parts.values() for source in parts))
        rows = [
            (f"{share:.3f}", *(_part(answer.parts.get(label, {}), source) for source in sources), label)
            for label, share in shown
        ]
        output.table(("share", *sources, "output"), rows)
        output.line(
            f"{counted(len(answer.parts), 'output')} put to the model; a column says how much its source "
            "raises or lowers the log-probability (natural logarithm) of an output"
        )
        if len(shown) < len(answer.labels):
            output.line(f"{len(answer.labels) - len(shown)} more below {LIKELY}")
    output.line("\nmilliseconds:\n")
    output.facts([(step, f"{1000 * seconds:.1f}") for step, seconds in answer.timings.items()])
