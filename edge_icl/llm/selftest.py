"""Does llama.cpp compute this model rightly here? A fixed text, evaluated as questions are.

    >>> selftest(model, reference=entry.reference)     # returns: it does

Exactness cannot survive kernels that compute wrongly, and they are common: on a Xeon with AMX, llama.cpp's own
kernels for it gave rubbish, and other rubbish at each call, with weights in Q4_1 (its issue 16315). So what the
library relies on is tried, by the very code that answers questions:

- Equal to the last bit: a question asked again; after its prefix came from a saved state; after all was cleared
  and evaluated again; the labels of a question. Most of it more than once, since a race does not show each
  time.
- Within rounding: a text in one call, in two, and token by token; a label among others, and alone.
- Finite, and likelier than by chance: every language model gives plain English more than one in all tokens.
  With the two halves of each byte of its weights exchanged, the default model gave a log-probability of
  -23 a token, where chance gives -10.8.
- Near the reference figures of a known model.

How near is `NEAR`, from measurements with the default model. Kernels round differently: those of another
processor, or of a GPU, quantize what they multiply in other ways, or not at all. The reference was measured
with the weights written out in 32 bits, where nothing is quantized; from there the log-probabilities moved by
0.097 (root of the mean square) with llama.cpp's kernels for AVX-512, by 0.083 with those for AVX2, and by 2.7
with the bytes of 4 of 210 matrices exchanged. `ROUNDING` is set in the same way: token by token the logits
moved by 0.044 of their own spread, with the weights in 32 bits by 0.050, with those 4 matrices by 0.6. Logits
that have nothing to do with each other are 1.4 apart. No comparison holds for NaN, so each one asks whether all
is well, not whether something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from edge_icl.errors import ModelComputationError
from edge_icl.llm.context import BATCH
from edge_icl.llm.label import label_tokens
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_labels
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.llm.model import Model

    Logits = NDArray[np.float32]
    Floats = NDArray[np.floating[Any]]

NEAR = 0.35
"""How far log-probabilities may be from the reference: the root of the mean square of the differences."""

ROUNDING = 0.25
"""Most of the spread of logits by which other cuts of one text may move them."""

CHANCE = 2.0
"""How far the log-probability of a token may be, in the mean, below that of every token equally likely."""

TEXT = """The sun rose over the harbour, and the first boats came back with the catch of the night. "Good \
morning," said the old man who sold coffee, "it will be a warm day." A train leaves for the city at eight in \
the morning and comes back at six in the evening. Monday, Tuesday, Wednesday, Thursday, Friday, Saturday.

Once upon a time there was a king who had three daughters. The eldest was proud, the second was clever, and \
the youngest was kind. One day the king fell ill, and no doctor in the whole country could help him. "Whoever \
brings me the water of life," he said, "shall have my kingdom." So the three daughters set out, each on her \
own way. The youngest walked for many days through a dark forest until she came to a small house, and in front \
of the house sat an old woman who asked her for a piece of bread.

Input: Taxi from the station to the hotel
Output: travel

Input: Lunch with the new customers
Output: meals

Input: Printer paper and a box of pens
Output: office

Input: Two nights in a hotel in Berlin
Output: travel

Input: Coffee and cake for the whole team
Output: meals

Input: A new chair for the meeting room
Output: office

Input:"""
"""More than one call of `BATCH` tokens, also with vocabularies of long words."""

QUESTION = " Ticket to the airport\nOutput:"
LABELS = ("meals", "office", "travel")

PREFIX = BATCH + 4
"""Most tokens of the text before the question: two calls."""

PIECE, SINGLE = 48, 3
"""Tokens of the text that are evaluated in other cuts, and how many of them one by one."""

_STEPS = 5


def selftest(model: Model, *, reference: Sequence[float] | None = None, progress: Progress = silent) -> None:
    """Raise unless this model computes rightly, as far as a text can tell.

    Args:
        model: loaded as it is to be used; its window is empty afterwards.
        reference: what `measure` returned for these weights where they are known to compute rightly.
        progress: called between two steps, stage "check"; what it raises ends the test.

    Raises:
        ModelComputationError: it does not; what was seen, in a clause.
        ModelError: llama.cpp fails.
    """
    text, prefixes = _Text.of(model), Prefixes(model)
    try:
        progress("check", 0, _STEPS)
        likely, last = _whole(model, text)
        _likelier_than_chance(likely, len(last))
        progress("check", 1, _STEPS)
        _in_parts(model, text, last)
        progress("check", 2, _STEPS)
        asked = _asked(prefixes, text)
        _asked_again(prefixes, text, asked, progress)
        progress("check", 4, _STEPS)
        scores = _scored(prefixes, text)
        _same_apart(text, scores, asked)
        _near_reference([*likely, *scores], reference)
        progress("check", _STEPS, _STEPS)
    finally:
        prefixes.clear()


def measure(model: Model) -> list[float]:
    """Return what can be a reference for a model: log-probabilities of a text's tokens and of labels."""
    text, prefixes = _Text.of(model), Prefixes(model)
    figures = [*_whole(model, text)[0], *_scored(prefixes, text)]
    prefixes.clear()
    return figures


@dataclass(frozen=True, slots=True)
class _Text:
    """The text in a model's tokens, as many as its context has room for.

    Attributes:
        piece: its beginning, evaluated in different cuts.
        prefix: its end, which the question follows.
        question: the question.
        answer: the last of `LABELS`.
    """

    piece: list[int]
    prefix: list[int]
    question: list[int]
    answer: Sequence[int]

    @classmethod
    def of(cls, model: Model) -> Self:
        """Tokenize."""
        start, text, question = model.vocabulary.start, model.tokenize(TEXT), model.tokenize(QUESTION)
        answers = [label_tokens(model.vocabulary, label) for label in LABELS]
        room = model.context - len(start) - len(question) - sum(map(len, answers)) - 1
        return cls(
            piece=[*start, *text][: min(PIECE, model.context - 1)],
            prefix=[*start, *text[-max(1, min(PREFIX, room)) :]],
            question=question,
            answer=answers[-1],
        )


def _whole(model: Model, text: _Text) -> tuple[list[float], Logits]:
    """Evaluate the piece in one call; return how likely each token but the first is, and the last logits."""
    tokens = text.piece
    with model.evaluating() as window:
        window.empty()
        window.decode(tokens, range(len(tokens)), [(0,)] * len(tokens), [True] * len(tokens))
        rows = [_finite(window.logits(index).copy()) for index in range(len(tokens))]
        window.empty()
    return [_log_share(row, token) for row, token in zip(rows, tokens[1:], strict=False)], rows[-1]


def _in_parts(model: Model, text: _Text, whole: Logits) -> None:
    """Evaluate the piece in two calls, then its last tokens one by one: the logits must be nearly the same."""
    tokens = text.piece
    cuts = (0, 2 * len(tokens) // 3, *range(len(tokens) - SINGLE, len(tokens) + 1))
    with model.evaluating() as window:
        window.empty()
        for start, end in pairwise(cuts):
            logits = _finite(window.append(tokens[start:end]))
        window.empty()
    exact = whole.astype(np.float64)
    apart, spread = float((logits - exact).std()), float(exact.std())
    if not apart <= ROUNDING * spread:
        share = apart / spread if spread else np.inf
        _fail(f"a text in parts got other logits than whole, {share:.2f} of their spread apart")


def _asked(prefixes: Prefixes, text: _Text) -> list[Logits]:
    """Return the logits after the question, and after each token of an answer but the last."""
    with prefixes.asked(text.prefix, text.question) as logits:
        after = [_finite(prefixes.model.window.append([token])) for token in text.answer[:-1]]
        return [_finite(logits), *after]


def _asked_again(prefixes: Prefixes, text: _Text, first: list[Logits], progress: Progress) -> None:
    """Ask again in each way in which a question may find its prefix; nothing may be another."""
    _equal(_asked(prefixes, text), first, "the same question got other logits when it came again")
    for _ in range(2):
        with prefixes.model.evaluating() as window:
            window.empty()
        _equal(_asked(prefixes, text), first, "a question got other logits after a saved state")
    progress("check", 3, _STEPS)
    prefixes.clear()
    _equal(_asked(prefixes, text), first, "a question got other logits when all was evaluated again")


def _scored(prefixes: Prefixes, text: _Text) -> list[float]:
    """Return the scores of the labels, which must be the same each time."""
    scores, again = (score_labels(prefixes, text.prefix, text.question, LABELS) for _ in range(2))
    _equal([_finite(again)], [scores], "the labels of a question got other scores when it came again")
    return [float(score) for score in scores]


def _same_apart(text: _Text, scores: Sequence[float], asked: Sequence[Logits]) -> None:
    """Hold the score of a label among others against that of its tokens one by one."""
    alone = sum(_log_share(logits, token) for logits, token in zip(asked, text.answer, strict=True))
    apart = abs(scores[-1] - alone)
    if not apart <= ROUNDING * float(asked[0].astype(np.float64).std()) * len(text.answer):
        _fail(f"a label among others got another log-probability than alone, {apart:.1f} apart")


def _likelier_than_chance(likely: Sequence[float], tokens: int) -> None:
    """Raise if plain text is less likely than with every token equally likely."""
    mean, chance = float(np.mean(likely)), -float(np.log(tokens))
    if not mean >= chance - CHANCE:
        _fail(f"plain English got a log-probability of {mean:.1f} a token, where chance gives {chance:.1f}")


def _near_reference(figures: Sequence[float], reference: Sequence[float] | None) -> None:
    """Hold the figures against those that are known of these weights, if any are."""
    if reference is not None:
        apart = float(np.sqrt(np.mean((np.array(figures) - reference) ** 2)))
        if not apart <= NEAR:
            _fail(f"log-probabilities are {apart:.1f} away from the model's reference")


def _equal(found: Sequence[Floats], first: Sequence[Floats], told: str) -> None:
    """Raise unless all are the same to the last bit."""
    if not all(map(np.array_equal, found, first)):
        _fail(told)


def _finite(values: Floats) -> Floats:
    """Return values if all of them are numbers."""
    if not np.isfinite(values).all():
        _fail("logits are not finite numbers")
    return values


def _log_share(logits: Logits, token: int) -> float:
    """Return the log-probability of a token."""
    exact = logits.astype(np.float64)
    peak = exact.max()
    return float(exact[token] - peak - np.log(np.exp(exact - peak).sum()))


def _fail(seen: str) -> NoReturn:
    """End the test."""
    raise ModelComputationError(seen)
