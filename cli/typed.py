r"""What a user means by a line that was typed under an answer: right, a command, another answer.

    >>> Typing(labels=("food", "travel"), offered=("travel", "food")).meaning("tr")
    Meaning(kind='answer', text='travel')

Where the outputs are labels, a label may be typed by a beginning that no other label has, or as a number from
those that are offered, and the letters of the commands are commands unless a label is called so. Where they are
free text, a line is the text, and commands begin with a backslash, which they may do everywhere; a text that
begins with one has two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from edge_icl.search.spelling import one_letter_away, stripped

Command = Literal["examples", "undo", "skip", "end", "unknown"]

COMMANDS: dict[str, Command] = {"?": "examples", "u": "undo", "s": "skip", "q": "end"}
"""What a command is called -> what it does."""

SIGN = "\\"

Kind = Literal["right", "answer", "new", "near", "letter", "several"] | Command


def command(line: str, *, bare: bool = True) -> Command | None:
    """Return the command that a line is, if it is one; "unknown" where it looks like one.

    Args:
        line: what was typed.
        bare: whether its letter alone is enough.
    """
    line = line.strip().lower()
    if line.startswith(SIGN) and not line.startswith(SIGN * 2):
        return COMMANDS.get(line[1:].strip(), "unknown")
    return COMMANDS.get(line) if bare else None


def plain(line: str) -> str:
    """Return the text that a line is which is no command."""
    line = line.strip()
    return line.removeprefix(SIGN) if line.startswith(SIGN) else line


class Meaning(NamedTuple):
    """What a line means.

    Attributes:
        kind: "right" for an empty one; a command; "answer" for a known label or a free text; "new" for a label
            that the store does not have; "near" for one that differs from a known one by a letter; "letter" for
            a free text that is called like a command; "several" for a beginning of more than one label;
            "unknown" for a command that there is not.
        text: the answer, or what was typed.
        others: of "near" the known label, of "several" the labels.
    """

    kind: Kind
    text: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typing:
    """What may be typed.

    Attributes:
        labels: those of the store; None where its outputs are free text.
        offered: the likeliest labels, in the order in which they are shown.
    """

    labels: tuple[str, ...] | None
    offered: tuple[str, ...] = ()

    @property
    def numbered(self) -> bool:
        """Whether an offered label may be chosen by its number: not where labels are numbers."""
        return bool(self.offered) and not any(label.strip().isdecimal() for label in self.labels or ())

    def command(self, letter: str) -> str:
        """Return how a command is typed here."""
        return letter if self._is_bare(letter) else SIGN + letter

    def _is_bare(self, letter: str) -> bool:
        """Tell whether a command may be typed without the sign: not where a text could be meant."""
        return self.labels is not None and letter not in {label.casefold() for label in self.labels}

    def meaning(self, line: str) -> Meaning:
        """Return what a line means."""
        line = line.strip()
        if not line:
            return Meaning("right")
        if found := command(line, bare=False):
            return Meaning(found, line)
        line = plain(line)
        if self.labels is None:
            return Meaning("letter" if line in COMMANDS else "answer", line)
        return self._label(line, self.labels)

    def _label(self, line: str, labels: tuple[str, ...]) -> Meaning:
        """Return what a line means where the outputs are labels."""
        line = stripped(line) or line
        if line in labels:
            return Meaning("answer", line)
        if line.lower() in COMMANDS and self._is_bare(line.lower()):
            return Meaning(COMMANDS[line.lower()])
        if self.numbered and line.isdecimal() and 1 <= int(line) <= len(self.offered):
            return Meaning("answer", self.offered[int(line) - 1])
        if len(line) > 1 and line[0] == line[-1] == '"':
            text = line[1:-1].strip()
            return Meaning("answer" if text in labels or not text else "new", text)
        wanted = " ".join(line.split()).casefold()
        folded = {label: " ".join(label.split()).casefold() for label in labels}
        same = [label for label, one in folded.items() if one == wanted]
        begun = same or [label for label, one in folded.items() if one.startswith(wanted)]
        if begun:
            return Meaning("answer", begun[0]) if len(begun) == 1 else Meaning("several", line, tuple(begun))
        near = [label for label, one in folded.items() if one_letter_away(wanted, one)]
        return Meaning("near", line, (near[0],)) if len(near) == 1 else Meaning("new", line)
