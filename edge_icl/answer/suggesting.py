"""Questions without answers, of which a store suggests those that it would learn most from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer.usefulness import Copies, most_useful, weights
from edge_icl.encode.vector import Vector, usable
from edge_icl.example import folded, normalise
from edge_icl.results import Suggestion
from edge_icl.runtime.arguments import each, whole
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.runtime.progress import Progress
    from edge_icl.search.near_copies import Likeness
    from edge_icl.search.scripts import Sight
    from edge_icl.store.snapshot import Snapshot

    Floats = NDArray[np.float64]

PIECE = 256
"""Questions that are compared with all examples at a time: of all at once the cosines would take gigabytes."""


def embed(opened: OpenStore, texts: Iterable[str], progress: Progress) -> list[Vector]:
    """Return the vectors of texts; see `Memory.embed`."""
    normal = [normalise(text, "text") for text in each(texts, "texts")]
    encoder = opened.store.settings.encoder_digest
    return [Vector(encoder, vector.tobytes()) for vector in opened.embed(normal, progress)] if normal else []


def suggest(
    opened: OpenStore,
    questions: Iterable[str],
    limit: int,
    *,
    vectors: Iterable[Vector | None] | None,
    seen: Iterable[Vector],
    progress: Progress,
) -> list[Suggestion]:
    """Return the questions to answer first; see `Memory.suggest`."""
    most = whole(limit, "limit", least=0)
    texts = [normalise(question, "question") for question in each(questions, "questions")]
    made = _vectors(opened, texts, vectors, progress)
    before = _vectors(opened, None, each(seen, "seen"), progress)
    likeness = opened.engines.likeness()

    def look(snapshot: Snapshot) -> list[Suggestion]:
        derived = opened.cache.derived(snapshot)
        rows, taught = _untaught(snapshot, texts, likeness.sight)
        if not rows or not most:
            return []
        asked = made[rows]
        near, sure, heavy = _said(derived, asked)
        passed = np.maximum(near, cosines(before, asked).max(1)) if len(before) else near
        copies = _copies([texts[row] for row in rows], near, passed, taught, likeness)
        return [
            Suggestion(
                position=rows[i],
                question=texts[rows[i]],
                probability=None if sure is None else float(sure[i]),
                similarity=float(near[i]) if derived.points.ids.size else None,
            )
            for i in most_useful(asked, passed, heavy, most, copies=copies)
        ]

    return opened.read(look)


def _vectors(
    opened: OpenStore,
    texts: Sequence[str] | None,
    given: Iterable[Vector | None] | None,
    progress: Progress,
) -> NDArray[np.int8]:
    """Return vectors i8[n, d]: those given, as far as this store's encoder made them, the others made now."""
    listed = list(each(given, "vectors")) if given is not None else [None] * len(texts or ())
    names = [b"%d" % i for i in range(len(listed if texts is None else texts))]
    settings = opened.store.settings
    found = usable(names, listed, settings)
    missing = [i for i, name in enumerate(names) if name not in found] if texts is not None else []
    if texts is not None and missing:
        new = opened.embed([texts[i] for i in missing], progress)
        found |= {names[i]: vector for i, vector in zip(missing, new, strict=True)}
    rows = [found[name] for name in names if name in found]
    return np.array(rows, np.int8).reshape(len(rows), settings.dimension)


def _copies(texts: Sequence[str], near: Floats, passed: Floats, taught: set[str], likeness: Likeness) -> Copies:
    """Return which questions are near copies.

    Args:
        texts: of the questions.
        near: f64[m], cosine of the nearest example.
        passed: f64[m], the same, or that of the nearest question passed over, whose text is not known.
        taught: what must be compared of the examples, where there is something.
        likeness: when two inputs say nearly the same.
    """
    sight, threshold = likeness.sight, likeness.threshold
    looks = [sight.look(text) for text in texts]
    parts = [look.compared for look in looks]
    unseen = np.array([look.nothing for look in looks], np.bool_)
    numbers = {part: i for i, part in enumerate(dict.fromkeys(parts))}
    known = np.array([part in taught for part in parts], np.bool_)
    plain = np.array([not part for part in parts], np.bool_)
    told = np.where(plain, passed >= threshold, known & ((near >= threshold) | unseen))
    return Copies(told, threshold, np.array([numbers[part] for part in parts], np.intp), unseen)


def _untaught(snapshot: Snapshot, texts: Sequence[str], sight: Sight) -> tuple[list[int], set[str]]:
    """Return the positions of the texts that are no input of an example, each text once.

    Also what of the examples must be compared as text, as far as there is something.
    """
    inputs = [example.input for page in snapshot.pages() for _, example in page.examples()]
    known = {*map(folded, inputs)}
    parts = {sight.look(input).compared for input in inputs} - {""}
    rows = []
    for i, text in enumerate(texts):
        if (one := folded(text)) not in known:
            known.add(one)
            rows.append(i)
    return rows, parts


def _said(derived: Derived, vectors: NDArray[np.int8]) -> tuple[Floats, Floats | None, Floats]:
    """Return what the store says of questions i8[m, d].

    Returns:
        f64[m] the cosine of the nearest example, -1 where there is none; f64[m] the probability of the
        likeliest label, None where outputs are no labels; f64[m] how much each question weighs.
    """
    count = len(vectors)
    if not len(derived.points.ids):
        return np.full(count, -1.0), None, np.ones(count)
    pieces = [vectors[start : start + PIECE] for start in range(0, count, PIECE)]
    if not derived.labelling("auto").labels:
        near = [cosines(derived.points.vectors, piece).max(1) for piece in pieces]
        return np.concatenate(near), None, np.ones(count)
    said = [derived.prior.say(piece) for piece in pieces]
    sure = np.concatenate([np.exp(logs.max(1)) for logs, _ in said])
    return np.concatenate([near for _, near in said]), sure, weights(sure, len(derived.points.ids))
