"""Which label is right: the prior of the examples and the evidence of the model, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer.calibration import Calibration
from edge_icl.errors import ModelComputationError
from edge_icl.llm.context import NOT_FINITE
from edge_icl.llm.score import score_labels
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
class Question:
    """A question with its examples, as it is put to the model.

    Attributes:
        prompt: its text.
        vector: i8[d].
        labels: those to choose among, sorted; none where the answer is to be written.
        prefixes: where the state after the prompt's prefix is kept, and the model.
        cancel: set it from any thread, and the model stops.
    """

    prompt: Prompt
    vector: NDArray[np.int8]
    labels: Sequence[str]
    prefixes: Prefixes
    cancel: Cancel | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of labels.

    Attributes:
        shares: the probability of each label, the likeliest first.
        parts: what each source says for each label that was put to the model: its weighted log-probability,
            less the mean over these labels.
    """

    shares: dict[str, float]
    parts: dict[str, dict[str, float]]

    @property
    def label(self) -> str:
        """The likeliest label."""
        return next(iter(self.shares))


class Judge:
    """Judges labels for one snapshot of a store. Another way to judge is a method, and a case in `judge`.

    Args:
        derived: from the snapshot that is asked.
    """

    def __init__(self, derived: Derived) -> None:
        self._derived = derived
        self._calibration = Calibration(derived)

    def judge(self, question: Question, *, prior: bool) -> Judgement:
        """Return what is thought of the question's labels.

        Args:
            question: with at least one label.
            prior: whether prior and model are asked together, or the model alone.

        Raises:
            AskCancelledError: its `cancel` was set.
            InputError: prompt and label are longer than the model's context.
            ModelError: llama.cpp fails.
        """
        return self._together(question) if prior else _alone(question)

    def _together(self, question: Question) -> Judgement:
        """Return what prior and model together think: both as log-probabilities, weighed and added."""
        prior, snapshot = self._derived.prior, self._derived.snapshot
        opinions = prior.opinions(question.vector)
        logs = log_probabilities(opinions.sum(0))
        put = shortlist(logs)
        labels = [prior.labels[i] for i in put]
        evidence = log_probabilities(_scores(question, labels))
        evidence = evidence - log_probabilities(self._biases(question, labels))
        evidence *= weight(snapshot.manifest.count, labels=len(prior.labels), shots=snapshot.settings.shots)
        sources = np.concatenate([opinions[:, put], evidence[None]])
        return Judgement(
            _ranked(prior.labels, weighed(logs, put, evidence)),
            {
                label: dict(zip((*EXPERTS, MODEL), map(float, column), strict=True))
                for label, column in zip(labels, (sources - sources.mean(1, keepdims=True)).T, strict=True)
            },
        )

    def _biases(self, question: Question, labels: Sequence[str]) -> Floats:
        """Return the mean log-probability of each label after texts that ask nothing."""
        return self._calibration.scores(question.prefixes, question.prompt, labels, cancel=question.cancel)


def _alone(question: Question) -> Judgement:
    """Return what the model alone thinks of labels: the softmax of their log-probabilities."""
    labels = question.labels
    logs = log_probabilities(_scores(question, labels))
    parts = {label: {MODEL: float(score)} for label, score in zip(labels, logs - logs.mean(), strict=True)}
    return Judgement(_ranked(labels, logs), parts)


def _scores(question: Question, labels: Sequence[str]) -> Floats:
    """Return the log-probability of each label as the answer to the prompt."""
    prefixes, prompt = question.prefixes, question.prompt
    return score_labels(
        prefixes,
        prefixes.tokens(prompt.prefix, start=True),
        prefixes.tokens(prompt.question),
        labels,
        form=prompt.form,
        cancel=question.cancel,
    )


def _ranked(labels: Sequence[str], logs: Floats) -> dict[str, float]:
    """Return the probabilities whose logarithms these are, by label, the greatest first.

    Raises:
        ModelComputationError: one of them is NaN or infinite.
    """
    if not np.isfinite(logs).all():
        raise ModelComputationError("the labels got probabilities that are not finite numbers", NOT_FINITE)
    shares = np.exp(logs)
    return {labels[i]: float(shares[i]) for i in ranked(logs)}
