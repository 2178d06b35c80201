"""Which label is right: the prior of the examples and the evidence of the model, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer.calibration import Calibration
from edge_icl.errors import ModelComputationError
from edge_icl.llm.score import score_labels
from edge_icl.llm.window import NOT_FINITE
from edge_icl.prior.evidence import shortlist, weighed, weight
from edge_icl.prior.fitted import EXPERTS
from edge_icl.prior.opinion_pool import log_probabilities, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.prompt.prompt import Prompt
    from edge_icl.runtime.cancel import Cancel

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

    def __init__(self, view: Derived) -> None:
        self._view = view
        self._usual = Calibration(view)

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
        evidence = log_probabilities(_scores(prefixes, prompt, labels, cancel))
        evidence = evidence - log_probabilities(self._usual.scores(prefixes, prompt, labels, cancel=cancel))
        now = self._view.snapshot
        evidence *= weight(now.manifest.count, labels=len(prior.labels), shots=now.settings.shots)
        sources = np.concatenate([opinions[:, put], evidence[None]])
        return Judgement(
            _ranked(prior.labels, weighed(logs, put, evidence)),
            {
                label: dict(zip((*EXPERTS, MODEL), map(float, column), strict=True))
                for label, column in zip(labels, (sources - sources.mean(1, keepdims=True)).T, strict=True)
            },
        )


def judge_alone(
    prefixes: Prefixes, prompt: Prompt, labels: Sequence[str], *, cancel: Cancel | None = None
) -> Judgement:
    """Return what the model alone thinks of labels: the softmax of their log-probabilities.

    Raises:
        AskCancelledError: `cancel` was set.
        InputError: prompt and label are longer than the model's context.
        ModelError: llama.cpp fails.
    """
    logs = log_probabilities(_scores(prefixes, prompt, labels, cancel))
    parts = {label: {MODEL: float(score)} for label, score in zip(labels, logs - logs.mean(), strict=True)}
    return Judgement(_ranked(labels, logs), parts)


def _scores(prefixes: Prefixes, prompt: Prompt, labels: Sequence[str], cancel: Cancel | None) -> Floats:
    """Return the log-probability of each label as the answer to the prompt."""
    prefix = prefixes.tokens(prompt.prefix, start=True)
    question = prefixes.tokens(prompt.question)
    return score_labels(prefixes, prefix, question, labels, form=prompt.form, cancel=cancel)


def _ranked(labels: Sequence[str], logs: Floats) -> dict[str, float]:
    """Return the probabilities whose logarithms these are, by label, the greatest first.

    Raises:
        ModelComputationError: one of them is NaN or infinite.
    """
    if not np.isfinite(logs).all():
        raise ModelComputationError("the labels got probabilities that are no finite numbers", NOT_FINITE)
    shares = np.exp(logs)
    return {labels[i]: float(shares[i]) for i in ranked(logs)}
