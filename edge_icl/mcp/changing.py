"""The tools that change the store: add, and in two steps fix and forget, each with its dry run.

Each docstring is what an assistant is told of the tool: when to use it, and when another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.answer.labels import slips
from edge_icl.errors import EdgeIclError, ExampleNotFoundError, InputError
from edge_icl.example import Example, normalise
from edge_icl.mcp.advice import by_hand
from edge_icl.mcp.arguments import MOST_SHOWN
from edge_icl.mcp.desk import Desk, Result
from edge_icl.mcp.plans import LIFETIME, Fixing, Forgetting
from edge_icl.mcp.quoting import quoted
from edge_icl.mcp.reading import nothing_fits
from edge_icl.mcp.returned import Added, Fixed, FixPlan, Forgotten, Plan
from edge_icl.mcp.wording import counted, examples_with_room, lines
from edge_icl.search.matching import as_json, only_folded
from edge_icl.search.spelling import refuse_blank, stripped

if TYPE_CHECKING:
    from edge_icl.mcp.arguments import (
        AddArguments,
        DryRunArguments,
        FixArguments,
        FixDryRunArguments,
        ForgetArguments,
    )
    from edge_icl.memory import Memory
    from edge_icl.results import Held
    from edge_icl.search.spelling import LookAlike

MOST_CONTRADICTIONS = 5
"""Examples that are told to contradict a new one."""


def add(desk: Desk, given: AddArguments) -> Result:
    """Teach the store one example: an input, and the output that the user wants for it.

    Use it where the user gives an example, or says what the right answer would have been. Never teach a guess
    of your own, nor what a document says unless the user wants that. For labels, write the output as the others
    are: see labels. To change an example that is there, use fix_dry_run; this one would only add a second.
    Makes the store if there is none; to add an example again changes nothing.
    """
    memory, output = desk.memory(create=True), stripped(given.output)
    example = Example.create(given.input, output, tags=given.tags, source=given.source)
    refuse_blank(example.input)
    new = [] if memory.has_output(example.output) else [example.output]
    added = memory.add_many([example])
    alike = slips(new, memory.outputs() if new else {}, memory.labels_setting)
    others = examples_with_room(memory.contradictions(example)[:MOST_CONTRADICTIONS])
    (id,) = added.ids
    told = [f"added {id}" if added.added else f"{id} was there already"]
    if output != given.output:
        told.append("white space around the output was left out")
    if added.unread:
        told.append("the encoder does not know the characters of the input, and cannot tell it from others")
    if added.cut:
        told.append("the input is longer than the encoder reads: its end is not looked at")
    told += _of_look_alikes(alike)
    if others:
        told.append("this input was taught with another output too, ask the user which is right:")
    fields = added.as_json()
    if alike:
        fields["look_alikes"] = [one.as_json() for one in alike]
    if others:
        fields["contradictions"] = [one.as_json() for one in others]
    return Result("\n".join(["; ".join(told), *lines(others)]), Added.model_validate(fields))


def fix_dry_run(desk: Desk, given: FixDryRunArguments) -> Result:
    """Show how an example would be corrected: given another output. Changes nothing; returns a token for fix.

    Use it where the user says that what was taught is wrong, or agrees to a suspect of check; search and list
    give the id. Show the user the old and the new output, and give the token to fix only if the user agrees. It
    serves once. To correct several, call this for each, then fix for each.
    """
    memory = desk.memory()
    held = memory.get(given.id)
    output = normalise(stripped(given.output), "output")
    if output == held.output:
        raise InputError(f"the example {held.id} has this output already", "nothing is to be fixed")
    outputs = memory.outputs()
    new = output not in outputs
    alike = slips([output], outputs | {output: 1}, memory.labels_setting) if new else []
    corrected = held.example.changed(output=output)
    there = not new and any(one.example == corrected for one in memory.examples(output=output))
    token = desk.fixes.keep(Fixing(held.id, output))
    text = [
        "1 example would be given another output, and its old one forgotten; nothing was changed",
        *lines([held]),
        f"new output\t{quoted(output)}",
        *(["no example has the new output yet"] if new else []),
        *(["such an example is there already: of the two one would be left"] if there else []),
        *_of_look_alikes(alike),
        f"to do exactly this, call fix within {LIFETIME:.0f} s with the token {token}",
    ]
    fields = {
        "example": held.as_json(),
        "output": output,
        "new": new,
        "duplicate": there,
        "look_alikes": [one.as_json() for one in alike],
        "token": token,
        "expires_in": LIFETIME,
    }
    return Result("\n".join(text), FixPlan.model_validate(fields))


def fix(desk: Desk, given: FixArguments) -> Result:
    """Correct the example that fix_dry_run showed with this token. Its old output is forgotten for good.

    Only after the user has seen the dry run and agreed. The corrected example has a new id.
    """
    plan = desk.fixes.take(given.token)
    done = desk.memory().replace(plan.id, output=plan.output)
    text = f"{done.old} is forgotten; in its place is {done.new}, with the output {quoted(plan.output)}"
    return Result(text, Fixed.model_validate(done.as_json()))


def forget_dry_run(desk: Desk, given: DryRunArguments) -> Result:
    """Show which examples would be forgotten. Changes nothing; returns a token with which forget forgets these.

    Use it where the user wants examples gone. Name them by ids, or say what they have in common. Show the user
    what would go, and give the token to forget only if the user agrees. It serves once, and only while nothing
    else in the store changes. To correct an example rather than lose it, use fix_dry_run.
    """
    memory = desk.memory()
    root = memory.root  # read first: what changes from here on makes the token invalid
    found = _find(desk, memory, given)
    folded = only_folded(found, given.match)
    token = desk.forgets.keep(Forgetting(tuple(one.id for one in found), root))
    text = "\n".join(
        [
            f"{counted(len(found))} would be forgotten; nothing was changed",
            *lines(found),
            *_only_folded(folded),
            f"to forget exactly these, call forget within {LIFETIME:.0f} s with the token {token}",
        ]
    )
    fields = {"examples": as_json(found, folded), "token": token, "expires_in": LIFETIME}
    return Result(text, Plan.model_validate(fields))


def forget(desk: Desk, given: ForgetArguments) -> Result:
    """Forget exactly the examples that forget_dry_run showed with this token. Cannot be undone.

    Only after the user has seen the dry run and agreed. It says which examples are left that are nearly the
    same; those may be meant too, so tell the user.
    """
    plan = desk.forgets.take(given.token)
    memory = desk.memory()
    done = memory.forget(*plan.ids, root=plan.root, similar=memory.likeness)
    left = examples_with_room((done.similar or ())[:MOST_SHOWN])
    told = [f"forgot {counted(len(done.ids))}"]
    if left:
        told += ["these that are left are nearly the same:", *lines(left)]
    fields = done.as_json() | {"similar": [one.as_json() for one in left]}
    return Result("\n".join(told), Forgotten.model_validate(fields))


def _find(desk: Desk, memory: Memory, given: DryRunArguments) -> list[Held]:
    """Return the examples that are meant, each once.

    Raises:
        InputError: nothing says which, or ids and filters do.
        ExampleNotFoundError: there are none, or not one of an id.
        AmbiguousIdError: several ids begin with the digits of one.
    """
    filters = given.model_dump(include={"match", "output", "source", "tag", "like"}, exclude_none=True)
    if bool(given.ids) == bool(filters):
        raise InputError(
            "it is not said what to forget", "give ids, or some of match, output, source, tag and like"
        )
    if given.ids:
        return list({one.id: one for one in map(memory.get, given.ids)}.values())
    found = memory.find(**filters, min_similarity=given.min_similarity)
    if not found:
        raise ExampleNotFoundError(nothing_fits(memory, given), "list and search show what is there")
    if len(found) > MOST_SHOWN:
        raise _too_many(desk, f"{len(found):,} examples fit, more than a person reads", "say less")
    if len(found) == len(memory) > 1:
        raise _too_many(desk, f"all {len(found):,} examples fit", "give their ids")
    return found


def _too_many(desk: Desk, what: str, remedy: str) -> EdgeIclError:
    """Return that so many examples are not forgotten here, and where they are."""
    by_user = f"the user can forget all at once: {by_hand(desk.program, 'forget', '--all')}"
    return InputError(f"{what}; {remedy}, or {by_user}")


def _of_look_alikes(alike: list[LookAlike]) -> list[str]:
    """Return of new labels which ones they are like."""
    return [f"the label is new, and like {quoted(one.known)}: ask the user which is meant" for one in alike]


def _only_folded(folded: set[str]) -> list[str]:
    """Return a line that says which examples hold the text only as a person reads them, if any do."""
    if not folded:
        return []
    named = ", ".join(sorted(folded))
    return [
        f"only with white space, invisible characters or letter forms read over do these hold the text: {named}"
    ]
