"""The tools that change nothing but for dry runs: ask, search, list, labels and status.

Each docstring is what an assistant is told of the tool: when to use it, and when another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.answer.certainty import in_words
from edge_icl.answer.labels import decide
from edge_icl.mcp.desk import Desk, Result
from edge_icl.mcp.quoting import quoted
from edge_icl.mcp.returned import Answer, Found, Labels, Page, Status
from edge_icl.mcp.wording import counted, examples_with_room, lines, room_for
from edge_icl.search.filters import Filters
from edge_icl.search.spelling import look_alikes, meant

if TYPE_CHECKING:
    from edge_icl import results
    from edge_icl.mcp.arguments import (
        AskArguments,
        Filtered,
        LabelsArguments,
        ListArguments,
        SearchArguments,
        StatusArguments,
    )
    from edge_icl.memory import Memory
    from edge_icl.results import Held

MOST_LABELS = 20
"""Of an answer: the probability of one that is less likely tells nothing."""

MOST_BEHIND = 5
"""Examples that are told to have led to an answer."""

EMPTY = "the store is empty; add teaches it an example"


def ask(desk: Desk, given: AskArguments) -> Result:
    """Answer a question as the user's examples teach it: with one of their labels, or a text like theirs.

    Use it where the user's own way of sorting or writing is wanted ("what kind of expense is this?"), in place
    of an answer of your own. Not for general questions, and not to see what is stored: that is search or list.
    Where it says that it is unsure, or that the question is unlike everything taught, tell the user so. If the
    user says what the right answer is, teach that with add. It takes seconds; the first time longer, since the
    model is loaded.
    """
    answer = desk.memory().ask(given.question)
    likeliest = dict([*answer.labels.items()][:MOST_LABELS])
    fields = answer.as_json() | {
        "certainty": None if answer.probability is None else in_words(answer.probability),
        "labels": {label: round(share, 6) for label, share in likeliest.items()} or None,
        "labels_in_all": len(answer.labels),
    }
    return Result(answer.text or "", Answer.model_validate(fields), "\n".join(_remarks(answer)))


def search(desk: Desk, given: SearchArguments) -> Result:
    """Find the examples whose inputs mean most nearly the same as a text, the nearest first.

    Use it to see what was taught about something, and to get the ids of examples for fix_dry_run and
    forget_dry_run. There is always a nearest one, even if nothing is near: look at the similarity. To find a
    word, a label or all that has a tag, use list. To get an answer, use ask.
    """
    found = desk.memory().search(given.text, limit=given.limit)
    shown = examples_with_room(found)
    left = len(found) - len(shown)
    more = [f"{counted(left, 'more example')} found no room, as texts are long"] if left else []
    text = "\n".join([*lines(shown), *more]) or EMPTY
    fields = {"examples": [one.as_json() for one in shown], "not_shown": left}
    return Result(text, Found.model_validate(fields))


def list_(desk: Desk, given: ListArguments) -> Result:
    """List examples a page at a time, all of them or those with a word, an output, a source or a tag.

    Use it to look through the store, and to count: it says how many fit. For examples that are like a text in
    meaning use search; for the labels alone use labels. The order is that of the ids, which tells nothing: when
    an example was added is not kept. For the next page give next_cursor back as cursor, with the same filters;
    only go on where the user needs more.
    """
    memory = desk.memory()
    filters = Filters(given.match, given.output, given.source, given.tag)
    page: list[Held] = []
    fitting = 0
    for one in filters.fitting(memory.examples()):
        fitting += 1
        if one.id > (given.cursor or "") and len(page) <= given.limit:
            page.append(one)
    shown = examples_with_room(page[: given.limit])
    after = shown[-1].id if len(shown) < len(page) else None
    fields = {"examples": [one.as_json() for one in shown], "fitting": fitting, "next_cursor": after}
    if not fitting:
        return Result(nothing_fits(memory, given), Page.model_validate(fields))
    more = [f"for the next page, call list with the cursor {after}"] if after else []
    fits = f"{counted(fitting)} {'fits' if fitting == 1 else 'fit'}" if filters.given else counted(fitting)
    return Result(
        "\n".join([f"{fits}; {len(shown):,} shown", *lines(shown), *more]), Page.model_validate(fields)
    )


def labels(desk: Desk, given: LabelsArguments) -> Result:
    """List the different outputs and how many examples have each, the most frequent first.

    Use it to see which labels there are before you add or fix an example, so that a label is spelled as it was,
    and to count examples by label. It also says whether the outputs are taken as labels or as free text, and
    which labels read the same. Only the user can rename a label, in a terminal.
    """
    memory = desk.memory()
    outputs = memory.outputs()
    labelling = decide(outputs, memory.labels_setting)
    alike = [one for one in look_alikes(outputs, {}) if one.same][: given.limit] if labelling.labels else []
    shown = room_for([*outputs.items()][: given.limit], lambda one: len(one[0]))
    fields = {
        "labels": [{"label": label, "count": count} for label, count in shown],
        "different": len(outputs),
        "labelling": labelling.as_json(),
        "look_alikes": [one.as_json() for one in alike],
    }
    text = [
        f"{counted(len(outputs), 'different output')}, {labelling}; {len(shown):,} shown",
        *(f"{count}\t{quoted(label)}" for label, count in shown),
        *(f"{quoted(one.new)} and {quoted(one.known)} read the same: are they one?" for one in alike),
    ]
    return Result("\n".join(text) if outputs else EMPTY, Labels.model_validate(fields))


def status(desk: Desk, _given: StatusArguments) -> Result:
    """Say where the store is, what it holds and was made with, and its root, the fingerprint of all of it.

    Use it where the user asks which store this is or how large it is, and to see whether anything has changed:
    then the root is another one. For how good the store is use check; for what is in it use list or labels.
    """
    memory = desk.memory()
    fields = {
        "path": str(memory.path),
        "examples": len(memory),
        "shots": memory.settings.shots,
        "task": memory.settings.task or None,
        "labels_setting": memory.labels_setting,
        "encoder": memory.settings.encoder,
        "root": memory.root,
    }
    told = {name: quoted(value) if isinstance(value, str) else value for name, value in fields.items()}
    text = "\n".join(f"{name}: {value}" for name, value in told.items() if value is not None)
    return Result(text, Status.model_validate(fields))


def nothing_fits(memory: Memory, given: Filtered) -> str:
    """Return in a sentence that no example fits, and which output may have been meant."""
    if not len(memory):
        return EMPTY
    if given.output is None or memory.has_output(given.output):
        return "no example fits"
    likely = " or ".join(map(quoted, meant(given.output, memory.outputs())))
    did_you_mean = f"; did you mean {likely}?" if likely else ""
    return f"no example has the output {quoted(given.output)}{did_you_mean}"


def _remarks(answer: results.Answer) -> list[str]:
    """Return in lines how sure an answer is, and what it rests on."""
    told = []
    if answer.kind == "recalled":
        told.append(f"taught: the question is the input of {counted(len(answer.examples))}")
        if not answer.agreed:
            taught = ", ".join(map(quoted, answer.labels))
            told.append(f"this question was taught with different outputs: {taught}")
    elif answer.probability is not None:
        among = counted(len(answer.labels), "output")
        told.append(
            f"{in_words(answer.probability)} (probability {answer.probability:.2f} among {among} of the store)"
        )
    else:
        told.append("written by the model; how sure it is cannot be said")
    if answer.unlike:
        told.append("the question is unlike everything that was taught: the answer may be a mere guess")
    if not answer.complete:
        told.append("the answer is cut off")
    behind = (answer.nearest or answer.examples)[:MOST_BEHIND]
    if behind and answer.kind != "recalled":
        told.append("the nearest examples:" if answer.nearest else "examples that the model was shown:")
    return [*told, *lines(behind)]
