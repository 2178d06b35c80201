"""Which label is right: the prior of the examples and the evidence of the model, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.llm.score import score_apart, score_labels
from edge_icl.prior.evidence import shortlist, strange_texts, weighed, weight
from edge_icl.prior.fitted import EXPERTS
from edge_icl.prior.pool import log_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.cancel import Cancel
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.prompt import Prompt
    from edge_icl.view import View

    Floats = NDArray[np.float64]

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of labels.

    Attributes:
        shares: the probability of each label, the likeliest first.
        parts: what each source says for each label, in nats, weighted: of the labels put to the model, centred.
    """

    shares: dict[str, float]
    parts: dict[str, dict[str, float]]


class Judge:
    """Judges labels for one state of a store.

    Args:
        view: the state.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._usual: dict[tuple[str, str], float] = {}

    def judge(
        self, prefixes: Prefixes, prompt: Prompt, vector: NDArray[np.int8], *, cancel: Cancel | None = None
    ) -> Judgement:
        """Return what prior and model together think of the store's outputs.

        Args:
            prefixes: where the prompt's prefix is kept, and the model.
            prompt: the question with its examples.
            vector: i8[d], the question's.
            cancel: set it from any thread, and the model stops.

        Raises:
            AskCancelledError: it was set.
            InputError: prompt and label are longer than the model's context.
            ModelError: llama.cpp fails.
        """
        prior = self._view.prior
        opinions = prior.opinions(vector)
        logs = log_probabilities(opinions.sum(0))
        put = shortlist(logs)
        labels = [prior.labels[i] for i in put]
        evidence = log_probabilities(_scores(prefixes, prompt, prompt.question, labels, cancel=cancel))
        evidence = evidence - log_probabilities(self._expected(prefixes, prompt, labels, cancel))
        now = self._view.snapshot
        evidence *= weight(now.manifest.count, labels=len(prior.labels), shots=now.settings.shots)
        sources = np.concatenate([opinions[:, put], evidence[None]])
        return Judgement(
            _ranked(prior.labels, np.exp(weighed(logs, put, evidence))),
            {
                label: dict(zip((*EXPERTS, MODEL), map(float, column), strict=True))
                for label, column in zip(labels, (sources - sources.mean(1, keepdims=True)).T, strict=True)
            },
        )

    def _expected(
        self, prefixes: Prefixes, prompt: Prompt, labels: Sequence[str], cancel: Cancel | None
    ) -> Floats:
        """Return the mean log-probability of each label after texts that ask nothing.

        Every label is scored apart from the others, or its score would depend, by a rounding, on which labels
        earlier questions have brought up.
        """
        kept = self._usual
        missing = [label for label in labels if (prompt.prefix, label) not in kept]
        if missing:
            texts = strange_texts(self._view.inputs, self._view.snapshot.settings.seed)
            asked = [prompt.form.parts(text, prompt.shared, ())[1] for text in texts]
            found = [
                _scores(prefixes, prompt, question, missing, score=score_apart, cancel=cancel)
                for question in asked
            ]
            for label, score in zip(missing, np.mean(found, axis=0), strict=True):
                kept[prompt.prefix, label] = float(score)
        return np.array([kept[prompt.prefix, label] for label in labels])


def judge_alone(
    prefixes: Prefixes, prompt: Prompt, labels: Sequence[str], *, cancel: Cancel | None = None
) -> Judgement:
    """Return what the model alone thinks of labels: the softmax of their log-probabilities.

    Raises:
        AskCancelledError: `cancel` was set.
        InputError: prompt and label are longer than the model's context.
        ModelError: llama.cpp fails.
    """
    logs = log_probabilities(_scores(prefixes, prompt, prompt.question, labels, cancel=cancel))
    parts = {label: {MODEL: float(score)} for label, score in zip(labels, logs - logs.mean(), strict=True)}
    return Judgement(_ranked(labels, np.exp(logs)), parts)


def _scores(
    prefixes: Prefixes,
    prompt: Prompt,
    question: str,
    labels: Sequence[str],
    *,
    score: Callable[..., Floats] = score_labels,
    cancel: Cancel | None,
) -> Floats:
    """Return the log-probability of each label as the answer to a question after the prompt's prefix."""
    model = prefixes.model
    prefix = model.tokenize(prompt.prefix, start=True)
    tokens = model.tokenize(question)
    return score(prefixes, prefix, tokens, labels, form=prompt.form, cancel=cancel)


def _ranked(labels: Sequence[str], shares: Floats) -> dict[str, float]:
    """Return shares by label, the greatest first."""
    return {labels[i]: float(shares[i]) for i in np.argsort(-shares, kind="stable")}
