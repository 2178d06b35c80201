"""A pool of workers that label the batches of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from edge_icl.batch import Labeler
from edge_icl.ray.cluster import cores, failed
from edge_icl.runtime.arguments import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from ray.data import ActorPoolStrategy, Dataset

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.options import OptionFields

BLOCK = 1000
"""Rows that a worker labels at once: a second or so, beside which what Ray does for a batch is little."""


class Worker:
    """What a process of the pool does; made there, from a labeler that has loaded nothing yet."""

    def __init__(self, labeler: Labeler) -> None:
        self._label = labeler

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Label the rows of a batch."""
        return self._label(rows)


def pool(workers: int, *, beside: int = 0) -> ActorPoolStrategy:
    """Return a pool of workers.

    Args:
        workers: how many.
        beside: how many of them begin only when what comes before them leaves cores free: where workers hold
            all cores of a cluster, nothing reads the rows that they wait for.
    """
    from ray.data import ActorPoolStrategy

    if not beside:
        return ActorPoolStrategy(size=workers)
    return ActorPoolStrategy(min_size=1, max_size=workers, initial_size=max(1, workers - beside))


def label(
    dataset: Dataset,
    store: str | os.PathLike[str],
    *,
    root: str | None = None,
    column: str = "input",
    workers: int | None = None,
    block: int = BLOCK,
    memory: int | None = None,
    allow_mixed: bool = False,
    encoder: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    gpu_layers: int | None = None,
    passphrase: Passphrase | None = None,
    **options: Unpack[OptionFields],
) -> Dataset:
    """Return a dataset with the answers to its rows, in the order of the rows; computed when it is used.

    This process says which state of the store counts, and what a machine must compute: it loads the store and,
    unless `ask_model` is "never", the model. Workers load them from the same paths. Rows do not come to this
    process. A batch whose worker dies is labelled by another one, as often as that happens.

    Args:
        dataset: the rows; a column of them has the questions.
        store: its name, or a path, at which every worker finds it.
        root: the state of the store; None for the present one.
        column: the one with the questions.
        workers: most workers, of one core each; None for one a core of the cluster. They may get fewer cores
            while rows are being read.
        block: rows that are labelled at once.
        memory: bytes that a worker needs, for Ray to place them; see docs/fleet.md for what they need.
        allow_mixed: mark the rows of workers that compute otherwise than this process, in a column `machine`;
            without it such a worker ends the run.
        encoder: see `Labeler`.
        model: see `Labeler`.
        gpu_layers: see `Labeler`.
        passphrase: see `Labeler`; it goes over Ray's network as it is given here.
        options: fields of `Options`.

    Returns:
        The rows with the columns of `edge_icl.batch.columns`.

    Raises:
        InputError: an argument is of another kind, or out of range.
        EdgeIclError: the store cannot be read here; what `Labeler.machine` raises.
    """
    wanted = None if workers is None else whole(workers, "workers", least=1)
    block = whole(block, "block", least=1)
    given: dict[str, Any] = {
        "column": column,
        "encoder": encoder,
        "model": model,
        "gpu_layers": gpu_layers,
        "passphrase": passphrase,
        **options,
    }
    labeler = _labeler_for_workers(store, root, allow_mixed=allow_mixed, **given)
    return _labelled(dataset, labeler, workers=wanted, block=block, memory=memory)


def _labeler_for_workers(
    store: str | os.PathLike[str], root: str | None, *, allow_mixed: bool, **given: Any
) -> Labeler:
    """Return a labeler that holds workers to the state of the store, and to what this process computes."""
    first = Labeler(store, root=root, **given)
    labeler = Labeler(store, root=first.root, machine=first.machine(), allow_mixed=allow_mixed, **given)
    first.close()
    return labeler


def _labelled(
    dataset: Dataset, labeler: Labeler, *, workers: int | None, block: int, memory: int | None
) -> Dataset:
    """Return a dataset with the columns that a labeler gives; see `label`."""
    import ray

    if not ray.is_initialized():
        ray.init()
    most = cores()
    several = workers or most
    labelled = dataset.map_batches(
        Worker,
        fn_constructor_kwargs={"labeler": labeler},
        batch_size=block,
        batch_format="pyarrow",
        compute=pool(several, beside=max(0, several - most + 1)),
        num_cpus=1,
        memory=memory,
    )
    labelled.context.execution_options.preserve_order = True
    return labelled


def done(items: Sequence[str], work: type, job: object, workers: int) -> Iterator[dict[str, Any]]:
    """Have workers do something for each item, and yield what they say of it, as they come.

    Args:
        items: texts that say what is to be done, such as which part of a file is to be read.
        work: a class, made from the job in each worker, and called with a table whose column `part` has items.
        job: what every worker knows.
        workers: how many there are.

    Raises:
        EdgeIclError: a worker failed, or died each time that it came to an item.
    """
    import logging

    import ray.data
    from ray.exceptions import RayError

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    waiting = ray.data.from_items([{"part": one} for one in items], override_num_blocks=len(items))
    told = waiting.map_batches(
        work,
        fn_constructor_args=[job],
        batch_size=1,
        batch_format="pyarrow",
        compute=pool(workers),
        num_cpus=1,
    )
    try:
        for rows in told.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from rows.to_pylist()
    except RayError as error:
        raise failed(error) from error
