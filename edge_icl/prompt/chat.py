"""Examples as turns of a chat, in the words of the model's own template.

    >>> form = Chat.read("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}", end="")
    >>> form.parts("Taxi downtown", [Example.create("Uber", "travel")], [])[1].replace(MARK, "")
    'Taxi downtown<assistant>'

Each input is a user's turn and each output the assistant's. The template is rendered once, with place holders
for texts, and cut at them: so it never sees a text, every prompt is made of the same pieces, and the beginning
that questions share depends on its examples alone. A template that treats one turn differently from
the next cannot be cut like this and is refused.

Templates may ask for the date; they get none, since the same question must have the same answer tomorrow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from edge_icl.errors import ModelError
from edge_icl.prompt.prompt import MARK, several_lines
from edge_icl.prompt.template import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.example import Example

_TURNS = 3
"""Enough to see that the turns in between are all alike."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat template, cut at its texts. Make one with `read`.

    Attributes:
        opening: marked up to the first input, the task included.
        reply: what stands between an input and its output.
        last: the same after the last input.
        next: what stands between an output and the next input.
        lead: what stands before every answer.
    """

    opening: str
    reply: str
    last: str
    next: str
    lead: str

    @classmethod
    def read(cls, template: str, *, end: str, task: str = "") -> Self:
        """Cut a template.

        Args:
            template: in Jinja, as the GGUF file has it.
            end: the model's end token, by its name.
            task: what is asked for: the system's message, or where there is no such role the beginning of the
                first input. May be empty.

        Raises:
            ModelError: the template cannot show examples.
        """
        opening, reply, following, last = _cut(template, end, system=False)
        first = marked(opening) + (f"{task}\n\n" if task else "")
        if task:
            try:
                before, after, reply, following, last = _cut(template, end, system=True)
            except ModelError:
                pass  # a template may know no system role
            else:
                first = marked(before) + task + marked(after)
        lead = " " if reply.endswith(" ") and last.endswith(" ") else ""
        return cls(first, reply.removesuffix(lead), last.removesuffix(lead), following, lead)

    @property
    def name(self) -> str:
        """What the user calls it."""
        return "chat"

    @property
    def close(self) -> str:
        """What comes after every answer."""
        return self.next.strip()

    def answer(self, output: str) -> str:
        """Return the text of an answer as it follows a prompt, with what ends it."""
        return f"{self.lead}{output}{marked(self.next)}"

    def parts(self, question: str, shared: Sequence[Example], own: Sequence[Example]) -> tuple[str, str]:
        """Return the prompt in two parts, the first up to where the input after the shared examples begins."""
        head = self.opening + "".join(map(self._turn, shared))
        tail = "".join(map(self._turn, own)) + question + marked(self.last)
        # White space goes with what follows it, as tokenizers separate words.
        kept = head.rstrip()
        return kept, head[len(kept) :] + tail

    def stop(self, examples: Sequence[Example]) -> str:
        """Return what ends an answer: the end of its line if those of the examples have one, or of its turn."""
        return self.close if not examples or several_lines(examples) else "\n"

    def _turn(self, example: Example) -> str:
        """Return an example from its input to where the next one begins."""
        return f"{example.input}{marked(self.reply)}{self.answer(example.output)}"


def marked(literal: str) -> str:
    """Return what a template wrote as markup, white space at its end left outside."""
    kept = literal.rstrip()
    return f"{MARK}{kept}{MARK}{literal[len(kept) :]}" if kept else literal


def _cut(template: str, end: str, *, system: bool) -> list[str]:
    """Return the pieces of a template, up to the second input: before each text, and before the last output."""
    names = ["system"] if system else []
    names += [f"{role}{turn}" for turn in range(_TURNS) for role in ("user", "assistant")]
    messages = [{"role": name.rstrip("0123456789"), "content": f"{MARK}{name}{MARK}"} for name in names]
    pieces = re.split(f"{MARK}([a-z]+[0-9]?){MARK}", render(template, end=end, messages=messages))
    if pieces[1::2] != names or MARK in "".join(pieces):
        raise ModelError("the model's chat template leaves out or moves what is said", "use the plain format")
    first = 3 if system else 2
    literals = pieces[::2]
    replies, nexts = literals[first - 1 : -2 : 2], literals[first:-2:2]
    if len({*replies}) > 1 or len({*nexts}) > 1 or not nexts[0].strip():
        raise ModelError("the model's chat template treats turns unlike each other", "use the plain format")
    return [*literals[: first - 1], replies[0], nexts[0], literals[-2]]
