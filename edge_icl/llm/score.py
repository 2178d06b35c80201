"""How likely each label is as the answer: a trie of labels in one evaluation that shares their prompt.

    >>> score_labels(prefixes, prefix, question, ["travel", "food"])
    array([-0.9, -4.4])

Each distinct beginning of the labels is a node, evaluated once. A node belongs to the sequences of the labels
below it, so it sees its own ancestors and no cousins; the prompt's cells are shared, not copied. A label's
score is the sum of its tokens' log-probabilities and of that of what ends an answer: without it "card" would
always beat "card_arrival".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.errors import InputError, ModelComputationError
from edge_icl.llm.context import BATCH, NOT_FINITE, SEQUENCES
from edge_icl.prompt.prompt import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.llm.label import Tokens
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.llm.window import Window
    from edge_icl.prompt.prompt import PromptFormat
    from edge_icl.runtime.cancel import Cancel

    Steps = dict[Tokens, float]


def score_labels(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    labels: Sequence[str],
    *,
    form: PromptFormat = PLAIN,
    cancel: Cancel | None = None,
) -> NDArray[np.float64]:
    """Return the log-probability of each label as the whole answer, whatever their order.

    Args:
        prefixes: the prefixes of the store, and the model.
        prefix: tokens that other questions share.
        question: tokens of this question, at least one.
        labels: the answers to choose from; any number.
        form: the prompt's format.
        cancel: set it from any thread, and the evaluation stops.

    Raises:
        AskCancelledError: it was set.
        InputError: prompt and label are longer than the model's context.
        ModelComputationError: a score is NaN or infinite.
        ModelError: llama.cpp fails.
    """
    candidates = [prefixes.label(label, form) for label in labels]
    continuations = _continuations(candidates)  # of all: the prompt's end comes with the first group alone
    steps: Steps = {}
    with prefixes.before(prefix, question, cancel=cancel) as window:
        prompt = len(prefix) + len(question)
        trunk = question  # in one call with the first labels: a call costs as much as two tokens
        for group in _groups(sorted(set(candidates)), window.context.size - prompt):
            _evaluate(window, trunk, group, continuations, steps)
            window.cut(prompt)
            trunk = ()
    return _finite([_total(steps, tokens) for tokens in candidates])


def score_apart(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    labels: Sequence[str],
    *,
    form: PromptFormat = PLAIN,
    cancel: Cancel | None = None,
) -> NDArray[np.float64]:
    """Return what `score_labels` does, each label evaluated by itself: no rounding depends on the others.

    For a question that comes again and again: all of it but its last token is kept in memory.
    """
    candidates = [prefixes.label(label, form) for label in labels]
    found = []
    *stem, last = question
    with prefixes.before(prefix, [last], stem=stem, cancel=cancel) as window:
        shared = len(prefix) + len(stem)
        for tokens in candidates:
            steps: Steps = {}
            (group,) = _groups([tokens], window.context.size - shared - 1)
            _evaluate(window, [last], group, _continuations(group), steps)
            window.cut(shared)
            found.append(_total(steps, tokens))
    return _finite(found)


def _finite(scores: Sequence[float]) -> NDArray[np.float64]:
    """Return scores if all of them are numbers: finite logits may be so far apart that their shares are not."""
    if not np.isfinite(scores).all():
        raise ModelComputationError("the labels got scores that are not finite numbers", NOT_FINITE)
    return np.array(scores)


def _groups(candidates: Sequence[Tokens], room: int) -> Iterator[list[Tokens]]:
    """Cut sorted candidates into groups for one evaluation each, whose nodes fit in `room` cells."""
    group: list[Tokens] = []
    nodes: set[Tokens] = set()
    for candidate in candidates:
        if len(candidate) - 1 > room:  # of a label of thousands the beginnings alone would fill the memory
            raise InputError(
                f"a label has {len(candidate)} tokens and the prompt leaves room for {room}",
                "use fewer examples or shorter labels",
            )
        needed = set(_beginnings(candidate))
        if len(nodes | needed) > room or len(group) == SEQUENCES - 1:
            yield group
            group, nodes = [], set()
        group.append(candidate)
        nodes |= needed
    if group:
        yield group


def _evaluate(
    window: Window,
    trunk: Sequence[int],
    group: Sequence[Tokens],
    continuations: dict[Tokens, list[int]],
    steps: Steps,
) -> None:
    """Evaluate the rest of the prompt, and every beginning of a group's labels once.

    Args:
        window: holds the prompt so far.
        trunk: the rest of its tokens.
        group: the labels.
        continuations: see `_continuations`.
        steps: gets the log-probability of each step from an evaluated beginning.
    """
    row = _row(window.length(), trunk, group)
    window.branch(len(group))
    for start in range(0, len(row), BATCH):
        piece = row[start : start + BATCH]
        window.decode(
            [one.token for one in piece],
            [one.place for one in piece],
            [one.sequences for one in piece],
            [one.beginning is not None for one in piece],
        )
        for index, one in enumerate(piece):
            if one.beginning is not None:
                _take(one.beginning, window.logits(index), continuations, steps)


class _Evaluated(NamedTuple):
    """A token to evaluate.

    Attributes:
        token: the token.
        place: its place in its sequences.
        sequences: 0 is the prompt's, i that of label number i.
        beginning: of the labels, the part that ends here; None before the end of the prompt.
    """

    token: int
    place: int
    sequences: Sequence[int]
    beginning: Tokens | None


def _row(at: int, trunk: Sequence[int], group: Sequence[Tokens]) -> list[_Evaluated]:
    """Return what to evaluate from place `at` on: the trunk, then the beginnings of a group's labels."""
    every = range(len(group) + 1)
    row = [_Evaluated(token, at + i, every, None) for i, token in enumerate(trunk)]
    row[-1:] = [last._replace(beginning=()) for last in row[-1:]]
    below: dict[Tokens, list[int]] = {}
    for sequence, candidate in enumerate(group, start=1):
        for beginning in _beginnings(candidate):
            below.setdefault(beginning, []).append(sequence)
    end = at + len(trunk) - 1
    # A beginning sorts before its continuations, so parents come before children, and siblings together.
    return row + [_Evaluated(node[-1], end + len(node), below[node], node) for node in sorted(below)]


def _take(
    node: Tokens,
    logits: NDArray[np.float32],
    continuations: dict[Tokens, list[int]],
    steps: Steps,
) -> None:
    """Note the log-probability of each token that a label has after `node`."""
    peak = logits.max()
    # float32 exponentials are eight times faster than float64 ones; their sum of 50,000 needs the precision.
    shares = logits - peak
    total = float(np.log(np.exp(shares, out=shares).sum(dtype=np.float64))) + float(peak)
    for token in continuations.get(node, ()):
        steps[(*node, token)] = float(logits[token]) - total


def _total(steps: Steps, tokens: Tokens) -> float:
    """Return the log-probability of a label: the sum of its steps."""
    return sum(steps[tokens[: end + 1]] for end in range(len(tokens)))


def _continuations(candidates: Sequence[Tokens]) -> dict[Tokens, list[int]]:
    """Return, for each beginning of the candidates and for the empty one, the tokens that come next."""
    found: dict[Tokens, set[int]] = {}
    for candidate in candidates:
        for end, token in enumerate(candidate):
            found.setdefault(candidate[:end], set()).add(token)
    return {beginning: sorted(tokens) for beginning, tokens in found.items()}


def _beginnings(candidate: Tokens) -> Iterator[Tokens]:
    """Give the beginnings of a candidate that must be evaluated: not the empty one, nor the whole."""
    return (candidate[:end] for end in range(1, len(candidate)))
