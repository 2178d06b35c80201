"""Adding examples, however many there are: read as a stream, embedded block by block, committed as one change.

    1. examples are read; those that are new are checked, and spooled
    2. those that came without a vector are embedded, and spooled again with it
    3. all are committed at once

Nothing is embedded before all are read, since one of them may be wrong; and what the store holds already, or
comes twice, is not embedded again. In memory are a block of examples, and the ids of all.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import chain, compress, islice, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl import forms
from edge_icl.cluster.points import BLOCK
from edge_icl.encode.vector import MISSING, own
from edge_icl.errors import InputError
from edge_icl.example import ID_BYTES, Example, id_of
from edge_icl.results import Added
from edge_icl.runtime.arguments import each, told
from edge_icl.store.pages import Row, among
from edge_icl.store.spool import spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.open_store import OpenStore
    from edge_icl.encode.vector import Vector
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.spool import Batch

    Embed = Callable[[Iterable[Sequence[str]], int], Generator["Embedded", None, None]]
    """From blocks of texts, and how many texts these are, to what comes of them, in their order."""


class Embedded(NamedTuple):
    """What comes of a block of texts.

    Attributes:
        vectors: i8[n, d].
        unread: how many are in characters that the encoder does not know.
        cut: how many are longer than it reads.
    """

    vectors: NDArray[np.int8]
    unread: int
    cut: int


def embedded(opened: OpenStore, texts: Sequence[str], progress: Progress) -> Embedded:
    """Embed a block of texts, on this machine."""
    vectors = opened.embed(texts, progress)
    read = opened.readings(texts)
    return Embedded(vectors, sum(not one.known for one in read), sum(one.cut for one in read))


def add(
    opened: OpenStore,
    examples: Iterable[Example],
    vectors: Iterable[Vector | None] | None,
    progress: Progress,
    *,
    embed: Embed | None = None,
) -> Added:
    """Add examples in one commit; see `Memory.add_many`.

    Args:
        opened: the store.
        examples: read once.
        vectors: one for each, or None.
        progress: told about what is embedded here.
        embed: embeds elsewhere; None for here.
    """

    def here(blocks: Iterable[Sequence[str]], count: int) -> Generator[Embedded, None, None]:
        done = 0
        for texts in blocks:
            before = done
            yield embedded(
                opened, texts, lambda stage, now, _, start=before: progress(stage, start + now, count)
            )
            done += len(texts)

    told(progress)
    adding = _Adding(opened, embed or here)
    with ExitStack() as spools:
        new = spools.enter_context(
            spooled(adding.read(examples, vectors), opened.store.path, choose=_with_vector)
        )
        rows = spools.enter_context(spooled(adding.whole(new), opened.store.path))
        return adding.commit(rows)


class _Adding:
    """One call of `add`.

    Args:
        opened: the store.
        embed: makes vectors.
    """

    def __init__(self, opened: OpenStore, embed: Embed) -> None:
        self._opened = opened
        self._embed = embed
        self._ids = bytearray()
        self._missing = np.zeros((0, ID_BYTES), np.uint8)
        self._unread = self._cut = 0

    def read(self, examples: Iterable[Example], vectors: Iterable[Vector | None] | None) -> Iterator[Row]:
        """Yield the rows that are new, those without a vector with MISSING."""
        settings = self._opened.store.settings
        nothing = np.full(settings.dimension, MISSING, np.int8)
        pairs, start, held = _pairs(examples, vectors), 0, None
        while block := [*islice(pairs, BLOCK)]:
            texts = [example.canonical() for example, _ in block]
            ids = [id_of(text, settings.seed) for text in texts]
            self._ids += b"".join(ids)
            if start and held is None:  # of many, every block would read all pages
                held = self._opened.read(lambda snapshot: snapshot.packed_ids())
            known = self._known(ids, held)
            for i, (example, vector) in enumerate(block):
                given = None if vector is None else own(vector, settings)
                if ids[i] not in known:
                    self._check_length(example, start + i if start or len(block) > 1 else None)
                    yield Row(ids[i], nothing if given is None else given, texts[i])
            start += len(block)
        if not start:
            self._opened.read(lambda _: None)  # a closed store says so

    def whole(self, new: Batch) -> Iterable[Row]:
        """Return rows with a vector each."""
        lacks = np.fromiter((row.vector[0] == MISSING for row in new), np.bool_, len(new))
        self._missing = new.ids[lacks]
        return self._completed(new, lacks) if lacks.any() else new

    def commit(self, rows: Batch) -> Added:
        """Commit rows, and return what was done."""
        fresh = self._missing[:0]
        if len(rows):
            fresh = self._opened.commit(lambda _: (rows, ())).added.ids
        packed = self._ids.hex()
        ids = [packed[i : i + 2 * ID_BYTES] for i in range(0, len(packed), 2 * ID_BYTES)]
        new = among(fresh, np.frombuffer(self._ids, np.uint8).reshape(-1, ID_BYTES))
        return Added(
            ids=tuple(ids),
            added=len(fresh),
            duplicates=len(ids) - len(fresh),
            carried=len(fresh) - int(among(self._missing, fresh).sum()),
            unread=self._unread,
            cut=self._cut,
            new=tuple(dict.fromkeys(compress(ids, new.tobytes()))),
        )

    def _known(self, ids: Sequence[bytes], held: NDArray[np.uint8] | None) -> set[bytes]:
        """Return those ids that the store holds.

        Args:
            ids: in any order.
            held: all that it holds, u8[n, 16], if they were read.
        """
        wanted = np.frombuffer(b"".join(sorted({*ids})), np.uint8).reshape(-1, ID_BYTES)
        if held is None:
            found = self._opened.read(lambda snapshot: snapshot.among(wanted))
        else:
            found = among(held, wanted)
        return {row.tobytes() for row in wanted[found]}

    def _check_length(self, example: Example, position: int | None) -> None:
        """Refuse what is too long for the model, and say which of several it is."""
        try:
            self._opened.engines.lengths.check(example)
        except InputError as error:
            raise (error if position is None else forms.at(position, error)) from None

    def _completed(self, new: Batch, lacks: NDArray[np.bool_]) -> Iterator[Row]:
        """Yield rows, with new vectors for those that lack one."""
        with closing(self._embed(_inputs(new.where(lacks)), int(lacks.sum()))) as made:
            vectors = chain.from_iterable(map(self._counted, made))
            for row, missing in zip(new, lacks.tobytes(), strict=True):
                yield row._replace(vector=next(vectors)) if missing else row

    def _counted(self, block: Embedded) -> NDArray[np.int8]:
        """Return the vectors of a block."""
        self._unread += block.unread
        self._cut += block.cut
        return block.vectors


def _pairs(
    examples: Iterable[Example], vectors: Iterable[Vector | None] | None
) -> Iterator[tuple[Example, Vector | None]]:
    """Yield examples, each with the vector that came with it.

    Raises:
        ValueError: there are not as many vectors as examples.
    """
    several: Iterator[Vector | None] = repeat(None) if vectors is None else each(vectors, "vectors")
    rest, count = iter(examples), 0
    for example in rest:
        try:
            vector = next(several)
        except StopIteration:
            raise _other(count, count + 1 + sum(1 for _ in rest)) from None
        count += 1
        yield example, vector
    if vectors is not None and (more := sum(1 for _ in several)):
        raise _other(count + more, count)


def _other(vectors: int, examples: int) -> ValueError:
    """Return the error for another number of vectors."""
    return ValueError(f"vectors has {vectors} elements, not {examples}: give one for each text, or None")


def _inputs(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield the inputs of rows, in blocks."""
    rest = iter(rows)
    while block := [*islice(rest, BLOCK)]:
        yield [example.input for example in Example.all_from_canonical(row.text for row in block)]


def _with_vector(earlier: Row, later: Row) -> Row:
    """Choose of two rows that are the same example the one that has a vector.

    Raises:
        InputError: both have one, and these differ.
    """
    if later.vector[0] == MISSING:
        return earlier
    if earlier.vector[0] != MISSING and not np.array_equal(earlier.vector, later.vector):
        raise InputError(
            f"the example {later.id.hex()} comes with two different vectors", "leave one of them out"
        )
    return later
