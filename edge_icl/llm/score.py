"""How likely each label is as the answer: a trie of labels in one evaluation that shares their prompt.

    >>> score_labels(prefixes, prefix, question, ["travel", "food"])
    array([-0.9, -4.4])

Each distinct beginning of the labels is a node, evaluated once. A node belongs to the sequences of the labels
below it, so it sees its own ancestors and no cousins; the prompt's cells are shared, not copied. A label's
score is the sum of its tokens' log-probabilities and of that of what ends an answer: without it "card" would
always beat "card_arrival".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import InputError
from edge_icl.llm.window import BATCH, SEQUENCES
from edge_icl.prompt import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.cancel import Cancel
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.llm.vocabulary import Vocabulary
    from edge_icl.llm.window import Window
    from edge_icl.prompt import PromptFormat

    Tokens = tuple[int, ...]


def score_labels(
    prefixes: Prefixes,
    prefix: Sequence[int],
    question: Sequence[int],
    labels: Sequence[str],
    *,
    form: PromptFormat = PLAIN,
    apart: bool = False,
    cancel: Cancel | None = None,
) -> NDArray[np.float64]:
    """Return the log-probability of each label as the whole answer, whatever their order.

    Args:
        prefixes: the prefixes of the store, and the model.
        prefix: tokens that other questions share.
        question: tokens of this question.
        labels: the answers to choose from; any number.
        form: the prompt's format.
        apart: evaluate each label by itself, so that not even a rounding depends on the others.
        cancel: set it from any thread, and the evaluation stops.

    Raises:
        AskCancelledError: it was set.
        InputError: prompt and label are longer than the model's context.
        ModelError: llama.cpp fails.
    """
    candidates = [label_tokens(prefixes.model.vocabulary, label, form) for label in labels]
    steps: dict[Tokens, float] = {}
    with prefixes.asked(prefix, question, cancel=cancel) as logits:
        window = prefixes.model.window
        prompt = window.length()
        _take((), logits, _continuations(candidates), steps)
        for group in _groups(sorted(set(candidates)), window.size - prompt, 1 if apart else SEQUENCES - 1):
            _evaluate(window, prompt, group, steps)
            window.cut(prompt)
    return np.array([sum(steps[tokens[: end + 1]] for end in range(len(tokens))) for tokens in candidates])


def label_tokens(vocabulary: Vocabulary, label: str, form: PromptFormat = PLAIN) -> Tokens:
    """Return the tokens of a label as an answer, up to and with the one that shows that it is over."""
    length = vocabulary.length(f"{form.lead}{label}")
    tokens: list[int] = []
    for token in vocabulary.tokenize(form.answer(label)):
        tokens.append(token)
        piece = vocabulary.piece(token)
        length -= len(piece)
        if length < 0 or not (piece or length):  # a special token has no text
            break
    return tuple(tokens)


def _groups(candidates: Sequence[Tokens], room: int, most: int) -> Iterator[list[Tokens]]:
    """Cut sorted candidates into groups of at most `most`, whose nodes fit in `room` cells."""
    group: list[Tokens] = []
    nodes: set[Tokens] = set()
    for candidate in candidates:
        needed = set(_beginnings(candidate))
        if len(needed) > room:
            raise InputError(
                f"a label has {len(candidate)} tokens and the prompt leaves room for {room}",
                "use fewer examples or shorter labels",
            )
        if len(nodes | needed) > room or len(group) == most:
            yield group
            group, nodes = [], set()
        group.append(candidate)
        nodes |= needed
    if group:
        yield group


def _evaluate(window: Window, prompt: int, group: Sequence[Tokens], steps: dict[Tokens, float]) -> None:
    """Evaluate every beginning of a group's labels once and note the log-probability of each step from it."""
    # A beginning sorts before its continuations, so parents come before children, and siblings together.
    nodes = sorted({beginning for candidate in group for beginning in _beginnings(candidate)})
    sequences: dict[Tokens, list[int]] = {node: [] for node in nodes}
    leaves = [node for node, after in zip(nodes, [*nodes[1:], ()], strict=True) if after[: len(node)] != node]
    for sequence, leaf in enumerate(leaves, start=1):
        for end in range(1, len(leaf) + 1):
            sequences[leaf[:end]].append(sequence)
    continuations = _continuations(group)
    window.branch(len(leaves))
    for start in range(0, len(nodes), BATCH):
        piece = nodes[start : start + BATCH]
        window.decode(
            [node[-1] for node in piece],
            [prompt + len(node) - 1 for node in piece],
            [sequences[node] for node in piece],
            [True] * len(piece),
        )
        for index, node in enumerate(piece):
            _take(node, window.logits(index), continuations, steps)


def _take(
    node: Tokens,
    logits: NDArray[np.float32],
    continuations: dict[Tokens, list[int]],
    steps: dict[Tokens, float],
) -> None:
    """Note the log-probability of each token that a label has after `node`."""
    peak = logits.max()
    # float32 exponentials are eight times faster than float64 ones; their sum of 50,000 needs the precision.
    total = float(np.log(np.exp(logits - peak).sum(dtype=np.float64))) + float(peak)
    for token in continuations.get(node, ()):
        steps[(*node, token)] = float(logits[token]) - total


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
