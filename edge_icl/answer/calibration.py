"""How likely the model calls each label after texts that ask nothing: its bias, which judging takes off.

This is contextual calibration (Zhao et al. 2021, arXiv 2102.09690), with sampled inputs in place of "N/A".

It takes as long as the question itself, so it outlives the process, beside the state of the prompt's prefix and
by the same rules: every forget wipes it. Prefix, texts and label decide a score to the last bit, so one that is
read from the disk is the one that would be computed.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.llm.score import score_apart
from edge_icl.prior.evidence import content_free_texts
from edge_icl.runtime import strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.prompt.prompt import Prompt
    from edge_icl.runtime.cancel import Cancel

_NO_TOKEN = -1
MOST = 1.0
"""More than any logarithm of a probability, even one that was rounded up from 1."""

MOST_PREFIXES = 8
"""What is known after so many prefixes is kept in memory: a task of a question's own begins another one."""

_ENDS = 8
"""Tokens of a label beside those of its text, at most."""

_KIND = "usual 1"
"""Of the entry; another number for scores that are computed in other calls."""


def encode(scores: Mapping[str, float]) -> bytes:
    """Return the scores of labels as an entry of the cache holds them."""
    return json.dumps(scores, sort_keys=True).encode()


def decode(data: bytes) -> dict[str, float]:
    """Read what `encode` wrote: numbers are read as they were written, to the last bit.

    Returns:
        None of them if these are not the scores of labels: then they are computed again.
    """
    try:
        found = strict_json.parse(data)
    except ValueError:
        return {}
    if type(found) is dict and all(type(score) is float and score < MOST for score in found.values()):
        return found
    return {}


class Calibration:
    """The scores of one snapshot's labels after texts that ask nothing.

    Args:
        derived: from the snapshot that is asked.
    """

    def __init__(self, derived: Derived) -> None:
        self._derived = derived
        self._known: dict[str, _Known] = {}

    def scores(
        self, prefixes: Prefixes, prompt: Prompt, labels: Sequence[str], *, cancel: Cancel | None = None
    ) -> NDArray[np.float64]:
        """Return the mean log-probability f64[labels] of each label after the texts.

        Every label is scored apart from the others, or its score would depend, by a rounding, on which labels
        earlier questions have brought up.

        Raises:
            AskCancelledError: `cancel` was set.
            InputError: prompt and label are longer than the model's context.
            ModelError: llama.cpp fails.
        """
        known = self._known.get(prompt.prefix)
        if known is None:
            if len(self._known) == MOST_PREFIXES:
                self._known.clear()
            known = self._known[prompt.prefix] = _Known(prefixes, prompt, self._texts(prefixes, prompt))
        return known.scores(labels, cancel)

    def _texts(self, prefixes: Prefixes, prompt: Prompt) -> list[str]:
        """Return the texts as questions of this prompt, cut where they and a label would be too long for it.

        How long they may be depends on the prefix and the labels of the snapshot alone, not on the question.
        """
        texts = content_free_texts(self._derived.inputs, self._derived.snapshot.settings.seed)
        model, labels = prefixes.model, self._derived.outputs
        left = model.context - len(prefixes.tokens(prompt.prefix, start=True))

        def asked(text: str) -> str:
            return prompt.form.parts(text, prompt.shared, ())[1]

        def length(text: str) -> int:
            return len(model.tokenize(asked(text)))

        longest = max(len(label.encode()) for label in labels) + _ENDS
        if all(length(text) + longest <= left for text in texts):  # a token has a byte at least
            return [asked(text) for text in texts]
        tokens = max(len(prefixes.label(label, prompt.form)) for label in labels)
        room = left - min(tokens, model.context // 2)
        return [asked(text if length(text) <= room else text[: _most(text, room, length)]) for text in texts]


def _most(text: str, room: int, length: Callable[[str], int]) -> int:
    """Return how many characters of a text there is room for."""
    return bisect_right(range(1, len(text) + 1), room, key=lambda most: length(text[:most]))


class _Known:
    """What is known after one prefix."""

    def __init__(self, prefixes: Prefixes, prompt: Prompt, texts: Sequence[str]) -> None:
        self._prefixes = prefixes
        self._form = prompt.form
        self._prefix = prefixes.tokens(prompt.prefix, start=True)
        self._asked = [prefixes.model.tokenize(text) for text in texts]
        apart = [token for tokens in self._asked for token in (_NO_TOKEN, *tokens)]
        self._name = f"{_KIND} {prefixes.state_name([*self._prefix, *apart])}"
        kept = None if prefixes.disk is None else prefixes.disk.get(self._name)
        self._scores = decode(kept) if kept else {}

    def scores(self, labels: Sequence[str], cancel: Cancel | None) -> NDArray[np.float64]:
        """Return the score of each label; what is not known yet is computed and kept."""
        known = self._scores
        missing = [label for label in labels if label not in known]
        if missing:
            found = [
                score_apart(self._prefixes, self._prefix, asked, missing, form=self._form, cancel=cancel)
                for asked in self._asked
            ]
            new = dict(zip(missing, map(float, np.mean(found, axis=0)), strict=True))
            known = self._scores = known | new  # not in place: other threads read it
            if self._prefixes.disk is not None:
                self._prefixes.disk.put(self._name, encode(known))
        return np.array([known[label] for label in labels])
