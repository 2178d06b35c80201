"""What the language model adds to the prior.

The model's evidence for a label is how much likelier it calls the label after this question than after texts
that ask nothing: log p(label | question) - log p(label | content-free text). The difference takes out what the
model prefers anyway, such as short labels, common words and the last example's output (Zhao et al., "Calibrate
Before Use", ICML 2021). The content-free texts are random words of the store's own inputs (Fei et al.,
"Mitigating Label Biases for In-context Learning", ACL 2023), so they look like questions of this store without
being one.

By Bayes' rule the evidence is added to the prior's logarithm. Only the labels that the prior calls likeliest
are put to the model; it moves probability between them, and the others keep theirs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior.opinion_pool import log_probabilities, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_PUT, MOST_PUT = 2, 8
REACH = 4.0
"""Which labels are put to the model: those that the prior calls no less likely than the likeliest by this many
nats. The cost of a question grows with them. In the trial below any reach from 2 on gave the same accuracy, to
a tenth of a point; with 4, of the 77 labels of all Banking77, 2.2 are put to the model on average."""

WEIGHT = 0.15
WEIGHT_MORE = 0.65
FEW = 32
"""How much of the evidence is believed: WEIGHT in large stores, whose prior knows more than a small model; and
more by half of WEIGHT_MORE in one of FEW examples, where there is less else to go by. From a trial of 20 stores
on 9 tasks with the default model: 0.7 to 1 was best with 8 and 32 examples, 0.2 with 128 and more. Where there
are more labels than a prompt shows, the model has not seen most of them, and WEIGHT is less in proportion: on
all of Banking77, 77 labels and 8 shots, the whole of it took more than a point from the prior."""

SPREAD_PER_CHARACTER, LEAST_SPREAD, MOST_SPREAD = 0.25, 1.0, 6.0
"""Nats: how much the evidence for the likelier of two labels varies from question to question, before it is
weighed. A long label's is a sum over more tokens: the default model showed 0.4 to 1.7 on six tasks with labels
of 3 to 12 characters, 5.4 to 5.9 on Banking77, whose labels have 21 (see benchmarks/when_to_ask.py)."""

CONTENT_FREE_TEXTS = 3
LONGEST_TEXT = 64
"""Words; a content-free text has as many as the store's inputs, but no more than this."""
MOST_SAMPLED = 256
"""Inputs that words are drawn from: the first by id, a random sample."""


def shortlist(logs: Floats) -> NDArray[np.intp]:
    """Return the positions of the labels to put to the model, ascending, given the prior's log f64[labels]."""
    order = ranked(logs)[:MOST_PUT]
    near = np.count_nonzero(logs[order] >= logs[order[0]] - REACH)
    return np.sort(order[: max(near, FEWEST_PUT)])


def weight(examples: int, *, labels: int, shots: int) -> float:
    """Return how much of the evidence is believed in a store of so many examples and labels.

    Args:
        examples: in the store.
        labels: among their outputs.
        shots: how many examples a prompt shows.
    """
    return WEIGHT * min(1.0, shots / labels) + WEIGHT_MORE * FEW / (examples + FEW)


def spread(labels: Sequence[str]) -> float:
    """Return the standard deviation to expect of the evidence for one label against another, in nats.

    Args:
        labels: of the store, one at least.
    """
    length = sum(map(len, labels)) / len(labels)
    return min(max(SPREAD_PER_CHARACTER * length, LEAST_SPREAD), MOST_SPREAD)


def weighed(logs: Floats, put: NDArray[np.intp], evidence: Floats) -> Floats:
    """Return the prior's log f64[labels] with weighted evidence f64[k] for the labels put added."""
    result = logs.copy()
    moved = log_probabilities(logs[put] + evidence)
    result[put] = moved + np.log(np.exp(logs[put]).sum())
    return log_probabilities(result)


def content_free_texts(inputs: Sequence[str], seed: bytes) -> list[str]:
    """Return texts of random words of the inputs, which are in the order of their ids; at least one input."""
    sampled = [text.split() for text in inputs[:MOST_SAMPLED]]
    words = [word for text in sampled for word in text]
    length = min(int(np.median([len(text) for text in sampled])), LONGEST_TEXT)
    drawn = hashlib.shake_256(seed + b"edge-icl/strange/").digest(4 * CONTENT_FREE_TEXTS * length)
    chosen = np.frombuffer(drawn, "<u4").reshape(CONTENT_FREE_TEXTS, length) % len(words)
    return [" ".join(words[i] for i in row) for row in chosen]
