"""Which label is right: the prior of the examples and the evidence of the model, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import ModelComputationError
from edge_icl.prior.evidence import shortlist, spread, weighed, weight
from edge_icl.prior.fitted import EXPERTS
from edge_icl.prior.opinion_pool import log_probabilities, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.calibration import Calibration
    from edge_icl.answer.derived import Derived
    from edge_icl.llm.prefix import Prefixes
    from edge_icl.prior.fitted import Voters
    from edge_icl.prompt.prompt import Prompt
    from edge_icl.runtime.cancel import Cancel

    Floats = NDArray[np.float64]

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its examples, as it is put to the model.

    Attributes:
        prompt: its text.
        labels: those to choose among, sorted; none where the answer is to be written.
        prefixes: where the state after the prompt's prefix is kept, and the model.
        cancel: set it from any thread, and the model stops.
    """

    prompt: Prompt
    labels: Sequence[str]
    prefixes: Prefixes
    cancel: Cancel | None = None


@dataclass(frozen=True, slots=True)
class Leaning:
    """What the prior says of a question.

    Attributes:
        labels: of the store, sorted.
        opinions: f64[experts, labels], what each expert says, weighted.
        logs: f64[labels], the log-probability of each label.
        put: i64[k], positions of the labels to look at more closely, ascending.
        unlike: whether the question is unlike everything that was taught.
        voters: the examples nearest to it.
    """

    labels: tuple[str, ...]
    opinions: Floats
    logs: Floats
    put: NDArray[np.intp]
    unlike: bool
    voters: Voters

    @property
    def shortlist(self) -> list[str]:
        """The labels to look at more closely, sorted."""
        return [self.labels[i] for i in self.put]

    @property
    def gap(self) -> float:
        """How much likelier the likeliest label is than the second, in nats; infinite for an only one."""
        first, *others = -np.sort(-self.logs)[:2]
        return float(first - others[0]) if others else np.inf


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of labels.

    Attributes:
        shares: the probability of each label, the likeliest first.
        parts: what each source says for each label that was looked at more closely: its weighted
            log-probability, less the mean over these labels.
        given: whether the likeliest is sure enough to be the answer.
    """

    shares: dict[str, float]
    parts: dict[str, dict[str, float]]
    given: bool = True

    @property
    def label(self) -> str | None:
        """The likeliest label, if it is given."""
        return next(iter(self.shares)) if self.given else None


class Judge:
    """Judges labels for one snapshot of a store. Another way to judge is a method, and a case in `asking`.

    Args:
        derived: from the snapshot that is asked.
    """

    def __init__(self, derived: Derived) -> None:
        self._derived = derived

    def lean(self, vector: NDArray[np.int8]) -> Leaning:
        """Return what the prior says of a question's vector i8[d]; the store has one example at least."""
        prior = self._derived.prior
        opinions, voters = prior.opinions(vector)
        logs = log_probabilities(opinions.sum(0))
        unlike = prior.likeness.unlike(float(voters.cosines.max()))
        return Leaning(prior.labels, opinions, logs, shortlist(logs), unlike, voters)

    def model_matters(self, leaning: Leaning) -> bool:
        """Tell whether the model may change what the prior leans to, and so be worth its time."""
        return leaning.gap < self._margin

    @cached_property
    def _margin(self) -> float:
        """From which gap on the model is not asked."""
        prior = self._derived.prior
        return prior.left_out.margin(self._weight * spread(prior.labels))

    @cached_property
    def _calibration(self) -> Calibration:
        """What the model thinks of the labels anyway."""
        from edge_icl.answer.calibration import Calibration

        return Calibration(self._derived)

    @property
    def _weight(self) -> float:
        """How much of the model's evidence is believed."""
        snapshot = self._derived.snapshot
        return weight(
            snapshot.manifest.count, labels=len(self._derived.prior.labels), shots=snapshot.settings.shots
        )

    def judge(self, leaning: Leaning, question: Question | None, abstain: float | None = None) -> Judgement:
        """Return what prior and model together think, or the prior alone.

        Args:
            leaning: what the prior says.
            question: as it is put to the model, with the leaning's shortlist; None if it is not asked.
            abstain: most wrong answers among those given, as a share; None if all are given.

        Raises:
            AskCancelledError: the question's `cancel` was set.
            InputError: prompt and label are longer than the model's context.
            ModelError: llama.cpp fails.
        """
        logs, sources = leaning.logs, leaning.opinions[:, leaning.put]
        names: tuple[str, ...] = EXPERTS
        if question is not None:
            evidence = self._evidence(question)
            logs = weighed(logs, leaning.put, evidence)
            sources, names = np.concatenate([sources, evidence[None]]), (*EXPERTS, MODEL)
        shares = _ranked(leaning.labels, logs)
        return Judgement(
            shares,
            {
                label: dict(zip(names, map(float, column), strict=True))
                for label, column in zip(
                    leaning.shortlist, (sources - sources.mean(1, keepdims=True)).T, strict=True
                )
            },
            given=abstain is None or self._is_sure(leaning, shares, abstain),
        )

    def _is_sure(self, leaning: Leaning, shares: dict[str, float], rate: float) -> bool:
        """Tell whether the likeliest label may be given, with at most this share of wrong ones."""
        threshold = self._derived.prior.left_out.threshold(rate)
        return not leaning.unlike and next(iter(shares.values())) >= threshold

    def _evidence(self, question: Question) -> Floats:
        """Return what the model adds for each label f64[k]: both as log-probabilities, weighed."""
        evidence = log_probabilities(_scores(question))
        biases = self._calibration.scores(
            question.prefixes, question.prompt, question.labels, cancel=question.cancel
        )
        return np.asarray((evidence - log_probabilities(biases)) * self._weight)


def model_alone(question: Question) -> Judgement:
    """Return what the model alone thinks of labels: the softmax of their log-probabilities.

    Raises:
        AskCancelledError: the question's `cancel` was set.
        InputError: prompt and label are longer than the model's context.
        ModelError: llama.cpp fails.
    """
    labels = question.labels
    logs = log_probabilities(_scores(question))
    parts = {label: {MODEL: float(score)} for label, score in zip(labels, logs - logs.mean(), strict=True)}
    return Judgement(_ranked(labels, logs), parts)


def _scores(question: Question) -> Floats:
    """Return the log-probability of each of its labels as the answer to the prompt."""
    from edge_icl.llm.score import score_labels

    prefixes, prompt = question.prefixes, question.prompt
    return score_labels(
        prefixes,
        prefixes.tokens(prompt.prefix, start=True),
        prefixes.tokens(prompt.question),
        question.labels,
        form=prompt.form,
        cancel=question.cancel,
    )


def _ranked(labels: Sequence[str], logs: Floats) -> dict[str, float]:
    """Return the probabilities whose logarithms these are, by label, the greatest first.

    Raises:
        ModelComputationError: one of them is NaN or infinite.
    """
    if not np.isfinite(logs).all():
        from edge_icl.llm.context import NOT_FINITE

        raise ModelComputationError("the labels got probabilities that are not finite numbers", NOT_FINITE)
    shares = np.exp(logs)
    return {labels[i]: float(shares[i]) for i in ranked(logs)}
