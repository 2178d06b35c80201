"""Building a large store: workers make the vectors, and this process commits once.

Examples come to this process, which reads them in order, finds out which are new, and gives the inputs of those
to the workers, a block at a time. So one process writes the store, in one commit, and its bytes are those that
one machine makes alone. Only the inputs that are to be embedded leave this process: no output, id or seed.
"""

from __future__ import annotations

import platform
from collections import deque
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl import __version__, forms
from edge_icl.answer.engines import Engines
from edge_icl.batch.canaries import of_encoder
from edge_icl.batch.machine import Machine, refuse_other
from edge_icl.changes import adding
from edge_icl.changes.adding import Embedded
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.memory import Memory
from edge_icl.ray.cluster import failed, running
from edge_icl.runtime.progress import silent

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from ray.data import Dataset

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.encode.encoder import Encoder
    from edge_icl.encode.vector import Vector
    from edge_icl.forms import ExampleForm
    from edge_icl.results import Added
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.settings import Settings

AHEAD = 2
"""Blocks that are with a worker at most: the one that it embeds and the next."""

SEVERAL = 512
"""Texts in a block for workers: a second or so."""


class Made(NamedTuple):
    """What a worker gives back for a block.

    Attributes:
        machine: what it computes.
        embedded: what came of the block; None where it would be something else than on the first machine.
    """

    machine: Machine
    embedded: Embedded | None


class Embedder:
    """What a process of Ray does: it embeds texts, if it computes as the process that commits.

    Args:
        settings: the store's, without its seed.
        place: the encoder's folder; None where it is found by its name.
        first: what the process that commits computes.
    """

    def __init__(self, settings: Settings, place: str | None, first: Machine) -> None:
        self._engines = Engines(settings, encoder=place, options=EngineOptions(threads=1))
        self._encoder = self._engines.encoder()
        self._own = _machine(self._encoder)
        self._same = not first.differs(self._own)

    def embed(self, texts: Sequence[str]) -> Made:
        """Return the vectors of texts."""
        if not self._same:
            return Made(self._own, None)
        vectors, read = self._encoder.encode(texts), self._encoder.readings(texts)
        counts = (sum(not one.known for one in read), sum(one.cut for one in read))
        return Made(self._own, Embedded(vectors, *counts))


def add(
    dataset: Dataset,
    store: str | os.PathLike[str],
    *,
    workers: int | None = None,
    encoder: str | os.PathLike[str] | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress = silent,
) -> Added:
    """Add the rows of a dataset to a store in one commit, with vectors that a cluster's workers make.

    The result is byte for byte what `Memory.add_many` makes of the same rows. For what the store holds already
    no vector is made. The workers need the encoder, at the same place as here, and not the store.

    Args:
        dataset: rows with the columns input and output, and perhaps tags and source; read once, in order.
        store: its name, or a path; it is made if nothing is there.
        workers: how many, of one core each; None for one a core of the cluster.
        encoder: the encoder that the store must have, see `Memory.open`.
        passphrase: of an encrypted store.
        progress: told about each block that is embedded.

    Raises:
        MachineDiffersError: a worker makes other vectors than this process; nothing was added.
        InputError: a row is no example; nothing was added.
        EdgeIclError: what `Memory.open` and `Memory.add_many` raise.
    """
    with Memory.open(store, encoder=encoder, passphrase=passphrase, create="later") as memory:
        return add_many(memory, _rows(dataset), workers=workers, progress=progress)


def add_many(
    memory: Memory,
    examples: Iterable[ExampleForm],
    *,
    vectors: Iterable[Vector | None] | None = None,
    address: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> Added:
    """Add examples as `Memory.add_many` does, with vectors that workers of Ray make.

    Ray is started when there is something to embed, if this process has not done so.

    Args:
        memory: the store.
        examples: see `Memory.add_many`.
        vectors: see `Memory.add_many`.
        address: where a Ray runs; None for this process's, or one of its own.
        workers: how many, of one core each; None for one a core.
        progress: told about each block that is embedded.

    Raises:
        MachineDiffersError: a worker makes other vectors than this process; nothing was added.
        EdgeIclError: a worker failed; what `Memory.add_many` raises.
    """
    opened = memory._opened  # noqa: SLF001 - a door of the library, as Memory is

    def embed(blocks: Iterable[Sequence[str]], count: int) -> Generator[Embedded, None, None]:
        own = memory.settings
        settings = replace(own, seed=bytes(len(own.seed)), task="")  # a worker needs neither
        job = (settings, opened.engines.place, _machine(opened.engines.encoder()))
        heeded, done = opened.lifetime.heeded_by(progress), 0
        with running(address=address, workers=workers) as several:
            heeded("embed", 0, count)
            with closing(_made(job, blocks, several)) as made:
                for block in made:
                    done += len(block.vectors)
                    heeded("embed", done, count)
                    yield block

    return adding.add(opened, forms.stream(examples), vectors, progress, embed=embed)


def _made(
    job: tuple[Settings, str | None, Machine], blocks: Iterable[Sequence[str]], workers: int
) -> Generator[Embedded, None, None]:
    """Yield what workers make of blocks, in their order; one that dies is started again, with its blocks."""
    import ray
    from ray.exceptions import RayError

    kind = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(Embedder)
    several = [kind.remote(*job) for _ in range(workers)]
    waiting: deque[Any] = deque()
    try:
        for i, texts in enumerate(_smaller(blocks)):
            if len(waiting) == AHEAD * workers:
                yield _accepted(job[-1], ray.get(waiting.popleft()))
            waiting.append(several[i % workers].embed.remote(texts))
        while waiting:
            yield _accepted(job[-1], ray.get(waiting.popleft()))
    except RayError as error:
        raise failed(error) from error
    finally:
        for one in several:
            ray.kill(one)


def _accepted(first: Machine, made: Made) -> Embedded:
    """Return what came of a block.

    Raises:
        MachineDiffersError: the worker makes other vectors than this process.
    """
    refuse_other(first, made.machine, first.differs(made.machine))
    assert made.embedded is not None
    return made.embedded


def _smaller(blocks: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Cut blocks into those for workers."""
    for texts in blocks:
        for start in range(0, len(texts), SEVERAL):
            yield texts[start : start + SEVERAL]


def _machine(encoder: Encoder) -> Machine:
    """Return what this process computes, as far as vectors depend on it."""
    return Machine(platform.node(), __version__, encoder=of_encoder(encoder), prior="")


def _rows(dataset: Dataset) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a dataset, without what is missing in them."""
    for rows in dataset.iter_rows():
        yield {name: value for name, value in rows.items() if value is not None}
