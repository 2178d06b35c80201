"""How good a store is: each of its examples judged by all others, or held-out rows judged by all.

    >>> found = check(opened, None, None, progress)
    >>> found.accuracy, found.suspects[0].likelier

The judge is the prior alone: it is what answers most questions, and the model would take hours. Nothing is
forgotten or added for it, since what the prior says of an example without itself takes no second fit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.access.opening import with_encoder
from edge_icl.answer import in_turn
from edge_icl.answer.check import Check, Confused, HeldOut, LabelCheck, Wrong
from edge_icl.answer.legible import foreign_of
from edge_icl.answer.suspect import Suspect
from edge_icl.errors import InputError, ModelMissingError, StoreEmptyError, StoreEncoderError
from edge_icl.example import Example, folded
from edge_icl.prior import accuracy
from edge_icl.prior.mislabelled import mislabelled
from edge_icl.results import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_icl.access.opening import Wanted
    from edge_icl.answer.check import Groups
    from edge_icl.answer.derived import Derived
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.results import Labelling
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.snapshot import Snapshot

MOST_PAIRS = 1 << 30
"""Most examples left out, times all: all of 32,000 examples, and a tenth of 100,000. It is what takes time."""

MOST_SUSPECTS = 100
"""Examples that are named as possibly mislabelled; how many there are is told besides."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be looked at.

    Attributes:
        rows: held-out rows to be judged; None for the store's own examples.
        other: the store's settings with another encoder, to be compared; None for no other.
        progress: is told.
        reading: whether to look how much of inputs the encoder reads, which depends on what is installed.
    """

    rows: Sequence[Example] | None
    other: Wanted | None
    progress: Progress
    reading: bool = True


@dataclass(frozen=True, slots=True)
class Tested:
    """What judging says.

    Attributes:
        right: how many were called what they are.
        labels: by label.
        confused: labels that are mixed up.
        suspects: examples that are possibly mislabelled.
        suspected: how many there are.
        held_out: what the held-out rows were; None without them.
    """

    right: int
    labels: tuple[LabelCheck, ...]
    confused: tuple[Confused, ...]
    suspects: tuple[Suspect, ...] = ()
    suspected: int = 0
    held_out: HeldOut | None = None


def check(
    opened: OpenStore, held_out: Sequence[Example] | None, encoder: str | None, progress: Progress
) -> Check:
    """Look how good an open store is; see `Memory.check`."""
    if held_out is not None and encoder is not None:
        raise InputError(
            "encoders are compared by the store's own examples, not by held-out rows",
            "leave one of the two away",
        )
    if held_out is not None and not held_out:
        raise InputError("there are no held-out rows", "give one pair of input and output at least")
    asked = _Asked(
        held_out,
        None if encoder is None else with_encoder(opened.store, encoder),
        opened.lifetime.heeded_by(progress),
    )
    return opened.read(lambda snapshot: _check(opened, snapshot, asked))


def of_snapshot(opened: OpenStore, snapshot: Snapshot, progress: Progress) -> Check:
    """Look how good one state of a store is, by its examples alone: no encoder is loaded or looked for.

    Raises:
        StoreEmptyError: it holds no examples.
    """
    return _check(opened, snapshot, _Asked(None, None, progress, reading=False))


def _check(opened: OpenStore, snapshot: Snapshot, asked: _Asked) -> Check:
    """Look how good one state of a store is.

    Raises:
        StoreEmptyError: it holds no examples.
    """
    if not snapshot.manifest.count:
        raise StoreEmptyError(
            "the store holds no examples to check", "teach it some: edge-icl add INPUT OUTPUT"
        )
    derived = opened.cache.derived(snapshot)
    _ = derived.points  # first: pages read for their texts alone would hold their vectors a second time
    examples = [Held.of(id.hex(), example) for id, example in snapshot.examples()]
    labelling, counts = derived.labelling("auto"), derived.outputs
    untested, other = _untested(labelling, counts, asked), None
    if untested is not None:
        tested, count = None, 0
    elif asked.rows is None:
        tested, count = _left_out(derived, examples, asked.progress)
    else:
        tested, count = _held_out(opened, derived, examples, asked), len(asked.rows)
    if asked.other is not None and untested is None:
        other = in_turn.compare(opened, derived, examples, asked.other, asked.progress)
    duplicates, contradictions = _same_inputs(examples)
    unread, cut = _unread(opened, examples, asked.progress) if asked.reading else (None, None)
    return Check(
        examples=len(examples),
        labelling=labelling,
        untested=untested,
        tested=count,
        right=tested.right if tested else 0,
        interval=accuracy.interval(tested.right, count) if tested else None,
        labels=tested.labels if tested else (),
        confused=tested.confused if tested else (),
        suspects=tested.suspects if tested else (),
        suspected=tested.suspected if tested else 0,
        duplicates=duplicates,
        contradictions=contradictions,
        single=tuple(sorted(label for label, n in counts.items() if n == 1)) if labelling.labels else (),
        unread=unread,
        cut=cut,
        foreign=foreign_of(opened, [held.input for held in examples]),
        held_out=tested.held_out if tested else None,
        other_encoder=other,
    )


def _untested(labelling: Labelling, counts: Mapping[str, int], asked: _Asked) -> str | None:
    """Return why there is no accuracy, None where there is one."""
    if not labelling.labels:
        return f"the outputs are free text: {labelling.why}"
    return "all examples have one output" if asked.rows is None and len(counts) == 1 else None


def _left_out(derived: Derived, examples: Sequence[Held], progress: Progress) -> tuple[Tested, int]:
    """Judge examples, each by all others; return also how many.

    Where there are too many, the first by id: ids are keyed digests, so these are a random sample.
    """
    prior = derived.prior
    count = min(len(examples), max(MOST_PAIRS // len(examples), 1))
    index = {label: i for i, label in enumerate(prior.labels)}
    own = np.array([index[held.output] for held in examples[:count]], np.intp)
    logs = in_turn.judge(prior, count, progress)
    found = mislabelled(logs, own)
    suspects = tuple(
        Suspect(
            *astuple(examples[row]),
            likelier=prior.labels[other],
            probability=float(np.exp(logs[row, other])),
            own=float(np.exp(logs[row, own[row]])),
        )
        for row, other in zip(found.rows[:MOST_SUSPECTS], found.likelier[:MOST_SUSPECTS], strict=True)
    )
    tested = _tested(prior.labels, own, accuracy.called(logs))
    return Tested(tested.right, tested.labels, tested.confused, suspects, len(found.rows)), count


def _held_out(opened: OpenStore, derived: Derived, examples: Sequence[Held], asked: _Asked) -> Tested:
    """Judge held-out rows by all examples."""
    prior, rows = derived.prior, asked.rows or ()
    vectors = opened.engines.encoder().encode([row.input for row in rows], progress=asked.progress)
    likeliest = np.empty(len(rows), np.intp)
    surest = np.empty(len(rows))
    for i, vector in enumerate(vectors):
        logs = prior.log_probabilities(vector)
        likeliest[i] = accuracy.called(logs[None])[0]
        surest[i] = np.exp(logs[likeliest[i]])
    untaught = sorted({row.output for row in rows} - {*prior.labels})
    labels = (*prior.labels, *untaught)
    index = {label: i for i, label in enumerate(labels)}
    own = np.array([index[row.output] for row in rows], np.intp)
    wrong = tuple(
        Wrong(rows[i].input, rows[i].output, labels[likeliest[i]], float(surest[i]))
        for i in np.flatnonzero(own != likeliest).tolist()
    )
    taught = {folded(held.input) for held in examples}
    known = sum(folded(row.input) in taught for row in rows)
    tested = _tested(labels, own, likeliest)
    about = HeldOut(len(rows), known, tuple(untaught), wrong)
    return Tested(tested.right, tested.labels, tested.confused, held_out=about)


def _tested(labels: Sequence[str], own: NDArray[np.intp], likeliest: NDArray[np.intp]) -> Tested:
    """Return what follows from what each was called."""
    right = own == likeliest
    counts, hits = (np.bincount(one, minlength=len(labels)).tolist() for one in (own, own[right]))
    return Tested(
        int(right.sum()),
        tuple(
            LabelCheck(label, count, hit)
            for label, count, hit in sorted(zip(labels, counts, hits, strict=True))
            if count
        ),
        tuple(Confused(labels[a], labels[b], n) for a, b, n in accuracy.confused(own, likeliest)),
    )


def _same_inputs(examples: Sequence[Held]) -> tuple[Groups, Groups]:
    """Return groups of examples with the same input: those with the same output, and those with others."""
    counted = Counter(map(folded, (held.input for held in examples)))
    together: defaultdict[str, list[Held]] = defaultdict(list)
    for held in examples:
        if counted[text := folded(held.input)] > 1:
            together[text].append(held)
    duplicates, contradictions = [], []
    for group in together.values():
        by_output: defaultdict[str, list[Held]] = defaultdict(list)
        for held in group:
            by_output[held.output].append(held)
        duplicates += [tuple(same) for same in by_output.values() if len(same) > 1]
        if len(by_output) > 1:
            contradictions.append(tuple(group))
    return tuple(duplicates), tuple(contradictions)


def _unread(
    opened: OpenStore, examples: Sequence[Held], progress: Progress
) -> tuple[tuple[Held, ...] | None, tuple[Held, ...] | None]:
    """Return examples whose input the encoder hardly knows, and those it cuts; None where it is not here."""
    try:
        found = opened.readings([held.input for held in examples], progress)
    except (ModelMissingError, StoreEncoderError):
        return None, None
    unread = tuple(held for held, one in zip(examples, found, strict=True) if not one.known)
    return unread, tuple(held for held, one in zip(examples, found, strict=True) if one.cut)
