"""Whether the outputs of a store are labels, a closed set to choose from, or free text.

How outputs repeat decides, not one long output and not how many there are. By Good and Turing's estimate (Good,
"The population frequencies of species", Biometrika 1953) the next output is one of those known about as often
as an example of the store has an output that another one has too. Short outputs need less of that: texts rarely
are so short, and labels of which each was taught once or twice are what a young store has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge_icl.results import Labelling
from edge_icl.search.spelling import look_alikes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge_icl.search.spelling import LookAlike
    from edge_icl.store.manifest import LabelsSetting

NAME = re.compile(r"(?=.*_)[^\W\d]\w*\W?")
"""Words joined by underscores; not by hyphens or dots, as dates and addresses are, which are no labels."""

FEW = 10
"""In a store of so many examples at most, outputs that do not repeat yet may be labels: it is assumed."""

SHORT_WORDS, SHORT_LENGTH = 4, 40
"""Most words and characters of a short output. Half of the outputs must be as short for all to count as
such."""

REPEATED_SHORT, REPEATED_LONG = 1 / 8, 1 / 2
"""How much must repeat. Of short outputs an eighth of the examples must be more than there are outputs; of
longer ones, such as canned replies, half of the examples must share their output: in a store of conversations
some say only "You're welcome!" too."""

_SENTENCE = re.compile("[.!?\u2026\u3002\uff01\uff1f]\\W*$|\n")


def decide(found: Mapping[str, int], setting: LabelsSetting = "auto") -> Labelling:
    """Return whether outputs are labels, and why.

    Args:
        found: how often each output occurs.
        setting: the store's: "yes" and "no" decide, "auto" looks.
    """
    many = _counted(len(found), "different output")
    if setting != "auto":
        return Labelling(labels=setting == "yes", why=f"the store's setting says {setting}: {many}")
    if not found:
        return Labelling(labels=True, assumed=True, why="the store is empty")
    total, short = sum(found.values()), _are_short(found)
    if _repeat(found, short=short):
        return Labelling(labels=True, why=f"{many} in {_counted(total, 'example')}: they repeat")
    if len(found) > 1 and all(map(NAME.fullmatch, found)):
        return Labelling(labels=True, why=f"all outputs are names such as {min(found)}")
    if total > FEW:
        return Labelling(labels=False, why=f"{many} in {_counted(total, 'example')}: few repeat")
    form = "short outputs" if short else "outputs that read like free text"
    return Labelling(labels=short, assumed=True, why=f"{_counted(total, 'example')} so far, with {form}")


def slips(new: Collection[str], outputs: Mapping[str, int], setting: LabelsSetting) -> list[LookAlike]:
    """Return the new labels that look like another one; none where the outputs are free text.

    Args:
        new: outputs that no example had before.
        outputs: how often each output occurs by now.
        setting: the store's.
    """
    counts = {label: outputs[label] for label in new if label in outputs}
    if not counts or not decide(outputs, setting).labels:
        return []
    return look_alikes(counts, {label: count for label, count in outputs.items() if label not in counts})


def _counted(count: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _repeat(found: Mapping[str, int], *, short: bool) -> bool:
    """Tell whether outputs repeat so often that the next one will probably be one of them."""
    total = sum(found.values())
    if short:
        return total - len(found) >= REPEATED_SHORT * total
    return sum(count for count in found.values() if count > 1) >= REPEATED_LONG * total


def _are_short(found: Mapping[str, int]) -> bool:
    """Tell whether at least half of the different outputs are too short for free text."""
    return 2 * sum(map(_is_short, found)) >= len(found)


def _is_short(output: str) -> bool:
    """Tell whether an output has few words and is no sentence."""
    return (
        len(output) <= SHORT_LENGTH and len(output.split()) <= SHORT_WORDS and _SENTENCE.search(output) is None
    )
