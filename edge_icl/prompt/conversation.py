"""A conversation as the text that a model goes on with, in the words of its own chat template.

    >>> said = [Turn("system", "Be short."), Turn("user", "Taxi downtown")]
    >>> form = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    >>> spoken = Conversation.read(form, end="", turns=said)
    >>> (spoken.prefix + spoken.question).replace(MARK, "")
    '<system>Be short.<user>Taxi downtown<assistant>'

As in `chat`, the template is rendered with place holders and cut at them: it never sees a text, and no text can
pretend to be its markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from edge_icl.errors import ModelError
from edge_icl.prompt.chat import marked
from edge_icl.prompt.prompt import MARK
from edge_icl.prompt.template import render

if TYPE_CHECKING:
    from collections.abc import Sequence

Role = Literal["system", "user", "assistant"]


class Turn(NamedTuple):
    """One message of a conversation.

    Attributes:
        role: who says it.
        text: what; normalised.
    """

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation up to where the model's answer begins. Make one with `read`.

    Attributes:
        prefix: up to where the text of the last turn begins.
        question: the rest. The two are tokenized apart, as those of a prompt with examples.
        lead: what stands before the answer.
        close: what comes after it.
    """

    prefix: str
    question: str
    lead: str
    close: str

    @classmethod
    def read(cls, template: str, *, end: str, turns: Sequence[Turn]) -> Self:
        """Write a conversation.

        Args:
            template: in Jinja, as the GGUF file has it.
            end: the model's end token, by its name.
            turns: one at least; the last one is the user's. A system's turn comes first, if there is one; where
                the template knows no such role it begins the first turn of the user.

        Raises:
            ModelError: the template takes no such conversation.
        """
        try:
            pieces = _cut(template, end, [turn.role for turn in turns])
        except ModelError:
            if turns[0].role != "system":
                raise
            task, first, *rest = turns
            turns = [Turn(first.role, f"{task.text}\n\n{first.text}"), *rest]
            pieces = _cut(template, end, [turn.role for turn in turns])
        *before, last, after = pieces
        head = "".join(
            marked(piece) + (turns[i].text if i + 1 < len(before) else "") for i, piece in enumerate(before)
        )
        kept = head.rstrip()
        lead = " " if last.endswith(" ") else ""
        question = head[len(kept) :] + turns[-1].text + marked(last.removesuffix(lead))
        return cls(kept, question, lead, after.strip())


def _cut(template: str, end: str, roles: Sequence[str]) -> list[str]:
    """Return what a template writes before each turn, before the answer, and after it."""
    names = [f"{role}{number}" for number, role in enumerate([*roles, "assistant"])]
    messages = [{"role": name.rstrip("0123456789"), "content": f"{MARK}{name}{MARK}"} for name in names]
    pieces = re.split(f"{MARK}([a-z]+[0-9]+){MARK}", render(template, end=end, messages=messages))
    if pieces[1::2] != names or MARK in "".join(pieces):
        raise ModelError(
            "the model's chat template leaves out or moves what is said", "use another model to talk to"
        )
    return pieces[::2]
